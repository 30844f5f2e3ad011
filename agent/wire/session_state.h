// SessionState: what a client made of its session, and what a server connection carries.
//
// Written in the form of docs/decisions/0200-session-report.md, which the extension makes and
// understands; here only settings are read out of it.  Immutable and shared: equal states are one
// object in the process, so a server connection that already carries what a client wants is found
// by comparing two pointers.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace pgvalet::wire {

// Sorted by name; names in lower case, as the server compares them without regard to case.
using SettingList = std::vector<std::pair<std::string, std::string>>;

struct SessionState {
  SettingList startup;  // brought at startup: what RESET goes back to
  SettingList session;  // set since
  std::string text;     // all of it, in canonical form
  // Of these, what the meaning of a statement's text depends on: where it finds its tables, how its
  // constants are read.  Equal texts with equal contexts are the same statement.
  std::string statement_context{};

  // The value in force; null when nothing is set.
  const std::string* Find(std::string_view lower_name) const;
};
// Never null: nothing at all is an object too.
using StateRef = std::shared_ptr<const SessionState>;

std::string LowerCase(std::string_view name);

// Does the meaning of a statement's text depend on this setting?
bool IsReadByAnalysis(std::string_view lower_name);

// All distinct states of the process.  Thread-safe.
class StateStore {
 public:
  // What a client brings at startup.  Of a name given twice the last value counts.
  StateRef FromStartup(SettingList values);
  // What the extension says; nothing if it does not have the form.
  std::optional<StateRef> FromReport(std::string_view text);
  // `base` with one value set, where no extension says it.
  StateRef With(const StateRef& base, std::string_view lower_name, std::string_view value);
  const StateRef& none() const { return none_; }

 private:
  StateRef Find(const std::string& text);
  StateRef Add(SessionState state);

  std::mutex mutex_;  // protects all below
  std::unordered_map<std::string, std::weak_ptr<const SessionState>> by_text_;
  std::size_t sweep_at_ = 64;
  StateRef none_ = std::make_shared<const SessionState>();
};

// A reported parameter that the server alone decides: never restored.
bool IsServerDecided(std::string_view lower_name);

// For servers without the extension: SQL that turns the settings a server connection carries into
// those that are wanted, SET for what differs and RESET for what is carried but not wanted.  Empty
// when nothing has to be done.
std::string RestoreSql(const SessionState& carried, const SessionState& wanted);

}  // namespace pgvalet::wire
