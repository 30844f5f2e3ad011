// Task<T>: a coroutine that runs on one core and is awaited once.
//
// It starts when it is awaited, or by Start() at the top of a chain.  Awaiting runs the child on
// top of the parent and asks "did it finish?", so a loop over children that finish at once keeps
// the machine stack flat in every build (symmetric transfer is not a tail call at -O0 and under
// sanitizers with this compiler).
//
// Destroying a Task destroys its frame at the point where it waits: that is how a session that
// goes away ends what it was doing.  A coroutine therefore never destroys its own owner; owners
// are destroyed by Loop::Defer.  No capturing lambda is ever a Task.
#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <utility>

namespace pgvalet::io {

template <typename T>
class [[nodiscard]] Task {
 public:
  struct promise_type;
  using Handle = std::coroutine_handle<promise_type>;

  struct Final {
    bool await_ready() const noexcept { return false; }
    std::coroutine_handle<> await_suspend(Handle self) noexcept {
      promise_type& promise = self.promise();
      // While it is starting, the parent's frame is below us on the stack: just return there.
      if (promise.starting || !promise.parent) return std::noop_coroutine();
      return promise.parent;
    }
    void await_resume() const noexcept {}
  };

  struct promise_type {
    std::optional<T> value;
    std::coroutine_handle<> parent;
    bool starting = false;

    Task get_return_object() { return Task(Handle::from_promise(*this)); }
    std::suspend_always initial_suspend() const noexcept { return {}; }
    Final final_suspend() const noexcept { return {}; }
    void return_value(T result) { value.emplace(std::move(result)); }
    void unhandled_exception() { std::terminate(); }  // nothing throws through the loop
  };

  Task() = default;
  Task(Task&& other) noexcept : self_(std::exchange(other.self_, {})) {}
  Task& operator=(Task&& other) noexcept {
    if (this != &other) {
      Destroy();
      self_ = std::exchange(other.self_, {});
    }
    return *this;
  }
  ~Task() { Destroy(); }

  // Runs until the first wait.  For the top of a chain only; the frame lives until the Task dies.
  void Start() {
    self_.promise().starting = true;
    self_.resume();
    self_.promise().starting = false;
  }
  bool valid() const { return static_cast<bool>(self_); }
  bool done() const { return self_ && self_.done(); }
  // REQUIRES: done().
  T& result() { return *self_.promise().value; }

  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> parent) {
    promise_type& promise = self_.promise();
    promise.parent = parent;
    promise.starting = true;
    self_.resume();
    promise.starting = false;
    return !self_.done();  // false: it finished at once, the parent goes on without suspending
  }
  T await_resume() { return std::move(*self_.promise().value); }

 private:
  explicit Task(Handle self) : self_(self) {}
  void Destroy() {
    if (self_) self_.destroy();
    self_ = {};
  }

  Handle self_;
};

}  // namespace pgvalet::io
