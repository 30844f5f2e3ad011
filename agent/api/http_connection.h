// HttpListener: cpp-httplib's server with bounds that a hostile or stuck peer cannot pass.
//
// Each connection carries one request and has a deadline for all of it, however slowly bytes
// trickle in or out, and may send so many bytes and no more.  Threads are started as connections
// need them, up to a limit; beyond it connections wait, and beyond that they are closed.
#pragma once

#include <httplib.h>

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "api/tls.h"
#include "base/clock.h"
#include "base/worker_threads.h"

namespace pgvalet::api {

struct HttpLimits {
  std::size_t max_connections = 32;  // served at a time, a thread each
  std::size_t max_waiting = 64;      // accepted and waiting for a thread; more are closed
  std::size_t max_request_bytes = 32 * 1024;
  Duration connection_time = std::chrono::seconds(10);  // from being served to the last byte
};

// Threads of one listener; made and used by httplib.
class ConnectionThreads final : public httplib::TaskQueue {
 public:
  explicit ConnectionThreads(const HttpLimits& limits)
      : threads_(limits.max_connections, limits.max_waiting) {}

  // Runs `serve` on a thread; on the calling one when there is no room, where the listener
  // closes the connection at once.
  void enqueue(std::function<void()> serve) override;

  // Returns when all threads have ended.
  void shutdown() override { threads_.Finish(); }

 private:
  WorkerThreads threads_;
};

class HttpListener final : public httplib::Server {
 public:
  // `tls` outlives the listener; null: none.  REQUIRES: tls->Now() is not null.
  HttpListener(const HttpLimits& limits, const Tls* tls);

  // Lets more connections wait to be accepted than the five that httplib asks for; the sixth would
  // try again after a second.
  // REQUIRES: the port is bound.
  void RaiseBacklog();

  // Accepts until Stop().  httplib gives up listening when accept() fails in a way it does not
  // know (a client that aborts at the wrong moment is enough); then `bind_again` is called, every
  // second until it returns true.
  // REQUIRES: the port is bound.
  void Serve(const std::function<bool()>& bind_again);

  // Closes the listening socket and cuts every connection short; Serve() returns.
  // REQUIRES: Serve() is being called on another thread.  Called once.
  void Stop();

 private:
  bool process_and_close_socket(socket_t sock) override;
  bool ServeClear(socket_t sock);
  bool ServeTls(socket_t sock);
  // False: the listener is stopping, or this is the accepting thread, which serves nobody.
  bool Enter(socket_t sock);
  void Leave(socket_t sock);

  // Waits a second; false: the listener is stopping.
  bool WaitToRetry();

  const HttpLimits limits_;
  const Tls* const tls_;
  std::atomic<bool> ended_{false};  // Serve() has returned or is about to
  std::mutex mutex_;                // protects all below
  std::condition_variable stop_asked_;
  std::set<socket_t> open_;
  std::thread::id accepting_;
  bool stopping_ = false;
};

}  // namespace pgvalet::api
