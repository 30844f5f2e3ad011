#include "auth/scram_client.h"

#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "auth/crypto.h"
#include "auth/scram_text.h"

namespace pgvalet::auth {
namespace {

constexpr std::string_view kGs2Header = "n,,";  // we cannot bind channels yet

Error CannotLogIn(const char* what, std::string detail = {}) {
  return Error{ErrorCode::kAuth, what, 0, std::move(detail), "28000"};
}

struct ServerFirst {
  std::string_view nonce;
  std::string salt;
  int iterations = 0;
};

Result<ServerFirst> ParseServerFirst(std::string_view data) {
  if (data.starts_with("m=")) return Malformed("server requires a SCRAM extension we do not have");
  ScramReader reader(data);
  const std::optional<std::string_view> nonce = reader.Take('r');
  const std::optional<std::string_view> salt = nonce ? reader.Take('s') : std::nullopt;
  const std::optional<std::string_view> count = salt ? reader.Take('i') : std::nullopt;
  if (!count || !reader.SkipExtensions()) return Malformed("malformed SCRAM message from server");
  if (!IsNonce(*nonce)) return Malformed("SCRAM nonce from server cannot be used");

  ServerFirst first{*nonce, {}, 0};
  std::optional<std::string> raw_salt = FromBase64(*salt);
  if (!raw_salt || raw_salt->empty() || raw_salt->size() > kMaxSaltBytes) {
    return Malformed("SCRAM salt from server cannot be used");
  }
  first.salt = *std::move(raw_salt);
  const char* const count_end = count->data() + count->size();
  const auto [end, failed] = std::from_chars(count->data(), count_end, first.iterations);
  if (failed != std::errc() || end != count_end || first.iterations < 1) {
    return Malformed("SCRAM iteration count from server cannot be used");
  }
  return first;
}

// The server's own words, short and fit for a log.
std::string Printable(std::string_view text) {
  std::string result(text.substr(0, 100));
  std::replace_if(
      result.begin(), result.end(), [](char c) { return c < 0x20 || c > 0x7e; }, '?');
  return result;
}

}  // namespace

ScramClient::ScramClient(SecretText password, std::shared_ptr<const ScramKeys> keys,
                         std::string nonce, ScramLimits limits)
    : password_(std::move(password)),
      keys_(std::move(keys)),
      nonce_(std::move(nonce)),
      limits_(limits) {}

std::string ScramClient::Start() {
  // No name: PostgreSQL goes by the startup packet, and so needs no SASLprep of it.
  auth_message_ = "n=,r=" + nonce_;
  state_ = State::kServerFirst;
  return std::string(kGs2Header) + auth_message_;
}

Result<std::string> ScramClient::OnContinue(std::string_view data) {
  if (std::exchange(state_, State::kFailed) != State::kServerFirst) {
    return Malformed("SCRAM message from server out of turn");
  }
  if (data.size() > kMaxSaslMessageBytes) return Malformed("SCRAM message from server is too long");
  Result<ServerFirst> first = ParseServerFirst(data);
  if (!first) return first.error();
  // Ours and something more: else the server could replay an old login.
  if (!first->nonce.starts_with(nonce_) || first->nonce.size() == nonce_.size()) {
    return Malformed("SCRAM nonce from server does not continue ours");
  }
  Result<Done> chosen = ChooseKeys(first->salt, first->iterations);
  if (!chosen) return chosen.error();

  std::string answer = "c=" + ToBase64(kGs2Header) + ",r=" + std::string(first->nonce);
  auth_message_ += "," + std::string(data) + "," + answer;
  const Key stored_key = Sha256(keys_->client_key.view());
  const Key proof = Xor(keys_->client_key, HmacSha256(stored_key.view(), auth_message_));
  state_ = State::kServerFinal;
  return answer + ",p=" + ToBase64(proof.view());
}

Result<Done> ScramClient::ChooseKeys(std::string_view salt, int iterations) {
  if (keys_ && keys_->salt == salt && keys_->iterations == iterations) return Done{};
  if (password_.empty()) {
    return CannotLogIn(keys_ ? "server keeps another SCRAM verifier of this user than the one its "
                               "client proved to know"
                             : "no password is known for the server");
  }
  if (iterations < limits_.min_iterations) {
    return CannotLogIn("server asks for too few SCRAM iterations to keep the password safe",
                       std::to_string(iterations) + ", at least " +
                           std::to_string(limits_.min_iterations) + " are needed");
  }
  if (iterations > limits_.max_iterations) {
    return CannotLogIn("server asks for too many SCRAM iterations",
                       std::to_string(iterations) + ", at most " +
                           std::to_string(limits_.max_iterations) + " are allowed");
  }
  Result<ScramKeys> keys = DeriveScramKeys(password_.view(), salt, iterations);
  if (!keys) return keys.error();
  keys_ = std::make_shared<const ScramKeys>(*std::move(keys));
  return Done{};
}

Result<Done> ScramClient::OnFinal(std::string_view data) {
  if (std::exchange(state_, State::kFailed) != State::kServerFinal) {
    return Malformed("SCRAM message from server out of turn");
  }
  if (data.size() > kMaxSaslMessageBytes) return Malformed("SCRAM message from server is too long");
  ScramReader reader(data);
  if (const std::optional<std::string_view> refusal = reader.Take('e')) {
    return CannotLogIn("server refused the SCRAM exchange", Printable(*refusal));
  }
  const std::optional<std::string_view> signature = reader.Take('v');
  if (!signature || !reader.SkipExtensions()) {
    return Malformed("malformed SCRAM message from server");
  }
  const std::optional<std::string> raw = FromBase64(*signature);
  const Key expected = HmacSha256(keys_->server_key.view(), auth_message_);
  if (!raw || !SameBytes(*raw, expected.view())) {
    return CannotLogIn("server could not prove that it knows the password");
  }
  state_ = State::kDone;
  return Done{};
}

}  // namespace pgvalet::auth
