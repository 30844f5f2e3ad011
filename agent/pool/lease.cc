#include "pool/lease.h"

#include "pool/pool.h"

namespace pgvalet::pool {

void Lease::Release() {
  ServerConnection* server = std::exchange(server_, nullptr);
  server->pool->TakeBack(*server);
}

void Lease::Discard(const char* reason) {
  if (ServerConnection* server = std::exchange(server_, nullptr)) {
    server->pool->Close(*server, reason);
  }
}

}  // namespace pgvalet::pool
