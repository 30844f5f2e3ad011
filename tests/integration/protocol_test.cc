// The protocol's edges, byte by byte, before and after login.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/agent_process.h"
#include "support/cluster.h"
#include "support/connection.h"
#include "support/raw_client.h"

namespace pgvalet::integration {
namespace {

struct ProtocolTest : testing::Test {
  // Nothing a client sends may harm the next one.
  ~ProtocolTest() override {
    EXPECT_TRUE(agent.Running());
    EXPECT_EQ(Connection(agent.To()).Value("SELECT 'healthy'"), "healthy");
  }

  static std::string Request(std::int64_t code) { return Int32(8) + Int32(code); }

  AgentProcess agent;
  RawClient client{agent.port()};
};

TEST_F(ProtocolTest, SslRequestIsAnsweredWithNAndLoginGoesOn) {
  client.Send(Request(kSslRequestCode));
  EXPECT_EQ(client.ReadByte(), 'N');

  client.Login("alice");
}

TEST_F(ProtocolTest, GssEncRequestIsAnsweredWithNAndLoginGoesOn) {
  client.Send(Request(kGssEncRequestCode));
  EXPECT_EQ(client.ReadByte(), 'N');
  client.Send(Request(kSslRequestCode));
  EXPECT_EQ(client.ReadByte(), 'N');

  client.Login("alice");
}

TEST_F(ProtocolTest, BytesSentBehindAnSslRequestAreNotTakenAsLogin) {
  // They came in plain text where the client expected to be encrypting by now.
  client.Send(Request(kSslRequestCode) + StartupPacket({"user", "alice", "database", "app"}));

  std::string answer;
  while (const std::optional<char> byte = client.ReadByte()) answer += *byte;

  EXPECT_TRUE(answer.empty() || answer == "N" || answer.find("08P01") != std::string::npos)
      << answer;
}

TEST_F(ProtocolTest, Version32IsAnsweredWithTheVersionSpoken) {
  client.Send(StartupPacket({"user", "alice", "database", "app"}, 3 << 16 | 2));

  const std::vector<RawMessage> login = client.ReadUntil('Z');

  EXPECT_EQ(First(login, 'v').body, Int32(3 << 16) + Int32(0));
  EXPECT_EQ(login.back().type, 'Z');
}

TEST_F(ProtocolTest, UnknownProtocolOptionIsNamedInTheAnswer) {
  client.Send(StartupPacket({"user", "alice", "database", "app", "_pq_.shiny", "yes"}));

  const std::vector<RawMessage> login = client.ReadUntil('Z');

  EXPECT_EQ(First(login, 'v').body, Int32(3 << 16) + Int32(1) + String("_pq_.shiny"));
  EXPECT_EQ(login.back().type, 'Z');
}

TEST_F(ProtocolTest, Version2IsRefused) {
  client.Send(StartupPacket({"user", "alice", "database", "app"}, 2 << 16));

  const RawMessage error = First(client.ReadToEnd(), 'E');

  EXPECT_EQ(error.Field('C'), "0A000") << error.Field('M');
}

TEST_F(ProtocolTest, StartupWithoutAUserIsRefusedAsByTheServer) {
  client.Send(StartupPacket({"database", "app"}));

  EXPECT_EQ(First(client.ReadToEnd(), 'E').Field('C'), "28000");
}

TEST_F(ProtocolTest, DatabaseDefaultsToTheUsersName) {
  client.Send(StartupPacket({"user", "postgres"}));
  ASSERT_EQ(client.ReadUntil('Z').back().type, 'Z');
  client.Send(QueryMessage("SELECT current_database()"));

  EXPECT_EQ(FirstRow(client.ReadUntil('Z')), std::vector<std::string>{"postgres"});
}

TEST_F(ProtocolTest, SomethingElsesGreetingIsNoLogin) {
  client.Send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");

  const std::vector<RawMessage> answer = client.ReadToEnd();

  EXPECT_TRUE(answer.empty() || answer[0].type == 'E');
}

TEST_F(ProtocolTest, RandomBytesEndOnlyTheirConnection) {
  unsigned state = 12345;
  for (int round = 0; round < 50; ++round) {
    std::string bytes;
    for (int i = 0; i < 300; ++i) {
      state = state * 1103515245u + 12345u;
      bytes += static_cast<char>(state >> 16 & 0xff);
    }
    RawClient noisy(agent.port());
    noisy.Send(bytes);
    noisy.Drop();
  }
}

TEST_F(ProtocolTest, StartupLengthsOutOfBoundsAreRefused) {
  for (const std::int64_t length : {0LL, 3LL, 7LL, 100000LL, 0x7fffffffLL, 0xffffffffLL}) {
    RawClient each(agent.port());
    each.Send(Int32(length) + Int32(196608) + String("user"));
    const std::vector<RawMessage> answer = each.ReadToEnd();
    EXPECT_TRUE(answer.empty() || answer[0].type == 'E') << length;
  }
}

TEST_F(ProtocolTest, StartupMayComeInSingleBytes) {
  for (const char byte : StartupPacket({"user", "alice", "database", "app"}))
    client.Send(std::string(1, byte));

  EXPECT_EQ(client.ReadUntil('Z').back().type, 'Z');
}

TEST_F(ProtocolTest, MessagesMayComeInSingleBytes) {
  client.Login("alice");
  for (const char byte : ParseMessage("s", "SELECT $1::text") + BindMessage("", "s", {"bytes"}) +
                             DescribeMessage('P', "") + ExecuteMessage("") + SyncMessage())
    client.Send(std::string(1, byte));

  EXPECT_EQ(FirstRow(client.ReadUntil('Z')), std::vector<std::string>{"bytes"});
}

TEST_F(ProtocolTest, UnknownMessageTypeEndsTheSessionWith08P01) {
  client.Login("alice");
  client.Send(Message('~', "what is this"));

  const std::vector<RawMessage> answer = client.ReadToEnd();

  EXPECT_EQ(First(answer, 'E').Field('S'), "FATAL");
  EXPECT_EQ(First(answer, 'E').Field('C'), "08P01");
}

TEST_F(ProtocolTest, MessageLengthBelowFourEndsTheSession) {
  client.Login("alice");
  client.Send("Q" + Int32(2));

  const std::vector<RawMessage> answer = client.ReadToEnd();

  EXPECT_TRUE(answer.empty() || answer.back().Field('C') == "08P01");
}

TEST_F(ProtocolTest, BrokenBodyIsRefusedWithoutHarm) {
  client.Login("alice");
  client.Send(Message('P', "no zero byte") + SyncMessage());

  const std::vector<RawMessage> answer = client.ReadUntil('Z');

  EXPECT_EQ(First(answer, 'E').Field('C'), "08P01") << Types(answer);
}

TEST_F(ProtocolTest, QueryBeforeLoginIsRefused) {
  client.Send(QueryMessage("SELECT 1"));

  const std::vector<RawMessage> answer = client.ReadToEnd();

  EXPECT_TRUE(answer.empty() || answer[0].type == 'E');
}

TEST_F(ProtocolTest, ReplicationIsRefusedOrServedButNeverPooled) {
  RawClient replica(agent.port());
  replica.Send(StartupPacket({"user", "postgres", "database", "app", "replication", "database"}));

  const std::vector<RawMessage> answer = replica.ReadUntil('Z');

  EXPECT_TRUE(answer.back().type == 'Z' || answer.back().type == 'E') << Types(answer);
}

TEST_F(ProtocolTest, TerminateEndsTheSessionQuietly) {
  client.Login("alice");
  client.Send(TerminateMessage());

  EXPECT_TRUE(client.ReadToEnd().empty());
}

TEST(LoginTimeoutTest, ClientThatDoesNotLogInIsClosed) {
  AgentConfig config;
  config.Set("client_login_timeout", "1");
  AgentProcess agent(config);
  RawClient silent(agent.port());
  RawClient half(agent.port());
  half.Send(StartupPacket({"user", "alice", "database", "app"}).substr(0, 10));

  // ReadToEnd() throws when the agent keeps them.
  silent.ReadToEnd();
  half.ReadToEnd();

  EXPECT_TRUE(agent.Running());
}

}  // namespace
}  // namespace pgvalet::integration
