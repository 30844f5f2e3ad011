#include "sampler/connection.h"

#include <poll.h>

#include <algorithm>
#include <optional>

#include "base/wait.h"

namespace pgvalet::sampler {
namespace {

// What a hung view may cost at most.  search_path keeps a function that somebody put
// into schema public out of statements that may run as superuser; the lock timeout keeps
// us out of the way of DROP EXTENSION.
constexpr const char* kSessionOptions =
    "-c statement_timeout=5s -c lock_timeout=1s -c idle_in_transaction_session_timeout=10s "
    "-c default_transaction_read_only=on -c search_path=pg_catalog,pg_temp";

// libpq's keyword and value arrays, with the strings they point at.
class Parameters {
 public:
  Parameters(const Target& target, const std::vector<ResolvedAddress>& addresses,
             const char* name) {
    for (const ResolvedAddress& address : addresses) {
      const char* comma = &address == &addresses.front() ? "" : ",";
      hosts_ += comma + address.host;
      hostaddrs_ += comma + address.hostaddr;
      ports_ += comma + std::to_string(address.port);
    }
    Add("host", hosts_);
    Add("hostaddr",
        hostaddrs_.find_first_not_of(',') == std::string::npos ? std::string() : hostaddrs_);
    Add("port", ports_);
    Add("dbname", target.dbname);
    Add("user", target.user);
    Add("password", target.password);
    Add("application_name", name);
    Add("client_encoding", "UTF8");
    Add("options", kSessionOptions);
    // The Kerberos library asks name servers and blocks while it does.
    Add("gssencmode", "disable");
  }

  // The arrays live as long as this object.
  std::vector<const char*> keywords() const { return Pointers(keywords_); }
  std::vector<const char*> values() const { return Pointers(values_); }

 private:
  void Add(const char* keyword, const std::string& value) {
    if (value.empty()) return;  // libpq's default, also from the environment
    keywords_.emplace_back(keyword);
    values_.push_back(value);
  }
  static std::vector<const char*> Pointers(const std::vector<std::string>& strings) {
    std::vector<const char*> pointers;
    pointers.reserve(strings.size() + 1);
    for (const std::string& text : strings) pointers.push_back(text.c_str());
    pointers.push_back(nullptr);
    return pointers;
  }

  std::string hosts_, hostaddrs_, ports_;
  std::vector<std::string> keywords_, values_;
};

Error ServerError(const PGresult* result) {
  const char* sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
  const char* message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
  const char* more = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
  const char* hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);
  std::string detail = message != nullptr ? message : "no message";
  // Not the detail of others, which may show rows.
  if (sqlstate != nullptr && sqlstate == std::string_view("42501") && more != nullptr) {
    detail += std::string(": ") + more;
  }
  if (hint != nullptr) detail += std::string(" (") + hint + ")";
  return Error{ErrorCode::kServer, "the server refused", 0, OneLine(detail),
               sqlstate != nullptr ? sqlstate : ""};
}

}  // namespace

std::string OneLine(std::string_view message) {
  constexpr std::size_t kLongest = 400;
  std::string line;
  for (std::size_t i = 0; i < message.size(); ++i) {
    const char c = message[i];
    // libpq's guesses ("Is the server running ...?") are lines of their own, indented.
    if (c == '\n' && message.substr(i + 1, 1) == "\t")
      i = std::min(message.find('\n', i + 1), message.size()) - 1;
    const bool space = c == ' ' || static_cast<unsigned char>(c) < 0x20;
    if (space && (line.empty() || line.back() == ' ')) continue;
    line += space ? ' ' : c;
  }
  while (!line.empty() && line.back() == ' ') line.pop_back();
  if (line.size() > kLongest) {
    std::size_t cut = kLongest;
    while (cut > 0 && (static_cast<unsigned char>(line[cut]) & 0xC0) == 0x80) --cut;
    line.resize(cut);
    line += "...";
  }
  return line;
}

void Connection::Close() {
  connection_.reset();
  prepared_.clear();
}

Error Connection::IoError() const {
  return Error{ErrorCode::kIo, "the connection failed", 0,
               OneLine(PQerrorMessage(connection_.get()))};
}

Result<Done> Connection::Open(const Target& target, Time deadline) {
  Result<std::vector<ResolvedAddress>> addresses =
      resolver_.Resolve(target.addresses, abort_, deadline);
  if (!addresses) return addresses.error();

  const Parameters parameters(target, *addresses, name_);
  connection_.reset(
      PQconnectStartParams(parameters.keywords().data(), parameters.values().data(), 0));
  if (!connection_) return Error{ErrorCode::kLimit, "out of memory"};
  // Notices (a server that is shutting down, a collation that changed) are the server's log's
  // business; libpq would write them to our stderr.
  PQsetNoticeProcessor(
      connection_.get(), [](void*, const char*) {}, nullptr);

  Result<Done> login = FinishLogin(deadline);
  if (!login) Close();
  return login;
}

