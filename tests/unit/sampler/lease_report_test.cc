#include "sampler/lease_report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>

namespace pgvalet::sampler {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;

const Target kTarget = {
    .addresses = {{"db1", 5432}, {"db2", 5433}}, .dbname = "", .user = "", .password = ""};
const Time kNow = Time(1h);

stats::LeasedClient Lease(std::uint32_t pid, std::string application) {
  return {.servers = ServersOf(kTarget),
          .server_pid = pid,
          .client_addr = "10.0.0.7",
          .client_port = 4711,
          .application_name = std::move(application),
          .since = kNow - 1500us};
}

TEST(LeaseReportTest, TellsEveryLeaseInOneColumnEach) {
  const Statement report =
      ReportStatement("pgvaletd/db:1", {Lease(5, "shop"), Lease(6, "")}, kTarget, kNow);

  EXPECT_THAT(report.values, ElementsAre("pgvaletd/db:1", "{5,6}", R"({"10.0.0.7","10.0.0.7"})",
                                         "{4711,4711}", R"({"shop",""})", "{1500,1500}"));
}

TEST(LeaseReportTest, NoLeasesAreEmptyArrays) {
  const Statement report = ReportStatement("a", {}, kTarget, kNow);

  EXPECT_THAT(report.values, ElementsAre("a", "{}", "{}", "{}", "{}", "{}"));
}

TEST(LeaseReportTest, NamesCannotLeaveTheirElementNorTheEncodingOfTheDatabase) {
  const Statement report = ReportStatement("a", {Lease(1, "\"},{\\ \xc3\xa4\n'")}, kTarget, kNow);

  EXPECT_EQ(report.values[4], R"({"\"},{\\ ???'"})");
}

TEST(LeaseReportTest, ClientOnAUnixSocketHasNoAddressAndNoPort) {
  stats::LeasedClient lease = Lease(1, "shop");
  lease.client_addr.clear();
  lease.client_port = 0;

  const Statement report = ReportStatement("a", {lease}, kTarget, kNow);

  EXPECT_EQ(report.values[2], R"({""})");
  EXPECT_EQ(report.values[3], "{-1}");
}

TEST(LeaseReportTest, ServerThatTheSamplerDoesNotReadIsLeftOut) {
  stats::LeasedClient elsewhere = Lease(5, "shop");
  elsewhere.servers = "db3:5432";

  const Statement report = ReportStatement("a", {elsewhere, Lease(6, "shop")}, kTarget, kNow);

  EXPECT_EQ(report.values[1], "{6}");
}

}  // namespace
}  // namespace pgvalet::sampler
