// The login of one client, whatever the method: messages in, messages out.
//
// One object per login, on the core of that client session, dropped when the login is over.
// The caller looks the secret up first (user directory, auth_query), then:
//
//   ClientAuth login(type, user, secret, verifier_cache);
//   Result<ClientStep> step = login.Start();
//   while (step && !step->ok) {
//     send 'R' with step->send;  read 'p', at most kMaxClientMessageBytes;
//     step = login.OnMessage(body);
//   }
//   if (!step)  -> ErrorResponse FATAL, step.error().sqlstate, ClientText(step.error(), user)
//   else  -> if (!step->send.empty()) send 'R' with it;  then 'R' with kAuthenticationOk
//
// A body is a message without its type byte and length.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "auth/md5.h"
#include "auth/scram_server.h"
#include "auth/secret.h"
#include "auth/verifier_cache.h"
#include "base/result.h"
#include "config/settings.h"

namespace pgvalet::auth {

// The body of AuthenticationOk.
inline constexpr std::string_view kAuthenticationOk{"\0\0\0\0", 4};

// Longest body of 'p' a client may send while it logs in; a longer one is not worth reading.
inline constexpr std::size_t kMaxClientMessageBytes = 10'000;

struct ClientStep {
  bool ok = false;   // the client is who it says it is
  std::string send;  // body of the next 'R'; with ok: to be sent before AuthenticationOk, or empty
};

class ClientAuth {
 public:
  // `secret` null: there is no such user; the exchange is played and fails at its end.
  // trust lets everyone in: whether a name must be known is the caller's rule.
  // `verifiers` outlives this object.
  ClientAuth(config::AuthType type, std::string_view user, std::shared_ptr<const Secret> secret,
             VerifierCache& verifiers);

  // Both fail with code kAuth (28P01: wrong user or password) or kProtocol (08P01 malformed,
  // 0A000 not supported); Error::what says which for the log, it may tell more than a client
  // should know.  After an error or ok the object is spent.
  Result<ClientStep> Start();
  Result<ClientStep> OnMessage(std::string_view body);

  // After ok: keys that open a server which stores the same verifier as our secret.  Null when
  // the login did not show them (trust, md5) or when the secret is no verifier.
  std::shared_ptr<const ScramKeys> learned_keys() const { return learned_keys_; }

 private:
  enum class Method : std::uint8_t { kTrust, kPlain, kMd5, kScram };

  Result<ClientStep> StartMd5();
  Result<ClientStep> StartScram();
  Result<ClientStep> OnPassword(std::string_view body);
  Result<ClientStep> OnMd5(std::string_view body);
  Result<ClientStep> OnScram(std::string_view body);
  // Done when `password` is right, else the reason.
  Result<Done> CheckPassword(std::string_view password);

  Method method_;
  std::string user_;
  std::shared_ptr<const Secret> secret_;
  VerifierCache& verifiers_;
  Md5Salt md5_salt_{};
  std::optional<ScramServer> scram_;
  bool scram_begun_ = false;
  std::shared_ptr<const ScramKeys> learned_keys_;
};

// The sentence for the client's ErrorResponse: the same for every wrong user or password.
std::string ClientText(const Error& error, std::string_view user);

}  // namespace pgvalet::auth
