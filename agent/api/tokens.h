// Bearer tokens: who may use gRPC and HTTP, and for what.
//
// The file has a line for each token: its role, "read" or "control", and the token, at least 20
// printable characters without a blank.  '#' begins a comment.  Only hashes are kept, so no memory
// dump of ours shows a token, and comparing takes the same time for every token.
//
// Thread-safe; Load() replaces all at once.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace pgvalet::api {

enum class TokenRole : std::uint8_t {
  kNone,     // no such token
  kRead,     // statistics and lists
  kControl,  // everything
};

class Tokens {
 public:
  // Empty: there are none.  kIo: the file cannot be read; kInvalidSetting: a line of it cannot, or
  // others may read it.  On an error the tokens of before stay.
  Result<Done> Load(const std::string& path);

  // There is a file: who has no token of it may do nothing that needs one.
  bool required() const;
  TokenRole Find(std::string_view token) const;

 private:
  using Hash = std::array<unsigned char, 32>;
  struct Entry {
    Hash hash;
    TokenRole role;
  };
  static Hash HashOf(std::string_view token);
  static Result<std::vector<Entry>> Read(const std::string& path);

  mutable std::mutex mutex_;  // protects entries_; null: there is no file
  std::shared_ptr<const std::vector<Entry>> entries_;
};

}  // namespace pgvalet::api
