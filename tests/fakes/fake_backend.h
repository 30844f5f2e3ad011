// FakeBackend: a PostgreSQL backend after login, as a function from bytes to bytes.
//
// Keeps to those rules of the protocol that a pooler depends on: what is skipped after an error,
// what a COPY ignores, when ReadyForQuery comes and with which status, which statements exist.  SQL
// is a toy, told by its first words:
//
//   begin, commit, rollback        a transaction block
//   select <n>                     n rows ("select" alone: one); "select <n>x<bytes>" long ones
//   fail                           an error when executed
//   bad                            an error when parsed
//   defer                          an error at the end of the transaction, as of a constraint
//   copy out, copy in              COPY; data that begins with "bad" fails
//   copy trigger                   COPY from the client that fails before it has read anything
//   set "<name>"=E'<value>', reset "<name>", select pg_catalog.set_config(E'..',E'..',false)
//   deallocate <name>, deallocate all, discard all
//   notice                         a notice, then as select
//   pin, unpin                     the session has a temporary object more, or none; "pin" is
//   undone
//                                  by a rollback
//   do deallocate all              as inside a block of code: no tag tells
//   sleep                          as select, but the answer waits for Wake()
//   die                            FATAL, and the end
//   nothing at all                 EmptyQueryResponse; anything else succeeds
//
// A simple query may hold several, separated by semicolons.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "wire/body_reader.h"
#include "wire/protocol.h"

namespace pgvalet::fakes {

class FakeBackend {
 public:
  using Settings = std::map<std::string, std::string>;

  // Bytes from the client, cut anywhere.
  void Take(std::string_view bytes);
  // What it has to say, in whole messages.
  std::string TakeAnswers();
  // Goes on after "sleep".  With an error, as after a cancel request.
  void Wake(bool canceled = false);

  // Messages it read, in order, as text: type, then names or SQL ("P s1 select 1", "Q begin").
  std::vector<std::string> TakeSeen();
  // It waits for a new command, and has said so.
  bool ready() const { return ready_ && input_.empty(); }
  wire::TxStatus status() const;
  bool terminated() const { return terminated_; }
  bool sleeping() const { return sleeping_; }
  const Settings& settings() const { return settings_; }
  // What a restore gave it as brought at startup.
  const Settings& startup_settings() const { return startup_settings_; }
  // From now on it reports its session and can be restored; what it says of that first.
  std::string PreloadExtension();
  // It cannot be restored to a state that has this setting.
  static constexpr std::string_view kUnrestorable = "unrestorable";
  const std::map<std::string, std::string>& statements() const { return statements_; }

 private:
  void Handle(char type, wire::Bytes body);
  void HandleInCopy(char type, wire::Bytes body);
  void HandleParse(wire::BodyReader reader);
  void HandleBind(wire::BodyReader reader);
  void HandleDescribe(wire::BodyReader reader);
  void HandleExecute(wire::BodyReader reader);
  void HandleClose(wire::BodyReader reader);
  void HandleFunctionCall(wire::BodyReader reader);
  void Restore(const std::string& value);
  bool RunPin(const std::string& sql);
  void Report();
  std::string StateText() const;
  void RunStatements();
  bool Run(const std::string& sql, bool simple);
  bool RunCopy(const std::string& sql);
  bool RunTransactionControl(const std::string& sql);
  bool RunSetting(const std::string& sql);
  bool RunDeallocate(const std::string& sql);
  void SendRows(const std::string& sql, bool simple);
  void Complete(std::string_view tag);
  void Fail(std::string_view sqlstate, std::string_view message);
  void EndTransaction(bool commit);
  void Ready();
  void Note(char type, std::string_view rest = {});

  std::string input_;
  std::string answers_;
  std::vector<std::string> seen_;
  std::map<std::string, std::string> statements_;  // name to SQL
  std::map<std::string, std::string> portals_;
  Settings settings_;
  Settings settings_before_;  // the transaction block
  Settings reported_;
  Settings startup_settings_;
  bool extension_ = false;
  bool poisoned_ = false;  // a restore failed
  bool statements_gone_ = false;
  int pins_ = 0;
  int pins_before_ = 0;  // the transaction block
  std::string reported_state_;
  int reported_pins_ = 0;
  std::deque<std::string> left_;  // statements of a simple query
  bool simple_ = false;           // of what runs now
  bool ready_ = true;
  bool extended_ = false;  // the last message was one of the extended protocol
  bool ignoring_ = false;  // up to the next Sync
  bool copy_in_ = false;
  bool in_block_ = false;
  bool failed_ = false;
  bool deferred_ = false;
  bool errored_ = false;  // the statement that ran last
  bool sleeping_ = false;
  bool terminated_ = false;
};

}  // namespace pgvalet::fakes
