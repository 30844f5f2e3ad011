#include "api/http_connection.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "api/served_connection.h"

namespace pgvalet::api {
namespace {

constexpr int kBacklog = 128;

// A socket as httplib wants it, with one deadline for all that is read and written.
class DeadlineStream final : public httplib::Stream {
 public:
  DeadlineStream(socket_t sock, Duration time, std::size_t max_request_bytes)
      : sock_(sock), served_(sock, Clock::now() + time, time), may_read_(max_request_bytes) {}

  bool is_readable() const override { return begin_ < end_ || WaitFor(POLLIN); }
  bool is_writable() const override { return WaitFor(POLLOUT); }

  // httplib asks for the header byte by byte, hence the buffer.
  ssize_t read(char* ptr, size_t size) override {
    if (begin_ == end_ && !Fill()) return -1;
    const std::size_t n = std::min(size, end_ - begin_);
    std::memcpy(ptr, buffer_.data() + begin_, n);
    begin_ += n;
    return static_cast<ssize_t>(n);
  }

  ssize_t write(const char* ptr, size_t size) override {
    if (!is_writable()) return -1;
    return ::send(sock_, ptr, size, MSG_NOSIGNAL | MSG_DONTWAIT);
  }

  // Nobody asks: requests are not logged with their origin.
  void get_remote_ip_and_port(std::string& /*ip*/, int& /*port*/) const override {}
  void get_local_ip_and_port(std::string& /*ip*/, int& /*port*/) const override {}
  socket_t socket() const override { return sock_; }

 private:
  bool WaitFor(short events) const {
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(served_.deadline() - Clock::now()).count();
    if (left <= 0) return false;
    pollfd ready{.fd = sock_, .events = events, .revents = 0};
    return ::poll(&ready, 1, static_cast<int>(left)) == 1;
  }

  bool Fill() {
    const std::size_t wanted = std::min(buffer_.size(), may_read_);
    if (wanted == 0 || !WaitFor(POLLIN)) return false;
    const ssize_t n = ::recv(sock_, buffer_.data(), wanted, MSG_DONTWAIT);
    if (n <= 0) return false;
    begin_ = 0;
    end_ = static_cast<std::size_t>(n);
    may_read_ -= end_;
    return true;
  }

  const socket_t sock_;
  ServedConnection served_;
  std::size_t may_read_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::array<char, 4096> buffer_;
};

// Closes so that the peer gets what was sent: bytes that nobody read would make the kernel
// reset the connection instead.
void CloseGently(socket_t sock) {
  ::shutdown(sock, SHUT_WR);
  std::array<char, 4096> rest;
  for (int i = 0; i < 16; ++i) {
    if (::recv(sock, rest.data(), rest.size(), MSG_DONTWAIT) <= 0) break;
  }
  ::close(sock);
}

void SetSocketOptions(socket_t sock) {
  // Not SO_REUSEPORT, httplib's default: a second agent would share the port unnoticed.
  const int yes = 1;
  ::setsockopt(sock, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
}

}  // namespace

void ConnectionThreads::enqueue(std::function<void()> serve) {
  if (!threads_.Run(serve)) serve();
}

HttpListener::HttpListener(const HttpLimits& limits) : limits_(limits) {
  new_task_queue = [this] { return new ConnectionThreads(limits_); };
  set_socket_options(&SetSocketOptions);
  set_tcp_nodelay(true);
  set_payload_max_length(limits_.max_request_bytes);
}

void HttpListener::Serve(const std::function<bool()>& bind_again) {
  bool is_bound = true;
  {
    const std::lock_guard lock(mutex_);
    accepting_ = std::this_thread::get_id();
  }
  do {
    if (!is_bound) is_bound = bind_again();
    if (is_bound) listen_after_bind();
    is_bound = false;
  } while (WaitToRetry());
  ended_ = true;
}

void HttpListener::RaiseBacklog() { ::listen(svr_sock_, kBacklog); }

bool HttpListener::WaitToRetry() {
  std::unique_lock lock(mutex_);
  return !stop_asked_.wait_for(lock, std::chrono::seconds(1), [this] { return stopping_; });
}

void HttpListener::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    for (const socket_t sock : open_) ::shutdown(sock, SHUT_RDWR);
  }
  stop_asked_.notify_all();
  // httplib's stop() does nothing while it is not yet running.
  while (!is_running() && !ended_) std::this_thread::yield();
  stop();
}

bool HttpListener::process_and_close_socket(socket_t sock) {
  if (!Enter(sock)) {
    ::close(sock);
    return false;
  }
  DeadlineStream stream(sock, limits_.connection_time, limits_.max_request_bytes);
  bool closed = false;
  const bool served = process_request(stream, /*close_connection=*/true, closed, nullptr);
  Leave(sock);
  CloseGently(sock);
  return served;
}

bool HttpListener::Enter(socket_t sock) {
  const std::lock_guard lock(mutex_);
  if (stopping_ || std::this_thread::get_id() == accepting_) return false;
  open_.insert(sock);
  return true;
}

void HttpListener::Leave(socket_t sock) {
  const std::lock_guard lock(mutex_);
  open_.erase(sock);
}

}  // namespace pgvalet::api
