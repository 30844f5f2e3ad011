#include "cli/views/status_page.h"

#include <gtest/gtest.h>

#include "cli/views/summary_lines.h"
#include "sample_snapshot.h"

namespace pgvalet::cli {
namespace {

TEST(StatusPageTest, SaysItAllOnOnePage) {
  v1::Snapshot snapshot = AgentSnapshot();
  AddServer(&snapshot);
  AddPool(&snapshot, "app", "web");

  EXPECT_EQ(PlainText(StatusPage(snapshot, "127.0.0.1:6544", 100)),
            R"(pgvaletd 0.1.0 at 127.0.0.1:6544, running, up 1m30s
clients  [||||||||||||||||              ] 512 of 1000, 3 logging in
         2 cores 12% <1% busy, 25.0MB memory, 640 of 1024 descriptors
servers  [||||||||||||||                ] 45 of 100 connections (3 reserved)
         12 active, 30 idle, 3 idle in transaction; 40 by agents; highest 60, 2h05m ago
extension pgvalet 1.0, read 1.0s ago; ended by idle policy: 0 idle, 0 idle in transaction

                CLIENTS           SERVERS               PER SECOND  P99                LONGEST
DATABASE  USER  active wait idle  active idle conn max   txn query   wait   txn query  waiting
app       web       12    0  105      12    8    0  20  1.2k  2.3k  850us 4.5ms     -        0
)");
}

TEST(StatusPageTest, WithoutTheExtensionItSaysWhy) {
  v1::Snapshot snapshot = AgentSnapshot();
  snapshot.mutable_extension()->set_reason("extension pgvalet is not installed\x1b[2J");

  EXPECT_EQ(PlainText(StatusPage(snapshot, "127.0.0.1:6544", 100)),
            R"(pgvaletd 0.1.0 at 127.0.0.1:6544, running, up 1m30s
clients  [||||||||||||||||              ] 512 of 1000, 3 logging in
         2 cores 12% <1% busy, 25.0MB memory, 640 of 1024 descriptors
servers  unknown: extension pgvalet is not installed?[2J

no pools: no client has logged in yet
)");
}

TEST(StatusPageTest, OnlyAnAgentThatIsOpenToClientsIsHealthy) {
  v1::Snapshot snapshot = AgentSnapshot();
  EXPECT_TRUE(Healthy(snapshot));

  snapshot.mutable_agent()->set_state(v1::AGENT_STATE_DRAINING);
  EXPECT_FALSE(Healthy(snapshot));
  EXPECT_EQ(AgentLine(snapshot, "a:1").plain(), "pgvaletd 0.1.0 at a:1, draining, up 1m30s");

  snapshot.mutable_agent()->set_state(v1::AGENT_STATE_RUNNING);
  snapshot.mutable_agent()->set_listening(false);
  EXPECT_FALSE(Healthy(snapshot));
}

TEST(StatusPageTest, AnEmptySnapshotIsDrawnToo) {
  EXPECT_EQ(PlainText(StatusPage(v1::Snapshot(), "a:1", 40)),
            R"(pgvaletd  at a:1, in an unknown state, up 0
clients  [                              ] 0 of 0
         0 cores, 0 memory, 0 of 0 descriptors
servers  unknown: not read yet

no pools: no client has logged in yet
)");
}

TEST(StatusPageTest, ColourIsAddedOnlyWhenAskedFor) {
  const Lines lines = {Line("x", Style::kBad)};

  EXPECT_EQ(Render(lines, false), "x\n");
  EXPECT_EQ(Render(lines, true), "\x1b[1;31mx\x1b[0m\n");
}

}  // namespace
}  // namespace pgvalet::cli
