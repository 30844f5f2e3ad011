#include "api/grpc_credentials.h"

#include <grpc/grpc.h>
#include <grpc/grpc_security.h>

#include <atomic>
#include <string>

namespace pgvalet::api {
namespace {

// gRPC's C++ layer has certificates that never change, or files that it looks at itself and that
// may be half written; its core asks us with every handshake.
class FetchedCredentials final : public grpc::ServerCredentials {
 public:
  explicit FetchedCredentials(const Tls& tls) : tls_(tls) {}

  // Tokens are looked at by the calls.
  void SetAuthMetadataProcessor(
      const std::shared_ptr<grpc::AuthMetadataProcessor>& /*processor*/) override {}

 private:
  int AddPortToServer(const std::string& address, grpc_server* server) override {
    const bool wants_certificate = !tls_.Now()->ca_pem.empty();
    grpc_server_credentials* credentials = grpc_ssl_server_credentials_create_with_options(
        grpc_ssl_server_credentials_create_options_using_config_fetcher(
            wants_certificate ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
                              : GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE,
            &FetchedCredentials::Fetch, this));
    const int port = grpc_server_add_http2_port(server, address.c_str(), credentials);
    grpc_server_credentials_release(credentials);
    return port;
  }

  static grpc_ssl_certificate_config_reload_status Fetch(
      void* self, grpc_ssl_server_certificate_config** config) {
    return static_cast<FetchedCredentials*>(self)->FetchIfNew(config);
  }

  grpc_ssl_certificate_config_reload_status FetchIfNew(
      grpc_ssl_server_certificate_config** config) {
    const TlsIdentityPtr now = tls_.Now();
    if (given_.exchange(now->number) == now->number) {
      return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
    }
    const grpc_ssl_pem_key_cert_pair pair{now->key_pem.c_str(), now->cert_pem.c_str()};
    // It insists on authorities of callers, also where no caller is asked for a certificate: there
    // anything that is one will do.
    const std::string& authorities = now->ca_pem.empty() ? now->cert_pem : now->ca_pem;
    *config = grpc_ssl_server_certificate_config_create(authorities.c_str(), &pair, 1);
    return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
  }

  const Tls& tls_;
  std::atomic<std::uint64_t> given_{0};  // number of the identity that gRPC has
};

}  // namespace

std::shared_ptr<grpc::ServerCredentials> TlsCredentials(const Tls& tls) {
  return std::make_shared<FetchedCredentials>(tls);
}

}  // namespace pgvalet::api
