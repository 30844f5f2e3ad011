#include "api/query_calls.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/sqlstate.h"

namespace pgvalet::api {
namespace {

using grpc::Status;
using grpc::StatusCode;

constexpr int kMaxStatements = 10'000;
constexpr int kMaxParameters = 65'535;  // the protocol's

// Signals a wakeup when a call is to stop.
class StopWakeup {
 public:
  explicit StopWakeup(const std::stop_token& stop) : on_stop_(stop, Signal{wakeup_}) {}
  const Wakeup& wakeup() const { return wakeup_; }

 private:
  struct Signal {
    Wakeup& wakeup;
    void operator()() const { wakeup.Signal(); }
  };
  Wakeup wakeup_;
  std::stop_callback<Signal> on_stop_;
};

bool HasZero(std::string_view text) { return text.find('\0') != std::string_view::npos; }

Status Invalid(const std::string& why) { return {StatusCode::INVALID_ARGUMENT, why}; }

Status Check(const v1::Login& login) {
  if (login.database().empty()) return Invalid("login.database is required");
  if (login.user().empty()) return Invalid("login.user is required");
  // The console trusts whoever runs the agent, which a call of ours would be.
  if (login.database() == "pgbouncer" || login.database() == "pgvalet") {
    return Invalid("the console is no database: use the service Control");
  }
  for (const std::string* text :
       {&login.database(), &login.user(), &login.password(), &login.application_name()}) {
    if (HasZero(*text)) return Invalid("login contains a zero byte");
  }
  return Status::OK;
}

Status Check(const v1::Statement& statement) {
  if (statement.sql().empty()) return Invalid("statement.sql is required");
  if (HasZero(statement.sql())) return Invalid("statement.sql contains a zero byte");
  if (statement.parameters_size() > kMaxParameters) return Invalid("too many parameters");
  for (const v1::Value& value : statement.parameters()) {
    if (value.has_text() && HasZero(value.text())) {
      return Invalid("a text parameter contains a zero byte");
    }
  }
  return Status::OK;
}

// Of a connection that failed.
Status FailureOf(const Error& error, const query::Connection& connection) {
  switch (error.code) {
    case ErrorCode::kServer:
      return ToStatus(connection.error());
    case ErrorCode::kAborted:
      return {StatusCode::CANCELLED, "the call was given up"};
    default:
      return {StatusCode::UNAVAILABLE, error.ToString()};
  }
}

v1::Statement StatementOf(const char* sql) {
  v1::Statement statement;
  statement.set_sql(sql);
  return statement;
}

// Keeps the first error, and nothing else.
class Quiet : public query::Answers {
 public:
  bool OnPart(int /*index*/, v1::ExecuteResponse& /*part*/) override { return true; }
  bool OnError(int /*index*/, const v1::PostgresError& error) override {
    if (!error_) error_ = error;
    return true;
  }
  const std::optional<v1::PostgresError>& error() const { return error_; }

 private:
  std::optional<v1::PostgresError> error_;
};

// Writes the answers to one statement of a batch.
class Single final : public Quiet {
 public:
  Single(int wanted, const std::function<bool(const v1::ExecuteResponse&)>& write)
      : wanted_(wanted), write_(write) {}
  bool OnPart(int index, v1::ExecuteResponse& part) override {
    return index != wanted_ || write_(part);
  }

 private:
  const int wanted_;
  const std::function<bool(const v1::ExecuteResponse&)>& write_;
};

class Batch final : public query::Answers {
 public:
  Batch(bool is_atomic, const std::function<bool(const v1::ExecuteBatchResponse&)>& write)
      : is_atomic_(is_atomic), write_(write) {}

  bool OnPart(int index, v1::ExecuteResponse& part) override {
    v1::ExecuteBatchResponse response;
    response.set_index(index);
    response.mutable_response()->Swap(&part);
    const bool wanted = write_(response);
    response.mutable_response()->Swap(&part);
    return wanted;
  }
  bool OnError(int index, const v1::PostgresError& error) override {
    if (is_atomic_) {
      if (!failure_) failure_ = ToStatus(error, "statement " + std::to_string(index) + ": ");
      return true;
    }
    v1::ExecuteBatchResponse response;
    response.set_index(index);
    *response.mutable_error() = error;
    return write_(response);
  }
  const std::optional<Status>& failure() const { return failure_; }

 private:
  const bool is_atomic_;
  const std::function<bool(const v1::ExecuteBatchResponse&)>& write_;
  std::optional<Status> failure_;
};

// One transaction, as its caller leads it.
class Transaction {
 public:
  Transaction(query::Connection& connection,
              const std::function<bool(const v1::TransactResponse&)>& write)
      : connection_(connection), write_(write) {}

  bool is_over() const { return is_over_; }

  Status Begin(const v1::Begin& begin) {
    std::string sql = "BEGIN";
    switch (begin.isolation_level()) {
      case v1::ISOLATION_LEVEL_READ_COMMITTED:
        sql += " ISOLATION LEVEL READ COMMITTED";
        break;
      case v1::ISOLATION_LEVEL_REPEATABLE_READ:
        sql += " ISOLATION LEVEL REPEATABLE READ";
        break;
      case v1::ISOLATION_LEVEL_SERIALIZABLE:
        sql += " ISOLATION LEVEL SERIALIZABLE";
        break;
      default:
        break;
    }
    if (begin.read_only()) sql += " READ ONLY";
    return Run(StatementOf(sql.c_str()));
  }

