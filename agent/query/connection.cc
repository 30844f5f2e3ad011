#include "query/connection.h"

#include <poll.h>

#include <array>
#include <charconv>
#include <chrono>
#include <optional>
#include <string_view>
#include <utility>

#include "base/clean_text.h"
#include "base/wait.h"
#include "query/value.h"

namespace pgvalet::query {
namespace {

using namespace std::chrono_literals;

constexpr int kMaxRowsInPart = 1000;
constexpr std::size_t kMaxBytesInPart = 64 * 1024;
// libpq would look for one in the environment of the agent and its files.
constexpr const char* kNoPassword = "none was given";
constexpr Duration kCancelLimit = 2s;

std::string Field(const PGresult* result, int code) {
  const char* text = PQresultErrorField(result, code);
  return text != nullptr ? CleanText(text, 10'000) : std::string();
}

template <typename Message>
void FillCommon(const PGresult* result, Message& message) {
  message.set_severity(Field(result, PG_DIAG_SEVERITY_NONLOCALIZED));
  message.set_sqlstate(Field(result, PG_DIAG_SQLSTATE));
  message.set_message(Field(result, PG_DIAG_MESSAGE_PRIMARY));
  message.set_detail(Field(result, PG_DIAG_MESSAGE_DETAIL));
  message.set_hint(Field(result, PG_DIAG_MESSAGE_HINT));
}

v1::PostgresError ErrorOf(const PGresult* result) {
  v1::PostgresError error;
  FillCommon(result, error);
  const std::string position = Field(result, PG_DIAG_STATEMENT_POSITION);
  int number = 0;
  std::from_chars(position.data(), position.data() + position.size(), number);
  error.set_position(number);
  error.set_schema_name(Field(result, PG_DIAG_SCHEMA_NAME));
  error.set_table_name(Field(result, PG_DIAG_TABLE_NAME));
  error.set_column_name(Field(result, PG_DIAG_COLUMN_NAME));
  error.set_constraint_name(Field(result, PG_DIAG_CONSTRAINT_NAME));
  return error;
}

void KeepNotice(void* notices, const PGresult* result) {
  FillCommon(result, static_cast<std::vector<v1::Notice>*>(notices)->emplace_back());
}

void FillColumns(const PGresult* result, v1::Columns& columns) {
  for (int i = 0; i < PQnfields(result); ++i) {
    v1::Column& column = *columns.add_columns();
    column.set_name(CleanText(PQfname(result, i)));
    column.set_type_oid(PQftype(result, i));
    column.set_type_name(std::string(TypeName(PQftype(result, i))));
  }
}

bool IsCopy(ExecStatusType status) {
  return status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH;
}

// The line that begins with `label` in what libpq says; empty when there is none.
std::string LineWith(std::string_view label, std::string_view text) {
  const std::size_t begin = text.find(label);
  if (begin == std::string_view::npos) return {};
  text.remove_prefix(begin + label.size());
  return CleanText(text.substr(0, text.find('\n')), 1000);
}

// The error of a server that libpq speaks of in its verbose form, "FATAL:  28P01: text".
std::optional<v1::PostgresError> RefusalIn(std::string_view text) {
  constexpr std::size_t kStateBytes = 5;
  const std::string line = LineWith("FATAL:  ", text);
  if (line.size() < kStateBytes + 2 || line.compare(kStateBytes, 2, ": ") != 0) return std::nullopt;
  v1::PostgresError error;
  error.set_severity("FATAL");
  error.set_sqlstate(line.substr(0, kStateBytes));
  error.set_message(line.substr(kStateBytes + 2));
  error.set_detail(LineWith("DETAIL:  ", text));
  error.set_hint(LineWith("HINT:  ", text));
  return error;
}

v1::PostgresError NoCopy() {
  v1::PostgresError error;
  error.set_severity("ERROR");
  error.set_sqlstate("0A000");
  error.set_message("COPY from or to the client is not possible here");
  return error;
}

}  // namespace

// Passes the results of a batch on, part by part.
class Connection::Reader {
 public:
  Reader(Connection& connection, Answers& answers) : connection_(connection), answers_(answers) {}

  int index() const { return index_; }

  // False: no more is wanted.
  bool Take(const PGresult* result) {
    if (!PassNotices()) return false;
    const ExecStatusType status = PQresultStatus(result);
    switch (status) {
      case PGRES_SINGLE_TUPLE:
        return TakeRows(result);
      case PGRES_TUPLES_OK:
        return TakeRows(result) && PassRows() && Complete(result);
      case PGRES_COMMAND_OK:
        return Complete(result);
      case PGRES_EMPTY_QUERY:
        return Complete(result);
      case PGRES_FATAL_ERROR:
        rows_.Clear();
        return answers_.OnError(index_, ErrorOf(result));
      default:
        return true;  // PGRES_PIPELINE_ABORTED: it was not run
    }
  }

