// Messages beside queries: large objects by FunctionCall, notices, parameter status.
#include <gtest/gtest.h>
#include <libpq/libpq-fs.h>

#include <string>

#include "support/agent_process.h"
#include "support/cluster.h"
#include "support/connection.h"

namespace pgvalet::integration {
namespace {

TEST(FunctionCallTest, LargeObjectIsWrittenAndReadBack) {
  const AgentProcess agent;
  Connection client(agent.To());
  const std::string text(200000, 'L');

  client.Must("BEGIN");
  const Oid object = lo_create(client.raw(), 0);
  const int writing = lo_open(client.raw(), object, INV_WRITE);
  EXPECT_EQ(lo_write(client.raw(), writing, text.data(), text.size()),
            static_cast<int>(text.size()));
  client.Must("COMMIT");
  client.Must("BEGIN");
  const int reading = lo_open(client.raw(), object, INV_READ);
  std::string back(text.size(), ' ');
  EXPECT_EQ(lo_read(client.raw(), reading, back.data(), back.size()),
            static_cast<int>(text.size()));
  client.Must("COMMIT");

  EXPECT_TRUE(back == text);
  EXPECT_EQ(lo_unlink(client.raw(), object), 1);
  EXPECT_EQ(client.Value("SELECT 1"), "1");
}

TEST(FunctionCallTest, OneThatFailsLeavesTheSessionUsable) {
  const AgentProcess agent;
  Connection client(agent.To());

  EXPECT_EQ(lo_unlink(client.raw(), 4000000000u), -1);

  EXPECT_EQ(client.Value("SELECT 1"), "1");
}

TEST(NoticeTest, ReachesTheClientThatCausedItAndNoOther) {
  AgentConfig config;
  config.Set("default_pool_size", "1");
  const AgentProcess agent(config);
  Connection client(agent.To()), other(agent.To());
  other.Must("SELECT 1");

  client.Must("DO $$ BEGIN RAISE NOTICE 'look here'; RAISE WARNING 'and here'; END $$");
  other.Must("SELECT 1");

  EXPECT_EQ(client.notices(), (std::vector<std::string>{"NOTICE: look here", "WARNING: and here"}));
  EXPECT_TRUE(other.notices().empty());
}

TEST(ErrorTest, OfAnyLengthReachesTheClient) {
  const AgentProcess agent;
  Connection client(agent.To());

  const Answer answer = client.Query("DO $$ BEGIN RAISE '%', repeat('x', 3000000); END $$");

  EXPECT_EQ(answer.sqlstate, "P0001");
  EXPECT_EQ(answer.message.size(), 3000000U);
  EXPECT_EQ(client.Value("SELECT 'goes on'"), "goes on");
}

TEST(ParameterStatusTest, ClientLearnsWhatAServerWouldTellIt) {
  const AgentProcess agent;
  Connection pooled(agent.To()), direct(TheCluster().DirectTo("alice"));

  for (const char* name :
       {"server_version", "server_encoding", "client_encoding", "DateStyle", "TimeZone",
        "IntervalStyle", "standard_conforming_strings", "integer_datetimes", "is_superuser",
        "session_authorization", "default_transaction_read_only", "in_hot_standby"}) {
    const char* expected = PQparameterStatus(direct.raw(), name);
    const char* got = PQparameterStatus(pooled.raw(), name);
    EXPECT_STREQ(got, expected) << name;
  }
  EXPECT_EQ(PQserverVersion(pooled.raw()), PQserverVersion(direct.raw()));
}

}  // namespace
}  // namespace pgvalet::integration
