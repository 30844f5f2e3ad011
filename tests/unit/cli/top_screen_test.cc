#include "cli/top/top_screen.h"

#include <gtest/gtest.h>

#include "sample_snapshot.h"

namespace pgvalet::cli {
namespace {

struct TopScreenTest : testing::Test {
  TopScreenTest() {
    snapshot = AgentSnapshot();
    AddServer(&snapshot);
    snapshot.mutable_totals_window()->set_transactions_per_s(1234.5);
    AddPool(&snapshot, "app", "web");
    v1::Pool* jobs = AddPool(&snapshot, "app", "jobs");
    jobs->mutable_now()->set_clients_waiting(3);
    jobs->mutable_now()->set_longest_wait_us(1'250'000);
  }

  static Connections SomeConnections() {
    Connections connections;
    for (const char* user : {"web", "jobs"}) {
      const bool is_web = std::string(user) == "web";
      v1::Client* client = connections.clients.add_clients();
      client->set_state(is_web ? v1::CLIENT_STATE_ACTIVE : v1::CLIENT_STATE_IDLE);
      client->mutable_connection()->set_id(7);
      client->mutable_connection()->set_database("app");
      client->mutable_connection()->set_user(user);
      client->mutable_connection()->set_application_name("shop");
      client->mutable_connection()->mutable_peer()->set_addr("10.0.0.5");
      client->mutable_connection()->mutable_peer()->set_port(4711);
      if (is_web) client->mutable_connection()->set_server_pid(815);
    }
    v1::Connection* server = connections.servers.add_servers()->mutable_connection();
    server->set_database("app");
    server->set_user("web");
    server->set_server_pid(815);
    return connections;
  }

  std::string Draw(int columns, int rows) {
    data.address = "127.0.0.1:6544";
    data.now = std::make_shared<const v1::Snapshot>(snapshot);
    screen = DrawTop(data, state, {columns, rows});
    EXPECT_EQ(screen.lines.size(), static_cast<std::size_t>(rows));
    for (const Line& line : screen.lines) EXPECT_EQ(line.width(), columns);
    return PlainText(screen.lines);
  }

