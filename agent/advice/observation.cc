#include "advice/observation.h"

namespace pgvalet::advice {
namespace {

// An alert ends below this share of its threshold.
constexpr double kClearShare = 0.9;

}  // namespace

Level LevelOf(double value, double threshold) {
  if (threshold <= 0) return Level::kClear;
  if (value >= threshold) return Level::kReached;
  return value >= kClearShare * threshold ? Level::kNear : Level::kClear;
}

void Observations::Add(Level level, stats::Alert alert, Duration on_after) {
  all_.push_back({.alert = std::move(alert), .level = level, .on_after = on_after});
}

stats::Alert OfPool(const char* name, const stats::PoolSnapshot& pool) {
  stats::Alert alert;
  alert.name = name;
  alert.kind = "pool";
  alert.component = "pool " + pool.database + "/" + pool.user;
  alert.database = pool.database;
  alert.user = pool.user;
  return alert;
}

stats::Alert OfDatabase(const char* name, const std::string& database) {
  stats::Alert alert;
  alert.name = name;
  alert.kind = "database";
  alert.component = "database " + database;
  alert.database = database;
  return alert;
}

stats::Alert OfAgent(const char* name) {
  stats::Alert alert;
  alert.name = name;
  alert.kind = "agent";
  alert.component = "agent";
  return alert;
}

stats::Alert OfServer(const char* name) {
  stats::Alert alert;
  alert.name = name;
  alert.kind = "server";
  alert.component = "server";
  return alert;
}

std::string Quantity(std::int64_t count, const char* one, const char* many) {
  return std::to_string(count) + " " + (count == 1 ? one : many);
}

double Percent(std::int64_t part, std::int64_t whole) {
  return whole > 0 ? 100 * static_cast<double>(part) / static_cast<double>(whole) : 0;
}

double SecondsOf(std::int64_t us) { return static_cast<double>(us) / 1e6; }

}  // namespace pgvalet::advice
