#include "api/metric_families.h"

#include <gtest/gtest.h>

#include "base/clean_text.h"
#include "example_snapshot.h"
#include "prometheus_page.h"

namespace pgvalet::api {
namespace {

struct MetricFamiliesTest : testing::Test {
  std::shared_ptr<stats::Snapshot> snapshot = ExampleSnapshot();
  std::map<std::string, PageFamily> families;

  void Read() { ASSERT_EQ(ReadPage(MetricsText(*snapshot), families), ""); }

  double Value(const std::string& family, const LabelMap& labels = {}) {
    return families.at(family).samples.at(family).at(labels);
  }
};

TEST_F(MetricFamiliesTest, KeepsToTheTextFormat) { Read(); }

TEST_F(MetricFamiliesTest, TellsTimeInSeconds) {
  Read();

  EXPECT_DOUBLE_EQ(Value("pgvalet_agent_cpu_seconds_total", {{"mode", "user"}}), 1.5);
  EXPECT_DOUBLE_EQ(
      Value("pgvalet_pool_longest_wait_seconds", {{"database", "app"}, {"user", "bob"}}), 0.25);
  EXPECT_DOUBLE_EQ(Value("pgvalet_role_active_seconds_total", {{"role", "alice"}}), 42.0);
  EXPECT_DOUBLE_EQ(Value("pgvalet_snapshot_timestamp_seconds"), 1'700'000'060.25);
}

TEST_F(MetricFamiliesTest, ANameThatIsNotUtf8DoesNotSpoilThePage) {
  snapshot->pools.front().user = "m\xfcller";
  EXPECT_TRUE(IsUtf8(MetricsText(*snapshot)));
  Read();
  EXPECT_EQ(Value("pgvalet_pool_clients",
                  {{"database", "app"}, {"user", "m\xEF\xBF\xBDller"}, {"state", "waiting"}}),
            2);
}

TEST_F(MetricFamiliesTest, ReportedPoolsAreSummedOverTheirInstances) {
  snapshot->reported_pools.push_back(snapshot->reported_pools.front());
  snapshot->reported_pools.back().pool.instance = "web-2:7";
  Read();
  EXPECT_EQ(Value("pgvalet_reported_pool_in_use", {{"application", "shop"}, {"pool", "orders"}}),
            8);
}

TEST_F(MetricFamiliesTest, TellsEveryStateOfAPool) {
  Read();

  const LabelMap waiting{{"database", "app"}, {"user", "alice"}, {"state", "waiting"}};
  EXPECT_EQ(Value("pgvalet_pool_clients", waiting), 2);
  EXPECT_EQ(families.at("pgvalet_pool_server_connections")
                .samples.at("pgvalet_pool_server_connections")
                .size(),
            10U);
}

TEST_F(MetricFamiliesTest, ConnectionsByStateSumUpToAllOfThem) {
  Read();

  double sum = 0;
  for (const auto& [labels, value] :
       families.at("pgvalet_postgres_connections").samples.at("pgvalet_postgres_connections")) {
    sum += value;
  }
  EXPECT_EQ(sum, 10);
}

TEST_F(MetricFamiliesTest, CountsADurationInTheFirstBucketThatIsNotShorter) {
  Histogram histogram;
  for (const std::uint64_t us : {0, 31, 32, 1023, 1024, 70'000'000}) histogram.Record(us);
  snapshot->pools.resize(1);
  snapshot->pools[0].totals.wait_time = histogram.Copy();
  Read();

  const auto& wait = families.at("pgvalet_pool_wait_seconds").samples;
  const auto at_most = [&](const char* bound) {
    return wait.at("pgvalet_pool_wait_seconds_bucket")
        .at({{"database", "app"}, {"user", "alice"}, {"le", bound}});
  };
  EXPECT_EQ(at_most("3.2e-05"), 2);
  EXPECT_EQ(at_most("6.4e-05"), 3);
  EXPECT_EQ(at_most("0.001024"), 4);
  EXPECT_EQ(at_most("0.002048"), 5);
  EXPECT_EQ(at_most("67.108864"), 5);
  EXPECT_EQ(at_most("+Inf"), 6);
}

TEST_F(MetricFamiliesTest, NamesOfClientsCannotBreakThePage) {
  snapshot->pools[0].database = "a\"b\\c\nd{}";
  Read();

  EXPECT_EQ(Value("pgvalet_pool_size", {{"database", R"(a\"b\\c\nd{})"}, {"user", "alice"}}), 20);
}

TEST_F(MetricFamiliesTest, LeavesOutWhatTheExtensionDidNotSay) {
  snapshot->extension = std::make_shared<stats::ExtensionSample>();
  Read();

  EXPECT_EQ(Value("pgvalet_extension_available"), 0);
  EXPECT_FALSE(families.contains("pgvalet_postgres_connections"));
  EXPECT_FALSE(families.contains("pgvalet_role_commits_total"));
}

TEST_F(MetricFamiliesTest, AnAgentWithoutPoolsHasAPageToo) {
  snapshot->pools.clear();
  snapshot->agent.cores.clear();
  snapshot->extension = std::make_shared<stats::ExtensionSample>();

  Read();

  EXPECT_FALSE(families.contains("pgvalet_pool_size"));
}

TEST(PrometheusPageTest, TheReaderOfTheseTestsRefusesWhatTheFormatForbids) {
  for (const char* page :
       {"a 1", "a 1\n", "# HELP a b\n# TYPE a gauge\na x\n", "# HELP a b\n# TYPE a counter\na 1\n",
        "# HELP a b\n# TYPE a gauge\na{x=\"1} 1\n", "# HELP a b\n# TYPE a gauge\na 1\na 2\n",
        "# HELP a b\n# TYPE a gauge\na{x=\"1\",x=\"2\"} 1\n",
        "# HELP a b\n# TYPE a histogram\na_bucket{le=\"1\"} 1\na_sum 1\na_count 1\n"}) {
    std::map<std::string, PageFamily> families;
    EXPECT_NE(ReadPage(page, families), "") << page;
  }
}

}  // namespace
}  // namespace pgvalet::api
