#include "io/resolver.h"

#include <netdb.h>

#include <cstring>
#include <optional>
#include <utility>

namespace pgvalet::io {
namespace {

Result<Addresses> Ask(const std::string& host, std::uint16_t port, int flags) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV | flags;
  addrinfo* found = nullptr;
  const int failure = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (failure != 0) {
    return Error{ErrorCode::kNotFound, "cannot resolve the host name", 0,
                 host + ": " + gai_strerror(failure)};
  }
  Addresses addresses;
  for (addrinfo* info = found; info != nullptr; info = info->ai_next) {
    Address address;
    std::memcpy(&address.storage, info->ai_addr, info->ai_addrlen);
    address.length = info->ai_addrlen;
    addresses.push_back(address);
  }
  freeaddrinfo(found);
  return addresses;
}

}  // namespace

// Shared with the thread that asks; `waiter` is touched on the loop's thread only.
struct Resolver::Lookup::State {
  std::string host;
  std::uint16_t port;
  std::coroutine_handle<> waiter;
  std::optional<Result<Addresses>> result;
};

Resolver::Lookup::Lookup(Resolver& resolver, Loop& loop, std::string host, std::uint16_t port)
    : state_(std::make_shared<State>(State{std::move(host), port, {}, {}})),
      resolver_(resolver),
      loop_(loop) {}

Resolver::Lookup::~Lookup() { state_->waiter = {}; }

bool Resolver::Lookup::await_ready() {
  const std::string& host = state_->host;
  if (!host.empty() && (host[0] == '/' || host[0] == '@')) {
    Result<Address> address = Address::ForUnixDirectory(host, state_->port);
    if (address) {
      state_->result = Addresses{*address};
    } else {
      state_->result = address.error();
    }
    return true;
  }
  Result<Addresses> numeric = Ask(host, state_->port, AI_NUMERICHOST);
  if (!numeric) return false;
  state_->result = std::move(numeric);
  return true;
}

void Resolver::Lookup::await_suspend(std::coroutine_handle<> waiter) {
  state_->waiter = waiter;
  auto job = [state = state_, &loop = loop_] {
    auto result = std::make_shared<Result<Addresses>>(Ask(state->host, state->port, 0));
    loop.Post([state, result] {
      state->result = std::move(*result);
      if (auto to_resume = std::exchange(state->waiter, {})) to_resume.resume();
    });
  };
  {
    const std::lock_guard lock(resolver_.mutex_);
    resolver_.jobs_.push_back(std::move(job));
  }
  resolver_.wake_.notify_one();
}

Result<Addresses> Resolver::Lookup::await_resume() { return std::move(*state_->result); }

Resolver::Resolver() {
  for (int i = 0; i < kThreads; ++i) threads_.emplace_back([this] { Work(); });
}

Resolver::~Resolver() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    jobs_.clear();
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void Resolver::Work() {
  while (true) {
    std::function<void()> job;
    {
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
      if (stopping_) return;
      job = std::move(jobs_.front());
      jobs_.pop_front();
    }
    job();
  }
}

}  // namespace pgvalet::io
