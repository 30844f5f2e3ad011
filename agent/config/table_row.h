// Rows of the table of settings (config/table.h): small words of which table*.cc are made.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <vector>

#include "config/setting_member.h"
#include "config/table.h"

namespace pgvalet::config {

inline constexpr std::int64_t kMaxCount = 1000000;
inline constexpr std::int64_t kSecond = 1000000;                // in microseconds
inline constexpr std::int64_t kLongest = 1000000000 * kSecond;  // 31 years

inline Rule Boolean() { return {.kind = Kind::kBoolean}; }
inline Rule Integer(std::int64_t min, std::int64_t max) {
  return {.kind = Kind::kInteger, .min = min, .max = max};
}
inline Rule Count(std::int64_t min) { return Integer(min, kMaxCount); }
inline Rule Seconds(std::int64_t min_us = 0, std::int64_t max_us = kLongest) {
  return {.kind = Kind::kDuration, .min = min_us, .max = max_us};
}
inline Rule Share() { return {.kind = Kind::kShare}; }
inline Rule Words(std::initializer_list<std::string_view> words) {
  return {.kind = Kind::kWord, .words = words};
}
inline Rule Text() { return {.kind = Kind::kText}; }
inline Rule List() { return {.kind = Kind::kList}; }
inline Rule Address() { return {.kind = Kind::kAddress}; }
inline Rule PoolModes() {
  return {.kind = Kind::kWord, .words = {"session", "transaction", "statement"}};
}
// "password" is another word for plain.
inline Rule AuthTypes() {
  return {.kind = Kind::kWord, .words = {"trust", "plain", "password", "md5", "scram-sha-256"}};
}
inline Rule LogLevels() {
  return {.kind = Kind::kWord, .words = {"trace", "debug", "info", "warn", "error", "off"}};
}

template <typename>
struct OwnerOf;
template <typename Owner, typename Member>
struct OwnerOf<Member Owner::*> {
  using Type = Owner;
};

enum class Change : std::uint8_t { kReload, kRestart };
enum class Show : std::uint8_t { kOpen, kSecret };

// The row of one member.
template <auto kMember>
auto Row(std::string_view group, std::string_view key, const Rule& rule, Change change,
         std::string_view meaning, Show show = Show::kOpen) {
  using Owner = typename OwnerOf<decltype(kMember)>::Type;
  return Setting<Owner>{
      .group = group,
      .key = key,
      .rule = rule,
      .needs_restart = change == Change::kRestart,
      .secret = show == Show::kSecret,
      .meaning = meaning,
      .set = [](Owner& owner, const Value& value) { Assign(owner.*kMember, value); },
      .get = [](const Owner& owner) { return Get(owner.*kMember); },
  };
}

using Table = std::vector<Setting<Settings>>;
inline constexpr Change kReload = Change::kReload;
inline constexpr Change kRestart = Change::kRestart;

// Appended to the table by table.cc: a group that has a file of its own.
void AddAlerts(Table& table);

}  // namespace pgvalet::config
