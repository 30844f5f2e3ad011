#include "api/authorize.h"

#include <algorithm>
#include <cctype>

namespace pgvalet::api {
namespace {

constexpr std::string_view kBearer = "bearer ";

// The token behind "Bearer "; HTTP says that the word may be written in any case.
std::string_view TokenIn(std::string_view authorization) {
  if (authorization.size() <= kBearer.size()) return {};
  const bool is_bearer =
      std::equal(kBearer.begin(), kBearer.end(), authorization.begin(),
                 [](char wanted, unsigned char got) { return wanted == std::tolower(got); });
  return is_bearer ? authorization.substr(kBearer.size()) : std::string_view();
}

}  // namespace

TokenRole RoleOf(const Tokens& tokens, std::string_view authorization) {
  return tokens.Find(TokenIn(authorization));
}

grpc::Status Authorize(const Tokens& tokens, std::string_view authorization, TokenRole needed) {
  if (needed == TokenRole::kNone) return grpc::Status::OK;
  if (!tokens.required()) {
    return {grpc::StatusCode::PERMISSION_DENIED,
            "the agent has no token file (setting token_file), so nobody may do this"};
  }
  const TokenRole role = RoleOf(tokens, authorization);
  if (role == TokenRole::kNone) {
    return {grpc::StatusCode::UNAUTHENTICATED,
            "expected \"authorization: Bearer <token>\" with a token of the agent's file"};
  }
  if (role < needed) {
    return {grpc::StatusCode::PERMISSION_DENIED, "this token may only read"};
  }
  return grpc::Status::OK;
}

}  // namespace pgvalet::api
