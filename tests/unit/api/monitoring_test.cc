// The monitoring endpoints: what they say of a snapshot, and that all that is served is documented.
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <string>

#include "api/access_routes.h"
#include "api/agent_routes.h"
#include "api/call_routes.h"
#include "api/event_calls.h"
#include "api/monitoring_json.h"
#include "api/monitoring_routes.h"
#include "api/pool_calls.h"
#include "api/stats_calls.h"
#include "api/web_routes.h"
#include "config/table.h"
#include "example_snapshot.h"
#include "stats/event_log.h"
#include "stats/history.h"

namespace pgvalet::api {
namespace {

using nlohmann::json;

TEST(MonitoringTest, APoolHasItsNumbersInUnitsOfTheirNames) {
  const json answer = json::parse(ConnectionPoolsJson(*ExampleSnapshot()));

  ASSERT_EQ(answer["pools"].size(), 2U);
  const json& pool = answer["pools"][0];
  EXPECT_EQ(pool["database"], "app");
  EXPECT_EQ(pool["user"], "alice");
  EXPECT_EQ(pool["pool_size"], 20);
  EXPECT_EQ(pool["total_connections"], 30);
  EXPECT_EQ(pool["active_connections"], 4);
  EXPECT_EQ(pool["idle"], 5);
  EXPECT_EQ(pool["waiting"], 2);
  EXPECT_EQ(pool["failed_connections"], 26);
  EXPECT_EQ(pool["utilization_percent"], 20);
  EXPECT_EQ(pool["longest_wait_seconds"], 0.25);
  EXPECT_EQ(pool["health"], "degraded");
  EXPECT_EQ(answer["pools"][1]["health"], "ok");
  EXPECT_EQ(answer["time"], "2023-11-14T22:14:20.250000Z");
}

TEST(MonitoringTest, HitRateIsTheShareOfLeasesGrantedAtOnce) {
  const auto snapshot = ExampleSnapshot();
  snapshot->pools[0].totals.leases = 200;
  snapshot->pools[0].totals.lease_waits = 50;
  snapshot->pools[0].window.leases_per_s = 10;
  snapshot->pools[0].window.lease_waits_per_s = 1;
  const json pool = json::parse(ConnectionPoolsJson(*snapshot))["pools"][0];

  EXPECT_EQ(pool["hit_rate"], 0.9);
  EXPECT_EQ(pool["hit_rate_total"], 0.75);
}

TEST(MonitoringTest, ARateOfNothingIsNull) {
  stats::Snapshot snapshot;
  snapshot.extension = std::make_shared<const stats::ExtensionSample>();
  const json pool = json::parse(DatabasePoolJson(snapshot));
  const json summary = json::parse(PerformanceSummaryJson(snapshot));

  EXPECT_TRUE(pool["hit_rate"].is_null());
  EXPECT_TRUE(pool["utilization_percent"].is_null());
  EXPECT_TRUE(summary["wait"].is_null());
  EXPECT_TRUE(pool["time"].is_null());
}

TEST(MonitoringTest, AlertsSayWhatWhereAndWhatToDo) {
  const auto snapshot = ExampleSnapshot();
  snapshot->alerts[1].unit.clear();
  const json answer = json::parse(AlertsJson(*snapshot));

  EXPECT_EQ(answer["counts"], json::parse(R"({"critical": 1, "warning": 1, "info": 0})"));
  const json& alert = answer["alerts"][0];
  EXPECT_EQ(alert["name"], "pool_utilization");
  EXPECT_EQ(alert["severity"], "critical");
  EXPECT_EQ(alert["component"], "pool app/alice");
  EXPECT_EQ(alert["recommendation"], "Raise pool_size of this pool (now 20).");
  EXPECT_EQ(alert["since"], "2023-11-14T22:13:30.000000Z");
  EXPECT_TRUE(answer["alerts"][1]["value"].is_null());
}

TEST(MonitoringTest, NamesThatAreNotUtf8AreStillAnswered) {
  const auto snapshot = ExampleSnapshot();
  snapshot->pools[0].user = "a\xff";

  EXPECT_EQ(json::parse(ConnectionPoolsJson(*snapshot))["pools"][0]["user"], "a\xEF\xBF\xBD");
}

TEST(MonitoringTest, TheConfigurationShowsNoSecret) {
  auto settings = std::make_shared<config::Settings>();
  settings->sampler_password = "hunter2";
  config::DatabaseSettings& database = settings->databases["app"];
  database.hosts = {{"db", 5432}};
  database.password = "hunter3";
  database.pool_size = 7;
  const std::string text = DatabaseConfigJson({settings, {{"sampler_password", "command line"}}});

  EXPECT_EQ(text.find("hunter"), std::string::npos);
  const json answer = json::parse(text);
  EXPECT_EQ(answer["settings"]["sampler_password"]["value"], "********");
  EXPECT_EQ(answer["settings"]["sampler_password"]["source"], "command line");
  EXPECT_EQ(answer["settings"]["default_pool_size"]["value"], 20);
  EXPECT_EQ(answer["settings"]["alert_advice"]["value"], true);
  EXPECT_EQ(answer["databases"]["app"]["password"], "********");
  EXPECT_EQ(answer["databases"]["app"]["pool_size"], 7);
  EXPECT_EQ(answer["databases"]["app"]["hosts"][0]["host"], "db");
  EXPECT_EQ(answer["settings"].size(), config::SettingsTable().size());
}

// "GET /metrics" of every path in the document.
std::set<std::string> DocumentedPaths() {
  std::ifstream file(PGVALET_REPOSITORY "/docs/openapi.yaml");
  const std::regex path_line("^  (/.*):$");
  const std::regex method_line("^    (get|post):$");
  std::set<std::string> paths;
  std::string path;
  std::smatch match;
  for (std::string line; std::getline(file, line);) {
    if (line == "components:") break;
    if (std::regex_match(line, match, path_line)) path = match[1];
    if (std::regex_match(line, match, method_line)) {
      paths.insert((match[1] == "get" ? "GET " : "POST ") + path);
    }
  }
  return paths;
}

// Calls that need the control door come from the proto, as the document does; tests/faces asks for
// each.
TEST(MonitoringTest, EveryPathThatIsServedIsInTheOpenApiFileAndNoOther) {
  const stats::SnapshotHub hub;
  Calls calls;
  const stats::History history;
  AddStatsCalls(calls, hub, history);
  stats::EventLog log;
  AddEventCalls(calls, EventFeed{&log, {}});
  stats::ReportedPools reported;
  AddPoolCalls(calls, reported);
  std::set<std::string> served;
  for (const auto& routes : {AccessRoutes(), AgentRoutes(hub), WebRoutes(), CallRoutes(calls),
                             MonitoringRoutes(hub, [] { return control::EffectiveSettings{}; })}) {
    for (const HttpRoute& route : routes) {
      if (route.path.starts_with("/web/")) continue;  // files of the page
      served.insert(std::string(route.method) + " " + route.path);
    }
  }

  std::set<std::string> documented = DocumentedPaths();
  const std::set<std::string> of_server = {"GET /api/v1/stats/distributions",
                                           "GET /api/v1/stats/ended_sessions",
                                           "GET /api/v1/stats/server_history"};
  std::erase_if(documented, [&](const std::string& path) {
    return path.find(" /api/v1/control/") != std::string::npos || of_server.contains(path);
  });

  EXPECT_EQ(documented, served);
}

}  // namespace
}  // namespace pgvalet::api
