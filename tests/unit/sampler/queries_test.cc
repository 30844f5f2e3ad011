#include "sampler/queries.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace pgvalet::sampler {
namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

TEST(QueriesTest, EveryStatementNamesItsSchemaItsTypesAndItsLimit) {
  const std::vector<Statement>& statements = SampleStatements();

  ASSERT_EQ(statements.size(), 5u);
  EXPECT_THAT(statements[0].sql, StartsWith("SELECT pid::int4, database_name::text, "));
  EXPECT_THAT(statements[0].sql, HasSubstr("state_since::timestamptz"));
  EXPECT_THAT(statements[2].sql, StartsWith("SELECT database_name::text, session_count::int8"));
  EXPECT_THAT(statements[4].sql, HasSubstr("used_share::float8"));
  for (const Statement& statement : statements) {
    EXPECT_THAT(statement.sql, HasSubstr(" FROM pgvalet."));
    EXPECT_THAT(statement.sql, EndsWith(" LIMIT 5001"));
  }
}

TEST(QueriesTest, AdviceIsAskedForWithItsLimit) {
  ASSERT_EQ(AdviceStatements().size(), 1u);
  EXPECT_EQ(AdviceStatements()[0].sql,
            "SELECT severity::text, rule::text, subject::text, finding::text, action::text FROM "
            "pgvalet.advice LIMIT 100");
}

TEST(QueriesTest, NoTwoStatementsShareAName) {
  std::set<std::string> names;
  for (const Statement& statement : SampleStatements()) names.insert(statement.name);
  for (const Statement& statement : ProbeStatements()) names.insert(statement.name);

  EXPECT_EQ(names.size(), SampleStatements().size() + ProbeStatements().size());
}

}  // namespace
}  // namespace pgvalet::sampler
