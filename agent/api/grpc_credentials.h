// How the gRPC server answers over TCP: with TLS by api/tls.h.
#pragma once

#include <grpcpp/security/server_credentials.h>

#include <memory>

#include "api/tls.h"

namespace pgvalet::api {

// Looks with every connection whether `tls` has read its files anew.
// They, and `tls`, outlive the server.
// REQUIRES: tls.Now() is not null.
std::shared_ptr<grpc::ServerCredentials> TlsCredentials(const Tls& tls);

}  // namespace pgvalet::api
