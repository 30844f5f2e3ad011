// Commands that an administrator, or whoever has the password, may type.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "console/command_text.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto commands = pgvalet::console::SplitCommands(text);
  if (!commands) return 0;
  for (const auto& words : *commands) {
    if (words.empty()) std::abort();
  }
  return 0;
}
