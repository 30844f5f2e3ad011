#include "cli/advise/advice_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "cli/screen/format.h"
#include "cli/screen/table.h"
#include "cli/screen/text.h"
#include "config/value.h"

namespace pgvalet::cli::advise {
namespace {

using Json = nlohmann::ordered_json;

std::string Dump(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

// What the advice asks for, out of what was counted between two readings.  A pool that was not
// there, or that went away and came back, began at 0.
stats::PoolTotals CountedOf(const v1::Pool& later, const v1::Pool* earlier) {
  const v1::PoolTotals& now = later.totals();
  const bool is_same =
      earlier != nullptr && earlier->totals().lease_count() <= now.lease_count() &&
      earlier->totals().transaction_time().sum_us() <= now.transaction_time().sum_us();
  const v1::PoolTotals none;
  const v1::PoolTotals& before = is_same ? earlier->totals() : none;
  stats::PoolTotals counted;
  counted.leases = static_cast<std::uint64_t>(now.lease_count() - before.lease_count());
  counted.transaction_time.sum_us = static_cast<std::uint64_t>(now.transaction_time().sum_us() -
                                                               before.transaction_time().sum_us());
  return counted;
}

const v1::Pool* Find(const v1::Snapshot& snapshot, const v1::Pool& wanted) {
  for (const v1::Pool& pool : snapshot.pools()) {
    if (pool.database() == wanted.database() && pool.user() == wanted.user()) return &pool;
  }
  return nullptr;
}

PoolAdvice AdviceOn(const v1::Pool& pool, const v1::Pool* earlier, Duration measured,
                    const advice::WaitGoal& goal) {
  PoolAdvice one{
      pool.database(), pool.user(), pool.pool_mode(), pool.now().pool_size(), {}, {}, {}};
  if (pool.pool_mode() == "session") {
    one.arithmetic = {
        "session mode cannot be measured: a server connection is held for a whole session, so it "
        "needs one for each client (now " +
        std::to_string(pool.now().clients_active() + pool.now().clients_waiting() +
                       pool.now().clients_idle()) +
        ")"};
    return one;
  }
  one.load = advice::LoadOf(CountedOf(pool, earlier), measured);
  if (one.load.leases_per_s * one.load.held_s <= 0) {
    one.arithmetic = {"no load was measured"};
    return one;
  }
  advice::PoolSizeAdvice size = advice::SizeForLoad(one.load, goal);
  one.advised_size = size.pool_size;
  one.arithmetic = std::move(size.arithmetic);
  return one;
}

// The size of a database is that of each of its pools: the largest that is advised.
std::map<std::string, std::int64_t> SizesOf(const MeasuredReport& report) {
  std::map<std::string, std::int64_t> sizes;
  for (const PoolAdvice& pool : report.pools) {
    if (!pool.advised_size) continue;
    std::int64_t& size = sizes[pool.database];
    size = std::max(size, *pool.advised_size);
  }
  return sizes;
}

bool IsBareKey(const std::string& name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           c == '-';
  });
}

std::string TomlOf(const MeasuredReport& report) {
  std::string toml;
  for (const auto& [database, size] : SizesOf(report)) {
    const std::string key = IsBareKey(database) ? database : config::TomlQuoted(database);
    toml += fmt::format("[databases.{}]\npool_size = {}\n", key, size);
  }
  return toml;
}

std::string TomlOf(const PlannedReport& report) {
  return fmt::format("default_pool_size = {}\nmax_client_conn = {}\n", report.advice.pool_size,
                     report.advice.max_client_conn);
}

void AddToml(Lines& lines, const std::string& comment, const std::string& toml) {
  lines.emplace_back();
  lines.emplace_back("# " + comment, Style::kDim);
  for (std::size_t at = 0; at < toml.size(); at = toml.find('\n', at) + 1)
    lines.emplace_back(Printable(toml.substr(at, toml.find('\n', at) - at)));
}

Table TableOf(const MeasuredReport& report) {
  const Align right = Align::kRight;
  Table table({{"DATABASE", Align::kLeft, 8},
               {"USER", Align::kLeft, 8},
               {"NOW", right},
               {"ADVISED", right},
               {"LEASES/s", right},
               {"HELD", right},
               {"BUSY", right},
               {"MODE"}});
  for (const PoolAdvice& pool : report.pools) {
    const bool is_known = pool.advised_size.has_value();
    const bool is_short = is_known && *pool.advised_size > pool.pool_size;
    table.Add({pool.database, pool.user, Count(pool.pool_size),
               Cell(is_known ? Count(*pool.advised_size) : "-",
                    is_short ? Style::kWarning : Style::kPlain),
               is_known ? Rate(pool.load.leases_per_s) : "-",
               is_known ? Elapsed(static_cast<std::int64_t>(pool.load.held_s * 1e6)) : "-",
               is_known ? fmt::format("{:.2f}", pool.load.leases_per_s * pool.load.held_s) : "-",
               pool.pool_mode});
  }
  return table;
}

void AddRoom(Lines& lines, const MeasuredReport& report) {
  std::int64_t sum = 0;
  for (const PoolAdvice& pool : report.pools) sum += pool.advised_size.value_or(pool.pool_size);
  if (!report.room || sum == 0) return;
  lines.emplace_back();
  lines.emplace_back(
      fmt::format("all pools: {} server connections; ordinary roles may have {} on the server{}",
                  sum, *report.room, sum > *report.room ? ": too many" : ""),
      sum > *report.room ? Style::kWarning : Style::kPlain);
}

}  // namespace

