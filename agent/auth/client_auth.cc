#include "auth/client_auth.h"

#include <utility>

#include "auth/crypto.h"
#include "auth/scram.h"
#include "auth/scram_text.h"

namespace pgvalet::auth {
namespace {

constexpr unsigned char kCleartextPassword = 3;
constexpr unsigned char kMd5Password = 5;
constexpr unsigned char kSasl = 10;
constexpr unsigned char kSaslContinue = 11;
constexpr unsigned char kSaslFinal = 12;

// The body of an Authentication message: its code in four bytes, then its data.
std::string Body(unsigned char code, std::string_view data = {}) {
  std::string body(3, '\0');
  body += static_cast<char>(code);
  body += data;
  return body;
}

Error WrongPassword(const char* why) { return Error{ErrorCode::kAuth, why, 0, {}, "28P01"}; }

// Why no password can be right, for the log.
const char* WhyDoomed(const Secret* secret) {
  if (secret == nullptr) return "no such user";
  if (secret->kind() == SecretKind::kMd5) {
    return "only the md5 hash of the password is known, scram-sha-256 cannot check it";
  }
  return "user has no password";
}

// The text of a PasswordMessage, without the NUL that ends it.
Result<std::string_view> PasswordText(std::string_view body) {
  if (body.empty() || body.find('\0') != body.size() - 1)
    return Malformed("password message is not one string");
  if (body.size() == 1) return WrongPassword("client sent an empty password");
  return body.substr(0, body.size() - 1);
}

}  // namespace

ClientAuth::ClientAuth(config::AuthType type, std::string_view user,
                       std::shared_ptr<const Secret> secret, VerifierCache& verifiers)
    : user_(user), secret_(std::move(secret)), verifiers_(verifiers) {
  const bool has_verifier = secret_ && secret_->kind() == SecretKind::kScram;
  switch (type) {
    case config::AuthType::kTrust:
      method_ = Method::kTrust;
      break;
    case config::AuthType::kPlain:
      method_ = Method::kPlain;
      break;
    case config::AuthType::kMd5:
      // As PostgreSQL and PgBouncer do: md5 in the settings means "md5 or better".
      method_ = has_verifier ? Method::kScram : Method::kMd5;
      break;
    case config::AuthType::kScramSha256:
      method_ = Method::kScram;
      break;
  }
}

Result<ClientStep> ClientAuth::Start() {
  switch (method_) {
    case Method::kTrust:
      return ClientStep{true, {}};
    case Method::kPlain:
      return ClientStep{false, Body(kCleartextPassword)};
    case Method::kMd5:
      return StartMd5();
    case Method::kScram:
      return StartScram();
  }
  return Malformed("no login method");
}

Result<ClientStep> ClientAuth::OnMessage(std::string_view body) {
  if (body.size() > kMaxClientMessageBytes) return Malformed("login message is too long");
  switch (std::exchange(method_, Method::kTrust)) {
    case Method::kTrust:
      return Malformed("login message out of turn");
    case Method::kPlain:
      return OnPassword(body);
    case Method::kMd5:
      return OnMd5(body);
    case Method::kScram:
      return OnScram(body);
  }
  return Malformed("no login method");
}

Result<ClientStep> ClientAuth::StartMd5() {
  Result<Md5Salt> salt = NewMd5Salt();
  if (!salt) return salt.error();
  md5_salt_ = *salt;
  return ClientStep{false, Body(kMd5Password, {md5_salt_.data(), md5_salt_.size()})};
}

Result<ClientStep> ClientAuth::StartScram() {
  Result<std::string> nonce = ScramServer::NewNonce();
  if (!nonce) return nonce.error();
  const SecretKind kind = secret_ ? secret_->kind() : SecretKind::kNone;
  if (kind == SecretKind::kScram) {
    scram_.emplace(std::shared_ptr<const ScramVerifier>(secret_, &secret_->scram()),
                   ScramServer::Doom::kNo, *std::move(nonce));
  } else if (kind == SecretKind::kPlain) {
    Result<std::shared_ptr<const ScramVerifier>> verifier =
        verifiers_.ForPassword(user_, secret_->plain());
    if (!verifier) return verifier.error();
    scram_.emplace(*std::move(verifier), ScramServer::Doom::kNo, *std::move(nonce));
  } else {
    scram_.emplace(verifiers_.Mock(user_), ScramServer::Doom::kYes, *std::move(nonce));
  }
  return ClientStep{false, Body(kSasl, ScramServer::Mechanisms())};
}

Result<ClientStep> ClientAuth::OnPassword(std::string_view body) {
  Result<std::string_view> password = PasswordText(body);
  if (!password) return password.error();
  Result<Done> checked = CheckPassword(*password);
  if (!checked) return checked.error();
  return ClientStep{true, {}};
}

Result<Done> ClientAuth::CheckPassword(std::string_view password) {
  const Error wrong = WrongPassword("wrong password");
  switch (secret_ ? secret_->kind() : SecretKind::kNone) {
    case SecretKind::kNone:
      return WrongPassword(WhyDoomed(secret_.get()));
    case SecretKind::kPlain:
      return SameBytes(password, secret_->plain()) ? Result<Done>(Done{}) : wrong;
    case SecretKind::kMd5: {
      Result<Secret> hashed = Md5SecretOf(password, user_);
      if (!hashed) return hashed.error();
      return *hashed == *secret_ ? Result<Done>(Done{}) : wrong;
    }
    case SecretKind::kScram: {
      const ScramVerifier& verifier = secret_->scram();
      Result<ScramKeys> keys = DeriveScramKeys(password, verifier.salt, verifier.iterations);
      if (!keys) return keys.error();
      if (!keys->BelongTo(verifier)) return wrong;
      learned_keys_ = std::make_shared<const ScramKeys>(*std::move(keys));
      return Done{};
    }
  }
  return wrong;
}

Result<ClientStep> ClientAuth::OnMd5(std::string_view body) {
  Result<std::string_view> answer = PasswordText(body);
  if (!answer) return answer.error();
  const SecretKind kind = secret_ ? secret_->kind() : SecretKind::kNone;
  if (kind == SecretKind::kNone) return WrongPassword(WhyDoomed(secret_.get()));
  Result<SecretText> expected = Md5Response(*secret_, user_, md5_salt_);
  if (!expected) return expected.error();
  if (!SameBytes(*answer, expected->view())) return WrongPassword("wrong password");
  return ClientStep{true, {}};
}

Result<ClientStep> ClientAuth::OnScram(std::string_view body) {
  Result<std::string> data =
      scram_begun_ ? scram_->OnResponse(body) : scram_->OnInitialResponse(body);
  scram_begun_ = true;
  const SecretKind kind = secret_ ? secret_->kind() : SecretKind::kNone;
  if (!data) {
    const bool doomed = kind == SecretKind::kNone || kind == SecretKind::kMd5;
    if (data.error().code == ErrorCode::kAuth && doomed) {
      return WrongPassword(WhyDoomed(secret_.get()));
    }
    return data.error();
  }
  if (!scram_->done()) {
    method_ = Method::kScram;  // one more message is due
    return ClientStep{false, Body(kSaslContinue, *data)};
  }
  if (kind == SecretKind::kScram) {
    learned_keys_ = std::make_shared<const ScramKeys>(scram_->keys());
  }
  return ClientStep{true, Body(kSaslFinal, *data)};
}

std::string ClientText(const Error& error, std::string_view user) {
  if (error.sqlstate != "28P01") return error.what;
  return "password authentication failed for user \"" + std::string(user) + "\"";
}

}  // namespace pgvalet::auth
