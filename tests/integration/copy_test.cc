// COPY in both directions, and the ways it can break off.
#include <gtest/gtest.h>

#include <string>

#include "support/agent_process.h"
#include "support/cluster.h"
#include "support/connection.h"
#include "support/raw_client.h"

namespace pgvalet::integration {
namespace {

struct CopyTest : testing::Test {
  static AgentConfig OneBackend() {
    AgentConfig config;
    config.Set("default_pool_size", "1");
    return config;
  }
  CopyTest() { client.Must("DROP TABLE IF EXISTS copied; CREATE TABLE copied (n int, t text)"); }
  ~CopyTest() override {
    Connection(TheCluster().DirectTo("alice")).Must("DROP TABLE IF EXISTS copied");
  }

  static std::string CopyOut(Connection& connection, const std::string& sql) {
    PQclear(PQexec(connection.raw(), sql.c_str()));
    std::string all;
    char* row = nullptr;
    for (int size = 0; (size = PQgetCopyData(connection.raw(), &row, 0)) > 0; PQfreemem(row))
      all.append(row, static_cast<size_t>(size));
    connection.Collect();
    return all;
  }

  void BeginCopyIn() {
    PGresult* result = PQexec(client.raw(), "COPY copied FROM STDIN");
    ASSERT_EQ(PQresultStatus(result), PGRES_COPY_IN) << client.error();
    PQclear(result);
  }

  void Put(const std::string& data) {
    ASSERT_EQ(PQputCopyData(client.raw(), data.data(), static_cast<int>(data.size())), 1);
  }

  AgentProcess agent{OneBackend()};
  Connection client{agent.To()};
};

TEST_F(CopyTest, OutGivesEveryByteOfADirectConnection) {
  const std::string sql =
      "COPY (SELECT i, repeat(chr(33 + i % 90), i % 200) FROM generate_series(1, 50000) i) "
      "TO STDOUT";
  Connection direct(TheCluster().DirectTo("alice"));

  const std::string expected = CopyOut(direct, sql);

  EXPECT_GT(expected.size(), 4u << 20);
  EXPECT_TRUE(CopyOut(client, sql) == expected);
}

TEST_F(CopyTest, InStoresEveryRow) {
  BeginCopyIn();
  for (int i = 0; i < 100000; ++i) Put(std::to_string(i) + "\ttext of row\n");
  ASSERT_EQ(PQputCopyEnd(client.raw(), nullptr), 1);

  EXPECT_EQ(client.Collect().tag, "COPY 100000");
  EXPECT_EQ(client.Value("SELECT count(*) || ' ' || sum(n) FROM copied"), "100000 4999950000");
}

TEST_F(CopyTest, RowThatDoesNotFitFailsTheCopyAndNothingElse) {
  BeginCopyIn();
  Put("1\tgood\nnot a number\tbad\n");
  for (int i = 0; i < 20000; ++i) Put("3\tsent after the server gave up\n");
  PQputCopyEnd(client.raw(), nullptr);

  EXPECT_EQ(client.Collect().sqlstate, "22P02");
  EXPECT_EQ(client.Value("SELECT count(*) FROM copied"), "0");
}

TEST_F(CopyTest, ClientMayCallItOff) {
  BeginCopyIn();
  Put("1\tgood\n");
  PQputCopyEnd(client.raw(), "changed my mind");

  const Answer answer = client.Collect();
  EXPECT_EQ(answer.sqlstate, "57014");
  EXPECT_NE(answer.message.find("changed my mind"), std::string::npos);
  EXPECT_EQ(client.Value("SELECT count(*) FROM copied"), "0");
}

TEST_F(CopyTest, KeepsItsBackendInTheMiddleOfATransaction) {
  client.Must("BEGIN");
  const std::string backend = client.Value("SELECT pg_backend_pid()");
  BeginCopyIn();
  Put("1\tone\n");
  PQputCopyEnd(client.raw(), nullptr);
  EXPECT_EQ(client.Collect().tag, "COPY 1");
  EXPECT_EQ(client.Value("SELECT pg_backend_pid()"), backend);
  client.Must("ROLLBACK");

  EXPECT_EQ(client.Value("SELECT count(*) FROM copied"), "0");
}

TEST_F(CopyTest, ClientThatVanishesInTheMiddleStoresNothing) {
  const std::string backend = client.Value("SELECT pg_backend_pid()");
  BeginCopyIn();
  Put("1\thalf a copy\n");
  PQflush(client.raw());
  client.Kill();

  Connection next(agent.To());

  EXPECT_NE(next.Value("SELECT pg_backend_pid()"), backend);
  EXPECT_EQ(next.Value("SELECT count(*) FROM copied"), "0");
}

TEST_F(CopyTest, ClientThatVanishesWhileReadingIsNotMissed) {
  RawClient reader(agent.port());
  reader.Login("alice");
  reader.Send(
      QueryMessage("COPY (SELECT repeat('x', 1000) FROM generate_series(1, 100000)) TO STDOUT"));
  ASSERT_EQ(reader.Read()->type, 'H');
  reader.Drop(/*reset=*/true);

  EXPECT_EQ(client.Value("SELECT 'served'"), "served");
}

TEST_F(CopyTest, WorksWithinTheExtendedProtocol) {
  RawClient raw(agent.port());
  raw.Login("alice");

  raw.Send(ParseMessage("", "COPY copied FROM STDIN") + BindMessage("", "") + ExecuteMessage("") +
           SyncMessage());
  ASSERT_EQ(raw.ReadUntil('G').back().type, 'G');
  // A Sync sent before CopyInResponse is ignored by the server; after CopyDone one is due.
  raw.Send(Message('d', "1\tone\n") + Message('d', "2\ttwo\n") + Message('c', "") + SyncMessage());

  EXPECT_EQ(Types(raw.ReadUntil('Z')), "CZ");
  EXPECT_EQ(client.Value("SELECT count(*) FROM copied"), "2");
}

TEST_F(CopyTest, SeveralInOneSimpleQueryFollowEachOther) {
  RawClient raw(agent.port());
  raw.Login("alice");

  raw.Send(QueryMessage("COPY copied FROM STDIN; COPY copied FROM STDIN; SELECT 'after'"));
  ASSERT_EQ(raw.ReadUntil('G').back().type, 'G');
  raw.Send(Message('d', "1\tone\n") + Message('c', ""));
  ASSERT_EQ(raw.ReadUntil('G').back().type, 'G');
  raw.Send(Message('d', "2\ttwo\n") + Message('c', ""));

  EXPECT_EQ(FirstRow(raw.ReadUntil('Z')), std::vector<std::string>{"after"});
  EXPECT_EQ(client.Value("SELECT count(*) FROM copied"), "2");
}

}  // namespace
}  // namespace pgvalet::integration
