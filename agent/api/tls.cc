#include "api/tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <sys/stat.h>

#include <cerrno>
#include <fstream>
#include <sstream>
#include <utility>

#include "base/log.h"

namespace pgvalet::api {
namespace {

using BioPtr = std::unique_ptr<BIO, decltype(&BIO_free)>;
using X509Ptr = std::unique_ptr<X509, decltype(&X509_free)>;
using KeyPtr = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;

Error Unusable(const std::string& path, std::string expected) {
  if (const unsigned long code = ERR_peek_last_error(); code != 0) {
    if (const char* reason = ERR_reason_error_string(code)) {
      expected += std::string(" (") + reason + ")";
    }
  }
  ERR_clear_error();
  return {ErrorCode::kInvalidSetting, "TLS of gRPC and HTTP cannot be set up", 0,
          path + ": " + expected};
}

Result<std::string> ReadFile(const std::string& path) {
  std::ifstream file(path);
  std::stringstream text;
  if (file) text << file.rdbuf();
  if (!file) return Error{ErrorCode::kIo, "cannot read a file of TLS", errno, path};
  return text.str();
}

// As PostgreSQL wants it: a file of root may be lent to a group.
Result<Done> CheckMode(const std::string& key_file) {
  struct stat status {};
  if (stat(key_file.c_str(), &status) != 0) {
    return Error{ErrorCode::kIo, "cannot read a file of TLS", errno, key_file};
  }
  const mode_t lent = status.st_uid == 0 ? S_IRGRP : 0;
  if ((status.st_mode & (S_IRWXG | S_IRWXO) & ~lent) == 0) return Done{};
  return Unusable(key_file,
                  "expected a file that only its owner may read (chmod 600; 640 if it is root's)");
}

BioPtr Open(const std::string& pem) {
  return {BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &BIO_free};
}

// A key with a passphrase: there is nobody to ask.
int NoPassphrase(char* /*buffer*/, int /*size*/, int /*for_writing*/, void* /*data*/) { return -1; }

// The next certificate; null at the end, and where something else stands.
X509Ptr NextCertificate(BIO& bio) {
  return {PEM_read_bio_X509(&bio, nullptr, &NoPassphrase, nullptr), &X509_free};
}

void WarnIfOver(const X509& certificate, const std::string& path) {
  if (X509_cmp_current_time(X509_get0_notAfter(&certificate)) < 0) {
    log::warn("the certificate of gRPC and HTTP is no longer valid, callers will refuse it: {}",
              path);
  }
}

Result<Done> UseCertificates(SSL_CTX& context, const std::string& pem, const std::string& path) {
  const BioPtr bio = Open(pem);
  const X509Ptr own = NextCertificate(*bio);
  if (!own || SSL_CTX_use_certificate(&context, own.get()) != 1) {
    return Unusable(path, "expected a certificate in PEM form");
  }
  WarnIfOver(*own, path);
  while (const X509Ptr between = NextCertificate(*bio)) {
    if (SSL_CTX_add1_chain_cert(&context, between.get()) != 1) {
      return Unusable(path, "expected certificates in PEM form");
    }
  }
  ERR_clear_error();  // the end of the file is one
  return Done{};
}

Result<Done> UseKey(SSL_CTX& context, const std::string& pem, const TlsFiles& files) {
  const KeyPtr key(PEM_read_bio_PrivateKey(Open(pem).get(), nullptr, &NoPassphrase, nullptr),
                   &EVP_PKEY_free);
  if (!key) return Unusable(files.key_file, "expected a key in PEM form, without a passphrase");
  if (SSL_CTX_use_PrivateKey(&context, key.get()) != 1 ||
      SSL_CTX_check_private_key(&context) != 1) {
    return Unusable(files.key_file, "expected the key of the certificate in " + files.cert_file);
  }
  return Done{};
}

// Callers must have a certificate of one of these.
Result<Done> UseAuthorities(SSL_CTX& context, const std::string& pem, const std::string& path) {
  const BioPtr bio = Open(pem);
  int count = 0;
  while (const X509Ptr authority = NextCertificate(*bio)) {
    if (X509_STORE_add_cert(SSL_CTX_get_cert_store(&context), authority.get()) != 1 ||
        SSL_CTX_add_client_CA(&context, authority.get()) != 1) {
      return Unusable(path, "expected certificates of authorities in PEM form");
    }
    ++count;
  }
  if (count == 0) return Unusable(path, "expected certificates of authorities in PEM form");
  ERR_clear_error();
  SSL_CTX_set_verify(&context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  return Done{};
}

Result<std::shared_ptr<SSL_CTX>> MakeContext(const TlsIdentity& identity, const TlsFiles& files) {
  ERR_clear_error();
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), &SSL_CTX_free);
  if (!context) return Error{ErrorCode::kLimit, "out of memory"};
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET);
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE);
  // A connection carries one request, and one that is resumed would outlive a change of the files.
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context.get(), 0);
  if (Result<Done> used = UseCertificates(*context, identity.cert_pem, files.cert_file); !used) {
    return used.error();
  }
  if (Result<Done> used = UseKey(*context, identity.key_pem, files); !used) return used.error();
  if (!files.ca_file.empty()) {
    Result<Done> used = UseAuthorities(*context, identity.ca_pem, files.ca_file);
    if (!used) return used.error();
  }
  return context;
}

Result<TlsIdentity> Read(const TlsFiles& files) {
  TlsIdentity identity;
  Result<std::string> cert = ReadFile(files.cert_file);
  if (!cert) return cert.error();
  if (Result<Done> checked = CheckMode(files.key_file); !checked) return checked.error();
  Result<std::string> key = ReadFile(files.key_file);
  if (!key) return key.error();
  Result<std::string> ca = files.ca_file.empty() ? std::string() : ReadFile(files.ca_file);
  if (!ca) return ca.error();
  identity.cert_pem = std::move(*cert);
  identity.key_pem = std::move(*key);
  identity.ca_pem = std::move(*ca);
  Result<std::shared_ptr<SSL_CTX>> context = MakeContext(identity, files);
  if (!context) return context.error();
  identity.context = std::move(*context);
  return identity;
}

}  // namespace

Result<Done> Tls::Load(const TlsFiles& files) {
  if (files.cert_file.empty()) return Done{};  // on or off is settled at start
  Result<TlsIdentity> read = Read(files);
  if (!read) return read.error();
  const std::lock_guard lock(mutex_);
  read->number = ++loads_;
  now_ = std::make_shared<const TlsIdentity>(std::move(*read));
  return Done{};
}

TlsIdentityPtr Tls::Now() const {
  const std::lock_guard lock(mutex_);
  return now_;
}

bool UsesTls(const ListenAddress& address, const Tls* tls) {
  return address.unix_path.empty() && tls != nullptr && tls->Now() != nullptr;
}

void WarnOfClearText(const char* face, const std::string& listen) {
  log::warn(
      "{} on {} is not encrypted: tokens and passwords can be read on their way; set "
      "api_tls_cert_file and api_tls_key_file",
      face, listen);
}

}  // namespace pgvalet::api
