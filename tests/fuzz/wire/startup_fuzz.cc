// The first bytes of a client: a startup packet, its options, and settings made of both.
#include <string>

#include "fuzz_input.h"
#include "wire/message_builder.h"
#include "wire/options.h"
#include "wire/session_state.h"
#include "wire/startup.h"

using namespace pgvalet;
using namespace pgvalet::wire;

namespace {

// Text in which quotes are closed and nothing but settings is done.
void CheckSql(const std::string& sql) {
  char quote = 0;
  bool escaped = false;
  for (char c : sql) {
    if (escaped) {
      escaped = false;
    } else if (quote == '\'' && c == '\\') {
      escaped = true;
    } else if (quote == 0 && (c == '\'' || c == '"')) {
      quote = c;
    } else if (c == quote) {
      quote = 0;
    }
  }
  Require(quote == 0 && !escaped);
}

void CheckSettings(std::vector<std::pair<std::string, std::string>> values) {
  StateStore store;
  const StateRef settings = store.FromStartup(values);
  Require(settings == store.FromStartup(values));
  const auto again = store.FromReport(settings->text);
  Require(again && *again == settings);
  for (const auto& [name, value] : settings->startup) {
    Require(*settings->Find(name) == value);
    Require(store.With(settings, name, value) == settings);
  }
  Require(RestoreSql(*settings, *settings).empty());
  CheckSql(RestoreSql(*store.none(), *settings));
  CheckSql(RestoreSql(*settings, *store.none()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Bytes input(data, size);
  const Result<std::size_t> length = StartupLength(input);
  Require(!length || *length == 0 || (*length >= 8 && *length <= kMaxStartupBytes));
  const Result<StartupPacket> packet = ParseStartup(input);
  if (packet && packet->kind == StartupKind::kStartup) {
    CheckSettings(packet->parameters);
    if (packet->minor == 0 && packet->protocol_options.empty()) {
      std::string again;
      AppendStartup(again, packet->parameters);
      Require(again == AsText(input));
    }
    for (const auto& [name, value] : packet->parameters) {
      if (auto options = ParseOptions(value)) CheckSettings(std::move(*options));
    }
  }
  if (auto options = ParseOptions(AsText(input))) CheckSettings(std::move(*options));
  return 0;
}
