#include "api/http_stream.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <limits>

#include "base/log.h"

namespace pgvalet::api {

// ---- in the clear ----

bool DeadlineStream::WaitFor(short events) const {
  const auto left =
      std::chrono::ceil<std::chrono::milliseconds>(served_.deadline() - Clock::now()).count();
  if (left <= 0) return false;
  pollfd ready{.fd = sock_, .events = events, .revents = 0};
  return ::poll(&ready, 1, static_cast<int>(left)) == 1;
}

bool DeadlineStream::is_writable() const { return WaitFor(POLLOUT); }

bool DeadlineStream::IsReady() const { return WaitFor(POLLIN); }

ssize_t DeadlineStream::read(char* ptr, size_t size) {
  if (begin_ == end_ && !Fill()) return -1;
  const std::size_t n = std::min(size, end_ - begin_);
  std::memcpy(ptr, buffer_.data() + begin_, n);
  begin_ += n;
  return static_cast<ssize_t>(n);
}

bool DeadlineStream::Fill() {
  const std::size_t wanted = std::min(buffer_.size(), may_read_);
  if (wanted == 0) return false;
  const ssize_t n = Receive(buffer_.data(), wanted);
  if (n <= 0) return false;
  begin_ = 0;
  end_ = static_cast<std::size_t>(n);
  may_read_ -= end_;
  return true;
}

ssize_t DeadlineStream::Receive(char* into, std::size_t most) {
  return WaitFor(POLLIN) ? ::recv(sock_, into, most, MSG_DONTWAIT) : -1;
}

ssize_t DeadlineStream::Send(const char* from, std::size_t size) {
  return WaitFor(POLLOUT) ? ::send(sock_, from, size, MSG_NOSIGNAL | MSG_DONTWAIT) : -1;
}

// ---- encrypted ----

namespace {

int AsInt(std::size_t size) {
  return static_cast<int>(
      std::min<std::size_t>(size, static_cast<std::size_t>(std::numeric_limits<int>::max())));
}

}  // namespace

TlsStream::TlsStream(SSL_CTX& context, socket_t sock, Duration time, std::size_t max_request_bytes)
    : DeadlineStream(sock, time, max_request_bytes), ssl_(SSL_new(&context), &SSL_free) {
  // OpenSSL waits by itself otherwise, without a deadline.
  ::fcntl(sock, F_SETFL, ::fcntl(sock, F_GETFL) | O_NONBLOCK);
  if (ssl_) SSL_set_fd(ssl_.get(), sock);
}

TlsStream::~TlsStream() {
  if (has_hands_shaken_) SSL_shutdown(ssl_.get());
  ERR_clear_error();
}

bool TlsStream::CanGoOn(int outcome) {
  switch (SSL_get_error(ssl_.get(), outcome)) {
    case SSL_ERROR_WANT_READ:
      return WaitFor(POLLIN);
    case SSL_ERROR_WANT_WRITE:
      return WaitFor(POLLOUT);
    case SSL_ERROR_ZERO_RETURN:
      return false;
    default:
      has_hands_shaken_ = false;  // nothing more may be sent, not even a goodbye
      return false;
  }
}

bool TlsStream::ShakeHands() {
  if (!ssl_) return false;
  while (true) {
    ERR_clear_error();
    const int outcome = SSL_accept(ssl_.get());
    if (outcome == 1) break;
    if (CanGoOn(outcome)) continue;
    const char* reason = ERR_reason_error_string(ERR_peek_last_error());
    log::debug("HTTP: no TLS with a caller: {}", reason != nullptr ? reason : "it is gone");
    return false;
  }
  has_hands_shaken_ = true;
  return true;
}

ssize_t TlsStream::Receive(char* into, std::size_t most) {
  while (true) {
    ERR_clear_error();
    const int n = SSL_read(ssl_.get(), into, AsInt(most));
    if (n > 0) return n;
    if (!CanGoOn(n)) return -1;
  }
}

ssize_t TlsStream::Send(const char* from, std::size_t size) {
  while (true) {
    ERR_clear_error();
    const int n = SSL_write(ssl_.get(), from, AsInt(size));
    if (n > 0) return n;
    if (!CanGoOn(n)) return -1;
  }
}

}  // namespace pgvalet::api
