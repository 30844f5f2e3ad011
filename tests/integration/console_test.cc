// The console: PgBouncer's commands, columns and types, and what they do to real clients.
#include "support/console_test.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <map>
#include <string>
#include <vector>

#include "support/cluster.h"
#include "support/raw_client.h"

namespace pgvalet::integration {
namespace {

using testing::ElementsAre;

// ---- shape ----

struct Shape {
  const char* what;
  const char* columns;
};

// The columns as PgBouncer 1.25 sends them; tools go by them.
constexpr const char* kConnections =
    "type:25,user:25,database:25,replication:25,state:25,addr:25,port:23,local_addr:25,"
    "local_port:23,connect_time:25,request_time:25,wait:23,wait_us:23,close_needed:23,ptr:25,"
    "link:25,remote_pid:23,tls:25,application_name:25,prepared_statements:23,id:23";

TEST_F(ConsoleTest, TablesHaveTheColumnsAndTypesOfPgBouncer) {
  const std::string sockets = std::string(kConnections) +
                              ",recv_pos:23,pkt_pos:23,pkt_remain:23,send_pos:23,send_remain:23,"
                              "pkt_avail:23,send_avail:23";
  const std::map<std::string, std::string> expected = {
      {"CLIENTS", kConnections},
      {"SERVERS", kConnections},
      {"SOCKETS", sockets},
      {"ACTIVE_SOCKETS", sockets},
      {"POOLS",
       "database:25,user:25,cl_active:23,cl_waiting:23,cl_active_cancel_req:23,"
       "cl_waiting_cancel_req:23,sv_active:23,sv_active_cancel:23,sv_being_canceled:23,"
       "sv_idle:23,sv_used:23,sv_tested:23,sv_login:23,maxwait:23,maxwait_us:23,pool_mode:25,"
       "load_balance_hosts:25"},
      {"STATS",
       "database:25,total_server_assignment_count:1700,total_xact_count:1700,"
       "total_query_count:1700,total_received:1700,total_sent:1700,total_xact_time:1700,"
       "total_query_time:1700,total_wait_time:1700,total_client_parse_count:1700,"
       "total_server_parse_count:1700,total_bind_count:1700,total_client_login_count:1700,"
       "avg_server_assignment_count:1700,avg_xact_count:1700,avg_query_count:1700,avg_recv:1700,"
       "avg_sent:1700,avg_xact_time:1700,avg_query_time:1700,avg_wait_time:1700,"
       "avg_client_parse_count:1700,avg_server_parse_count:1700,avg_bind_count:1700,"
       "avg_client_login_count:1700"},
      {"STATS_TOTALS",
       "database:25,server_assignment_count:1700,xact_count:1700,query_count:1700,"
       "bytes_received:1700,bytes_sent:1700,xact_time:1700,query_time:1700,wait_time:1700,"
       "client_parse_count:1700,server_parse_count:1700,bind_count:1700,client_login_count:1700"},
      {"STATS_AVERAGES",
       "database:25,server_assignment_count:1700,xact_count:1700,query_count:1700,"
       "bytes_received:1700,bytes_sent:1700,xact_time:1700,query_time:1700,wait_time:1700,"
       "avg_client_parse_count:1700,avg_server_parse_count:1700,avg_bind_count:1700,"
       "avg_client_login_count:1700"},
      {"TOTALS", "name:25,value:1700"},
      {"DATABASES",
       "name:25,host:25,port:23,database:25,force_user:25,pool_size:23,min_pool_size:23,"
       "reserve_pool_size:23,server_lifetime:23,pool_mode:25,load_balance_hosts:25,"
       "max_connections:23,current_connections:23,max_client_connections:23,"
       "current_client_connections:23,paused:23,disabled:23"},
      {"USERS",
       "name:25,pool_size:25,reserve_pool_size:25,pool_mode:25,max_user_connections:23,"
       "current_connections:23,max_user_client_connections:23,current_client_connections:23"},
      {"LISTS", "list:25,items:23"},
      {"CONFIG", "key:25,value:25,default:25,changeable:25"},
      {"PEERS", "peer_id:23,host:25,port:23,pool_size:23"},
      {"PEER_POOLS",
       "peer_id:23,cl_active_cancel_req:23,cl_waiting_cancel_req:23,sv_active_cancel:23,"
       "sv_login:23"},
      {"FDS",
       "fd:23,task:25,user:25,database:25,addr:25,port:23,cancel:20,link:23,client_encoding:25,"
       "std_strings:25,datestyle:25,timezone:25,password:25,scram_client_key:17,"
       "scram_server_key:17"},
      {"MEM", "name:25,size:23,used:23,free:23,memtotal:23"},
      {"DNS_HOSTS", "hostname:25,ttl:20,addrs:25"},
      {"DNS_ZONES", "zonename:25,serial:20,count:23"},
      {"STATE", "key:25,value:25"},
      {"VERSION", "version:25"},
  };
  for (const auto& [what, columns] : expected) {
    EXPECT_EQ(ColumnsOf(console.raw(), "SHOW " + what), columns) << what;
    EXPECT_EQ(ColumnsOf(console.raw(), "select " + what), columns) << what;
  }
}

TEST_F(ConsoleTest, ListsHaveTheRowsThatToolsLookFor) {
  std::vector<std::string> names;
  for (const auto& row : console.Query("SHOW LISTS").rows) names.push_back(*row[0]);
  EXPECT_THAT(names,
              ElementsAre("databases", "users", "peers", "pools", "peer_pools", "free_clients",
                          "used_clients", "login_clients", "free_servers", "used_servers",
                          "dns_names", "dns_zones", "dns_queries", "dns_pending"));
  EXPECT_EQ(console.Query("SHOW TOTALS").rows.size(), 24u);
}

TEST_F(ConsoleTest, SaysWhichPgBouncerItIsCompatibleWith) {
  EXPECT_STREQ(PQparameterStatus(console.raw(), "server_version"), "1.25.2/bouncer");
  EXPECT_EQ(console.Value("SHOW VERSION").rfind("PgBouncer 1.25.2", 0), 0u);
  EXPECT_EQ(console.Query("SHOW POOLS").tag, "SHOW");
  EXPECT_EQ(console.Query("SET query_timeout = '7'").tag, "SET query_timeout=7");
}

// ---- numbers ----

TEST_F(ConsoleTest, CountsWhatClientsDo) {
  Connection client(agent.To());
  client.Must("BEGIN");
  client.Must("SELECT 1");

  EXPECT_EQ(Field("SHOW POOLS", "app", "cl_active"), "1");
  EXPECT_EQ(Field("SHOW POOLS", "app", "sv_active"), "1");
  client.Must("COMMIT");
  EXPECT_EQ(Field("SHOW POOLS", "app", "sv_active"), "0");
  EXPECT_EQ(Field("SHOW POOLS", "app", "sv_idle"), "1");
  EXPECT_EQ(Field("SHOW STATS_TOTALS", "app", "xact_count"), "1");
  EXPECT_EQ(Field("SHOW STATS_TOTALS", "app", "query_count"), "3");
  EXPECT_EQ(Field("SHOW DATABASES", "app", "current_client_connections"), "1");
  EXPECT_EQ(Field("SHOW USERS", "alice", "current_connections"), "1");
}

TEST_F(ConsoleTest, LinksClientAndServer) {
  Connection client(agent.To() + " application_name=shown");
  client.Must("BEGIN");
  const std::string pid = client.Value("SELECT pg_backend_pid()");

  const Answer clients = console.Query("SHOW CLIENTS");
  const Answer servers = console.Query("SHOW SERVERS");

  ASSERT_EQ(servers.rows.size(), 1u);
  const auto& server = servers.rows[0];
  EXPECT_EQ(server[4], "active");
  EXPECT_EQ(server[16], pid);
  for (const auto& row : clients.rows) {
    if (row[2] != "app") continue;
    EXPECT_EQ(row[4], "active");
    EXPECT_EQ(row[14], server[15]);
    EXPECT_EQ(row[15], server[14]);
    EXPECT_EQ(row[18], "shown");
  }
}

// ---- who may do what ----

TEST_F(ConsoleTest, ViewersLookAndChangeNothing) {
  Connection viewer(agent.To("viewer", "pgbouncer"));

  EXPECT_TRUE(viewer.Query("SHOW POOLS").ok());
  for (const char* command : {"PAUSE", "RESUME", "RELOAD", "KILL app", "KILL_CLIENT 1",
                              "DISABLE app", "SHUTDOWN", "SET query_timeout = 1", "SHOW FDS"}) {
    EXPECT_EQ(viewer.Query(command).sqlstate, "42501") << command;
  }
}

TEST_F(ConsoleTest, OthersAreNotLetIn) {
  EXPECT_FALSE(Connection(agent.To("alice", "pgbouncer")).ok());
  EXPECT_FALSE(Connection(agent.To("alice", "pgvalet")).ok());
  EXPECT_TRUE(Connection(agent.To("admin", "pgvalet")).ok());
}

TEST(ConsoleLoginTest, PasswordIsAskedFor) {
  AgentConfig config = WithConsole();
  config.SetText("auth_type", "scram-sha-256")
      .UserList("\"admin\" \"secret\"\n\"alice\" \"other\"");
  const AgentProcess agent(config);

  EXPECT_TRUE(Connection(agent.To("admin", "pgbouncer") + " password=secret").ok());
  EXPECT_FALSE(Connection(agent.To("admin", "pgbouncer") + " password=wrong").ok());
  // Who is not an administrator learns nothing by a right password.
  const std::string right = Connection(agent.To("alice", "pgbouncer") + " password=other").error();
  const std::string wrong = Connection(agent.To("alice", "pgbouncer") + " password=wrong").error();
  EXPECT_EQ(right, wrong);
}

TEST(ConsoleLoginTest, MaxClientConnDoesNotKeepTheAdministratorOut) {
  AgentConfig config = WithConsole();
  config.Set("max_client_conn", "1");
  const AgentProcess agent(config);
  Connection client(agent.To());
  ASSERT_TRUE(client.ok()) << client.error();
  ASSERT_FALSE(Connection(agent.To()).ok());

  Connection console(agent.To("admin", "pgbouncer"));

  ASSERT_TRUE(console.ok()) << console.error();
  EXPECT_FALSE(Connection(agent.To()).ok());
}

// ---- what commands do ----

TEST_F(ConsoleTest, SettingHoldsUntilReload) {
  EXPECT_EQ(Field("SHOW CONFIG", "query_timeout", "value"), "0");
  EXPECT_TRUE(console.Query("SET query_timeout = 1").ok());
  EXPECT_EQ(Field("SHOW CONFIG", "query_timeout", "value"), "1");
  EXPECT_EQ(Connection(agent.To()).Query("SELECT pg_sleep(60)").sqlstate, "57014");

  EXPECT_EQ(console.Query("RELOAD").tag, "RELOAD");

  EXPECT_EQ(Field("SHOW CONFIG", "query_timeout", "value"), "0");
}

TEST_F(ConsoleTest, SettingsAreShownAsTheyAreWritten) {
  EXPECT_EQ(Field("SHOW CONFIG", "unix_socket_mode", "value"), "0777");
  EXPECT_EQ(Field("SHOW CONFIG", "max_pinned_share", "value"), "0.8");
  EXPECT_EQ(Field("SHOW CONFIG", "log_connections", "default"), "1");
  EXPECT_EQ(Field("SHOW CONFIG", "query_wait_timeout", "value"), "120");
  EXPECT_EQ(Field("SHOW CONFIG", "admin_users", "value"), "admin");
}

// The sampler asks for its password when it hears of new settings.
TEST(ConsoleReloadTest, ReloadWithASamplerComesBack) {
  AgentConfig config = WithConsole();
  config.Set("sampler_interval", "0.1").SetText("sampler_user", "postgres");
  config.SetText("sampler_dbname", "app").UserList("\"postgres\" \"secret\"");
  AgentProcess agent(config);
  Connection console(agent.To("admin", "pgbouncer"));

  EXPECT_EQ(console.Query("RELOAD").tag, "RELOAD");
  EXPECT_EQ(console.Query("SET query_timeout = 7").tag, "SET query_timeout=7");
  EXPECT_EQ(console.Query("RELOAD").tag, "RELOAD");

  EXPECT_EQ(Connection(agent.To()).Value("SELECT 'served'"), "served");
  agent.Signal(SIGHUP);
  agent.Signal(SIGINT);
  EXPECT_EQ(agent.WaitForExit(), 0);
}

TEST(ConsoleStatsTest, AveragesAreOfTheLastPeriod) {
  AgentConfig config = WithConsole();
  config.Set("stats_period", "1").Set("snapshot_interval", "0.1");
  const AgentProcess agent(config);
  Connection console(agent.To("admin", "pgbouncer"));
  Connection client(agent.To());
  const auto average_of = [&](std::size_t column) {
    for (const auto& row : console.Query("SHOW STATS").rows) {
      if (row[0] == "app") return std::stol(*row[column]);
    }
    return 0L;
  };

  // avg_query_count is per second, avg_query_time microseconds each.
  EXPECT_TRUE(Eventually([&] {
    for (int i = 0; i < 20; ++i) client.Must("SELECT pg_sleep(0.002)");
    return average_of(15) > 1 && average_of(18) >= 2000;
  }));
  EXPECT_TRUE(Eventually([&] { return average_of(15) == 0; }));
}

TEST(ConsoleServersTest, ServerThatIsToBeCheckedIsUsed) {
  AgentConfig config = WithConsole();
  config.Set("server_check_delay", "0.1");
  const AgentProcess agent(config);
  Connection console(agent.To("admin", "pgbouncer"));
  Connection(agent.To()).Must("SELECT 1");
  const auto state = [&] {
    const Answer servers = console.Query("SHOW SERVERS");
    return servers.rows.size() == 1 ? servers.rows[0][4].value_or("") : "none";
  };

  EXPECT_TRUE(Eventually([&] { return state() == "used"; }));
  console.Must("SET server_check_delay = 3600");
  EXPECT_EQ(state(), "idle");
}

TEST_F(ConsoleTest, SettingThatMakesNoSenseChangesNothing) {
  EXPECT_EQ(console.Query("SET query_timeout = many").sqlstate, "22023");
  EXPECT_EQ(console.Query("SET nosuch = 1").sqlstate, "42704");
  EXPECT_EQ(console.Query("SET listen_port = 1").sqlstate, "55P02");
  EXPECT_FALSE(console.Query("SET query_timeout").ok());
  EXPECT_EQ(Field("SHOW CONFIG", "query_timeout", "value"), "0");
}

TEST(ConsoleEndTest, ShutdownEndsTheAgentAndDoesNotWaitForTheConsole) {
  for (const char* how : {"SHUTDOWN", "SHUTDOWN WAIT_FOR_SERVERS", "SHUTDOWN WAIT_FOR_CLIENTS"}) {
    AgentProcess agent(WithConsole());
    Connection console(agent.To("admin", "pgbouncer"));

    console.Query(how);

    EXPECT_EQ(agent.WaitForExit(), 0) << how;
  }
}

// ---- bad input ----

TEST_F(ConsoleTest, CommandsThatAreNoneGetAnErrorAndTheSessionGoesOn) {
  for (const char* command :
       {"", ";;", "NOSUCH", "SHOW", "SHOW NOSUCH", "SHOW POOLS POOLS", "PAUSE a b", "DISABLE",
        "PAUSE nosuch", "PAUSE pgbouncer", "RESUME app", "SHUTDOWN NOW", "BEGIN", "SET 'x",
        "SELECT 1", "SHOW \"POOLS", "RELOAD x", "KILL_CLIENT"}) {
    const Answer answer = console.Query(command);
    EXPECT_TRUE(console.ok()) << command;
    const bool is_empty = command[0] == '\0' || command[0] == ';';
    EXPECT_EQ(answer.ok(), is_empty) << command;
  }
  EXPECT_EQ(Field("SHOW STATE", "active", "value"), "yes");
}

TEST_F(ConsoleTest, ExtendedProtocolIsRefusedAsPgBouncerDoes) {
  RawClient driver(agent.port());
  driver.Login("admin", "pgbouncer");
  driver.Send(ParseMessage("", "SHOW POOLS") + SyncMessage());

  const RawMessage error = First(driver.ReadToEnd(), 'E');

  EXPECT_EQ(error.Field('S'), "FATAL");
  EXPECT_EQ(error.Field('C'), "08P01");
  EXPECT_EQ(error.Field('M'), "extended query protocol not supported by admin console");
}

TEST_F(ConsoleTest, BytesThatAreNoMessageEndThatSessionOnly) {
  for (const std::string& bytes : {std::string("Q\0\0\0\1", 5), std::string("Q\x7f\xff\xff\xff", 5),
                                   std::string("\0\0\0\0\0\0", 6), std::string("d\0\0\0\4", 5)}) {
    RawClient raw(agent.port());
    raw.Login("admin", "pgbouncer");
    raw.Send(bytes);
    raw.ReadToEnd();
  }
  EXPECT_EQ(Field("SHOW STATE", "active", "value"), "yes");
}

TEST_F(ConsoleTest, DriversMaySetWhatTheyAlwaysSet) {
  EXPECT_EQ(console.Query("SET client_encoding = 'UTF8'").tag, "SET");
  EXPECT_EQ(console.Query("set datestyle to 'ISO'").tag, "SET");
  EXPECT_EQ(console.Value("SHOW standard_conforming_strings"), "on");
  EXPECT_EQ(console.Query("/* monitor */ show -- now\n version").rows.size(), 1u);
}

}  // namespace
}  // namespace pgvalet::integration
