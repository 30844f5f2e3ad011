// Tls: the certificate with which gRPC and HTTP answer over TCP, and whose certificates they want.
//
// Made and filled by the daemon before the faces start; Load() again with each reload takes renewed
// files for connections that come from then on.  Thread-safe.
#pragma once

#include <openssl/ssl.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "api/listen_address.h"
#include "base/result.h"

namespace pgvalet::api {

// PEM files; settings api_tls_*.
struct TlsFiles {
  std::string cert_file;  // ours and those between it and its authority; empty: no TLS
  std::string key_file;
  std::string ca_file;  // of the authorities of callers; empty: they need no certificate
};

// What was read at one time; immutable.
struct TlsIdentity {
  std::uint64_t number = 0;  // 1, 2, ... another one for each Load()
  std::string cert_pem;
  std::string key_pem;
  std::string ca_pem;                // empty: callers need no certificate
  std::shared_ptr<SSL_CTX> context;  // for HTTP
};
using TlsIdentityPtr = std::shared_ptr<const TlsIdentity>;

class Tls {
 public:
  // kIo: a file cannot be read; kInvalidSetting: it is not what it should be, certificate and key
  // do not belong together, or others may read the key.  What was before stays then.
  Result<Done> Load(const TlsFiles& files);

  // Null: there is no TLS.
  TlsIdentityPtr Now() const;

 private:
  mutable std::mutex mutex_;  // protects all below
  TlsIdentityPtr now_;
  std::uint64_t loads_ = 0;
};

// Whether connections to this address are encrypted.  Never on a Unix socket, where the kernel
// keeps others out.  `tls` may be null.
bool UsesTls(const ListenAddress& address, const Tls* tls);

// What to say at start about an address that others reach, when tokens and passwords are sent there
// as they are.
void WarnOfClearText(const char* face, const std::string& listen);

}  // namespace pgvalet::api
