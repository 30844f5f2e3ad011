// Pipelines: many requests on the way at once, answered in order, errors included.
// Each script runs past the agent as well, and both must read the same.
#include <gtest/gtest.h>

#include <ostream>
#include <string>
#include <vector>

#include "support/agent_process.h"
#include "support/cluster.h"
#include "support/connection.h"
#include "support/raw_client.h"

namespace pgvalet::integration {
namespace {

// Sends all in one go and writes down what comes back, one line per message kind
// that matters: "D 1", "C SELECT 1", "E 22012", "Z I".
std::string Trace(RawClient& client, const std::string& bytes, int syncs) {
  client.Send(bytes);
  std::string trace;
  while (syncs > 0) {
    const std::optional<RawMessage> message = client.Read();
    if (!message) return trace + "(closed)\n";
    trace += message->type;
    if (message->type == 'D') trace += " " + FirstRow({*message})[0];
    if (message->type == 'C') trace += " " + message->body.substr(0, message->body.size() - 1);
    if (message->type == 'E') trace += " " + message->Field('C') + " " + message->Field('M');
    if (message->type == 'Z') {
      trace += " " + message->body;
      --syncs;
    }
    trace += '\n';
  }
  return trace;
}

std::string Request(const std::string& sql, const std::vector<std::string>& parameters = {}) {
  return ParseMessage("", sql) + BindMessage("", "", parameters) + DescribeMessage('P', "") +
         ExecuteMessage("");
}

struct Script {
  std::string name;
  std::string bytes;
  int syncs;
};

std::ostream& operator<<(std::ostream& out, const Script& script) { return out << script.name; }

class EveryPipeline : public testing::TestWithParam<Script> {};

TEST_P(EveryPipeline, ReadsTheSameAsPastTheAgent) {
  AgentConfig config;
  config.Set("default_pool_size", "1");
  const AgentProcess agent(config);
  RawClient pooled(agent.port()), direct(TheCluster().port());
  pooled.Login("alice");
  direct.Login("alice");

  const std::string expected = Trace(direct, GetParam().bytes, GetParam().syncs);
  const std::string got = Trace(pooled, GetParam().bytes, GetParam().syncs);

  EXPECT_EQ(got, expected);
  // Whatever happened, the next client finds a clean server connection.
  EXPECT_EQ(Connection(agent.To()).Value("SELECT 'clean'"), "clean");
}

std::string Repeated(int count, const std::string& bytes) {
  std::string all;
  for (int i = 0; i < count; ++i) all += bytes;
  return all;
}

std::string Named(int count) {
  std::string all;
  for (int i = 0; i < count; ++i) {
    const std::string name = "s" + std::to_string(i);
    all += ParseMessage(name, "SELECT " + std::to_string(i)) + BindMessage("", name) +
           ExecuteMessage("");
  }
  return all + SyncMessage();
}

INSTANTIATE_TEST_SUITE_P(
    PipelineTest, EveryPipeline,
    testing::Values(
        Script{"ThousandQueriesOneSyncEach", Repeated(1000, Request("SELECT 1") + SyncMessage()),
               1000},
        Script{"ThousandQueriesUnderOneSync", Repeated(1000, Request("SELECT 1")) + SyncMessage(),
               1},
        Script{"ErrorSkipsToItsSync",
               Request("SELECT 1") + Request("SELECT 1/0") + Request("SELECT 2") + SyncMessage() +
                   Request("SELECT 3") + SyncMessage(),
               2},
        Script{"ErrorInParse",
               ParseMessage("bad", "SELEC 1") + ParseMessage("fine", "SELECT 1") + SyncMessage() +
                   BindMessage("", "fine") + ExecuteMessage("") + SyncMessage(),
               2},
        Script{"ErrorOnlyInTheFirstOfThree",
               Request("SELECT 1/0") + SyncMessage() + Request("SELECT 1") + SyncMessage() +
                   Request("SELECT 2") + SyncMessage(),
               3},
        Script{"NameUsedRightAfterAnErrorThatSkippedItsParse",
               Request("SELECT 1/0") + ParseMessage("skipped", "SELECT 1") + SyncMessage() +
                   BindMessage("", "skipped") + ExecuteMessage("") + SyncMessage() +
                   ParseMessage("skipped", "SELECT 2") + BindMessage("", "skipped") +
                   ExecuteMessage("") + SyncMessage(),
               3},
        Script{"CloseThatAnErrorSkipped",
               ParseMessage("kept", "SELECT 'kept'") + SyncMessage() + Request("SELECT 1/0") +
                   CloseMessage('S', "kept") + SyncMessage() + BindMessage("", "kept") +
                   ExecuteMessage("") + SyncMessage(),
               3},
        Script{"ManyNamedStatements", Named(50), 1},
        Script{"TransactionOverSeveralSyncs",
               Request("BEGIN") + SyncMessage() + Request("SELECT 1") + SyncMessage() +
                   Request("SELECT 1/0") + SyncMessage() + Request("SELECT 2") + SyncMessage() +
                   Request("ROLLBACK") + SyncMessage() + Request("SELECT 3") + SyncMessage(),
               6},
        Script{"TransactionWithinOneSync",
               Request("BEGIN") + Request("SELECT 1") + Request("COMMIT") + SyncMessage(), 1},
        Script{"TransactionLeftOpenByOneSyncAndEndedByASimpleQuery",
               Request("BEGIN") + SyncMessage() + QueryMessage("COMMIT"), 2},
        Script{"SimpleQueriesBackToBack",
               QueryMessage("SELECT 1") + QueryMessage("SELECT 1/0") + QueryMessage("SELECT 2"), 3},
        Script{"SimpleAndExtendedMixed",
               QueryMessage("SELECT 1") + Request("SELECT 2") + SyncMessage() +
                   QueryMessage("SELECT 3; SELECT 4") + Request("SELECT 5") + SyncMessage(),
               4},
        Script{"EmptyQueries", QueryMessage("") + QueryMessage(";") + Request("") + SyncMessage(),
               3},
        Script{"SyncAlone", Repeated(5, SyncMessage()), 5},
        Script{"SuspendedPortalIsResumed",
               QueryMessage("BEGIN") + ParseMessage("", "SELECT generate_series(1, 5)") +
                   BindMessage("p", "") + ExecuteMessage("p", 2) + SyncMessage() +
                   ExecuteMessage("p", 2) + ExecuteMessage("p") + SyncMessage() +
                   QueryMessage("COMMIT"),
               4},
        Script{"UnknownPortal", ExecuteMessage("nowhere") + SyncMessage(), 1},
        Script{"CopyInThePipelineFails", Request("COPY nowhere FROM STDIN") + SyncMessage(), 1},
        Script{
            "DescribeUnknownStatement",
            DescribeMessage('S', "unknown") + SyncMessage() + Request("SELECT 1") + SyncMessage(),
            2},
        Script{"MultiStatementSimpleQueryWithAnError",
               QueryMessage("SELECT 1; SELECT 1/0; SELECT 2"), 1}),
    [](const auto& test) { return test.param.name; });

TEST(PipelineTest, FlushBringsAnswersBeforeTheSync) {
  const AgentProcess agent;
  RawClient client(agent.port());
  client.Login("alice");

  client.Send(Request("SELECT 'early'") + FlushMessage());
  const std::vector<RawMessage> early = client.ReadUntil('C');
  EXPECT_EQ(FirstRow(early), std::vector<std::string>{"early"});
  client.Send(Request("SELECT 'late'") + SyncMessage());

  EXPECT_EQ(FirstRow(client.ReadUntil('Z')), std::vector<std::string>{"late"});
}

TEST(PipelineTest, FailedGroupIsRolledBackAsOneTransaction) {
  const AgentProcess agent;
  Connection admin(TheCluster().DirectTo("alice"));
  admin.Must("DROP TABLE IF EXISTS pipelined; CREATE TABLE pipelined (n int)");
  RawClient client(agent.port());
  client.Login("alice");

  client.Send(Request("INSERT INTO pipelined VALUES (1)") + Request("SELECT 1/0") + SyncMessage() +
              Request("INSERT INTO pipelined VALUES (2)") + SyncMessage());
  client.ReadUntil('Z');
  client.ReadUntil('Z');

  EXPECT_EQ(admin.Value("SELECT string_agg(n::text, ',') FROM pipelined"), "2");
  admin.Must("DROP TABLE pipelined");
}

TEST(PipelineTest, ClientThatSendsMuchBeforeItReadsIsNotDeadlocked) {
  const AgentProcess agent;
  RawClient client(agent.port());
  client.Login("alice");
  const std::string request =
      ParseMessage("", "SELECT repeat('x', 20000)") + BindMessage("", "") + ExecuteMessage("");

  client.Send(Repeated(1000, request) + SyncMessage());

  EXPECT_EQ(client.ReadUntil('Z').size(), 4001u);
}

}  // namespace
}  // namespace pgvalet::integration