Result<Done> Connection::FinishLogin(Time deadline) {
  PGconn* connection = connection_.get();
  if (PQstatus(connection) == CONNECTION_BAD) return IoError();
  PostgresPollingStatusType state = PGRES_POLLING_WRITING;
  while (state == PGRES_POLLING_READING || state == PGRES_POLLING_WRITING) {
    const short events = state == PGRES_POLLING_READING ? POLLIN : POLLOUT;
    Result<Done> ready = WaitFor(PQsocket(connection), events, abort_, deadline);
    if (!ready) return ready;
    state = PQconnectPoll(connection);
  }
  if (state != PGRES_POLLING_OK) return IoError();
  if (PQsetnonblocking(connection, 1) != 0 || PQenterPipelineMode(connection) != 1)
    return IoError();
  return Done{};
}

Result<std::vector<ResultPtr>> Connection::Run(const std::vector<Statement>& statements,
                                               Time deadline) {
  Result<Done> sent = Send(statements);
  if (sent) sent = Flush(deadline);
  if (!sent) {
    Close();
    return sent.error();
  }
  Result<std::vector<ResultPtr>> results = Receive(statements, deadline);
  if (!results && results.error().code != ErrorCode::kServer) Close();
  return results;
}

Result<Done> Connection::Send(const std::vector<Statement>& statements) {
  PGconn* connection = connection_.get();
  constexpr int kBinary = 1;
  preparing_.clear();
  for (const Statement& statement : statements) {
    const bool known =
        std::find(prepared_.begin(), prepared_.end(), statement.name) != prepared_.end();
    preparing_.push_back(!known);
    if (!known && PQsendPrepare(connection, statement.name, statement.sql.c_str(), 0, nullptr) != 1)
      return IoError();
    std::vector<const char*> values;
    for (const std::string& value : statement.values) values.push_back(value.c_str());
    if (PQsendQueryPrepared(connection, statement.name, static_cast<int>(values.size()),
                            values.data(), nullptr, nullptr, kBinary) != 1)
      return IoError();
  }
  if (PQpipelineSync(connection) != 1) return IoError();
  return Done{};
}

Result<Done> Connection::Flush(Time deadline) {
  while (true) {
    const int left = PQflush(connection_.get());
    if (left == 0) return Done{};
    if (left < 0) return IoError();
    Result<Done> ready = WaitFor(PQsocket(connection_.get()), POLLIN | POLLOUT, abort_, deadline);
    if (!ready) return ready;
    if (PQconsumeInput(connection_.get()) != 1) return IoError();
  }
}

Result<ResultPtr> Connection::NextResult(Time deadline) {
  while (PQisBusy(connection_.get()) != 0) {
    Result<Done> ready = WaitFor(PQsocket(connection_.get()), POLLIN, abort_, deadline);
    if (!ready) return ready.error();
    if (PQconsumeInput(connection_.get()) != 1) return IoError();
  }
  return ResultPtr(PQgetResult(connection_.get()));
}

// After the first error the server skips to the Sync; libpq answers for the skipped
// statements with PGRES_PIPELINE_ABORTED, so the count of results is always the same.
Result<std::vector<ResultPtr>> Connection::Receive(const std::vector<Statement>& statements,
                                                   Time deadline) {
  std::vector<ResultPtr> results;
  std::optional<Error> refused;
  std::size_t index = 0;  // of the statement whose answer comes next
  bool ended = false;     // the last result was the end of an answer
  bool prepare_next = !statements.empty() && preparing_[0];
  while (true) {
    Result<ResultPtr> next = NextResult(deadline);
    if (!next) return next.error();
    const PGresult* result = next->get();
    if (result == nullptr) {
      // One ends each answer; a second one in a row means that nothing more will come.
      if (PQstatus(connection_.get()) == CONNECTION_BAD || ended) return IoError();
      ended = true;
      continue;
    }
    ended = false;
    const ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_PIPELINE_SYNC) break;
    if (PQstatus(connection_.get()) == CONNECTION_BAD) return IoError();
    if (index >= statements.size())
      return Error{ErrorCode::kProtocol, "the server answered more than it was asked"};
    if (status == PGRES_FATAL_ERROR && !refused) refused = ServerError(result);
    if (prepare_next) {
      if (status == PGRES_COMMAND_OK) prepared_.emplace_back(statements[index].name);
      prepare_next = false;
      continue;
    }
    if (status == PGRES_TUPLES_OK) results.push_back(std::move(*next));
    ++index;
    prepare_next = index < statements.size() && preparing_[index];
  }
  if (refused) return *refused;
  if (results.size() != statements.size())
    return Error{ErrorCode::kProtocol, "the server answered less than it was asked"};
  return results;
}

}  // namespace pgvalet::sampler
