// Random pipelines of prepared statements, settings, transactions and errors: clients that share
// server connections get, message by message, what direct sessions get.
//
// Permanent objects stay as they are: what a direct session makes of a statement whose tables have
// changed depends on when it plans (docs/decisions/0220-shared-statements.md).
#include <gtest/gtest.h>

#include <array>
#include <deque>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "support/agent_process.h"
#include "support/cluster.h"
#include "support/connection.h"
#include "support/raw_client.h"

namespace pgvalet::integration {
namespace {

constexpr int kClients = 3;
constexpr int kBatches = 400;

constexpr std::array kTexts = {"SELECT v FROM thing",
                               "SELECT * FROM thing",
                               "SELECT v, 1 FROM other",
                               "SELECT * FROM mine",
                               "SELECT current_schemas(false)::text",
                               "SELECT 'x'::missing",
                               "INSERT INTO thing (v) SELECT 'z' WHERE false RETURNING v"};
constexpr std::array kFailing = {"SELECT 1/0", "SELECT nope", "SELEC"};
constexpr std::array kTransaction = {"BEGIN",      "BEGIN",           "COMMIT",
                                     "ROLLBACK",   "SAVEPOINT s1",    "ROLLBACK TO s1",
                                     "RELEASE s1", "COMMIT AND CHAIN"};
constexpr std::array kState = {"SET search_path = random_b, random_a",
                               "SET LOCAL search_path = random_b",
                               "SELECT set_config('search_path', 'random_b', true)",
                               "RESET search_path",
                               "CREATE TEMP TABLE mine (v text, w int)",
                               "SELECT ''::text AS v, 0 AS w INTO TEMP mine",
                               "DROP TABLE IF EXISTS mine",
                               "DISCARD TEMP",
                               "DEALLOCATE ALL"};
constexpr std::array kQueries = {"SELECT 1",
                                 "SELECT v FROM thing",
                                 "BEGIN",
                                 "ROLLBACK",
                                 "DEALLOCATE p1",
                                 "SELECT 1; DEALLOCATE ALL",
                                 "BEGIN; SET LOCAL search_path = random_b"};

// What is sent at once, and how many ReadyForQuery answer it.
struct Batch {
  std::string bytes;
  std::string words;
  int ready = 0;

  void Add(const std::string& word, const std::string& messages) {
    words += word + "; ";
    bytes += messages;
  }
  void Sync() {
    Add("Sync", SyncMessage());
    ++ready;
  }
};

class Dice {
 public:
  explicit Dice(unsigned seed) : random_(seed) {}
  int Below(int limit) { return std::uniform_int_distribution<int>(0, limit - 1)(random_); }
  template <typename Choices>
  std::string Of(const Choices& choices) {
    return choices[static_cast<std::size_t>(Below(static_cast<int>(choices.size())))];
  }

