// gRPC Query: SQL through the pool of a real agent, for callers without a driver.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cmath>
#include <future>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "pgvalet/v1/control.grpc.pb.h"
#include "pgvalet/v1/query.grpc.pb.h"
#include "support/connection.h"
#include "support/grpc_test.h"

namespace pgvalet::integration {
namespace {

using grpc::StatusCode;
using testing::ElementsAre;
using testing::HasSubstr;

// All of the answer to one statement.
struct Reply {
  std::vector<v1::Column> columns;
  std::vector<v1::Row> rows;
  std::vector<v1::Notice> notices;
  v1::Complete complete;
  v1::PostgresError error;  // of a status that has one, or of an answer
  grpc::Status status;
  int messages_with_rows = 0;

  void Take(const v1::ExecuteResponse& part) {
    for (const v1::Column& column : part.columns().columns()) columns.push_back(column);
    for (const v1::Row& row : part.rows().rows()) rows.push_back(row);
    if (part.has_rows()) ++messages_with_rows;
    if (part.has_notice()) notices.push_back(part.notice());
    if (part.has_complete()) complete = part.complete();
  }
  void End(const grpc::Status& end) {
    status = end;
    v1::StatusDetails details;
    if (details.ParseFromString(end.error_details()) && details.details_size() == 1) {
      details.details(0).UnpackTo(&error);
    }
  }
};

v1::Value Text(const std::string& text) {
  v1::Value value;
  value.set_text(text);
  return value;
}
v1::Value Int(std::int64_t number) {
  v1::Value value;
  value.set_int_(number);
  return value;
}

class QueryTest : public GrpcTest {
 protected:
  explicit QueryTest(AgentConfig config = {})
      : GrpcTest(std::move(config)), query(v1::Query::NewStub(Channel())) {}

  static v1::Login As(const std::string& user, const std::string& password = "") {
    v1::Login login;
    login.set_database("app");
    login.set_user(user);
    login.set_password(password);
    return login;
  }
  static v1::ExecuteRequest RequestOf(const std::string& sql,
                                      const std::vector<v1::Value>& parameters = {}) {
    v1::ExecuteRequest request;
    *request.mutable_login() = As("alice");
    request.mutable_statement()->set_sql(sql);
    for (const v1::Value& value : parameters)
      *request.mutable_statement()->add_parameters() = value;
    return request;
  }

  Reply Execute(const v1::ExecuteRequest& request, const std::string& token = kReader) const {
    grpc::ClientContext context;
    Use(context, token);
    const auto stream = query->Execute(&context, request);
    Reply reply;
    v1::ExecuteResponse part;
    while (stream->Read(&part)) reply.Take(part);
    reply.End(stream->Finish());
    return reply;
  }
  Reply Execute(const std::string& sql, const std::vector<v1::Value>& parameters = {}) const {
    return Execute(RequestOf(sql, parameters));
  }

  // Of one statement in a transaction.
  using Transaction = grpc::ClientReaderWriter<v1::TransactRequest, v1::TransactResponse>;
  static Reply Tell(Transaction& stream, const v1::TransactRequest& request) {
    Reply reply;
    stream.Write(request);
    v1::TransactResponse response;
    while (stream.Read(&response)) {
      if (response.has_error()) {
        reply.error = response.error();
        break;
      }
      reply.Take(response.response());
      if (response.response().has_complete()) break;
    }
    return reply;
  }
  static Reply Tell(Transaction& stream, const std::string& sql) {
    v1::TransactRequest request;
    request.mutable_statement()->set_sql(sql);
    return Tell(stream, request);
  }
  static v1::TransactRequest BeginOf(const v1::Login& login) {
    v1::TransactRequest request;
    *request.mutable_begin()->mutable_login() = login;
    return request;
  }
  static v1::TransactRequest CommitOf() {
    v1::TransactRequest request;
    request.mutable_commit();
    return request;
  }

  std::string Directly(const std::string& sql) const {
    return Connection(TheCluster().DirectTo("postgres")).Value(sql);
  }

