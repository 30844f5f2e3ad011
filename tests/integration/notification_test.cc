// LISTEN in transaction mode: every notification once, in order, between two transactions, and no
// server connection for a client that only listens.
#include <gmock/gmock.h>
#include <sys/types.h>

#include <atomic>
#include <csignal>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "support/agent_process.h"
#include "support/cluster.h"
#include "support/connection.h"

namespace pgvalet::integration {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

AgentConfig PoolOf(int connections) {
  AgentConfig config;
  config.Set("default_pool_size", std::to_string(connections)).Set("server_round_robin", "true");
  return config;
}

Connection Direct() { return Connection(TheCluster().DirectTo("alice")); }

void Notify(Connection& sender, const std::string& channel, const std::string& payload) {
  sender.Must("SELECT pg_notify('" + channel + "', '" + payload + "')");
}

TEST(NotificationTest, ListeningClientHoldsNoServerConnection) {
  const AgentProcess agent(PoolOf(1));
  Connection listener(agent.To()), other(agent.To());

  listener.Must("LISTEN news");
  other.Must("BEGIN");  // on the only server connection of the pool
  other.Must("NOTIFY news, 'one'");
  other.Must("COMMIT");

  EXPECT_EQ(listener.NextNotification(), "news:one");
  EXPECT_EQ(listener.Value("SELECT 'served'"), "served");
}

TEST(NotificationTest, TwentyListenersOnOneServerConnectionHaveEachNotificationOnce) {
  const AgentProcess agent(PoolOf(1));
  std::vector<std::unique_ptr<Connection>> listeners;
  for (int i = 0; i < 20; ++i) {
    listeners.push_back(std::make_unique<Connection>(agent.To()));
    listeners.back()->Must("LISTEN crowd");
  }
  Connection sender(agent.To());
  for (int i = 0; i < 50; ++i) Notify(sender, "crowd", std::to_string(i));

  for (const auto& listener : listeners) {
    for (int i = 0; i < 50; ++i) {
      ASSERT_EQ(listener->NextNotification(), "crowd:" + std::to_string(i));
    }
  }
}

TEST(NotificationTest, NotificationOfAnotherChannelIsNotDelivered) {
  const AgentProcess agent(PoolOf(2));
  Connection first(agent.To()), second(agent.To()), sender = Direct();
  first.Must("LISTEN west");
  second.Must("LISTEN east");

  Notify(sender, "west", "l");
  Notify(sender, "east", "r");
  Notify(sender, "west", "end");
  Notify(sender, "east", "end");

  EXPECT_EQ(first.NextNotification(), "west:l");
  EXPECT_EQ(first.NextNotification(), "west:end");
  EXPECT_EQ(second.NextNotification(), "east:r");
  EXPECT_EQ(second.NextNotification(), "east:end");
}

TEST(NotificationTest, NotificationWaitsForTheEndOfATransaction) {
  const AgentProcess agent(PoolOf(2));
  Connection listener(agent.To()), sender = Direct();
  listener.Must("LISTEN later");
  Notify(sender, "later", "before");
  EXPECT_EQ(listener.NextNotification(), "later:before");

  listener.Must("BEGIN");
  Notify(sender, "later", "during");
  listener.Must("SELECT count(*) FROM generate_series(1, 1000)");
  listener.Must("SELECT 2");
  EXPECT_THAT(listener.Notifications(), IsEmpty());
  listener.Must("COMMIT");

  EXPECT_EQ(listener.NextNotification(), "later:during");
}

TEST(NotificationTest, WhatAClientNotifiesItselfOfComesBeforeItsReadyForQuery) {
  const AgentProcess agent(PoolOf(2));
  Connection listener(agent.To());
  listener.Must("LISTEN myself");

  for (int i = 0; i < 20; ++i) {
    // libpq has read up to ReadyForQuery, and no further, when the call returns.
    listener.Must("NOTIFY myself, '" + std::to_string(i) + "'");
    EXPECT_THAT(listener.Notifications(), ElementsAre("myself:" + std::to_string(i)));
  }
}

TEST(NotificationTest, ListeningAndNotifyingInOneTransaction) {
  const AgentProcess agent(PoolOf(2));
  Connection listener(agent.To());

  listener.Must("BEGIN; LISTEN at_once; NOTIFY at_once, 'x'; COMMIT");

  EXPECT_EQ(listener.NextNotification(), "at_once:x");
}

TEST(NotificationTest, ListenThatIsRolledBackListensToNothing) {
  const AgentProcess agent(PoolOf(2));
  Connection listener(agent.To()), sender = Direct();

  listener.Must("BEGIN; LISTEN undone; ROLLBACK");
  listener.Must("LISTEN kept");
  Notify(sender, "undone", "no");
  Notify(sender, "kept", "yes");

  EXPECT_EQ(listener.NextNotification(), "kept:yes");
}

TEST(NotificationTest, UnlistenEndsOneChannelOrAll) {
  const AgentProcess agent(PoolOf(2));
  Connection listener(agent.To()), sender = Direct();
  listener.Must("LISTEN a; LISTEN b; LISTEN c");
  Notify(sender, "a", "1");
  EXPECT_EQ(listener.NextNotification(), "a:1");

  listener.Must("UNLISTEN a");
  Notify(sender, "a", "2");
  Notify(sender, "b", "2");
  EXPECT_EQ(listener.NextNotification(), "b:2");

  listener.Must("UNLISTEN *");
  listener.Must("LISTEN d");
  Notify(sender, "b", "3");
  Notify(sender, "c", "3");
  Notify(sender, "d", "3");
  EXPECT_EQ(listener.NextNotification(), "d:3");
}

TEST(NotificationTest, DiscardAllEndsListening) {
  const AgentProcess agent(PoolOf(2));
  Connection listener(agent.To()), sender = Direct();
  listener.Must("LISTEN gone");
  Notify(sender, "gone", "1");
  EXPECT_EQ(listener.NextNotification(), "gone:1");

  listener.Must("DISCARD ALL");
  listener.Must("LISTEN new");
  Notify(sender, "gone", "2");
  Notify(sender, "new", "2");

  EXPECT_EQ(listener.NextNotification(), "new:2");
}

// The move of a channel from the lease to the shared connection, many times, while somebody
// notifies without a pause: the numbers that arrive have no gap and no double.
TEST(NotificationTest, NoNotificationIsLostOrDoubledWhileAChannelMoves) {
  const AgentProcess agent(PoolOf(3));
  std::atomic<bool> enough{false};
  std::thread sender([&enough] {
    Connection connection = Direct();
    for (int i = 0; !enough; ++i) Notify(connection, "stream", std::to_string(i));
  });
  for (int turn = 0; turn < 40; ++turn) {
    Connection listener(agent.To());
    listener.Must("LISTEN stream");
    int last = -1;
    for (int i = 0; i < 60; ++i) {
      const int number = std::stoi(listener.NextNotification().substr(sizeof "stream:" - 1));
      if (i > 0) {
        EXPECT_EQ(number, last + 1) << "turn " << turn;
      }
      last = number;
      if (i == 20) listener.Must("LISTEN another");
      if (i % 10 == 0) listener.Must("SELECT 1");
    }
  }
  enough = true;
  sender.join();
}

TEST(NotificationTest, ListeningChannelsAreShownWhereverTheClientIs) {
  const AgentProcess agent(PoolOf(2));
  Connection listener(agent.To()), other(agent.To());
  listener.Must("LISTEN x; LISTEN y");
  const std::string all = "SELECT string_agg(c, ',' ORDER BY c) FROM pg_listening_channels() c";

  for (int turn = 0; turn < 5; ++turn) {
    EXPECT_EQ(listener.Value(all), "x,y");
    EXPECT_EQ(other.Value(all), "(null)");
  }
  listener.Must("LISTEN z");
  EXPECT_EQ(listener.QueryParams(all, {}).value(), "x,y,z");
  listener.Must("UNLISTEN y");
  EXPECT_EQ(listener.Value(all), "x,z");
}

TEST(NotificationTest, ClientOfAnotherEncodingHasItsNotificationsConverted) {
  const AgentProcess agent(PoolOf(2));
  Connection listener(agent.To() + " client_encoding=LATIN1"), sender = Direct();
  listener.Must("LISTEN encoded");

  sender.Must("SELECT pg_notify('encoded', U&'\\00fc')");

  EXPECT_EQ(listener.NextNotification(), "encoded:\xfc");
}

TEST(NotificationTest, ListenerIsToldWhenTheSharedConnectionIsLost) {
  const AgentProcess agent(PoolOf(2));
  Connection admin(TheCluster().DirectTo("postgres"));
  auto listener = std::make_unique<Connection>(agent.To());
  listener->Must("LISTEN fragile");
  Notify(admin, "fragile", "1");
  EXPECT_EQ(listener->NextNotification(), "fragile:1");
  const std::string shared =
      " FROM pg_stat_activity WHERE usename = 'alice' AND state = 'idle' AND query LIKE 'NOTIFY %'";
  ASSERT_TRUE(Eventually([&] {
    // The lease's last command: the move is over.
    return admin.Value("SELECT count(*) FROM pg_stat_activity WHERE query = 'UNLISTEN *'") == "1";
  }));
  admin.Must("SELECT pg_terminate_backend(pid, 10000)" + shared);

  EXPECT_THROW(listener->NextNotification(), std::runtime_error);
  EXPECT_THAT(listener->notices(), Contains(HasSubstr("terminating connection")));
  listener = std::make_unique<Connection>(agent.To());
  listener->Must("LISTEN fragile");
  Notify(admin, "fragile", "2");
  EXPECT_EQ(listener->NextNotification(), "fragile:2");
}

TEST(NotificationTest, ListenerWithATemporaryTableKeepsListening) {
  const AgentProcess agent(PoolOf(2));
  Connection listener(agent.To()), sender = Direct();
  listener.Must("CREATE TEMP TABLE t (a int)");
  listener.Must("LISTEN pinned");
  Notify(sender, "pinned", "1");
  EXPECT_EQ(listener.NextNotification(), "pinned:1");

  listener.Must("DROP TABLE t");
  listener.Must("SELECT 1");
  Notify(sender, "pinned", "2");

  EXPECT_EQ(listener.NextNotification(), "pinned:2");
}

TEST(NotificationTest, UnlistenThatIsRolledBackToASavepointEndsNothing) {
  const AgentProcess agent(PoolOf(2));
  Connection listener(agent.To()), sender = Direct();
  listener.Must("LISTEN kept; LISTEN gone");
  Notify(sender, "kept", "1");
  EXPECT_EQ(listener.NextNotification(), "kept:1");

  listener.Must("BEGIN; SAVEPOINT s; UNLISTEN kept; ROLLBACK TO s; COMMIT");
  listener.Must("BEGIN; SAVEPOINT s; UNLISTEN gone; RELEASE s; COMMIT");
  Notify(sender, "gone", "2");
  Notify(sender, "kept", "2");

  EXPECT_EQ(listener.NextNotification(), "kept:2");
}

TEST(NotificationTest, UnlistenAndListenInOneTransactionLosesNothing) {
  const AgentProcess agent(PoolOf(2));
  Connection listener(agent.To()), sender = Direct();
  listener.Must("LISTEN again; LISTEN over");
  Notify(sender, "again", "1");
  EXPECT_EQ(listener.NextNotification(), "again:1");

  for (const std::string unlisten : {"UNLISTEN again", "UNLISTEN *"}) {
    listener.Must("BEGIN");
    Notify(sender, "again", unlisten);
    listener.Must(unlisten + "; LISTEN again");
    listener.Must("COMMIT");
    EXPECT_EQ(listener.NextNotification(), "again:" + unlisten);
    Notify(sender, "again", "behind");
    EXPECT_EQ(listener.NextNotification(), "again:behind");
  }
  Notify(sender, "over", "no");
  Notify(sender, "again", "end");
  EXPECT_EQ(listener.NextNotification(), "again:end");
}

// Behind a NOTIFY the client is to have what it notified itself of, and that moment is not to be
// taken for the end of the answers: others' notifications would get into the rows.
TEST(NotificationTest, NotificationNeverComesInsideTheAnswerToAPipelinedRequest) {
  const AgentProcess agent(PoolOf(2));
  Connection listener(agent.To());
  listener.Must("LISTEN flood");
  std::atomic<bool> enough{false};
  std::thread sender([&enough] {
    Connection connection = Direct();
    while (!enough) Notify(connection, "flood", "other");
  });
  PGconn* raw = listener.raw();
  for (int turn = 0; turn < 20; ++turn) {
    PQenterPipelineMode(raw);
    PQsendQueryParams(raw, "NOTIFY flood, 'self'", 0, nullptr, nullptr, nullptr, nullptr, 0);
    PQpipelineSync(raw);
    PQsendQueryParams(raw, "SELECT repeat('x', 100000) FROM generate_series(1, 50)", 0, nullptr,
                      nullptr, nullptr, nullptr, 0);
    PQpipelineSync(raw);
    int rows = 0;
    for (int syncs = 0; syncs < 2 && PQstatus(raw) == CONNECTION_OK;) {
      PGresult* result = PQgetResult(raw);
      if (result == nullptr) continue;
      if (PQresultStatus(result) == PGRES_PIPELINE_SYNC) ++syncs;
      rows += PQntuples(result);
      PQclear(result);
    }
    PQexitPipelineMode(raw);
    ASSERT_EQ(rows, 50) << listener.error();
    listener.Notifications();
  }
  enough = true;
  sender.join();
}

// The backend of the shared connection is stopped, not dead: nothing says that it is slow.
TEST(NotificationTest, ClientGoesOnWhileTheSharedConnectionDoesNotAnswer) {
  const AgentProcess agent(PoolOf(1));
  Connection admin(TheCluster().DirectTo("postgres"));
  Connection other(agent.To()), listener(agent.To()), third(agent.To());
  other.Must("LISTEN ours");
  listener.Must("LISTEN mine");
  third.Must("SELECT 1");  // on the only server connection: nobody listens there any more
  const std::string shared = admin.Value(
      "SELECT pid FROM pg_stat_activity WHERE application_name = 'pgvaletd listener' "
      "ORDER BY backend_start DESC");
  const pid_t backend = std::stoi(shared);
  ASSERT_EQ(kill(backend, SIGSTOP), 0);

  listener.Must("LISTEN ours");  // asked for, and never marked
  listener.Must("NOTIFY mine, '2'");
  listener.Must("NOTIFY ours, '2'");
  EXPECT_EQ(listener.Value("SELECT 'goes on'"), "goes on");
  EXPECT_EQ(listener.NextNotification(), "ours:2");  // from its own server connection

  ASSERT_EQ(kill(backend, SIGCONT), 0);
  EXPECT_EQ(listener.NextNotification(), "mine:2");
  EXPECT_EQ(other.NextNotification(), "ours:2");
}

TEST(NotificationTest, ManyListenersThatComeAndGoLeaveNothingBehind) {
  const AgentProcess agent(PoolOf(2));
  for (int turn = 0; turn < 100; ++turn) {
    Connection listener(agent.To());
    listener.Must("LISTEN brief");
    if (turn % 3 == 0) listener.Must("NOTIFY brief");
    if (turn % 3 == 1) listener.Kill();
  }
  Connection client(agent.To()), sender = Direct();

  Notify(sender, "brief", "late");

  EXPECT_EQ(client.Value("SELECT count(*) FROM pg_listening_channels()"), "0");
  EXPECT_THAT(client.Notifications(), IsEmpty());
}

}  // namespace
}  // namespace pgvalet::integration