 private:
  std::mt19937 random_;
};

std::string Run(const std::string& sql) {
  return ParseMessage("", sql) + BindMessage("", "") + ExecuteMessage("");
}

void AddRequest(Dice& dice, Batch& batch) {
  const std::string name = "p" + std::to_string(dice.Below(4));
  const int kind = dice.Below(100);
  if (kind < 25) {
    const std::string sql = dice.Of(kTexts);
    batch.Add("Parse " + name + " " + sql, CloseMessage('S', name) + ParseMessage(name, sql));
  } else if (kind < 50) {
    const std::string describe = dice.Below(3) == 0 ? DescribeMessage('P', "") : "";
    batch.Add("Execute " + name, BindMessage("", name) + describe + ExecuteMessage(""));
  } else if (kind < 57) {
    batch.Add("Describe " + name, DescribeMessage('S', name));
  } else if (kind < 64) {
    batch.Add("Close " + name, CloseMessage('S', name));
  } else if (kind < 69) {
    batch.Add("a failure", Run(dice.Of(kFailing)));
  } else if (kind < 80) {
    const std::string sql = dice.Of(kTransaction);
    batch.Add(sql, Run(sql));
  } else if (kind < 90) {
    const std::string sql = dice.Of(kState);
    batch.Add(sql, Run(sql));
  } else if (kind < 95) {
    batch.Add("DEALLOCATE " + name, Run("DEALLOCATE " + name));
  } else {
    batch.Add("Flush", FlushMessage());
  }
}

Batch RandomBatch(Dice& dice) {
  Batch batch;
  for (int left = dice.Below(7) + 1; left > 0; --left) {
    AddRequest(dice, batch);
    if (dice.Below(3) > 0) continue;
    batch.Sync();
    if (dice.Below(5) > 0) continue;
    const std::string sql = dice.Of(kQueries);
    batch.Add("Query " + sql, QueryMessage(sql));
    ++batch.ready;
  }
  batch.Sync();
  return batch;
}

// Without what may differ: where in the text an error is, notices, settings, and the parameters of
// a statement whose columns cannot be found out any more.
std::string Answer(RawClient& client, const Batch& batch) {
  client.Send(batch.bytes);
  std::vector<std::string> parts;
  for (int ready = 0; ready < batch.ready;) {
    const std::optional<RawMessage> message = client.Read();
    if (!message) {
      parts.emplace_back("the end");
      break;
    }
    if (message->type == 'S' || message->type == 'N') continue;
    if (message->type == 'Z') ++ready;
    std::string part(1, message->type);
    if (message->type == 'E') {
      part += message->Field('C') + ":" + message->Field('M');
      if (!parts.empty() && parts.back()[0] == 't') parts.pop_back();
    } else if (message->type == 'T') {
      part += std::to_string(static_cast<int>(message->body.at(1)));  // columns; not their oids
    } else {
      part += message->body;
    }
    parts.push_back(part);
  }
  return testing::PrintToString(parts);
}

class RandomPipelineTest : public testing::TestWithParam<unsigned> {
 protected:
  RandomPipelineTest() {
    for (const std::string schema : {"random_a", "random_b"}) {
      owner.Must("CREATE SCHEMA " + schema);
      owner.Must("CREATE TABLE " + schema + ".thing AS SELECT '" + schema + "'::text AS v");
    }
    owner.Must("CREATE TABLE random_b.other AS SELECT 'only there'::text AS v, 2 AS w");
    owner.Must("ALTER ROLE alice SET search_path = random_a, random_b");
  }
  ~RandomPipelineTest() override {
    owner.Query("ALTER ROLE alice RESET ALL");
    owner.Query("DROP SCHEMA random_a, random_b CASCADE");
  }

  Connection owner{TheCluster().DirectTo("alice")};
};

TEST_P(RandomPipelineTest, IsAnsweredAsByADirectSession) {
  AgentConfig config;
  config.Set("default_pool_size", std::to_string(kClients + 1)).Set("server_round_robin", "true");
  config.Set("max_pinned_share", "1");
  const AgentProcess agent(config);
  std::vector<std::unique_ptr<RawClient>> pooled, direct;
  for (int i = 0; i < kClients; ++i) {
    pooled.push_back(std::make_unique<RawClient>(agent.port()));
    pooled.back()->Login("alice");
    direct.push_back(std::make_unique<RawClient>(TheCluster().port()));
    direct.back()->Login("alice");
  }
  Dice dice(GetParam());
  std::vector<std::deque<std::string>> history(kClients);

  for (int i = 0; i < kBatches; ++i) {
    const auto who = static_cast<std::size_t>(dice.Below(kClients));
    const Batch batch = RandomBatch(dice);
    const std::string expected = Answer(*direct[who], batch);
    history[who].push_back(batch.words + "-> " + expected);
    if (history[who].size() > 10) history[who].pop_front();
    ASSERT_EQ(Answer(*pooled[who], batch), expected)
        << "batch " << i << ", client " << who << ", its last batches and the direct answers:\n"
        << testing::PrintToString(history[who]);
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomPipelineTest, testing::Range(1U, 9U));

}  // namespace
}  // namespace pgvalet::integration
