// Lease: the exclusive right of one client session to one server connection.
//
// Move-only.  Release() at a clean ReadyForQuery hands the connection on; a lease that is dropped
// in any other way closes it, so no error path can pass a dirty transaction to the next client.
#pragma once

#include <utility>

namespace pgvalet::pool {

struct ServerConnection;

class Lease {
 public:
  Lease() = default;
  Lease(Lease&& other) noexcept : server_(std::exchange(other.server_, nullptr)) {}
  Lease& operator=(Lease&& other) noexcept {
    if (this != &other) {
      Discard("the lease was replaced");
      server_ = std::exchange(other.server_, nullptr);
    }
    return *this;
  }
  ~Lease() { Discard("the lease was dropped"); }

  explicit operator bool() const { return server_ != nullptr; }
  ServerConnection& operator*() const { return *server_; }
  ServerConnection* operator->() const { return server_; }
  ServerConnection* get() const { return server_; }

  // REQUIRES: the server is idle, outside a transaction, with nothing outstanding.
  void Release();
  // Closes the server connection; `reason` is static text for the log.
  void Discard(const char* reason);

 private:
  friend class Pool;
  explicit Lease(ServerConnection& server) : server_(&server) {}
  ServerConnection* server_ = nullptr;
};

}  // namespace pgvalet::pool
