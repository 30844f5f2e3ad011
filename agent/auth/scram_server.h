// The server side of SCRAM-SHA-256: is this client who it says it is?
//
// One object per login, used by client_auth on the core of that client session.  Steps only:
// the caller moves the messages.  Without channel binding; SCRAM-SHA-256-PLUS will be a second
// mechanism here once clients come over TLS.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "auth/secret.h"
#include "base/result.h"

namespace pgvalet::auth {

class ScramServer {
 public:
  enum class Doom : bool { kNo, kYes };

  // Checks proofs against `verifier`.  With Doom::kYes the exchange goes its normal way and fails
  // at the end, whatever the proof: for users who do not exist.
  // `nonce` is our half of the nonce, printable without comma; NewNonce() outside of tests.
  ScramServer(std::shared_ptr<const ScramVerifier> verifier, Doom doom, std::string nonce);

  // A fresh half of a nonce.  Error: no randomness.
  static Result<std::string> NewNonce();

  // The mechanisms for AuthenticationSASL: each ended by NUL, the list by another.
  static std::string Mechanisms();

  // Takes the body of SASLInitialResponse; returns the data of AuthenticationSASLContinue.
  // Error: kProtocol with sqlstate 08P01 or 0A000, the text is for the client.
  Result<std::string> OnInitialResponse(std::string_view body);

  // Takes the body of SASLResponse; returns the data of AuthenticationSASLContinue or, when
  // done(), of AuthenticationSASLFinal.  Error: as above, or kAuth when the proof is wrong.
  Result<std::string> OnResponse(std::string_view body);

  bool done() const { return state_ == State::kDone; }

  // What the client proved to have.  REQUIRES: done().
  const ScramKeys& keys() const { return keys_; }

 private:
  enum class State : std::uint8_t { kInitial, kClientFirst, kClientFinal, kDone, kFailed };

  Result<std::string> OnClientFirst(std::string_view message);
  Result<std::string> OnClientFinal(std::string_view message);
  bool CheckProof(std::string_view proof);

  State state_ = State::kInitial;
  std::shared_ptr<const ScramVerifier> verifier_;
  bool doomed_;
  std::string nonce_;         // ours, then the client's followed by ours
  std::string gs2_header_;    // "n,," or "y,,"
  std::string auth_message_;  // grows to client-first-bare,server-first,client-final-without-proof
  ScramKeys keys_;
};

}  // namespace pgvalet::auth
