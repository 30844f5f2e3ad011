// Our login to a server, whatever method it asks for: messages in, messages out.
//
// One object per server connection being made, dropped when the login is over:
//
//   ServerAuth login(credentials);
//   for every 'R' read (at most kMaxServerMessageBytes):
//     Result<ServerStep> step = login.OnAuthentication(body);
//     error -> close;  step->ok -> ParameterStatus and the rest follow;
//     else if (!step->reply.empty()) send 'p' with reply.view();  else just read on
//
// A body is a message without its type byte and length.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "auth/scram_client.h"
#include "auth/secret.h"
#include "base/result.h"

namespace pgvalet::auth {

// Longest body of 'R' a server may send.
inline constexpr std::size_t kMaxServerMessageBytes = 4096;

// Who we are to a server: all of it belongs to this user of this server, so what a client proved
// is of no use here when the database entry forces another user.
struct ServerCredentials {
  std::string user;
  std::shared_ptr<const Secret> secret;   // null: we know nothing
  std::shared_ptr<const ScramKeys> keys;  // null: none learned; they are tried before the secret
};

struct ServerStep {
  bool ok = false;
  SecretText reply;  // body of 'p'; empty: nothing to send
};

class ServerAuth {
 public:
  explicit ServerAuth(ServerCredentials credentials, ScramLimits limits = {});

  // Error: kAuth, 28000, when the server wants what we do not have (detail says what
  // would help) or cannot prove itself; kProtocol, 08P01, when its message cannot be read.
  Result<ServerStep> OnAuthentication(std::string_view body);

  // After ok: what to keep for the next login of this user, null unless it was by SCRAM.
  std::shared_ptr<const ScramKeys> learned_keys() const { return learned_keys_; }

 private:
  enum class State : std::uint8_t { kInitial, kAnswered, kScram, kProved, kDone, kFailed };

  Result<ServerStep> Answer(std::uint32_t request, std::string_view data);
  Result<ServerStep> OnOk(std::string_view data);
  Result<ServerStep> OnCleartext(std::string_view data);
  Result<ServerStep> OnMd5(std::string_view data);
  Result<ServerStep> OnSasl(std::string_view data);
  Result<ServerStep> OnSaslStep(std::uint32_t request, std::string_view data);

  State state_ = State::kInitial;
  ServerCredentials credentials_;
  ScramLimits limits_;
  std::optional<ScramClient> scram_;
  std::shared_ptr<const ScramKeys> learned_keys_;
};

}  // namespace pgvalet::auth
