#include "api/tokens.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <sstream>
#include <utility>

namespace pgvalet::api {
namespace {

constexpr std::size_t kMinTokenBytes = 20;

Error Unusable(const std::string& path, int line, const char* expected) {
  return Error{ErrorCode::kInvalidSetting, "the token file cannot be used", 0,
               path + ":" + std::to_string(line) + ": " + expected};
}

bool IsToken(const std::string& text) {
  return text.size() >= kMinTokenBytes &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c <= '~'; });
}

}  // namespace

Tokens::Hash Tokens::HashOf(std::string_view token) {
  Hash hash{};
  EVP_Digest(token.data(), token.size(), hash.data(), nullptr, EVP_sha256(), nullptr);
  return hash;
}

Result<std::vector<Tokens::Entry>> Tokens::Read(const std::string& path) {
  std::ifstream file(path);
  struct stat status {};
  if (!file || stat(path.c_str(), &status) != 0) {
    return Error{ErrorCode::kIo, "cannot read the token file", errno, path};
  }
  // As PostgreSQL wants of a private key: a file of root may be lent to a group.
  const mode_t lent = status.st_uid == 0 ? S_IRGRP : 0;
  if ((status.st_mode & (S_IRWXG | S_IRWXO) & ~lent) != 0) {
    return Unusable(
        path, 0, "expected a file that only its owner may read (chmod 600; 640 if it is root's)");
  }
  std::vector<Entry> entries;
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    std::istringstream words(line.substr(0, line.find('#')));
    std::string role;
    std::string token;
    std::string rest;
    if (!(words >> role)) continue;
    if (role != "read" && role != "control") {
      return Unusable(path, number, "expected \"read\" or \"control\", and a token");
    }
    if (!(words >> token) || words >> rest || !IsToken(token)) {
      return Unusable(path, number,
                      "expected one token behind the role: 20 or more printable characters");
    }
    entries.push_back({HashOf(token), role == "read" ? TokenRole::kRead : TokenRole::kControl});
  }
  return entries;
}

Result<Done> Tokens::Load(const std::string& path) {
  std::shared_ptr<const std::vector<Entry>> next;
  if (!path.empty()) {
    Result<std::vector<Entry>> entries = Read(path);
    if (!entries) return entries.error();
    next = std::make_shared<const std::vector<Entry>>(std::move(*entries));
  }
  const std::lock_guard lock(mutex_);
  entries_ = std::move(next);
  return Done{};
}

bool Tokens::required() const {
  const std::lock_guard lock(mutex_);
  return entries_ != nullptr;
}

TokenRole Tokens::Find(std::string_view token) const {
  std::shared_ptr<const std::vector<Entry>> entries;
  {
    const std::lock_guard lock(mutex_);
    entries = entries_;
  }
  if (!entries) return TokenRole::kNone;
  const Hash hash = HashOf(token);
  TokenRole role = TokenRole::kNone;
  for (const Entry& entry : *entries) {
    if (CRYPTO_memcmp(entry.hash.data(), hash.data(), hash.size()) == 0) {
      role = std::max(role, entry.role);
    }
  }
  return role;
}

}  // namespace pgvalet::api