  std::unique_ptr<v1::Query::Stub> query;
};

TEST_F(QueryTest, ValuesComeWithTheirTypesAndParametersGoBack) {
  const Reply reply = Execute(
      "SELECT $1::int4, $2::text, $3::bool, $4::float8, $5::bytea, $6::numeric, NULL::int4 AS "
      "nothing,"
      " $7::timestamptz AT TIME ZONE 'UTC', ARRAY[1, 2]",
      {Int(42), Text("gr\xc3\xbc\xc3\x9f"),
       [] {
         v1::Value v;
         v.set_bool_(true);
         return v;
       }(),
       [] {
         v1::Value v;
         v.set_double_(0.1);
         return v;
       }(),
       [] {
         v1::Value v;
         v.set_bytes(std::string("\0\xff", 2));
         return v;
       }(),
       Text("12345678901234567890.5"), Text("2026-01-02 03:04:05Z")});
  ASSERT_TRUE(reply.status.ok()) << reply.status.error_message();
  ASSERT_EQ(reply.rows.size(), 1U);
  const v1::Row& row = reply.rows[0];
  EXPECT_EQ(row.values(0).int_(), 42);
  EXPECT_EQ(row.values(1).text(), "gr\xc3\xbc\xc3\x9f");
  EXPECT_TRUE(row.values(2).bool_());
  EXPECT_EQ(row.values(3).double_(), 0.1);
  EXPECT_EQ(row.values(4).bytes(), std::string("\0\xff", 2));
  EXPECT_EQ(row.values(5).text(), "12345678901234567890.5");
  EXPECT_EQ(row.values(6).kind_case(), v1::Value::kNull);
  EXPECT_EQ(row.values(7).text(), "2026-01-02 03:04:05");
  EXPECT_EQ(row.values(8).text(), "{1,2}");
  EXPECT_EQ(reply.columns[0].type_name(), "int4");
  EXPECT_EQ(reply.columns[6].name(), "nothing");
  EXPECT_EQ(reply.columns[8].type_oid(), 1007U);
  EXPECT_EQ(reply.complete.command_tag(), "SELECT 1");
  EXPECT_EQ(reply.complete.row_count(), 1);
}

TEST_F(QueryTest, ExtremesOfNumbersSurvive) {
  const auto number = [](double value) {
    v1::Value v;
    v.set_double_(value);
    return v;
  };
  const Reply reply = Execute("SELECT $1::int8, $2::float8, $3::float8, $4::float8",
                              {Int(std::numeric_limits<std::int64_t>::min()),
                               number(std::numeric_limits<double>::infinity()),
                               number(std::numeric_limits<double>::quiet_NaN()), number(5e-324)});
  ASSERT_TRUE(reply.status.ok()) << reply.status.error_message();
  EXPECT_EQ(reply.rows[0].values(0).int_(), std::numeric_limits<std::int64_t>::min());
  EXPECT_TRUE(std::isinf(reply.rows[0].values(1).double_()));
  EXPECT_TRUE(std::isnan(reply.rows[0].values(2).double_()));
  EXPECT_EQ(reply.rows[0].values(3).double_(), 5e-324);
}

TEST_F(QueryTest, ManyRowsComeInBatchesAndNoneWithTheirColumns) {
  const Reply many = Execute("SELECT i, repeat('x', 100) FROM generate_series(1, 20000) AS i");
  ASSERT_TRUE(many.status.ok()) << many.status.error_message();
  EXPECT_EQ(many.rows.size(), 20000U);
  EXPECT_EQ(many.rows.back().values(0).int_(), 20000);
  EXPECT_GT(many.messages_with_rows, 19);
  const Reply none = Execute("SELECT 1 AS one WHERE false");
  EXPECT_EQ(none.rows.size(), 0U);
  ASSERT_EQ(none.columns.size(), 1U);
  EXPECT_EQ(none.complete.command_tag(), "SELECT 0");
  const Reply noticed = Execute("DO $$ BEGIN RAISE NOTICE 'seen'; END $$");
  ASSERT_EQ(noticed.notices.size(), 1U);
  EXPECT_EQ(noticed.notices[0].message(), "seen");
}

TEST_F(QueryTest, AnErrorHasItsSqlstateAndWhatPostgresSaid) {
  const Reply syntax = Execute("SELEC 1");
  EXPECT_EQ(syntax.status.error_code(), StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(syntax.error.sqlstate(), "42601");
  EXPECT_EQ(syntax.error.position(), 1);
  ASSERT_TRUE(Execute("CREATE TABLE query_keys (id int PRIMARY KEY)").status.ok());
  ASSERT_TRUE(Execute("INSERT INTO query_keys VALUES (1)").status.ok());
  const Reply twice = Execute("INSERT INTO query_keys VALUES (1)");
  EXPECT_EQ(twice.status.error_code(), StatusCode::ALREADY_EXISTS);
  EXPECT_EQ(twice.error.constraint_name(), "query_keys_pkey");
  EXPECT_EQ(Execute("SELECT 1/0").status.error_code(), StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(Execute("SELECT * FROM pg_authid").status.error_code(), StatusCode::PERMISSION_DENIED);
  const Reply copy = Execute("COPY query_keys TO STDOUT");
  EXPECT_EQ(copy.error.sqlstate(), "0A000");
  Execute("DROP TABLE query_keys");
}

TEST_F(QueryTest, ReadOnlyWritesNothingAndLeavesACleanConnection) {
  v1::ExecuteRequest request = RequestOf("CREATE TABLE never (id int)");
  request.set_read_only(true);
  const Reply refused = Execute(request);
  EXPECT_EQ(refused.status.error_code(), StatusCode::FAILED_PRECONDITION);
  EXPECT_EQ(refused.error.sqlstate(), "25006");
  request.mutable_statement()->set_sql("SELECT pg_backend_pid()");
  const Reply first = Execute(request);
  ASSERT_TRUE(first.status.ok()) << first.status.error_message();
  // The same server connection serves on: nobody closed it.
  EXPECT_EQ(Execute("SELECT pg_backend_pid()").rows[0].values(0).int_(),
            first.rows[0].values(0).int_());
}

TEST_F(QueryTest, ACallIsAClientLikeAnyOther) {
  v1::ExecuteRequest request = RequestOf("SELECT pg_sleep(30)");
  request.mutable_login()->set_application_name("reporting");
  grpc::ClientContext context;
  Use(context, kReader);
  const auto stream = query->Execute(&context, request);
  const auto control = v1::Control::NewStub(Channel());
  EXPECT_TRUE(Eventually([&] {
    grpc::ClientContext listing;
    Use(listing, kReader);
    v1::ListClientsResponse clients;
    EXPECT_TRUE(control->ListClients(&listing, {}, &clients).ok());
    for (const v1::Client& client : clients.clients()) {
      if (client.connection().application_name() == "reporting") {
        return client.connection().user() == "alice" && client.state() == v1::CLIENT_STATE_ACTIVE;
      }
    }
    return false;
  }));
  context.TryCancel();
  // The statement ends with the call.
  EXPECT_TRUE(Eventually([&] {
    return Directly(
               "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(30)%' AND"
               " state = 'active' AND pid <> pg_backend_pid()") == "0";
  }));
}

TEST_F(QueryTest, ADeadlineCancelsTheStatement) {
  grpc::ClientContext context;
  context.AddMetadata("authorization", std::string("Bearer ") + kReader);
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(300));
  const auto stream = query->Execute(&context, RequestOf("SELECT pg_sleep(40)"));
  v1::ExecuteResponse part;
  EXPECT_FALSE(stream->Read(&part));
  EXPECT_EQ(stream->Finish().error_code(), StatusCode::DEADLINE_EXCEEDED);
  EXPECT_TRUE(Eventually([&] {
    return Directly(
               "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(40)%' AND"
               " state = 'active' AND pid <> pg_backend_pid()") == "0";
  }));
}

TEST_F(QueryTest, ABatchIsOneTransactionOrMany) {
  ASSERT_TRUE(Execute("CREATE TABLE query_batch (id int PRIMARY KEY)").status.ok());
  const auto run = [&](bool atomic, const std::vector<std::string>& statements, int* errors) {
    v1::ExecuteBatchRequest request;
    *request.mutable_login() = As("alice");
    request.set_atomic(atomic);
    for (const std::string& sql : statements) request.add_statements()->set_sql(sql);
    grpc::ClientContext context;
    Use(context, kReader);
    const auto stream = query->ExecuteBatch(&context, request);
    v1::ExecuteBatchResponse response;
    std::vector<std::int32_t> completed;
    while (stream->Read(&response)) {
      if (response.has_error()) ++*errors;
      if (response.response().has_complete()) completed.push_back(response.index());
    }
    return std::pair(completed, stream->Finish());
  };
  const std::vector<std::string> inserts = {"INSERT INTO query_batch VALUES (1)",
                                            "INSERT INTO query_batch VALUES (1)",
                                            "INSERT INTO query_batch VALUES (2)"};
  int errors = 0;
  const auto [atomically, failed] = run(true, inserts, &errors);
  EXPECT_EQ(failed.error_code(), StatusCode::ALREADY_EXISTS);
  EXPECT_THAT(failed.error_message(), HasSubstr("statement 1"));
  EXPECT_EQ(Directly("SELECT count(*) FROM query_batch"), "0");
  const auto [each, ended] = run(false, inserts, &errors);
  EXPECT_TRUE(ended.ok()) << ended.error_message();
  EXPECT_THAT(each, ElementsAre(0, 2));
  EXPECT_EQ(errors, 1);
  EXPECT_EQ(Directly("SELECT count(*) FROM query_batch"), "2");
  const std::vector<std::string> many(2000, "SELECT repeat('x', 1000)");
  const auto [all, done] = run(true, many, &errors);
  EXPECT_TRUE(done.ok());
  EXPECT_EQ(all.size(), 2000U);
  Execute("DROP TABLE query_batch");
}

TEST_F(QueryTest, ATransactionIsCommittedRolledBackOrLeft) {
  ASSERT_TRUE(Execute("CREATE TABLE query_tx (id int)").status.ok());
  {
    grpc::ClientContext context;
    Use(context, kReader);
    const auto stream = query->Transact(&context);
    Tell(*stream, BeginOf(As("alice")));
    EXPECT_EQ(Tell(*stream, "INSERT INTO query_tx VALUES (1)").complete.command_tag(),
              "INSERT 0 1");
    Tell(*stream, "SAVEPOINT a");
    EXPECT_EQ(Tell(*stream, "SELECT nothing").error.sqlstate(), "42703");
    Tell(*stream, "ROLLBACK TO a");
    EXPECT_EQ(Tell(*stream, CommitOf()).complete.command_tag(), "COMMIT");
    EXPECT_TRUE(stream->Finish().ok());
  }
  EXPECT_EQ(Directly("SELECT count(*) FROM query_tx"), "1");
  {
    grpc::ClientContext context;
    Use(context, kReader);
    const auto stream = query->Transact(&context);
    Tell(*stream, BeginOf(As("alice")));
    Tell(*stream, "DELETE FROM query_tx");
    stream->WritesDone();
    v1::TransactResponse response;
    EXPECT_FALSE(stream->Read(&response));
    EXPECT_EQ(stream->Finish().error_code(), StatusCode::ABORTED);
  }
  EXPECT_EQ(Directly("SELECT count(*) FROM query_tx"), "1");
  Execute("DROP TABLE query_tx");
}

TEST_F(QueryTest, RefusesWhatMakesNoSenseAndWhoMayNot) {
  EXPECT_EQ(Execute(RequestOf("SELECT 1"), "").status.error_code(), StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(Execute("").status.error_code(), StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(Execute(std::string("SELECT 1\0, 2", 12)).status.error_code(),
            StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(Execute("SELECT 1; SELECT 2").status.error_code(), StatusCode::INVALID_ARGUMENT);
  v1::ExecuteRequest request = RequestOf("SHOW POOLS");
  request.mutable_login()->set_database("pgbouncer");
  request.mutable_login()->set_user("pgbouncer");
  EXPECT_EQ(Execute(request).status.error_code(), StatusCode::INVALID_ARGUMENT)
      << "the console lets the system user in that runs the agent";
  request.mutable_login()->set_database("nowhere");
  request.mutable_login()->set_user("alice");
  EXPECT_EQ(Execute(request).status.error_code(), StatusCode::NOT_FOUND);
  grpc::ClientContext context;
  Use(context, kReader);
  const auto stream = query->Transact(&context);
  EXPECT_EQ(Tell(*stream, "SELECT 1").rows.size(), 0U);
  EXPECT_EQ(stream->Finish().error_code(), StatusCode::INVALID_ARGUMENT);
}

TEST_F(QueryTest, AnAgentThatStopsEndsWhatRuns) {
  grpc::ClientContext context;
  Use(context, kReader);
  const auto stream = query->Execute(&context, RequestOf("SELECT pg_sleep(50)"));
  ASSERT_TRUE(Eventually([&] {
    return Directly(
               "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(50)%' AND"
               " state = 'active' AND pid <> pg_backend_pid()") == "1";
  }));
  agent->Signal(SIGQUIT);
  v1::ExecuteResponse part;
  EXPECT_FALSE(stream->Read(&part));
  EXPECT_EQ(stream->Finish().error_code(), StatusCode::UNAVAILABLE);
  EXPECT_TRUE(agent->WaitForExit().has_value());
}

AgentConfig WithPasswords() {
  AgentConfig config;
  config.SetText("auth_type", "scram-sha-256").UserList("\"alice\" \"alice_pw\"\n");
  return config;
}

class QueryPasswordTest : public QueryTest {
 protected:
  QueryPasswordTest() : QueryTest(WithPasswords()) {}
};

TEST_F(QueryPasswordTest, APasswordIsAskedForAsOfAnyClientAndNeverLogged) {
  v1::ExecuteRequest request = RequestOf("SELECT 1");
  const Reply none = Execute(request);
  EXPECT_EQ(none.status.error_code(), StatusCode::UNAUTHENTICATED) << none.status.error_message();
  EXPECT_EQ(none.error.sqlstate(), "28P01");
  request.mutable_login()->set_password("wrong_secret_pw");
  EXPECT_EQ(Execute(request).status.error_code(), StatusCode::UNAUTHENTICATED);
  request.mutable_login()->set_password("alice_pw");
  const Reply right = Execute(request);
  EXPECT_TRUE(right.status.ok()) << right.status.error_message();
  EXPECT_THAT(agent->log(), testing::Not(HasSubstr("wrong_secret_pw")));
  EXPECT_THAT(agent->log(), testing::Not(HasSubstr("alice_pw")));
}

}  // namespace
}  // namespace pgvalet::integration
