#include "io/loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <utility>

#include "base/log.h"

namespace pgvalet::io {

Loop::Loop(stats::CoreCounters& counters)
    : counters_(counters),
      epoll_fd_(epoll_create1(EPOLL_CLOEXEC)),
      wake_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      batch_(std::make_unique<epoll_event[]>(kBatch)) {
  if (epoll_fd_ < 0 || wake_fd_ < 0) {
    log::critical("cannot make an event loop: {}",
                  Error{ErrorCode::kIo, "epoll", errno}.ToString());
    std::abort();  // at start only, before any client
  }
  Register(wake_fd_, EPOLLIN, waker_);
}

Loop::~Loop() {
  close(wake_fd_);
  close(epoll_fd_);
}

void Loop::Waker::OnIo(std::uint32_t) {
  std::uint64_t count;
  [[maybe_unused]] const ssize_t n = read(loop_.wake_fd_, &count, sizeof count);
}

void Loop::Wake() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t n = write(wake_fd_, &one, sizeof one);
}

void Loop::Stop() {
  {
    const std::lock_guard lock(posted_mutex_);
    stop_requested_ = true;
  }
  Wake();
}

void Loop::Post(std::function<void()> action) {
  bool first;
  {
    const std::lock_guard lock(posted_mutex_);
    first = posted_.empty();
    posted_.push_back(std::move(action));
  }
  if (first) Wake();
}

void Loop::Register(int fd, std::uint32_t events, IoHandler& handler) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = &handler;
  if (epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &event) != 0) {
    log::error("cannot watch a socket: {}", Error{ErrorCode::kIo, "epoll_ctl", errno}.ToString());
  }
}

void Loop::Modify(int fd, std::uint32_t events, IoHandler& handler) {
  epoll_event event{};
  event.events = events;
  event.data.ptr = &handler;
  epoll_ctl(epoll_fd_, EPOLL_CTL_MOD, fd, &event);
}

void Loop::Unregister(int fd, IoHandler& handler) {
  epoll_ctl(epoll_fd_, EPOLL_CTL_DEL, fd, nullptr);
  if (serving_ == &handler) serving_ = nullptr;
  for (int i = batch_at_; i < batch_size_; ++i) {
    if (batch_[static_cast<std::size_t>(i)].data.ptr == &handler) {
      batch_[static_cast<std::size_t>(i)].data.ptr = nullptr;
    }
  }
}

void Loop::Arm(Timer& timer, Time at) {
  timer.Disarm();
  timer.at_ = at;
  timers_.insert(timer);
}

int Loop::WaitMillis() const {
  if (!deferred_.empty()) return 0;
  if (timers_.empty()) return -1;
  const auto left = timers_.begin()->at_ - Clock::now();
  if (left <= Clock::duration::zero()) return 0;
  // Rounded up: a timer that is due in 0.3 ms must not make the loop spin until then.
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(left).count();
  return static_cast<int>(std::min<long>(ms, 60'000));
}

void Loop::Run() {
  while (!stopping_) Turn();
}

void Loop::Turn() {
  const int wait_ms = WaitMillis();
  batch_size_ = epoll_wait(epoll_fd_, batch_.get(), kBatch, wait_ms);
  now_ = Clock::now();
  counters_.loop_wakeups.Add();
  if (batch_size_ < 0) batch_size_ = 0;  // EINTR
  for (batch_at_ = 0; batch_at_ < batch_size_;) {
    const epoll_event& event = batch_[static_cast<std::size_t>(batch_at_++)];
    if (event.data.ptr == nullptr) continue;
    auto* handler = static_cast<IoHandler*>(event.data.ptr);
    serving_ = handler;
    handler->OnIo(event.events);
  }
  serving_ = nullptr;
  batch_size_ = batch_at_ = 0;
  RunTimers();
  RunPosted();
  RunDeferred();
}

void Loop::RunTimers() {
  while (!timers_.empty() && timers_.begin()->at_ <= now_) {
    Timer& timer = *timers_.begin();
    timer.Disarm();
    timer.action_();
  }
}

void Loop::RunDeferred() {
  // What is deferred from here on belongs to the next turn, or a busy session could starve all.
  DeferredList now;
  now.swap(deferred_);
  while (!now.empty()) {
    Deferred& deferred = now.front();
    now.pop_front();
    deferred.RunDeferred();
  }
}

void Loop::RunPosted() {
  std::vector<std::function<void()>> actions;
  {
    const std::lock_guard lock(posted_mutex_);
    actions.swap(posted_);
    stopping_ = stop_requested_;
  }
  for (auto& action : actions) action();
}

std::string Loop::TakeBuffer(std::size_t bytes) {
  counters_.buffers_in_use.Add(1);
  if (bytes <= kStockedBytes && bytes > kStockedBytes / 16 && !stock_.empty()) {
    std::string buffer = std::move(stock_.back());
    stock_.pop_back();
    counters_.buffer_bytes.Add(static_cast<std::int64_t>(buffer.capacity()));
    return buffer;
  }
  std::string buffer;
  buffer.reserve(bytes > kStockedBytes / 16 ? std::max(bytes, kStockedBytes) : bytes);
  counters_.buffer_bytes.Add(static_cast<std::int64_t>(buffer.capacity()));
  return buffer;
}

void Loop::ReturnBuffer(std::string buffer) {
  counters_.buffers_in_use.Add(-1);
  counters_.buffer_bytes.Add(-static_cast<std::int64_t>(buffer.capacity()));
  if (buffer.capacity() >= kStockedBytes && buffer.capacity() <= 2 * kStockedBytes &&
      stock_.size() < kMaxStocked) {
    buffer.clear();
    stock_.push_back(std::move(buffer));
  }
}

}  // namespace pgvalet::io
