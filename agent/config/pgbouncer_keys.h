// Every key of PgBouncer, and what becomes of it here.
//
// The one table of it: files of both kinds are judged by these rows, and a test compares them with
// docs/pgbouncer.md.  A configuration that moves over shall run, so a key that we do not have is a
// warning; it is a mistake where ignoring it would let in more, or do less, than was asked for.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "config/value.h"

namespace pgvalet::config {

enum class Taken : std::uint8_t {
  kSame,     // a setting of ours with the same name and meaning
  kDiffers,  // does what it is for, with the difference that the note tells
  kIgnored,  // a warning: the note says why nothing is missing, or what is
  kRefused,  // a mistake unless its value is one of `harmless`
};

struct PgBouncerKey {
  std::string_view key;
  Taken taken = Taken::kSame;
  std::string_view note{};  // empty for kSame
  std::vector<std::string_view> harmless{};
};

// Of the sections [pgbouncer], [databases] and [users].
const std::vector<PgBouncerKey>& PgBouncerSettings();
const std::vector<PgBouncerKey>& PgBouncerDatabaseKeys();
const std::vector<PgBouncerKey>& PgBouncerUserKeys();

// The row of `key`, or null.
const PgBouncerKey* FindPgBouncerKey(const std::vector<PgBouncerKey>& keys, std::string_view key);

// Whether the value may be ignored where the key is not supported.
bool IsHarmless(const PgBouncerKey& key, const Written& value);

// "same", "differs", "ignored", "refused": the word of the documentation.
std::string_view TakenName(Taken taken);

// What a setting is when PgBouncer's file does not say it, where that differs from our default.
struct PgBouncerDefault {
  std::string_view key;
  std::string_view value;
};
const std::vector<PgBouncerDefault>& PgBouncerDefaults();

}  // namespace pgvalet::config
