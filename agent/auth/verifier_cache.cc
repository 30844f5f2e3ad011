#include "auth/verifier_cache.h"

#include <cstring>
#include <utility>

#include "auth/crypto.h"
#include "auth/scram.h"

namespace pgvalet::auth {
namespace {

constexpr std::size_t kSaltBytes = 16;  // as PostgreSQL's

}  // namespace

Result<std::unique_ptr<VerifierCache>> VerifierCache::Create() {
  Result<std::string> random = RandomBytes(Key::kBytes);
  if (!random) return random.error();
  Key process_secret;
  std::memcpy(process_secret.data(), random->data(), Key::kBytes);
  return std::make_unique<VerifierCache>(process_secret);
}

VerifierCache::VerifierCache(const Key& process_secret) : process_secret_(process_secret) {}

Result<std::shared_ptr<const ScramVerifier>> VerifierCache::ForPassword(std::string_view user,
                                                                        std::string_view password) {
  {
    const std::lock_guard lock(mutex_);
    const auto known = entries_.find(user);
    if (known != entries_.end() && SameBytes(known->second.password.view(), password)) {
      return known->second.verifier;
    }
  }
  // Without the lock: other cores need not wait for this millisecond.
  Result<ScramKeys> keys = DeriveScramKeys(password, SaltFor(user), kScramIterations);
  if (!keys) return keys.error();
  auto verifier = std::make_shared<const ScramVerifier>(VerifierOf(*keys));

  const std::lock_guard lock(mutex_);
  if (entries_.size() >= kMaxUsers && !entries_.contains(user)) entries_.erase(entries_.begin());
  entries_.insert_or_assign(std::string(user), Entry{SecretText(password), verifier});
  return std::shared_ptr<const ScramVerifier>(std::move(verifier));
}

std::shared_ptr<const ScramVerifier> VerifierCache::Mock(std::string_view user) const {
  // The keys are looked at, not believed: the exchange is doomed.
  return std::make_shared<const ScramVerifier>(
      ScramVerifier{kScramIterations, SaltFor(user), process_secret_, process_secret_});
}

std::size_t VerifierCache::size() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

std::string VerifierCache::SaltFor(std::string_view user) const {
  return std::string(HmacSha256(process_secret_.view(), user).view().substr(0, kSaltBytes));
}

}  // namespace pgvalet::auth
