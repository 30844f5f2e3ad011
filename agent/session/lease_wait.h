// LeaseWait: co_await a lease.
#pragma once

#include <coroutine>
#include <optional>

#include "base/result.h"
#include "pool/pool.h"

namespace pgvalet::session {

class LeaseWait final : public pool::Waiter {
 public:
  LeaseWait(pool::Pool& pool, const wire::StateRef& wanted)
      : pool_(pool), lease_(pool.TryCheckout(wanted)) {}
  ~LeaseWait() {
    if (is_linked()) pool_.StopWaiting(*this);
  }
  LeaseWait(const LeaseWait&) = delete;
  LeaseWait& operator=(const LeaseWait&) = delete;

  bool await_ready() const noexcept { return static_cast<bool>(lease_); }
  void await_suspend(std::coroutine_handle<> waiter) {
    waiter_ = waiter;
    pool_.Wait(*this);
  }
  Result<pool::Lease> await_resume() {
    if (error_) return *error_;
    return std::move(lease_);
  }

  void OnLease(pool::Lease lease) override {
    lease_ = std::move(lease);
    waiter_.resume();
  }
  void OnLeaseRefused(const Error& error) override {
    error_ = error;
    waiter_.resume();
  }

 private:
  pool::Pool& pool_;
  pool::Lease lease_;
  std::optional<Error> error_;
  std::coroutine_handle<> waiter_;
};

}  // namespace pgvalet::session
