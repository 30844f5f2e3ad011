// Settings whose 0 means "off" or "always", and errors that name the right setting.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "support/agent_process.h"
#include "support/cluster.h"
#include "support/connection.h"

namespace pgvalet::integration {
namespace {

AgentConfig OneServerConnection() {
  AgentConfig config;
  config.Set("default_pool_size", "1");
  return config;
}

TEST(ZeroSettingTest, ReserveIsOffWithReservePoolTimeoutZero) {
  AgentConfig config = OneServerConnection();
  config.Set("reserve_pool_size", "1")
      .Set("reserve_pool_timeout", "0")
      .Set("query_wait_timeout", "1");
  const AgentProcess agent(config);
  Connection holder(agent.To()), waiter(agent.To());
  holder.Must("BEGIN");

  const Answer refused = waiter.Query("SELECT 1");

  EXPECT_NE(refused.message.find("query_wait_timeout"), std::string::npos) << refused.value();
}

TEST(ZeroSettingTest, EveryUseIsCheckedWithServerCheckDelayZero) {
  Connection direct(TheCluster().DirectTo("alice"));
  direct.Must("CREATE SEQUENCE zero_checks");
  AgentConfig config = OneServerConnection();
  config.SetText("server_check_query", "SELECT nextval('zero_checks')")
      .Set("server_check_delay", "0");
  const AgentProcess agent(config);
  Connection client(agent.To());

  client.Must("SELECT 1");
  client.Must("SELECT 1");

  EXPECT_EQ(direct.Value("SELECT is_called FROM zero_checks"), "t");
  direct.Must("DROP SEQUENCE zero_checks");
}

TEST(ZeroSettingTest, ServerConnectTimeoutZeroIsNoLimitForTheAgentsOwnQueries) {
  AgentConfig config = OneServerConnection();
  config.Set("server_connect_timeout", "0")
      .SetText("server_check_query", "SELECT 1")
      .Set("server_check_delay", "0.001");
  const AgentProcess agent(config);

  // A setting that a client brings along is tried out on the server.
  Connection client(agent.To() + " options='-c work_mem=8MB'");

  EXPECT_EQ(client.Value("SHOW work_mem"), "8MB") << client.error();
}

TEST(ServerConnectTest, ServerThatNeverAnswersIsNotBlamedOnTheClientsLogin) {
  const int silent = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  ASSERT_EQ(bind(silent, reinterpret_cast<sockaddr*>(&address), length), 0);
  ASSERT_EQ(listen(silent, 8), 0);  // the kernel accepts, nobody answers
  ASSERT_EQ(getsockname(silent, reinterpret_cast<sockaddr*>(&address), &length), 0);
  AgentConfig config = OneServerConnection();
  config.Set("server_connect_timeout", "1")
      .Database("silent", "host=127.0.0.1 port=" + std::to_string(ntohs(address.sin_port)));
  const AgentProcess agent(config);

  const Connection client(agent.To("alice", "silent"));

  EXPECT_FALSE(client.ok());
  EXPECT_EQ(client.error().find("client_login_timeout"), std::string::npos) << client.error();
  EXPECT_NE(client.error().find("server"), std::string::npos) << client.error();
  close(silent);
}

}  // namespace
}  // namespace pgvalet::integration
