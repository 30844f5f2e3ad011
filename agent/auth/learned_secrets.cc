#include "auth/learned_secrets.h"

#include <utility>

namespace pgvalet::auth {
namespace {

// Neither part can hold a zero byte: both came as C strings or from a settings file's key.
std::string KeyOf(const Login& login) {
  std::string key;
  key.reserve(login.realm.size() + 1 + login.user.size());
  key.append(login.realm).append(1, '\0').append(login.user);
  return key;
}

}  // namespace

LearnedSecrets::Entry& LearnedSecrets::EntryFor(const Login& login) {
  std::string key = KeyOf(login);
  const auto known = entries_.find(key);
  if (known != entries_.end()) return known->second;
  if (entries_.size() >= kMaxLogins) entries_.erase(entries_.begin());
  return entries_[std::move(key)];
}

void LearnedSecrets::Learn(const Login& login, std::shared_ptr<const Secret> secret, Time now) {
  const std::lock_guard lock(mutex_);
  Entry& entry = EntryFor(login);
  if (!entry.secret || !(*entry.secret == *secret)) entry.keys = nullptr;
  entry.secret = std::move(secret);
  entry.is_answer = true;
  entry.since = now;
}

std::shared_ptr<const Secret> LearnedSecrets::Find(const Login& login, Time now,
                                                   Duration max_age) const {
  const std::lock_guard lock(mutex_);
  const auto known = entries_.find(KeyOf(login));
  if (known == entries_.end() || !known->second.is_answer) return nullptr;
  return Since(known->second.since, now) <= max_age ? known->second.secret : nullptr;
}

void LearnedSecrets::LearnKeys(const Login& login, std::shared_ptr<const Secret> secret,
                               std::shared_ptr<const ScramKeys> keys) {
  if (!secret || !keys) return;
  if (secret->kind() == SecretKind::kScram && !keys->BelongTo(secret->scram())) return;
  const std::lock_guard lock(mutex_);
  Entry& entry = EntryFor(login);
  const bool same = entry.secret && *entry.secret == *secret;
  // While this login went on, auth_query may have brought a newer secret.
  if (!same && entry.is_answer) return;
  if (!same) entry.secret = std::move(secret);
  entry.keys = std::move(keys);
}

std::shared_ptr<const ScramKeys> LearnedSecrets::FindKeys(const Login& login,
                                                          const Secret& secret) {
  const std::lock_guard lock(mutex_);
  const auto known = entries_.find(KeyOf(login));
  if (known == entries_.end() || !known->second.keys) return nullptr;
  if (!(*known->second.secret == secret)) known->second.keys = nullptr;
  return known->second.keys;
}

void LearnedSecrets::ForgetKeys(const Login& login) {
  const std::lock_guard lock(mutex_);
  const auto known = entries_.find(KeyOf(login));
  if (known != entries_.end()) known->second.keys = nullptr;
}

void LearnedSecrets::Forget(const Login& login) {
  const std::lock_guard lock(mutex_);
  entries_.erase(KeyOf(login));
}

void LearnedSecrets::ForgetAnswers() {
  const std::lock_guard lock(mutex_);
  for (auto& [key, entry] : entries_) entry.is_answer = false;
}

std::size_t LearnedSecrets::size() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

}  // namespace pgvalet::auth
