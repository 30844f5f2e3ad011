#include "auth/server_auth.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <utility>

#include "auth/md5.h"
#include "auth/scram_server.h"
#include "auth/scram_text.h"

namespace pgvalet::auth {
namespace {

// Codes of Authentication messages.
enum Request : std::uint32_t {
  kOk = 0,
  kKerberosV5 = 2,
  kCleartext = 3,
  kMd5 = 5,
  kScmCredential = 6,
  kGss = 7,
  kSspi = 9,
  kSasl = 10,
  kSaslContinue = 11,
  kSaslFinal = 12,
};

const char* UnsupportedText(std::uint32_t request) {
  switch (request) {
    case kKerberosV5:
      return "server asks for Kerberos V5, which is not supported";
    case kScmCredential:
      return "server asks for SCM credentials, which are not supported";
    case kGss:
      return "server asks for GSSAPI, which is not supported";
    case kSspi:
      return "server asks for SSPI, which is not supported";
    default:
      return "server asks for a login method that is not known";
  }
}

std::uint32_t ReadUint32(std::string_view bytes) {
  std::uint32_t value = 0;
  for (const char c : bytes.substr(0, 4)) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

void AppendUint32(std::string& bytes, std::size_t value) {
  for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(value >> shift & 0xff);
}

// Looks for `name` in the list of NUL-ended names, itself ended by an empty one.
Result<Done> FindMechanism(std::string_view list, std::string_view name) {
  bool found = false;
  while (!list.empty() && list[0] != '\0') {
    const std::size_t end = list.find('\0');
    if (end == std::string_view::npos) break;
    found = found || list.substr(0, end) == name;
    list.remove_prefix(end + 1);
  }
  if (list.size() != 1 || list[0] != '\0') {
    return Malformed("malformed list of SASL mechanisms from server");
  }
  if (found) return Done{};
  return Error{
      ErrorCode::kAuth, "server offers no SASL mechanism but unsupported ones", 0, {}, "28000"};
}

// What we have is not what the server wants; the detail says whom it concerns and what helps.
Error Lacking(const char* what, const std::string& user) {
  return Error{ErrorCode::kAuth, what, 0,
               "user \"" + user + "\" needs its password in auth_file or in the database's entry",
               "28000"};
}

Error NothingKnown(const std::string& user) {
  return Lacking("server asks for a password and none is known", user);
}

SecretText EndedByNul(std::string_view text) {
  std::string ended(text);
  ended += '\0';
  SecretText result(ended);
  OPENSSL_cleanse(ended.data(), ended.size());
  return result;
}

}  // namespace

ServerAuth::ServerAuth(ServerCredentials credentials, ScramLimits limits)
    : credentials_(std::move(credentials)), limits_(limits) {}

Result<ServerStep> ServerAuth::OnAuthentication(std::string_view body) {
  if (body.size() < 4 || body.size() > kMaxServerMessageBytes) {
    state_ = State::kFailed;
    return Malformed("authentication message of server has an impossible length");
  }
  Result<ServerStep> step = Answer(ReadUint32(body), body.substr(4));
  if (!step) state_ = State::kFailed;
  return step;
}

Result<ServerStep> ServerAuth::Answer(std::uint32_t request, std::string_view data) {
  if (state_ == State::kFailed || state_ == State::kDone) {
    return Malformed("authentication message of server after the login");
  }
  if (request == kOk) return OnOk(data);
  if (state_ == State::kScram) return OnSaslStep(request, data);
  if (state_ != State::kInitial) return Malformed("server asks for a second login");
  switch (request) {
    case kCleartext:
      return OnCleartext(data);
    case kMd5:
      return OnMd5(data);
    case kSasl:
      return OnSasl(data);
    case kSaslContinue:
    case kSaslFinal:
      return Malformed("SCRAM message from server out of turn");
    default:
      return Error{ErrorCode::kAuth, UnsupportedText(request), 0, "code " + std::to_string(request),
                   "28000"};
  }
}

Result<ServerStep> ServerAuth::OnOk(std::string_view data) {
  if (!data.empty()) return Malformed("malformed AuthenticationOk from server");
  // Who skips its signature does not know the password: perhaps it is not our server.
  if (state_ == State::kScram) {
    return Error{ErrorCode::kAuth,
                 "server ended SCRAM without proving that it knows the password",
                 0,
                 {},
                 "28000"};
  }
  if (scram_) learned_keys_ = scram_->keys();
  state_ = State::kDone;
  return ServerStep{true, {}};
}

Result<ServerStep> ServerAuth::OnCleartext(std::string_view data) {
  if (!data.empty()) return Malformed("malformed password request from server");
  const Secret* secret = credentials_.secret.get();
  if (secret == nullptr || secret->kind() == SecretKind::kNone) {
    return NothingKnown(credentials_.user);
  }
  if (secret->kind() != SecretKind::kPlain) {
    return Lacking("server asks for the password itself, only a hash of it is known",
                   credentials_.user);
  }
  state_ = State::kAnswered;
  return ServerStep{false, EndedByNul(secret->plain())};
}

Result<ServerStep> ServerAuth::OnMd5(std::string_view data) {
  Md5Salt salt{};
  if (data.size() != salt.size()) return Malformed("malformed md5 request from server");
  std::copy(data.begin(), data.end(), salt.begin());
  const Secret* secret = credentials_.secret.get();
  if (secret == nullptr || secret->kind() == SecretKind::kNone) {
    return NothingKnown(credentials_.user);
  }
  if (secret->kind() == SecretKind::kScram) {
    return Lacking("server asks for md5, only a SCRAM verifier is known", credentials_.user);
  }
  Result<SecretText> answer = Md5Response(*secret, credentials_.user, salt);
  if (!answer) return answer.error();
  state_ = State::kAnswered;
  return ServerStep{false, EndedByNul(answer->view())};
}

Result<ServerStep> ServerAuth::OnSasl(std::string_view data) {
  Result<Done> offered = FindMechanism(data, kScramSha256);
  if (!offered) return offered.error();
  const Secret* secret = credentials_.secret.get();
  const SecretKind kind = secret == nullptr ? SecretKind::kNone : secret->kind();
  if (!credentials_.keys && kind == SecretKind::kNone) return NothingKnown(credentials_.user);
  if (!credentials_.keys && kind == SecretKind::kMd5) {
    return Lacking("server asks for SCRAM, only an md5 hash is known", credentials_.user);
  }
  if (!credentials_.keys && kind == SecretKind::kScram) {
    return Error{ErrorCode::kAuth, "server asks for SCRAM, only the verifier is known", 0,
                 "user \"" + credentials_.user +
                     "\" must log in by SCRAM or password through pgvalet first, or needs its "
                     "password in auth_file",
                 "28000"};
  }
  Result<std::string> nonce = ScramServer::NewNonce();
  if (!nonce) return nonce.error();
  scram_.emplace(SecretText(kind == SecretKind::kPlain ? secret->plain() : std::string_view()),
                 credentials_.keys, *std::move(nonce), limits_);
  const std::string first = scram_->Start();
  std::string reply(kScramSha256);
  reply += '\0';
  AppendUint32(reply, first.size());
  reply += first;
  state_ = State::kScram;
  return ServerStep{false, SecretText(reply)};
}

Result<ServerStep> ServerAuth::OnSaslStep(std::uint32_t request, std::string_view data) {
  if (request == kSaslContinue) {
    Result<std::string> answer = scram_->OnContinue(data);
    if (!answer) return answer.error();
    return ServerStep{false, SecretText(*answer)};
  }
  if (request != kSaslFinal) return Malformed("server asks for a second login");
  Result<Done> proved = scram_->OnFinal(data);
  if (!proved) return proved.error();
  state_ = State::kProved;
  return ServerStep{false, {}};
}

}  // namespace pgvalet::auth
