// What the agent asks the server when somebody wants it: any backend ended or cancelled, and what
// the extension keeps of the past.
#include <gmock/gmock.h>
#include <google/protobuf/util/time_util.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>

#include "support/connection.h"
#include "support/control_test.h"

namespace pgvalet::integration {
namespace {

using google::protobuf::util::TimeUtil;
using grpc::StatusCode;
using testing::HasSubstr;

AgentConfig SamplerAs(const std::string& user) {
  AgentConfig config;
  config.SetText("sampler_user", user).SetText("sampler_dbname", "app");
  config.Set("sampler_interval", "0.1");
  return config;
}

class InquiryTest : public ControlCallTest {
 protected:
  explicit InquiryTest(AgentConfig config = SamplerAs("postgres"))
      : ControlCallTest(std::move(config)) {}

  grpc::Status End(std::uint32_t pid) {
    v1::EndBackendRequest request;
    request.set_pid(pid);
    return Do(&Control::EndBackend, request);
  }
  grpc::Status Cancel(std::uint32_t pid) {
    v1::CancelBackendRequest request;
    request.set_pid(pid);
    return Do(&Control::CancelBackend, request);
  }
  static std::uint32_t PidOf(const Connection& connection) {
    return static_cast<std::uint32_t>(PQbackendPID(connection.raw()));
  }
  grpc::Status Ended(const v1::ListEndedSessionsRequest& request,
                     v1::ListEndedSessionsResponse& response) {
    return Ask(&Stats::ListEndedSessions, request, response);
  }
};

TEST_F(InquiryTest, BackendThatDidNotComeThroughTheAgentIsCancelledAndEnded) {
  Connection direct(TheCluster().DirectTo("bob"));
  const std::uint32_t pid = PidOf(direct);
  Connection watcher(TheCluster().DirectTo("postgres"));
  ASSERT_TRUE(direct.Send("SELECT pg_sleep(600)"));
  const std::string running =
      "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep' "
      "AND pid = " +
      std::to_string(pid);
  ASSERT_TRUE(Eventually([&] { return watcher.Value(running) == "1"; }));

  EXPECT_TRUE(Cancel(pid).ok());

  EXPECT_EQ(direct.Collect().sqlstate, "57014");
  EXPECT_EQ(direct.Value("SELECT 'still there'"), "still there");

  EXPECT_TRUE(End(pid).ok());

  EXPECT_EQ(direct.Query("SELECT 1").sqlstate, "57P01");
  EXPECT_TRUE(Eventually([&] { return End(pid).error_code() == StatusCode::NOT_FOUND; }));
}

TEST_F(InquiryTest, PidsThatNoBackendHasAreRefused) {
  EXPECT_EQ(End(0).error_code(), StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(Cancel(0).error_code(), StatusCode::INVALID_ARGUMENT);
  EXPECT_EQ(End(4'000'000'000).error_code(), StatusCode::NOT_FOUND);
  EXPECT_EQ(End(1).error_code(), StatusCode::NOT_FOUND);
  EXPECT_EQ(Cancel(1).error_code(), StatusCode::NOT_FOUND);
  v1::EndBackendRequest request;
  request.set_pid(1);
  EXPECT_EQ(Do(&Control::EndBackend, request, kReader).error_code(), StatusCode::PERMISSION_DENIED);
}

TEST_F(InquiryTest, EndedSessionsAreListedNewestFirst) {
  if (!TheCluster().has_extension()) GTEST_SKIP() << "this PostgreSQL has no pgvalet";
  for (const char* name : {"first to go", "second to go"}) {
    Connection direct(TheCluster().DirectTo("bob") + " application_name='" + name + "'");
    direct.Must("SELECT 1");
  }
  v1::ListEndedSessionsRequest request;
  request.set_user("bob");
  request.set_database("app");
  v1::ListEndedSessionsResponse response;

  ASSERT_TRUE(Eventually([&] {
    return Ended(request, response).ok() && response.sessions_size() >= 2 &&
           response.sessions(1).application_name() == "first to go";
  }));

  const v1::EndedSession& newest = response.sessions(0);
  EXPECT_EQ(newest.application_name(), "second to go");
  EXPECT_EQ(newest.how_ended(), "client");
  EXPECT_EQ(newest.role_name(), "bob");
  EXPECT_EQ(newest.database_name(), "app");
  EXPECT_EQ(newest.connection_kind(), "direct");
  EXPECT_EQ(newest.client_addr(), "127.0.0.1");
  EXPECT_EQ(newest.costs().statement_count(), 1);
  EXPECT_GE(newest.ended_at().seconds(), newest.connected_at().seconds());
  EXPECT_GT(newest.sequence(), response.sessions(1).sequence());

  request.set_application_name("first to go");
  request.set_limit(1);
  ASSERT_TRUE(Ended(request, response).ok());
  ASSERT_EQ(response.sessions_size(), 1);
  EXPECT_EQ(response.sessions(0).application_name(), "first to go");
}

TEST_F(InquiryTest, DistributionsOfANameHaveBucketsThatAddUp) {
  if (!TheCluster().has_extension()) GTEST_SKIP() << "this PostgreSQL has no pgvalet";
  {
    Connection direct(TheCluster().DirectTo("bob"));
    for (int i = 0; i < 20; ++i) direct.Must("SELECT 1");
  }
  v1::GetDistributionsRequest request;
  request.set_role("bob");
  request.set_measure("statement");
  v1::GetDistributionsResponse response;
  ASSERT_TRUE(Eventually([&] {
    return Ask(&Stats::GetDistributions, request, response).ok() &&
           response.distributions_size() == 1 && response.distributions(0).count() >= 20;
  }));
  const v1::Distribution& statements = response.distributions(0);
  EXPECT_EQ(statements.dimension(), "role");
  EXPECT_EQ(statements.name(), "bob");
  EXPECT_LE(statements.p50_us(), statements.p99_us());
  EXPECT_LE(statements.p99_us(), statements.max_us());
  std::int64_t counted = 0;
  for (const v1::DistributionBucket& bucket : statements.buckets()) {
    EXPECT_TRUE(bucket.highest_us() == -1 || bucket.lowest_us() <= bucket.highest_us());
    counted += bucket.count();
  }
  EXPECT_GE(counted, statements.count());  // the server counts on between the two readings

  v1::GetDistributionsResponse everybody;
  ASSERT_TRUE(Ask(&Stats::GetDistributions, v1::GetDistributionsRequest(), everybody).ok());
  EXPECT_GT(everybody.distributions_size(), 3);
  EXPECT_EQ(everybody.distributions(0).buckets_size(), 0);
}

TEST_F(InquiryTest, HistoryOfTheServerComesMinuteByMinute) {
  if (!TheCluster().has_extension()) GTEST_SKIP() << "this PostgreSQL has no pgvalet";
  v1::GetServerHistoryResponse response;
  EXPECT_TRUE(Ask(&Stats::GetServerHistory, v1::GetServerHistoryRequest(), response).ok());
  for (const v1::ServerMinute& minute : response.minutes()) {
    EXPECT_GT(TimeUtil::TimestampToMicroseconds(minute.ended_at()),
              TimeUtil::TimestampToMicroseconds(minute.started_at()));  // one may be cut short
  }

  v1::GetServerHistoryRequest future;
  future.mutable_since()->set_seconds(32'503'680'000);
  EXPECT_TRUE(Ask(&Stats::GetServerHistory, future, response).ok());
  EXPECT_EQ(response.minutes_size(), 0);
}

TEST_F(InquiryTest, RequestsThatMakeNoSenseAreRefused) {
  v1::ListEndedSessionsRequest sessions;
  v1::ListEndedSessionsResponse none;
  for (const int limit : {-1, 1001}) {
    sessions.set_limit(limit);
    EXPECT_EQ(Ended(sessions, none).error_code(), StatusCode::INVALID_ARGUMENT) << limit;
  }
  v1::GetServerHistoryRequest minutes;
  v1::GetServerHistoryResponse no_minutes;
  minutes.set_limit(1441);
  EXPECT_EQ(Ask(&Stats::GetServerHistory, minutes, no_minutes).error_code(),
            StatusCode::INVALID_ARGUMENT);
  v1::GetDistributionsRequest distributions;
  v1::GetDistributionsResponse no_distributions;
  distributions.set_measure("nosuch");
  EXPECT_EQ(Ask(&Stats::GetDistributions, distributions, no_distributions).error_code(),
            StatusCode::INVALID_ARGUMENT);
  sessions.set_limit(0);
  EXPECT_EQ(Ask(&Stats::ListEndedSessions, sessions, none, "").error_code(),
            StatusCode::UNAUTHENTICATED);
}

TEST_F(InquiryTest, NamesOfCallersAreNoSql) {
  if (!TheCluster().has_extension()) GTEST_SKIP() << "this PostgreSQL has no pgvalet";
  v1::ListEndedSessionsRequest request;
  request.set_user("'; SELECT pg_terminate_backend(pid) FROM pg_stat_activity; --");
  v1::ListEndedSessionsResponse response;

  EXPECT_TRUE(Ended(request, response).ok());

  EXPECT_EQ(response.sessions_size(), 0);
}

class InquiryAsMonitorTest : public InquiryTest {
 protected:
  InquiryAsMonitorTest() : InquiryTest(SamplerAs("monitor")) {}
};

TEST_F(InquiryAsMonitorTest, WhoMayNotEndABackendIsToldWhatIsMissing) {
  Connection direct(TheCluster().DirectTo("bob"));
  direct.Must("SELECT 1");

  const grpc::Status refused = End(PidOf(direct));

  EXPECT_EQ(refused.error_code(), StatusCode::PERMISSION_DENIED);
  EXPECT_THAT(refused.error_message(), HasSubstr("GRANT pg_signal_backend TO \"monitor\""));
  EXPECT_EQ(Cancel(PidOf(direct)).error_code(), StatusCode::PERMISSION_DENIED);
  EXPECT_EQ(direct.Value("SELECT 'still there'"), "still there");
}

class WithoutSamplerTest : public InquiryTest {
 protected:
  WithoutSamplerTest() : InquiryTest(AgentConfig().Set("sampler_interval", "0")) {}
};

TEST_F(WithoutSamplerTest, CallsSayThatNoServerIsAsked) {
  const grpc::Status refused = End(4711);
  EXPECT_EQ(refused.error_code(), StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(refused.error_message(), HasSubstr("sampler_interval"));
  v1::ListEndedSessionsResponse none;
  EXPECT_EQ(Ended(v1::ListEndedSessionsRequest(), none).error_code(),
            StatusCode::FAILED_PRECONDITION);
}

class WithoutServerTest : public InquiryTest {
 protected:
  WithoutServerTest() : InquiryTest(Nowhere()) {}
  static AgentConfig Nowhere() {
    AgentConfig config = SamplerAs("postgres");
    config.NoFallbackDatabase().Database(
        "app", "host=127.0.0.1 port=" + std::to_string(FreePort()) + " dbname=app");
    return config;
  }
};

TEST_F(WithoutServerTest, CallsSayThatItCannotBeReached) {
  EXPECT_EQ(End(4711).error_code(), StatusCode::UNAVAILABLE);
  v1::ListEndedSessionsResponse none;
  EXPECT_EQ(Ended(v1::ListEndedSessionsRequest(), none).error_code(), StatusCode::UNAVAILABLE);
}

class WithoutTheExtensionTest : public InquiryTest {
 protected:
  WithoutTheExtensionTest()
      : InquiryTest(SamplerAs("postgres").SetText("sampler_dbname", "postgres")) {}
};

TEST_F(WithoutTheExtensionTest, ItIsSaidHowToInstallItAndBackendsEndAllTheSame) {
  v1::ListEndedSessionsResponse none;
  const grpc::Status refused = Ended(v1::ListEndedSessionsRequest(), none);
  EXPECT_EQ(refused.error_code(), StatusCode::FAILED_PRECONDITION);
  EXPECT_THAT(refused.error_message(), HasSubstr("CREATE EXTENSION"));
  Connection direct(TheCluster().DirectTo("bob"));

  EXPECT_TRUE(End(PidOf(direct)).ok());

  EXPECT_EQ(direct.Query("SELECT 1").sqlstate, "57P01");
}

}  // namespace
}  // namespace pgvalet::integration
