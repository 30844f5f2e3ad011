// A value into the member of a setting that holds it, and back.
//
// For the rows of table.cc alone: one pair of functions for each type of member.
#pragma once

#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "config/settings.h"
#include "config/value.h"

namespace pgvalet::config {

inline void Assign(bool& member, const Value& value) { member = std::get<bool>(value); }
inline void Assign(std::string& member, const Value& value) {
  member = std::get<std::string>(value);
}
inline void Assign(Duration& member, const Value& value) { member = std::get<Duration>(value); }
inline void Assign(std::vector<std::string>& member, const Value& value) {
  member = std::get<std::vector<std::string>>(value);
}
inline void Assign(PoolMode& member, const Value& value) {
  const std::string& word = std::get<std::string>(value);
  for (const PoolMode mode : {PoolMode::kSession, PoolMode::kTransaction, PoolMode::kStatement}) {
    if (word == PoolModeName(mode)) member = mode;
  }
}
inline void Assign(AuthType& member, const Value& value) {
  const std::string& word = std::get<std::string>(value);
  if (word == "password") member = AuthType::kPlain;
  for (const AuthType type :
       {AuthType::kTrust, AuthType::kPlain, AuthType::kMd5, AuthType::kScramSha256}) {
    if (word == AuthTypeName(type)) member = type;
  }
}
inline void Assign(PinLimitAction& member, const Value& value) {
  member = std::get<std::string>(value) == "error" ? PinLimitAction::kError : PinLimitAction::kWait;
}
inline void Assign(LogFormat& member, const Value& value) {
  member =
      std::get<std::string>(value) == "pgbouncer" ? LogFormat::kPgBouncer : LogFormat::kPgvalet;
}
inline void Assign(WithoutExtension& member, const Value& value) {
  const std::string& word = std::get<std::string>(value);
  for (const WithoutExtension choice :
       {WithoutExtension::kPin, WithoutExtension::kWarn, WithoutExtension::kIgnore}) {
    if (word == WithoutExtensionName(choice)) member = choice;
  }
}
// int, std::uint16_t, std::uint32_t: the rule's bounds fit the member.
template <typename Number>
requires std::is_integral_v<Number>
void Assign(Number& member, const Value& value) {
  member = static_cast<Number>(std::get<std::int64_t>(value));
}
template <typename T>
void Assign(std::optional<T>& member, const Value& value) {
  Assign(member.emplace(), value);
}

inline std::optional<Value> Get(bool member) { return Value(member); }
inline std::optional<Value> Get(const std::string& member) { return Value(member); }
inline std::optional<Value> Get(Duration member) { return Value(member); }
inline std::optional<Value> Get(const std::vector<std::string>& member) { return Value(member); }
inline std::optional<Value> Get(PoolMode member) {
  return Value(std::string(PoolModeName(member)));
}
inline std::optional<Value> Get(AuthType member) {
  return Value(std::string(AuthTypeName(member)));
}
inline std::optional<Value> Get(PinLimitAction member) {
  return Value(std::string(member == PinLimitAction::kError ? "error" : "wait"));
}
inline std::optional<Value> Get(LogFormat member) {
  return Value(std::string(member == LogFormat::kPgBouncer ? "pgbouncer" : "pgvalet"));
}
inline std::optional<Value> Get(WithoutExtension member) {
  return Value(std::string(WithoutExtensionName(member)));
}
template <typename Number>
requires std::is_integral_v<Number> std::optional<Value> Get(Number member) {
  return Value(static_cast<std::int64_t>(member));
}
template <typename T>
std::optional<Value> Get(const std::optional<T>& member) {
  if (!member) return std::nullopt;
  return Get(*member);
}

}  // namespace pgvalet::config