MeasuredReport Measure(const v1::Snapshot& earlier, const v1::Snapshot& later,
                       const advice::WaitGoal& goal) {
  MeasuredReport report{Duration(Between(earlier.time(), later.time())), goal, {}, {}};
  for (const v1::Pool& pool : later.pools())
    report.pools.push_back(AdviceOn(pool, Find(earlier, pool), report.measured, goal));
  const v1::ServerSummary& summary = later.extension().summary();
  if (later.extension().available())
    report.room = summary.max_connections() - summary.reserved_connections();
  return report;
}

Lines ReportLines(const MeasuredReport& report, int width) {
  if (report.pools.empty()) return {Line("no pools: no client has logged in yet")};
  Lines lines = {Line("measured for " + Elapsed(report.measured.count())), Line()};
  for (const Line& line : TableOf(report).Render(width)) lines.push_back(line);
  for (const PoolAdvice& pool : report.pools) {
    lines.emplace_back();
    lines.emplace_back(Printable(pool.database + "/" + pool.user), Style::kBold);
    for (const std::string& step : pool.arithmetic) lines.emplace_back("  " + step);
  }
  AddRoom(lines, report);
  const std::string toml = TomlOf(report);
  if (!toml.empty())
    AddToml(
        lines,
        "into the entries of these databases, for each of their users; to try it: pgvalet resize",
        toml);
  return lines;
}

std::string ReportToJson(const MeasuredReport& report) {
  Json pools = Json::array();
  for (const PoolAdvice& pool : report.pools) {
    pools.push_back({{"database", pool.database},
                     {"user", pool.user},
                     {"pool_mode", pool.pool_mode},
                     {"pool_size", pool.pool_size},
                     {"advised_pool_size", pool.advised_size ? Json(*pool.advised_size) : Json()},
                     {"leases_per_s", pool.load.leases_per_s},
                     {"held_us", pool.load.held_s * 1e6},
                     {"arithmetic", pool.arithmetic}});
  }
  return Dump({{"measured_us", report.measured.count()},
               {"goal", {{"wait_us", report.goal.wait_s * 1e6}, {"share", report.goal.share}}},
               {"pools", pools},
               {"room", report.room ? Json(*report.room) : Json()},
               {"settings", TomlOf(report)}});
}

Lines ReportLines(const PlannedReport& report) {
  Lines lines;
  for (const std::string& step : report.advice.arithmetic) lines.emplace_back(step);
  lines.emplace_back("max_connections " + report.source);
  AddToml(lines, "at the top of pgvalet.toml", TomlOf(report));
  return lines;
}

std::string ReportToJson(const PlannedReport& report) {
  const advice::Fleet& fleet = report.fleet;
  return Dump({{"workers", fleet.workers},
               {"connections_per_worker", fleet.connections_per_worker},
               {"max_connections", fleet.max_connections},
               {"reserved_connections", fleet.reserved_connections},
               {"pools", fleet.pools},
               {"pool_size", report.advice.pool_size},
               {"max_client_conn", report.advice.max_client_conn},
               {"fits_without_pool", report.advice.fits_without_pool},
               {"arithmetic", report.advice.arithmetic},
               {"settings", TomlOf(report)}});
}

}  // namespace pgvalet::cli::advise
