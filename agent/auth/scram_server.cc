#include "auth/scram_server.h"

#include <cstring>
#include <optional>
#include <utility>

#include "auth/crypto.h"
#include "auth/scram.h"
#include "auth/scram_text.h"

namespace pgvalet::auth {
namespace {

constexpr std::size_t kOwnNonceBytes = 18;  // raw; 24 characters, as PostgreSQL's

Error NotSupported(const char* what) { return Error{ErrorCode::kProtocol, what, 0, {}, "0A000"}; }

// The data of SASLInitialResponse; "none" is an empty optional.
Result<std::optional<std::string_view>> InitialData(std::string_view body) {
  const std::size_t name_end = body.find('\0');
  if (name_end == std::string_view::npos || body.size() - name_end - 1 < 4) {
    return Malformed("SASLInitialResponse is cut short");
  }
  if (body.substr(0, name_end) != kScramSha256) {
    return Malformed("client selected a SASL mechanism that was not offered");
  }
  const std::string_view data = body.substr(name_end + 5);
  std::uint32_t size = 0;
  for (const char c : body.substr(name_end + 1, 4)) {
    size = size << 8 | static_cast<unsigned char>(c);
  }
  if (size == UINT32_MAX && data.empty()) return std::optional<std::string_view>();
  if (size != data.size()) return Malformed("SASLInitialResponse has a wrong length inside");
  return std::optional(data);
}

// Splits "n,,", "y,," off the client-first-message.
Result<std::string_view> TakeGs2Header(std::string_view& message) {
  if (message.starts_with("p=")) {
    return Malformed("client asks for channel binding, which was not offered");
  }
  if (!message.starts_with("n,") && !message.starts_with("y,")) {
    return Malformed("SCRAM message has no valid channel binding flag");
  }
  if (message.size() > 2 && message[2] == 'a') {
    return NotSupported("SCRAM authorization identity is not supported");
  }
  if (message.size() < 3 || message[2] != ',') {
    return Malformed("SCRAM message has no valid header");
  }
  const std::string_view header = message.substr(0, 3);
  message.remove_prefix(3);
  return header;
}

}  // namespace

ScramServer::ScramServer(std::shared_ptr<const ScramVerifier> verifier, Doom doom,
                         std::string nonce)
    : verifier_(std::move(verifier)), doomed_(doom == Doom::kYes), nonce_(std::move(nonce)) {}

Result<std::string> ScramServer::NewNonce() {
  Result<std::string> random = RandomBytes(kOwnNonceBytes);
  if (!random) return random.error();
  return ToBase64(*random);
}

std::string ScramServer::Mechanisms() {
  std::string list(kScramSha256);
  list.append(2, '\0');
  return list;
}

Result<std::string> ScramServer::OnInitialResponse(std::string_view body) {
  if (state_ != State::kInitial) return Malformed("SASLInitialResponse out of turn");
  state_ = State::kFailed;
  Result<std::optional<std::string_view>> data = InitialData(body);
  if (!data) return data.error();
  if (data->has_value()) return OnClientFirst(**data);
  // RFC 4422: a client without an initial response is asked for it by an empty challenge.
  state_ = State::kClientFirst;
  return std::string();
}

Result<std::string> ScramServer::OnResponse(std::string_view body) {
  const State state = std::exchange(state_, State::kFailed);
  if (state == State::kClientFirst) return OnClientFirst(body);
  if (state == State::kClientFinal) return OnClientFinal(body);
  return Malformed("SASLResponse out of turn");
}

Result<std::string> ScramServer::OnClientFirst(std::string_view message) {
  if (message.size() > kMaxSaslMessageBytes) return Malformed("SCRAM message is too long");
  if (message.find('\0') != std::string_view::npos) {
    return Malformed("SCRAM message contains a zero byte");
  }
  Result<std::string_view> header = TakeGs2Header(message);
  if (!header) return header.error();
  if (message.starts_with("m=")) {
    return NotSupported("client requires a SCRAM extension that is not supported");
  }
  ScramReader reader(message);
  // The name inside is ignored, as in PostgreSQL: the startup packet has said who it is.
  const std::optional<std::string_view> name = reader.Take('n');
  const std::optional<std::string_view> client_nonce = name ? reader.Take('r') : std::nullopt;
  if (!client_nonce || !reader.SkipExtensions()) return Malformed("malformed SCRAM message");
  if (!IsNonce(*client_nonce)) return Malformed("SCRAM nonce cannot be used");

  gs2_header_ = *header;
  nonce_.insert(0, *client_nonce);
  std::string answer = "r=" + nonce_ + ",s=" + ToBase64(verifier_->salt) +
                       ",i=" + std::to_string(verifier_->iterations);
  auth_message_ = std::string(message) + "," + answer + ",";
  state_ = State::kClientFinal;
  return answer;
}

Result<std::string> ScramServer::OnClientFinal(std::string_view message) {
  if (message.size() > kMaxSaslMessageBytes) return Malformed("SCRAM message is too long");
  // base64 holds no comma, so the proof begins at the last one.
  const std::size_t proof_at = message.rfind(",p=");
  if (proof_at == std::string_view::npos) return Malformed("malformed SCRAM message: no proof");
  const std::string_view without_proof = message.substr(0, proof_at);
  if (without_proof.find('\0') != std::string_view::npos) {
    return Malformed("SCRAM message contains a zero byte");
  }
  ScramReader reader(without_proof);
  const std::optional<std::string_view> binding = reader.Take('c');
  const std::optional<std::string_view> nonce = binding ? reader.Take('r') : std::nullopt;
  if (!nonce || !reader.SkipExtensions()) return Malformed("malformed SCRAM message");
  if (*binding != ToBase64(gs2_header_)) return Malformed("SCRAM channel binding does not match");
  if (*nonce != nonce_) return Malformed("SCRAM nonce does not match");

  auth_message_ += without_proof;
  const std::optional<std::string> proof = FromBase64(message.substr(proof_at + 3));
  if (!proof || proof->size() != Key::kBytes) return Malformed("malformed SCRAM proof");
  if (!CheckProof(*proof)) {
    return Error{ErrorCode::kAuth, "wrong password", 0, {}, "28P01"};
  }
  state_ = State::kDone;
  return "v=" + ToBase64(HmacSha256(verifier_->server_key.view(), auth_message_).view());
}

bool ScramServer::CheckProof(std::string_view proof) {
  Key claimed;
  std::memcpy(claimed.data(), proof.data(), Key::kBytes);
  const Key signature = HmacSha256(verifier_->stored_key.view(), auth_message_);
  const Key client_key = Xor(claimed, signature);
  if (!(Sha256(client_key.view()) == verifier_->stored_key) || doomed_) return false;
  keys_ = ScramKeys{verifier_->iterations, verifier_->salt, client_key, verifier_->server_key};
  return true;
}

}  // namespace pgvalet::auth
