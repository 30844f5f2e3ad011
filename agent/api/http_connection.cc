#include "api/http_connection.h"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "api/http_stream.h"

namespace pgvalet::api {
namespace {

constexpr int kBacklog = 128;

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

HttpListener::HttpListener(const HttpLimits& limits, const Tls* tls) : limits_(limits), tls_(tls) {
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
  const bool served = tls_ != nullptr ? ServeTls(sock) : ServeClear(sock);
  Leave(sock);
  CloseGently(sock);
  return served;
}

bool HttpListener::ServeClear(socket_t sock) {
  DeadlineStream stream(sock, limits_.connection_time, limits_.max_request_bytes);
  bool closed = false;
  return process_request(stream, /*close_connection=*/true, closed, nullptr);
}

bool HttpListener::ServeTls(socket_t sock) {
  const TlsIdentityPtr identity = tls_->Now();
  TlsStream stream(*identity->context, sock, limits_.connection_time, limits_.max_request_bytes);
  if (!stream.ShakeHands()) return false;
  bool closed = false;
  return process_request(stream, /*close_connection=*/true, closed, nullptr);
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
