// SessionSettings: the settings a client wants its server connection to carry.
//
// Immutable and shared: equal settings are one object in the process, so a server connection that
// already carries what a client wants is found by comparing two pointers.  Names are compared
// without regard to case, as the server does.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace pgvalet::wire {

struct SessionSettings {
  // Sorted by name; names in lower case.
  std::vector<std::pair<std::string, std::string>> values;

  // Null when the name is not among them.
  const std::string* Find(std::string_view lower_name) const;
};
// Never null: no settings at all is an object too.
using SettingsRef = std::shared_ptr<const SessionSettings>;

std::string LowerCase(std::string_view name);

// All distinct SessionSettings of the process.  Thread-safe.
class SettingsStore {
 public:
  SettingsRef Intern(std::vector<std::pair<std::string, std::string>> values);
  // `base` with one value more, or another one.
  SettingsRef With(const SettingsRef& base, std::string_view lower_name, std::string_view value);
  const SettingsRef& none() const { return none_; }

 private:
  std::mutex mutex_;  // protects all below
  std::unordered_map<std::string, std::weak_ptr<const SessionSettings>> by_text_;
  std::size_t sweep_at_ = 64;
  SettingsRef none_ = std::make_shared<const SessionSettings>();
};

// A reported parameter that the server alone decides: never restored.
bool IsServerDecided(std::string_view lower_name);

// SQL that turns what a server connection carries into what is wanted: SET for what differs and
// RESET for what is carried but not wanted.  Empty when nothing has to be done.
std::string RestoreSql(const SessionSettings& carried, const SessionSettings& wanted);

}  // namespace pgvalet::wire