  v1::Snapshot snapshot;
  TopData data;
  TopState state;
  TopScreen screen;
};

TEST_F(TopScreenTest, ShowsThePools) {
  EXPECT_EQ(Draw(80, 14), R"(pgvaletd 0.1.0 at 127.0.0.1:6544, running, up 1m30s
clients  [||||||||||||||||              ] 512 of 1000, 3 logging in
         2 cores 12% <1% busy, 25.0MB memory, 640 of 1024 descriptors
servers  [||||||||||||||                ] 45 of 100 connections (3 reserved)
         12 active, 30 idle, 3 idle in transaction; 40 by agents; highest 60, 2…
traffic  1.2k transactions/s, 0 queries/s, 0 errors/s; 3 waiting

pools, sorted by name, 1-2 of 2
                CLIENTS           SERVERS               PER SECOND  P99
DATABASE  USER  active wait idle  active idle conn max   txn query   wait   txn
app       web       12    0  105      12    8    0  20  1.2k  2.3k  850us 4.5ms
app       jobs      12    3  105      12    8    0  20  1.2k  2.3k  850us 4.5ms

q quit  enter details  esc back  s sort  r reverse  p pause  1 pools  2 clients…
)");
}

TEST_F(TopScreenTest, SortsByWhatIsChosen) {
  state.sort[0] = 1;

  EXPECT_EQ(Draw(60, 14), R"(pgvaletd 0.1.0 at 127.0.0.1:6544, running, up 1m30s
clients  [||||||||||||||||              ] 512 of 1000, 3 lo…
         2 cores 12% <1% busy, 25.0MB memory, 640 of 1024 d…
servers  [||||||||||||||                ] 45 of 100 connect…
         12 active, 30 idle, 3 idle in transaction; 40 by a…
traffic  1.2k transactions/s, 0 queries/s, 0 errors/s; 3 wa…

pools, sorted by clients waiting, 1-2 of 2
                CLIENTS           SERVERS               PER…
DATABASE  USER  active wait idle  active idle conn max   txn
app       jobs      12    3  105      12    8    0  20  1.2k
app       web       12    0  105      12    8    0  20  1.2k

q quit  enter details  esc back  s sort  r reverse  p pause…
)");
}

TEST_F(TopScreenTest, ShowsBackendsWithRatesOnceTwoReadingsAreThere) {
  state.view = View::kBackends;
  v1::Snapshot earlier = AgentSnapshot();
  AddServer(&earlier);
  earlier.mutable_extension()->mutable_sampled_at()->set_seconds(kNow - 3);
  AddBackend(&earlier, 4711, "active", 100);
  data.before = std::make_shared<const v1::Snapshot>(earlier);
  AddBackend(&snapshot, 4711, "idle in transaction", 300);
  AddBackend(&snapshot, 42, "active", 5)->set_client_addr("::1");

  EXPECT_EQ(Draw(100, 14), R"(pgvaletd 0.1.0 at 127.0.0.1:6544, running, up 1m30s
clients  [||||||||||||||||              ] 512 of 1000, 3 logging in
         2 cores 12% <1% busy, 25.0MB memory, 640 of 1024 descriptors
servers  [||||||||||||||                ] 45 of 100 connections (3 reserved)
         12 active, 30 idle, 3 idle in transaction; 40 by agents; highest 60, 2h05m ago
traffic  1.2k transactions/s, 0 queries/s, 0 errors/s; 3 waiting

backends, sorted by pid, 1-2 of 2
 PID  DATABASE  ROLE  APPLICATION  STATE          FOR  BUSY  TXN/s  STMT/s  ERRORS  SENT/s  WAL
  42  app       web   worker       active       10.0s     -      -       -       0       -    0
4711  app       web   worker       idle in txn  10.0s   10%    100       0       0       0    0


q quit  enter details  esc back  s sort  r reverse  p pause  1 pools  2 clients  3 backends  4 usag…
)");
}

TEST_F(TopScreenTest, ShowsUsage) {
  state.view = View::kUsage;
  state.usage_by = UsageBy::kDatabase;
  v1::Usage* usage = snapshot.mutable_extension()->add_usage_by_database();
  usage->set_name("app");
  usage->set_session_count(1234);
  usage->set_live_session_count(12);
  usage->mutable_costs()->set_xact_commit_count(1000000);

  EXPECT_EQ(Draw(110, 12), R"(pgvaletd 0.1.0 at 127.0.0.1:6544, running, up 1m30s
clients  [||||||||||||||||              ] 512 of 1000, 3 logging in
         2 cores 12% <1% busy, 25.0MB memory, 640 of 1024 descriptors
servers  [||||||||||||||                ] 45 of 100 connections (3 reserved)
         12 active, 30 idle, 3 idle in transaction; 40 by agents; highest 60, 2h05m ago
traffic  1.2k transactions/s, 0 queries/s, 0 errors/s; 3 waiting

usage by database, sorted by name, 1-1 of 1
          SESSIONS   PER SECOND                SINCE START
DATABASE  now total  busy txn stmt error sent   txn active idle in txn error blocks read WAL temp
app        12  1234     -   -    -     -    -  1.0M      0           0     0           0   0    0
q quit  enter details  esc back  s sort  r reverse  p pause  1 pools  2 clients  3 backends  4 usage  5 pins
)");
}

TEST_F(TopScreenTest, AClientOfThePoolIsShownWithItsBackend) {
  state.view = View::kClients;
  state.chosen = {Chosen::Kind::kPool, "app", "web"};
  data.connections = std::make_shared<const Connections>(SomeConnections());

  const std::string text = Draw(130, 14);

  EXPECT_NE(text.find("clients of pool app/web, sorted by id, 1-1 of 1"), std::string::npos)
      << text;
  EXPECT_NE(text.find("10.0.0.5:4711"), std::string::npos) << text;
  EXPECT_EQ(text.find("jobs"), std::string::npos) << text;
  EXPECT_EQ(screen.extent.selected.server_pid, 815);
  EXPECT_EQ(screen.lines[9].spans()[0].style, Style::kSelected);
}

TEST_F(TopScreenTest, BackendsOfAPoolAreThoseOfItsServerConnections) {
  state.view = View::kBackends;
  state.chosen = {Chosen::Kind::kPool, "app", "web"};
  data.connections = std::make_shared<const Connections>(SomeConnections());
  AddBackend(&snapshot, 815, "active", 1)->set_database_name("elsewhere");
  AddBackend(&snapshot, 4712, "active", 1);

  Draw(130, 14);

  EXPECT_EQ(screen.extent.rows, 1u);
  EXPECT_EQ(screen.extent.selected.server_pid, 815);
}

TEST_F(TopScreenTest, ABackendIsShownWithItsClientAndPin) {
  state.view = View::kBackend;
  state.server_pid = 815;
  data.connections = std::make_shared<const Connections>(SomeConnections());
  AddBackend(&snapshot, 815, "idle in transaction", 300);
  v1::Pin* pin = snapshot.add_pins();
  pin->set_server_pid(815);
  pin->set_age_us(1'000'000);
  pin->add_reasons()->set_reason("temporary_objects");

  const std::string text = Draw(120, 24);

  EXPECT_NE(text.find("state           idle in transaction, for 11.0s"), std::string::npos) << text;
  EXPECT_NE(text.find("transactions    300 committed"), std::string::npos) << text;
  EXPECT_NE(text.find("pool            app/web"), std::string::npos) << text;
  EXPECT_NE(text.find("client          7, active, shop from 10.0.0.5:4711"), std::string::npos)
      << text;
  EXPECT_NE(text.find("pinned          for 1.0s by temporary objects"), std::string::npos) << text;
}

TEST_F(TopScreenTest, ABackendThatHasGoneIsSaid) {
  state.view = View::kBackend;
  state.server_pid = 99;
  EXPECT_NE(Draw(100, 20).find("no such backend any more"), std::string::npos);
}

TEST_F(TopScreenTest, ReversedIsTheOtherWayRound) {
  state.reversed[0] = true;
  const std::string text = Draw(100, 14);
  EXPECT_LT(text.find("app       jobs"), text.find("app       web"));
  EXPECT_NE(text.find("sorted by name, reversed"), std::string::npos) << text;
}

TEST_F(TopScreenTest, WithoutTheExtensionItsViewsSayWhere) {
  state.view = View::kBackends;
  snapshot.clear_extension();
  snapshot.mutable_extension()->set_reason("cannot connect: Connection refused");

  EXPECT_EQ(Draw(80, 12), R"(pgvaletd 0.1.0 at 127.0.0.1:6544, running, up 1m30s
clients  [||||||||||||||||              ] 512 of 1000, 3 logging in
         2 cores 12% <1% busy, 25.0MB memory, 640 of 1024 descriptors
servers  unknown: cannot connect: Connection refused
traffic  1.2k transactions/s, 0 queries/s, 0 errors/s; 3 waiting

backends, sorted by pid
PID  DATABASE  ROLE  APPLICATION  STATE  FOR  BUSY  TXN/s  STMT/s  ERRORS
only with the extension; see above


q quit  enter details  esc back  s sort  r reverse  p pause  1 pools  2 clients…
)");
}

TEST_F(TopScreenTest, ALostAgentIsSaidAboveTheLastThatIsKnown) {
  data.problem = "Connection refused";
  data.age_us = 12'300'000;

  const std::string text = Draw(120, 14);

  EXPECT_EQ(text.substr(0, text.find('\n')),
            "pgvaletd 0.1.0 at 127.0.0.1:6544, running, up 1m30s  NO CONNECTION, trying again: "
            "Connection refused (shown: 12.3s old)");
}

TEST_F(TopScreenTest, ScrollsAndSaysWhere) {
  for (int i = 0; i < 30; ++i) AddPool(&snapshot, "tenant" + std::to_string(100 + i), "web");
  state.selected[0] = 1000;

  const std::string text = Draw(80, 16);

  EXPECT_NE(text.find("28-32 of 32"), std::string::npos) << text;
  EXPECT_NE(text.find("tenant129"), std::string::npos) << text;
  EXPECT_EQ(screen.extent.page, 5u);
}

TEST_F(TopScreenTest, AnyScreenSizeIsFilledExactly) {
  AddBackend(&snapshot, 1, "active", 1);
  data.connections = std::make_shared<const Connections>(SomeConnections());
  state.server_pid = 1;
  for (const View view :
       {View::kPools, View::kClients, View::kBackends, View::kUsage, View::kPins, View::kBackend}) {
    state.view = view;
    for (int columns = 1; columns < 130; columns += 7)
      for (int rows = 1; rows < 30; ++rows) Draw(columns, rows);
  }
}

TEST_F(TopScreenTest, BeforeTheFirstSnapshotItSaysThatItConnects) {
  data.address = "127.0.0.1:6544";

  screen = DrawTop(data, state, {40, 4});

  EXPECT_EQ(PlainText(screen.lines), R"(pgvaletd at 127.0.0.1:6544
connecting ...

q quit  enter details  esc back  s sort…
)");
}

TEST_F(TopScreenTest, APipeGetsTheTimeAndEveryRow) {
  for (int i = 0; i < 30; ++i) AddPool(&snapshot, "tenant" + std::to_string(100 + i), "web");
  data.address = "127.0.0.1:6544";
  data.now = std::make_shared<const v1::Snapshot>(snapshot);

  const std::string text = PlainText(PlainTop(data, state, 1000));

  EXPECT_EQ(text.substr(0, text.find('\n')), "2027-01-15 08:00:00 UTC");
  EXPECT_NE(text.find("tenant129"), std::string::npos);
  EXPECT_EQ(text.find("q quit"), std::string::npos);
}

}  // namespace
}  // namespace pgvalet::cli
