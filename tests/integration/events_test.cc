// gRPC Events on a real agent and a real server: what happens is told, to all, in one order.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "pgvalet/v1/control.grpc.pb.h"
#include "pgvalet/v1/events.grpc.pb.h"
#include "support/connection.h"
#include "support/grpc_test.h"

namespace pgvalet::integration {
namespace {

using grpc::StatusCode;
using testing::HasSubstr;

AgentConfig WithSampler() {
  AgentConfig config;
  config.SetText("sampler_user", "postgres").SetText("sampler_dbname", "app");
  config.Set("sampler_interval", "0.05");
  return config;
}

class EventsTest : public GrpcTest {
 protected:
  EventsTest() : GrpcTest(WithSampler()), events(v1::Events::NewStub(Channel())) {}

  v1::ListEventsResponse List(const v1::ListEventsRequest& request = {}) const {
    grpc::ClientContext context;
    Use(context, kReader);
    v1::ListEventsResponse response;
    EXPECT_TRUE(events->ListEvents(&context, request, &response).ok());
    return response;
  }

  // The first event of this kind there is, of this user or of all; waits for one.
  v1::Event First(const std::string& kind, const std::string& user = "") const {
    v1::ListEventsRequest request;
    request.mutable_filter()->add_kinds(kind);
    request.mutable_filter()->set_user(user);
    v1::ListEventsResponse found;
    EXPECT_TRUE(Eventually([&] {
      found = List(request);
      return found.events_size() > 0;
    })) << kind;
    return found.events_size() > 0 ? found.events(0) : v1::Event();
  }

  grpc::Status Reload() const {
    grpc::ClientContext context;
    Use(context, kController);
    v1::ReloadResponse response;
    return v1::Control::NewStub(Channel())->Reload(&context, {}, &response);
  }

