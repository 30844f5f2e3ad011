// The file of users.
#include "auth/user_directory.h"
#include "fuzz_input.h"

using namespace pgvalet::auth;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = Input(data, size);
  const auto users = UserDirectory::Parse(text, "file");
  if (!users) {
    Require(users.error().code == pgvalet::ErrorCode::kInvalidSetting);
    Require(users.error().detail.starts_with("file, line "));
    return 0;
  }
  Require((*users)->Find("") == nullptr);
  // The same lines once more: the same users, each of them repeated.
  const auto twice = UserDirectory::Parse(std::string(text) + "\n" + std::string(text), "file");
  Require(twice.has_value() && (*twice)->size() == (*users)->size());
  Require((*twice)->repeated().size() >= (*users)->size());
  return 0;
}
