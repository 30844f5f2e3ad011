#include "fakes/fake_backend.h"

#include <algorithm>
#include <cstdlib>

#include "auth/crypto.h"
#include "wire/message_builder.h"
#include "wire/session_items.h"
#include "wire/session_report.h"
#include "wire/session_state.h"

namespace pgvalet::fakes {
namespace {

using wire::Bytes;

std::string_view Trim(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

// As the server cuts a simple query: not inside quotes.
std::deque<std::string> Split(std::string_view sql) {
  std::deque<std::string> parts;
  std::string part;
  char quote = 0;
  const auto push = [&] {
    if (!Trim(part).empty()) parts.emplace_back(Trim(part));
    part.clear();
  };
  for (char c : sql) {
    if (quote == 0 && c == ';') {
      push();
      continue;
    }
    if (quote == 0 && (c == '\'' || c == '"')) {
      quote = c;
    } else if (c == quote) {
      quote = 0;
    }
    part.push_back(c);
  }
  push();
  return parts;
}

bool Is(const std::string& sql, std::string_view words) {
  return wire::LowerCase(sql).starts_with(words);
}

bool EndsTransaction(const std::string& sql) { return Is(sql, "commit") || Is(sql, "rollback"); }

// What stands between the n-th pair of `quote`.
std::string Quoted(const std::string& sql, char quote, int n) {
  std::size_t at = 0;
  for (int i = 0; i < 2 * n + 1; ++i) at = sql.find(quote, at) + 1;
  return sql.substr(at, sql.find(quote, at) - at);
}

bool IsReported(const std::string& name) {
  return name == "application_name" || name == "timezone" || name == "datestyle" ||
         name == "client_encoding";
}

}  // namespace

void FakeBackend::Take(std::string_view bytes) {
  input_.append(bytes);
  while (!sleeping_ && !terminated_ && input_.size() >= wire::kHeaderBytes) {
    const wire::Header header =
        wire::LoadHeader(reinterpret_cast<const std::uint8_t*>(input_.data()));
    if (input_.size() < header.total()) return;
    const std::string message = input_.substr(0, header.total());
    input_.erase(0, header.total());
    const Bytes body = wire::AsBytes(message).subspan(wire::kHeaderBytes);
    if (copy_in_) {
      HandleInCopy(header.type, body);
    } else {
      Handle(header.type, body);
    }
  }
}

std::string FakeBackend::TakeAnswers() {
  std::string answers;
  answers.swap(answers_);
  return answers;
}

std::vector<std::string> FakeBackend::TakeSeen() {
  std::vector<std::string> seen;
  seen.swap(seen_);
  return seen;
}

wire::TxStatus FakeBackend::status() const {
  if (!in_block_) return wire::TxStatus::kIdle;
  return failed_ ? wire::TxStatus::kFailed : wire::TxStatus::kInTransaction;
}

void FakeBackend::Note(char type, std::string_view rest) {
  std::string line(1, type);
  if (!rest.empty()) line.append(" ").append(rest);
  seen_.push_back(std::move(line));
}

void FakeBackend::Handle(char type, Bytes body) {
  wire::BodyReader reader(body);
  switch (type) {
    case 'Q':
    case 'F':
    case 'S':
    case 'X':
      extended_ = false;
      break;
    case 'd':
    case 'c':
    case 'f':
      extended_ = false;
      return Note(type, "(ignored)");
    default:
      extended_ = true;
      break;
  }
  if (type == 'X') {
    Note(type);
    terminated_ = true;
    return;
  }
  if (type == 'S') {
    Note(type);
    ignoring_ = ready_ = false;
    if (deferred_ && !in_block_) return Fail("23503", "deferred constraint");
    return Ready();
  }
  if (ignoring_) return Note(type, "(skipped)");
  if (type != 'H') ready_ = false;
  switch (type) {
    case 'Q':
      Note(type, reader.TakeString());
      left_ = Split(seen_.back().substr(1));
      statements_.erase("");
      if (left_.empty()) wire::AppendMessage(answers_, wire::server::kEmptyQueryResponse, {});
      return RunStatements();
    case 'P':
      return HandleParse(reader);
    case 'B':
      return HandleBind(reader);
    case 'D':
      return HandleDescribe(reader);
    case 'E':
      return HandleExecute(reader);
    case 'C':
      return HandleClose(reader);
    case 'F':
      return HandleFunctionCall(reader);
    case 'H':
      return Note(type);
    default:
      Fail("08P01", "invalid frontend message type");
      terminated_ = true;
  }
}

void FakeBackend::HandleInCopy(char type, Bytes body) {
  switch (type) {
    case 'd':
      Note(type, wire::AsText(body).substr(0, 20));
      if (wire::AsText(body).starts_with("bad")) Fail("22P02", "bad data");
      return;
    case 'c':
      Note(type);
      copy_in_ = false;
      Complete("COPY 1");
      if (simple_) RunStatements();
      return;
    case 'f':
      Note(type);
      return Fail("57014", "COPY from stdin failed");
    case 'H':
    case 'S':
      return Note(type, "(ignored)");
    default:
      Note(type, "(fatal)");
      wire::AppendErrorResponse(answers_, {"FATAL", "08P01", "unexpected message during COPY"});
      terminated_ = true;
  }
}

void FakeBackend::HandleParse(wire::BodyReader reader) {
  const std::string name(reader.TakeString());
  const std::string sql(reader.TakeString());
  Note('P', name + " " + sql);
  if (Is(sql, "bad")) return Fail("42601", "syntax error");
  if (failed_ && !sql.empty() && !EndsTransaction(sql)) {
    return Fail("25P02", "current transaction is aborted");
  }
  if (!name.empty() && statements_.contains(name)) {
    return Fail("42P05", "prepared statement \"" + name + "\" already exists");
  }
  statements_[name] = sql;
  wire::AppendParseComplete(answers_);
}

void FakeBackend::HandleBind(wire::BodyReader reader) {
  const std::string portal(reader.TakeString());
  const std::string name(reader.TakeString());
  Note('B', name);
  const auto found = statements_.find(name);
  if (found == statements_.end()) {
    return Fail("26000", "prepared statement \"" + name + "\" does not exist");
  }
  if (failed_ && !found->second.empty() && !EndsTransaction(found->second)) {
    return Fail("25P02", "current transaction is aborted");
  }
  portals_[portal] = found->second;
  wire::AppendMessage(answers_, wire::server::kBindComplete, {});
}

void FakeBackend::HandleDescribe(wire::BodyReader reader) {
  const bool statement = reader.TakeByte() == 'S';
  const std::string name(reader.TakeString());
  Note('D', (statement ? "S " : "P ") + name);
  auto& known = statement ? statements_ : portals_;
  const auto found = known.find(name);
  if (found == known.end()) return Fail(statement ? "26000" : "34000", "does not exist");
  if (statement) {
    wire::AppendMessage(answers_, wire::server::kParameterDescription,
                        wire::AsBytes(std::string_view("\0\0", 2)));
  }
  if (Is(found->second, "select")) {
    wire::AppendMessage(answers_, wire::server::kRowDescription,
                        wire::AsBytes(std::string_view("\0\0", 2)));
  } else {
    wire::AppendMessage(answers_, wire::server::kNoData, {});
  }
}

void FakeBackend::HandleExecute(wire::BodyReader reader) {
  const std::string portal(reader.TakeString());
  Note('E', portal);
  const auto found = portals_.find(portal);
  if (found == portals_.end()) return Fail("34000", "portal does not exist");
  if (found->second.empty()) {
    return wire::AppendMessage(answers_, wire::server::kEmptyQueryResponse, {});
  }
  const std::string sql = found->second;
  simple_ = false;
  [[maybe_unused]] const bool done = Run(sql, false);
}

void FakeBackend::HandleClose(wire::BodyReader reader) {
  const bool statement = reader.TakeByte() == 'S';
  const std::string name(reader.TakeString());
  Note('C', (statement ? "S " : "P ") + name);
  (statement ? statements_ : portals_).erase(name);
  wire::AppendCloseComplete(answers_);
}

void FakeBackend::HandleFunctionCall(wire::BodyReader reader) {
  constexpr std::uint32_t kSetConfig = 2078;
  if (reader.TakeU32() == kSetConfig && extension_) {
    reader.TakeBytes(4);  // formats, number of arguments
    const std::string name(wire::AsText(reader.TakeBytes(reader.TakeU32())));
    const std::string value(wire::AsText(reader.TakeBytes(reader.TakeU32())));
    if (name == wire::kSessionParameter) return Restore(value);
  }
  Note('F');
  if (failed_) return Fail("25P02", "current transaction is aborted");
  wire::AppendMessage(answers_, wire::server::kFunctionCallResponse,
                      wire::AsBytes(std::string_view("\xff\xff\xff\xff", 4)));
  Ready();
}

std::string FakeBackend::PreloadExtension() {
  extension_ = true;
  std::string out;
  wire::AppendParameterStatus(out, wire::kSessionParameter, ".v5:0.1.0m0:");
  return out;
}

// "<key> <state> <sequences>", both in base64.
void FakeBackend::Restore(const std::string& value) {
  const std::size_t key = value.find(' ');
  const std::string encoded = value.substr(key + 1, value.find(' ', key + 1) - key - 1);
  const std::string state = auth::FromBase64(encoded).value_or("?");
  Note('F', "restore " + state);
  Settings startup, session;
  wire::ItemReader items(state);
  while (!items.at_end()) {
    const char letter = items.TakeLetter();
    const std::string name(items.TakeField());
    (letter == 'c' ? startup : session)[name] = items.TakeField();
  }
  if (startup.contains(std::string(kUnrestorable)) ||
      session.contains(std::string(kUnrestorable))) {
    poisoned_ = true;
    return Fail("22023", "cannot be restored");
  }
  startup_settings_ = std::move(startup);
  settings_ = std::move(session);
  reported_state_ = state;
  wire::AppendMessage(answers_, wire::server::kFunctionCallResponse,
                      wire::AsBytes(std::string_view("\0\0\0\0", 4)));
  Ready();
}

std::string FakeBackend::StateText() const {
  std::string state;
  for (const auto& [name, value] : startup_settings_) wire::AppendItem(state, 'c', {name, value});
  for (const auto& [name, value] : settings_) wire::AppendItem(state, 's', {name, value});
  return state;
}

// Right before ReadyForQuery in idle state, if there is something new.
void FakeBackend::Report() {
  const std::string state = StateText();
  if (state == reported_state_ && pins_ == reported_pins_ && !statements_gone_) return;
  std::string report = ".";
  if (state != reported_state_) wire::AppendItem(report, 'm', {state});
  if (pins_ > 0) wire::AppendItem(report, 'p', {"temporary_objects", std::to_string(pins_)});
  if (statements_gone_) report.push_back('d');
  reported_state_ = state;
  reported_pins_ = pins_;
  statements_gone_ = false;
  wire::AppendParameterStatus(answers_, wire::kSessionParameter, report);
}

bool FakeBackend::RunPin(const std::string& sql) {
  if (sql != "pin" && sql != "unpin") return false;
  pins_ = sql == "pin" ? pins_ + 1 : 0;
  Complete("DONE");
  return true;
}

void FakeBackend::RunStatements() {
  simple_ = true;
  while (!left_.empty()) {
    const std::string sql = left_.front();
    left_.pop_front();
    if (Is(sql, "bad")) return Fail("42601", "syntax error");
    if (!Run(sql, true)) return;
  }
  if (deferred_ && !in_block_) return Fail("23503", "deferred constraint");
  Ready();
}

// False when the rest has to wait, or is not to be run at all.
bool FakeBackend::Run(const std::string& sql, bool simple) {
  errored_ = false;
  if (poisoned_) {
    Fail("22023", "cannot be restored");
    return false;
  }
  if (failed_ && !EndsTransaction(sql)) {
    Fail("25P02", "current transaction is aborted");
    return false;
  }
  if (Is(sql, "fail")) {
    Fail("22012", "division by zero");
    return false;
  }
  if (Is(sql, "die")) {
    wire::AppendErrorResponse(answers_, {"FATAL", "57P01", "terminated by administrator"});
    terminated_ = true;
    return false;
  }
  if (Is(sql, "copy")) return RunCopy(sql);
  if (RunTransactionControl(sql) || RunSetting(sql) || RunDeallocate(sql) || RunPin(sql)) {
    return !errored_;
  }
  if (Is(sql, "defer")) deferred_ = true;
  if (Is(sql, "notice")) wire::AppendNoticeResponse(answers_, {"NOTICE", "00000", "look"});
  if (Is(sql, "sleep")) {
    sleeping_ = true;
    return false;
  }
  if (Is(sql, "select") || Is(sql, "notice")) {
    SendRows(sql, simple);
  } else {
    Complete("DONE");
  }
  return true;
}

bool FakeBackend::RunCopy(const std::string& sql) {
  if (Is(sql, "copy out")) {
    wire::AppendMessage(answers_, wire::server::kCopyOutResponse,
                        wire::AsBytes(std::string_view("\0\0\0", 3)));
    wire::AppendMessage(answers_, 'd', wire::AsBytes("row\n"));
    wire::AppendMessage(answers_, 'c', {});
    Complete("COPY 1");
    return true;
  }
  wire::AppendMessage(answers_, wire::server::kCopyInResponse,
                      wire::AsBytes(std::string_view("\0\0\0", 3)));
  copy_in_ = true;
  if (Is(sql, "copy trigger")) Fail("P0001", "the trigger says no");
  return false;
}

bool FakeBackend::RunTransactionControl(const std::string& sql) {
  if (Is(sql, "begin")) {
    if (!in_block_) {
      settings_before_ = settings_;
      pins_before_ = pins_;
    }
    in_block_ = true;
    Complete("BEGIN");
    return true;
  }
  if (!EndsTransaction(sql)) return false;
  const bool commit = Is(sql, "commit") && !failed_;
  if (commit && deferred_) {
    EndTransaction(false);
    Fail("23503", "deferred constraint");
    return true;
  }
  EndTransaction(commit);
  Complete(commit ? "COMMIT" : "ROLLBACK");
  return true;
}

void FakeBackend::EndTransaction(bool commit) {
  if (in_block_ && !commit) {
    settings_ = settings_before_;
    pins_ = pins_before_;
  }
  in_block_ = failed_ = deferred_ = false;
}

bool FakeBackend::RunSetting(const std::string& sql) {
  if (Is(sql, "set ")) {
    settings_[Quoted(sql, '"', 0)] = Quoted(sql, '\'', 0);
    Complete("SET");
  } else if (Is(sql, "reset ")) {
    settings_.erase(Quoted(sql, '"', 0));
    Complete("RESET");
  } else if (Is(sql, "select pg_catalog.set_config")) {
    settings_[Quoted(sql, '\'', 0)] = Quoted(sql, '\'', 1);
    SendRows("select", true);
  } else {
    return false;
  }
  return true;
}

bool FakeBackend::RunDeallocate(const std::string& sql) {
  if (Is(sql, "discard all")) {
    settings_.clear();
    statements_.clear();
    statements_gone_ = true;
    pins_ = 0;
    Complete("DISCARD ALL");
    return true;
  }
  if (Is(sql, "do deallocate all")) {
    statements_.clear();
    statements_gone_ = true;
    Complete("DO");
    return true;
  }
  if (!Is(sql, "deallocate ")) return false;
  std::string name = sql.substr(11);
  std::erase(name, '"');
  if (wire::LowerCase(name) == "all") {
    statements_.clear();
    statements_gone_ = true;
    Complete("DEALLOCATE ALL");
  } else if (statements_.erase(name) > 0) {
    Complete("DEALLOCATE");
  } else {
    Fail("26000", "prepared statement \"" + name + "\" does not exist");
  }
  return true;
}

void FakeBackend::SendRows(const std::string& sql, bool simple) {
  const std::size_t digits = sql.find_first_of("0123456789");
  const int rows = digits == std::string::npos ? 1 : std::atoi(sql.c_str() + digits);
  const std::size_t times = sql.find('x', digits == std::string::npos ? sql.size() : digits);
  const std::size_t width =
      times == std::string::npos ? 1 : static_cast<std::size_t>(std::atoi(sql.c_str() + times + 1));
  if (simple) {
    wire::AppendMessage(answers_, wire::server::kRowDescription,
                        wire::AsBytes(std::string_view("\0\0", 2)));
  }
  for (int i = 0; i < rows; ++i) {
    std::string row("\0\1", 2);
    wire::AppendU32(row, static_cast<std::uint32_t>(width));
    row.append(width, static_cast<char>('a' + i % 26));
    wire::AppendMessage(answers_, wire::server::kDataRow, wire::AsBytes(row));
  }
  Complete("SELECT " + std::to_string(rows));
}

void FakeBackend::Complete(std::string_view tag) {
  const std::size_t mark = wire::BeginMessage(answers_, wire::server::kCommandComplete);
  wire::AppendString(answers_, tag);
  wire::EndMessage(answers_, mark);
}

void FakeBackend::Fail(std::string_view sqlstate, std::string_view message) {
  wire::AppendErrorResponse(answers_, {"ERROR", sqlstate, message});
  copy_in_ = deferred_ = false;
  errored_ = true;
  if (in_block_) failed_ = true;
  left_.clear();
  if (extended_) {
    ignoring_ = true;
  } else {
    Ready();
  }
}

void FakeBackend::Ready() {
  for (const auto& [name, value] : settings_) {
    if (!IsReported(name) || reported_[name] == value) continue;
    reported_[name] = value;
    wire::AppendParameterStatus(answers_, name, value);
  }
  for (auto& [name, value] : reported_) {
    if (settings_.contains(name) || value == "default") continue;
    value = "default";
    wire::AppendParameterStatus(answers_, name, value);
  }
  if (!in_block_) portals_.clear();
  if (extension_ && status() == wire::TxStatus::kIdle) Report();
  ready_ = true;
  wire::AppendReadyForQuery(answers_, status());
}

void FakeBackend::Wake(bool canceled) {
  if (!sleeping_) return;
  sleeping_ = false;
  if (canceled) {
    Fail("57014", "canceling statement due to user request");
  } else {
    SendRows("select", simple_);
    if (simple_) RunStatements();
  }
  Take({});
}

}  // namespace pgvalet::fakes