  void NextStatement() {
    ++index_;
    has_columns_ = false;
  }

 private:
  bool TakeRows(const PGresult* result) {
    if (!std::exchange(has_columns_, true)) {
      v1::ExecuteResponse part;
      FillColumns(result, *part.mutable_columns());
      if (!answers_.OnPart(index_, part)) return false;
    }
    for (int row = 0; row < PQntuples(result); ++row) {
      AddRow(result, row);
      const bool is_full = rows_.rows().rows_size() >= kMaxRowsInPart || bytes_ >= kMaxBytesInPart;
      if (is_full && !PassRows()) return false;
    }
    return true;
  }

  void AddRow(const PGresult* result, int row) {
    v1::Row& message = *rows_.mutable_rows()->add_rows();
    for (int i = 0; i < PQnfields(result); ++i) {
      v1::Value& value = *message.add_values();
      if (PQgetisnull(result, row, i) != 0) {
        value.set_null(v1::NULL_VALUE_UNSPECIFIED);
        continue;
      }
      const std::string_view text(PQgetvalue(result, row, i),
                                  static_cast<std::size_t>(PQgetlength(result, row, i)));
      Fill(PQftype(result, i), text, value);
      bytes_ += text.size();
    }
  }

  bool PassRows() {
    bytes_ = 0;
    if (rows_.rows().rows_size() == 0) return true;
    const bool wanted = answers_.OnPart(index_, rows_);
    rows_.mutable_rows()->clear_rows();
    return wanted;
  }

  bool PassNotices() {
    for (v1::Notice& notice : std::exchange(connection_.notices_, {})) {
      v1::ExecuteResponse part;
      *part.mutable_notice() = std::move(notice);
      if (!answers_.OnPart(index_, part)) return false;
    }
    return true;
  }

  bool Complete(const PGresult* result) {
    v1::ExecuteResponse part;
    v1::Complete& complete = *part.mutable_complete();
    // libpq's reading functions take no const result.
    auto* mutable_result = const_cast<PGresult*>(result);
    complete.set_command_tag(PQcmdStatus(mutable_result));
    const std::string_view count = PQcmdTuples(mutable_result);
    std::int64_t rows = 0;
    std::from_chars(count.data(), count.data() + count.size(), rows);
    complete.set_row_count(rows);
    return answers_.OnPart(index_, part);
  }