  std::unique_ptr<v1::Events::Stub> events;
};

TEST_F(EventsTest, TellsWhatTheAgentDoesAndWhatBefallsIt) {
  const v1::Event started = First("agent_started");
  EXPECT_EQ(started.source(), v1::EVENT_SOURCE_AGENT);
  EXPECT_THAT(started.message(), HasSubstr("is ready"));

  ASSERT_TRUE(Reload().ok());
  First("settings_reloaded");

  EXPECT_TRUE(Connection(agent->To()).ok());
  Connection console(agent->To("admin", "pgbouncer"));
  console.Must("DISABLE app");
  EXPECT_EQ(First("disabled").database(), "app");
  EXPECT_FALSE(Connection(agent->To()).ok());
  const v1::Event refused = First("login_refused", "alice");
  EXPECT_EQ(refused.database(), "app");
  EXPECT_THAT(refused.client(), HasSubstr("127.0.0.1"));
  console.Must("ENABLE app");
  First("enabled");

  Connection client(agent->To());
  client.Must("BEGIN");
  const std::string pid = client.Value("SELECT pg_backend_pid()");
  Connection direct(TheCluster().DirectTo("postgres"));
  direct.Must("SELECT pg_terminate_backend(" + pid + ")");
  const v1::Event lost = First("server_connection_lost");
  EXPECT_EQ(std::to_string(lost.server_pid()), pid);
  EXPECT_EQ(lost.user(), "alice");
}

TEST_F(EventsTest, TellsWhatTheExtensionSawInTheSameOrder) {
  if (!TheCluster().has_extension()) GTEST_SKIP() << "this PostgreSQL has no pgvalet";
  First("extension_read");
  Connection direct(TheCluster().DirectTo("postgres"));
  direct.Must("SELECT pgvalet.reset('leaks')");
  v1::ListEventsRequest request;
  request.mutable_filter()->add_kinds("reset");
  request.mutable_filter()->set_database("app");
  v1::ListEventsResponse found;
  ASSERT_TRUE(Eventually([&] {
    found = List(request);
    return found.events_size() > 0;
  }));
  const v1::Event& reset = found.events(found.events_size() - 1);
  EXPECT_EQ(reset.source(), v1::EVENT_SOURCE_EXTENSION);
  EXPECT_EQ(reset.user(), "postgres");
  EXPECT_THAT(reset.message(), HasSubstr("leaks"));

  std::int64_t expected = 1;
  const v1::ListEventsResponse all = List();
  for (const v1::Event& event : all.events()) EXPECT_EQ(event.sequence(), expected++);
}

TEST_F(EventsTest, AFollowerGetsWhatThereIsAndThenEachAsItHappens) {
  grpc::ClientContext context;
  Use(context, kReader);
  v1::FollowEventsRequest request;
  request.mutable_filter()->add_kinds("settings_reloaded");
  request.mutable_filter()->add_kinds("agent_started");
  const auto stream = events->FollowEvents(&context, request);
  v1::FollowEventsResponse response;
  ASSERT_TRUE(stream->Read(&response));
  EXPECT_EQ(response.events(0).kind(), "agent_started");

  ASSERT_TRUE(Reload().ok());
  ASSERT_TRUE(stream->Read(&response));
  ASSERT_EQ(response.events_size(), 1);
  EXPECT_EQ(response.events(0).kind(), "settings_reloaded");
  EXPECT_EQ(response.lost_count(), 0);

  // After a break it goes on where it was.
  ASSERT_TRUE(Reload().ok());
  grpc::ClientContext second;
  Use(second, kReader);
  request.set_after_sequence(response.next_after_sequence());
  const auto resumed = events->FollowEvents(&second, request);
  v1::FollowEventsResponse next;
  ASSERT_TRUE(resumed->Read(&next));
  EXPECT_GT(next.events(0).sequence(), response.events(0).sequence());
  EXPECT_EQ(next.events(0).kind(), "settings_reloaded");
  context.TryCancel();
  second.TryCancel();
}

TEST_F(EventsTest, AFollowerIsToldWhenTheAgentStops) {
  grpc::ClientContext context;
  Use(context, kReader);
  v1::FollowEventsRequest request;
  request.set_after_sequence(-1);
  const auto stream = events->FollowEvents(&context, request);
  // It follows once it has been told something.
  v1::FollowEventsResponse response;
  ASSERT_TRUE(Eventually([&] { return Reload().ok(); }));
  agent->Signal(SIGQUIT);
  while (stream->Read(&response)) {
  }
  EXPECT_EQ(stream->Finish().error_code(), StatusCode::UNAVAILABLE);
}

TEST_F(EventsTest, NeedsATokenAndRefusesWhatMakesNoSense) {
  v1::ListEventsResponse response;
  grpc::ClientContext none;
  Use(none, "");
  EXPECT_EQ(events->ListEvents(&none, {}, &response).error_code(), StatusCode::UNAUTHENTICATED);
  grpc::ClientContext wrong;
  Use(wrong, "wrong-token-0123456789");
  v1::FollowEventsResponse followed;
  const auto stream = events->FollowEvents(&wrong, {});
  EXPECT_FALSE(stream->Read(&followed));
  EXPECT_EQ(stream->Finish().error_code(), StatusCode::UNAUTHENTICATED);
  grpc::ClientContext negative;
  Use(negative, kReader);
  v1::ListEventsRequest request;
  request.set_limit(-1);
  EXPECT_EQ(events->ListEvents(&negative, request, &response).error_code(),
            StatusCode::INVALID_ARGUMENT);
}

TEST_F(EventsTest, ANameThatIsNotUtf8DoesNotBreakTheAnswer) {
  EXPECT_FALSE(Connection(agent->To("m\xfc"
                                    "ller",
                                    "no_such"))
                   .ok());
  Connection client(agent->To() + " application_name='gr\xfc\xdf' client_encoding=LATIN1");
  ASSERT_TRUE(client.ok()) << client.error();
  const v1::Event refused = First("login_refused", "m?ller");
  EXPECT_EQ(refused.database(), "no_such");
  grpc::ClientContext context;
  Use(context, kReader);
  v1::ListClientsResponse clients;
  EXPECT_TRUE(v1::Control::NewStub(Channel())->ListClients(&context, {}, &clients).ok());
  EXPECT_TRUE(std::any_of(
      clients.clients().begin(), clients.clients().end(),
      [](const v1::Client& one) { return one.connection().application_name() == "gr??"; }));
}

}  // namespace
}  // namespace pgvalet::integration
