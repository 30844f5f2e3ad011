// Alert: something is wrong, or about to be, and what to do about it.
//
// Made by    room advice, on the publisher's thread, from one snapshot after the other.
// Read by    every face, as Snapshot::alerts.  docs/alerts.md lists the rules.
// Lifetime   plain values.
#pragma once

#include <cstdint>
#include <string>

#include "stats/extension_sample.h"

namespace pgvalet::stats {

// In order: a later one is worse.
enum class Severity : std::uint8_t {
  kInfo,      // could be better
  kWarning,   // resources are wasted, or a limit is near
  kCritical,  // clients are refused or wait too long, or are about to
};

// "info", "warning", "critical".
inline const char* SeverityName(Severity severity) {
  switch (severity) {
    case Severity::kInfo:
      return "info";
    case Severity::kWarning:
      return "warning";
    case Severity::kCritical:
      break;
  }
  return "critical";
}

struct Alert {
  std::string name;  // of the rule: "pool_utilization"
  Severity severity = Severity::kWarning;

  // What it is about: its kind alone ("pool", "agent", "server", ...), and with its name
  // ("pool app/alice", "agent").
  std::string kind;
  std::string component;
  std::string database;  // of a pool or database; else empty
  std::string user;      // of a pool; else empty

  std::string message;         // what was seen, with its numbers
  std::string recommendation;  // what to do
  WallTime since{};            // when it was first seen without a break

  // What was measured last, the setting it was compared with, and the unit of both: "percent",
  // "seconds", "clients", ...; empty: there is no number.
  double value = 0;
  double threshold = 0;
  std::string unit;
};

}  // namespace pgvalet::stats