  Connection& connection_;
  Answers& answers_;
  int index_ = 0;
  bool has_columns_ = false;
  v1::ExecuteResponse rows_;
  std::size_t bytes_ = 0;  // of rows_, about
};

Result<Done> Connection::Open(const Door& door, const v1::Login& login) {
  const std::string port = std::to_string(door.port);
  const std::string name =
      login.application_name().empty() ? "pgvalet query" : login.application_name();
  // Everything that libpq would take from the environment of the agent is said here.
  const std::array<const char*, 12> keywords = {"host",
                                                "port",
                                                "dbname",
                                                "user",
                                                "password",
                                                "application_name",
                                                "client_encoding",
                                                "options",
                                                "sslmode",
                                                "target_session_attrs",
                                                "gssencmode",
                                                nullptr};
  const std::array<const char*, 12> values = {
      door.socket_directory.c_str(),
      port.c_str(),
      login.database().c_str(),
      login.user().c_str(),
      login.password().empty() ? kNoPassword : login.password().c_str(),
      name.c_str(),
      "UTF8",
      "-c DateStyle=ISO",
      "disable",
      "any",
      "disable",
      nullptr};
  connection_.reset(PQconnectStartParams(keywords.data(), values.data(), 0));
  if (!connection_) return Error{ErrorCode::kLimit, "out of memory"};
  // With the SQLSTATE, which libpq tells of a refused login in no other way.
  PQsetErrorVerbosity(connection_.get(), PQERRORS_VERBOSE);
  PQsetNoticeReceiver(connection_.get(), &KeepNotice, &notices_);
  return LogIn();
}

Result<Done> Connection::LogIn() {
  PGconn* connection = connection_.get();
  PostgresPollingStatusType state = PGRES_POLLING_WRITING;
  if (PQstatus(connection) == CONNECTION_BAD) return Lost();
  while (state == PGRES_POLLING_READING || state == PGRES_POLLING_WRITING) {
    const short wanted = state == PGRES_POLLING_READING ? POLLIN : POLLOUT;
    Result<Done> ready = WaitFor(PQsocket(connection), wanted, stop_, Time::max());
    if (!ready) return ready;
    state = PQconnectPoll(connection);
  }
  if (state != PGRES_POLLING_OK) return Refused();
  if (PQsetnonblocking(connection, 1) != 0 || PQenterPipelineMode(connection) != 1) return Lost();
  return Done{};
}

Error Connection::Refused() {
  std::optional<v1::PostgresError> refusal = RefusalIn(PQerrorMessage(connection_.get()));
  if (!refusal) return Lost();
  error_ = std::move(*refusal);
  return Error{ErrorCode::kServer, "the login was refused", 0, error_.message(), error_.sqlstate()};
}

Error Connection::Lost() const {
  return Error{ErrorCode::kIo, "the connection to the agent failed", 0,
               CleanText(PQerrorMessage(connection_.get()), 1000)};
}

Result<Done> Connection::Send(const v1::Statement& statement) {
  std::vector<std::optional<std::string>> texts;
  std::vector<const char*> values;
  texts.reserve(static_cast<std::size_t>(statement.parameters_size()));
  for (const v1::Value& value : statement.parameters()) {
    texts.push_back(ToText(value));
    values.push_back(texts.back() ? texts.back()->c_str() : nullptr);
  }
  const int sent =
      PQsendQueryParams(connection_.get(), statement.sql().c_str(), static_cast<int>(values.size()),
                        nullptr, values.data(), nullptr, nullptr, 0);
  if (sent != 1) return Lost();
  return Done{};
}

Result<Done> Connection::Run(const std::vector<const v1::Statement*>& statements, Unit unit,
                             Answers& answers) {
  PGconn* connection = connection_.get();
  for (const v1::Statement* statement : statements) {
    if (Result<Done> sent = Send(*statement); !sent) return sent;
    const bool is_last = statement == statements.back();
    if ((unit == Unit::kEach || is_last) && PQpipelineSync(connection) != 1) return Lost();
  }
  Reader reader(*this, answers);
  while (static_cast<std::size_t>(reader.index()) < statements.size()) {
    // Row by row, or libpq would hold all of a result.
    PQsetSingleRowMode(connection);
    while (true) {
      Result<ResultPtr> next = NextResult(stop_, Time::max());
      if (!next) {
        if (next.error().code == ErrorCode::kAborted) Cancel();
        return next.error();
      }
      const PGresult* result = next->get();
      if (result == nullptr) break;
      if (PQresultStatus(result) == PGRES_PIPELINE_SYNC) {
        PQsetSingleRowMode(connection);
        continue;
      }
      if (IsCopy(PQresultStatus(result))) {
        error_ = NoCopy();
        return Error{ErrorCode::kServer, "COPY is not possible", 0, {}, error_.sqlstate()};
      }
      const bool is_wanted = reader.Take(result);
      if (PQstatus(connection) == CONNECTION_BAD) return Lost();
      if (is_wanted) continue;
      Cancel();
      return Error{ErrorCode::kAborted, "the answer is not wanted any more"};
    }
    if (PQstatus(connection) == CONNECTION_BAD) return Lost();
    reader.NextStatement();
  }
  // The last Sync, which tells that the transaction is over.
  while (true) {
    Result<ResultPtr> next = NextResult(stop_, Time::max());
    if (!next) return next.error();
    if (next->get() == nullptr || PQresultStatus(next->get()) == PGRES_PIPELINE_SYNC) break;
  }
  return Done{};
}

Result<Connection::ResultPtr> Connection::NextResult(const Wakeup& stop, Time deadline) {
  PGconn* connection = connection_.get();
  while (true) {
    const int unsent = PQflush(connection);
    if (unsent < 0) return Lost();
    if (PQisBusy(connection) == 0) return ResultPtr(PQgetResult(connection));
    const auto wanted = static_cast<short>(unsent > 0 ? POLLIN | POLLOUT : POLLIN);
    Result<Done> ready = WaitFor(PQsocket(connection), wanted, stop, deadline);
    if (!ready) return ready.error();
    if (PQconsumeInput(connection) != 1) return Lost();
  }
}

void Connection::Cancel() {
  const std::unique_ptr<PGcancel, decltype(&PQfreeCancel)> cancel(PQgetCancel(connection_.get()),
                                                                  &PQfreeCancel);
  std::array<char, 256> why{};
  if (!cancel || PQcancel(cancel.get(), why.data(), static_cast<int>(why.size())) != 1) return;
  // Until the server has answered everything; a connection that is closed before that is lost to
  // the pool.
  const Wakeup never;
  const Time deadline = Clock::now() + kCancelLimit;
  bool ended = false;
  while (true) {
    Result<ResultPtr> next = NextResult(never, deadline);
    if (!next || PQstatus(connection_.get()) == CONNECTION_BAD) return;
    if (next->get() == nullptr && std::exchange(ended, true)) return;
    if (next->get() != nullptr) ended = PQresultStatus(next->get()) == PGRES_PIPELINE_SYNC;
  }
}

}  // namespace pgvalet::query
