// What was learned while running: answers of auth_query, and SCRAM keys that clients proved to
// have (or that we derived) and that open the server for them.
//
// One object per process, lives as long as any login.  Thread-safe: cores share what they learn.
// Nothing in it outlives the process.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "auth/secret.h"
#include "base/clock.h"

namespace pgvalet::auth {

// A user of one realm.  Users of the same name in different clusters are different people, so
// the realm is whatever tells the clusters apart (the name of the database entry will do).
struct Login {
  std::string_view realm;
  std::string_view user;
};

class LearnedSecrets {
 public:
  // Logins kept at most; beyond it an arbitrary one is forgotten.
  static constexpr std::size_t kMaxLogins = 10'000;

  // An answer of auth_query.  Keys learned under another secret are dropped.
  void Learn(const Login& login, std::shared_ptr<const Secret> secret, Time now);

  // The answer learned at most `max_age` ago; null when there is none.
  std::shared_ptr<const Secret> Find(const Login& login, Time now, Duration max_age) const;

  // Keys that go with `secret`, the one that holds for this login now.
  void LearnKeys(const Login& login, std::shared_ptr<const Secret> secret,
                 std::shared_ptr<const ScramKeys> keys);

  // The keys learned under exactly `secret`; null when there are none.  Keys of any other secret
  // are dropped: the password has changed.
  std::shared_ptr<const ScramKeys> FindKeys(const Login& login, const Secret& secret);

  // Forgets the keys only: the server did not take them.
  void ForgetKeys(const Login& login);
  void Forget(const Login& login);
  // A reload: auth_query is asked again, keys stay until their secret changes.
  void ForgetAnswers();

  std::size_t size() const;

 private:
  struct Entry {
    std::shared_ptr<const Secret> secret;  // never null
    bool is_answer = false;                // from auth_query, learned at `since`
    Time since{};
    std::shared_ptr<const ScramKeys> keys;  // null: none learned
  };
  Entry& EntryFor(const Login& login);  // REQUIRES: mutex_ is held.

  mutable std::mutex mutex_;  // protects entries_
  std::unordered_map<std::string, Entry> entries_;
};

}  // namespace pgvalet::auth