  Status Follow(const v1::TransactRequest& request) {
    switch (request.action_case()) {
      case v1::TransactRequest::kStatement: {
        const Status valid = Check(request.statement());
        return valid.ok() ? Run(request.statement()) : valid;
      }
      case v1::TransactRequest::kCommit:
        is_over_ = true;
        return Run(StatementOf("COMMIT"));
      case v1::TransactRequest::kRollback:
        is_over_ = true;
        return Run(StatementOf("ROLLBACK"));
      case v1::TransactRequest::kBegin:
        return Invalid("begin comes once");
      default:
        return Invalid("a request needs an action");
    }
  }

  void Rollback() {
    Quiet quiet;
    const v1::Statement rollback = StatementOf("ROLLBACK");
    // A connection that is lost has no transaction any more.
    [[maybe_unused]] const Result<Done> done =
        connection_.Run({&rollback}, query::Unit::kAll, quiet);
  }

 private:
  class Answers final : public query::Answers {
   public:
    explicit Answers(const std::function<bool(const v1::TransactResponse&)>& write)
        : write_(write) {}
    bool OnPart(int /*index*/, v1::ExecuteResponse& part) override {
      v1::TransactResponse response;
      response.mutable_response()->Swap(&part);
      const bool wanted = write_(response);
      response.mutable_response()->Swap(&part);
      return wanted;
    }
    bool OnError(int /*index*/, const v1::PostgresError& error) override {
      v1::TransactResponse response;
      *response.mutable_error() = error;
      return write_(response);
    }

   private:
    const std::function<bool(const v1::TransactResponse&)>& write_;
  };

  Status Run(const v1::Statement& statement) {
    Answers answers(write_);
    Result<Done> done = connection_.Run({&statement}, query::Unit::kAll, answers);
    return done ? Status::OK : FailureOf(done.error(), connection_);
  }

  query::Connection& connection_;
  const std::function<bool(const v1::TransactResponse&)>& write_;
  bool is_over_ = false;
};

}  // namespace

Status RunExecute(const query::Door& door, const v1::ExecuteRequest& request,
                  const std::stop_token& stop,
                  const std::function<bool(const v1::ExecuteResponse&)>& write) {
  if (const Status valid = Check(request.login()); !valid.ok()) return valid;
  if (const Status valid = Check(request.statement()); !valid.ok()) return valid;
  const StopWakeup stopped(stop);
  query::Connection connection(stopped.wakeup());
  if (Result<Done> open = connection.Open(door, request.login()); !open) {
    return FailureOf(open.error(), connection);
  }
  const v1::Statement begin = StatementOf("BEGIN READ ONLY");
  const v1::Statement commit = StatementOf("COMMIT");
  std::vector<const v1::Statement*> statements = {&request.statement()};
  if (request.read_only()) statements = {&begin, &request.statement(), &commit};
  Single answers(request.read_only() ? 1 : 0, write);
  Result<Done> done = connection.Run(statements, query::Unit::kAll, answers);
  if (!done) return FailureOf(done.error(), connection);
  if (!answers.error()) return Status::OK;
  if (request.read_only()) {
    Quiet quiet;
    const v1::Statement rollback = StatementOf("ROLLBACK");
    [[maybe_unused]] const Result<Done> rolled_back =
        connection.Run({&rollback}, query::Unit::kAll, quiet);
  }
  return ToStatus(*answers.error());
}

Status RunBatch(const query::Door& door, const v1::ExecuteBatchRequest& request,
                const std::stop_token& stop,
                const std::function<bool(const v1::ExecuteBatchResponse&)>& write) {
  if (const Status valid = Check(request.login()); !valid.ok()) return valid;
  if (request.statements().empty()) return Invalid("statements is required");
  if (request.statements_size() > kMaxStatements) {
    return Invalid("at most " + std::to_string(kMaxStatements) + " statements");
  }
  std::vector<const v1::Statement*> statements;
  for (const v1::Statement& statement : request.statements()) {
    if (const Status valid = Check(statement); !valid.ok()) return valid;
    statements.push_back(&statement);
  }
  const StopWakeup stopped(stop);
  query::Connection connection(stopped.wakeup());
  if (Result<Done> open = connection.Open(door, request.login()); !open) {
    return FailureOf(open.error(), connection);
  }
  Batch answers(request.atomic(), write);
  const query::Unit unit = request.atomic() ? query::Unit::kAll : query::Unit::kEach;
  Result<Done> done = connection.Run(statements, unit, answers);
  if (!done) return FailureOf(done.error(), connection);
  return answers.failure().value_or(Status::OK);
}

Status RunTransaction(const query::Door& door, const std::stop_token& stop,
                      const std::function<bool(v1::TransactRequest&)>& read,
                      const std::function<bool(const v1::TransactResponse&)>& write) {
  v1::TransactRequest request;
  if (!read(request)) return {StatusCode::CANCELLED, "the call was given up"};
  if (!request.has_begin()) return Invalid("a transaction begins with begin");
  if (const Status valid = Check(request.begin().login()); !valid.ok()) return valid;
  const StopWakeup stopped(stop);
  query::Connection connection(stopped.wakeup());
  if (Result<Done> open = connection.Open(door, request.begin().login()); !open) {
    return FailureOf(open.error(), connection);
  }
  Transaction transaction(connection, write);
  Status status = transaction.Begin(request.begin());
  while (status.ok() && !transaction.is_over()) {
    if (!read(request)) {
      transaction.Rollback();
      return stop.stop_requested()
                 ? Status(StatusCode::CANCELLED, "the call was given up")
                 : Status(StatusCode::ABORTED, "rolled back: the stream ended before commit");
    }
    status = transaction.Follow(request);
  }
  if (!status.ok() && status.error_code() == StatusCode::INVALID_ARGUMENT) transaction.Rollback();
  return status;
}

}  // namespace pgvalet::api
