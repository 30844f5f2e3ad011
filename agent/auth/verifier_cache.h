// Verifiers for users of whom we know the password itself, and mock verifiers for those who do
// not exist.
//
// One object per process, made at start, lives as long as any login.  Thread-safe: a login asks
// once.  Keeps what it derived, so a password costs its 4096 iterations (about 1 ms on the event
// loop of the core that asks) once and not once per login.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "auth/secret.h"
#include "auth/text_hash.h"
#include "base/result.h"

namespace pgvalet::auth {

class VerifierCache {
 public:
  // Users kept at most; beyond it an arbitrary one is dropped and derived again when it returns.
  static constexpr std::size_t kMaxUsers = 10'000;

  // Draws the process secret that salts come from.  Error: no randomness.
  static Result<std::unique_ptr<VerifierCache>> Create();
  // For tests and for processes that must answer alike.
  explicit VerifierCache(const Key& process_secret);
  VerifierCache(const VerifierCache&) = delete;
  VerifierCache& operator=(const VerifierCache&) = delete;

  // The verifier of `user` whose password is `password`.
  Result<std::shared_ptr<const ScramVerifier>> ForPassword(std::string_view user,
                                                           std::string_view password);

  // A verifier no proof fits, with the salt that ForPassword() would use for this name: asking
  // twice for a user who does not exist gives the same salt, as it would for one who does.
  std::shared_ptr<const ScramVerifier> Mock(std::string_view user) const;

  std::size_t size() const;

 private:
  struct Entry {
    SecretText password;
    std::shared_ptr<const ScramVerifier> verifier;
  };
  std::string SaltFor(std::string_view user) const;

  const Key process_secret_;
  mutable std::mutex mutex_;  // protects entries_
  std::unordered_map<std::string, Entry, TextHash, std::equal_to<>> entries_;
};

}  // namespace pgvalet::auth
