// Resolver: host names to addresses, without stopping a core.
//
// Uses the C library's getaddrinfo() on a few threads of its own, so /etc/hosts, nsswitch and
// search domains work as everywhere else on the machine.
#pragma once

#include <condition_variable>
#include <coroutine>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"
#include "io/address.h"
#include "io/loop.h"

namespace pgvalet::io {

using Addresses = std::vector<Address>;

// Thread-safe.  Outlives all loops that use it.
class Resolver {
 public:
  Resolver();
  ~Resolver();
  Resolver(const Resolver&) = delete;
  Resolver& operator=(const Resolver&) = delete;

  // For co_await on `loop`'s thread: the addresses of `host`, which may be a name, an address, or a
  // Unix socket directory.  Abandoned when the awaiting coroutine is destroyed.
  class Lookup {
   public:
    Lookup(Resolver& resolver, Loop& loop, std::string host, std::uint16_t port);
    ~Lookup();
    Lookup(const Lookup&) = delete;
    Lookup& operator=(const Lookup&) = delete;

    bool await_ready();
    void await_suspend(std::coroutine_handle<> waiter);
    Result<Addresses> await_resume();

   private:
    struct State;
    std::shared_ptr<State> state_;
    Resolver& resolver_;
    Loop& loop_;
  };

  Lookup Resolve(Loop& loop, std::string host, std::uint16_t port) {
    return Lookup(*this, loop, std::move(host), port);
  }

 private:
  void Work();

  static constexpr int kThreads = 4;

  std::mutex mutex_;  // protects the three below
  std::condition_variable wake_;
  std::deque<std::function<void()>> jobs_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace pgvalet::io
