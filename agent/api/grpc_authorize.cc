#include "api/grpc_authorize.h"

namespace pgvalet::api {

grpc::Status Authorize(const Tokens& tokens, const grpc::ServerContextBase& context,
                       TokenRole needed) {
  const auto& metadata = context.client_metadata();
  const auto header = metadata.find("authorization");
  const std::string_view value =
      header == metadata.end() ? std::string_view()
                               : std::string_view(header->second.data(), header->second.size());
  return Authorize(tokens, value, needed);
}

grpc::Status AuthorizeReading(const Tokens* tokens, const grpc::ServerContextBase& context) {
  if (tokens == nullptr || !tokens->required()) return grpc::Status::OK;
  return Authorize(*tokens, context, TokenRole::kRead);
}

}  // namespace pgvalet::api
