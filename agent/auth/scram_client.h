// The client side of SCRAM-SHA-256: let us in, and prove that you are the server.
//
// One object per login to a server, used by server_auth.  Steps only: the caller moves the
// messages.  The server is not trusted: lengths, nonce and iterations are bounded, and without
// its signature there is no success.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "auth/scram.h"
#include "auth/secret.h"
#include "base/result.h"

namespace pgvalet::auth {

// How hard a server may make us work, and how little it may ask for when all we have is the
// password: few iterations let whoever listens guess it quickly.
struct ScramLimits {
  int min_iterations = kScramIterations;
  int max_iterations = kMaxDerivedIterations;
};

class ScramClient {
 public:
  // Logs in with `keys` where they fit the server's salt and iterations, else with `password`.
  // Either may be missing (null, empty).  `nonce` as for ScramServer.
  ScramClient(SecretText password, std::shared_ptr<const ScramKeys> keys, std::string nonce,
              ScramLimits limits = {});

  // The client-first-message.
  std::string Start();
  // Takes the data of AuthenticationSASLContinue; returns the client-final-message.
  Result<std::string> OnContinue(std::string_view data);
  // Takes the data of AuthenticationSASLFinal.
  Result<Done> OnFinal(std::string_view data);

  bool done() const { return state_ == State::kDone; }

  // What logged us in; worth keeping, it saves the derivation next time.  REQUIRES: done().
  std::shared_ptr<const ScramKeys> keys() const { return keys_; }

 private:
  enum class State : std::uint8_t { kInitial, kServerFirst, kServerFinal, kDone, kFailed };

  Result<Done> ChooseKeys(std::string_view salt, int iterations);

  State state_ = State::kInitial;
  SecretText password_;
  std::shared_ptr<const ScramKeys> keys_;
  std::string nonce_;  // ours
  ScramLimits limits_;
  std::string auth_message_;
};

}  // namespace pgvalet::auth
