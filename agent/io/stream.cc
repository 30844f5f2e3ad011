#include "io/stream.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace pgvalet::io {
namespace {

constexpr std::uint32_t kReadEvents = EPOLLIN | EPOLLRDHUP | EPOLLET;

}  // namespace

Stream::Stream(Loop& loop, int fd, StreamHandler& handler, bool connecting)
    : loop_(&loop), handler_(&handler), fd_(fd) {
  loop.Register(fd_, kReadEvents | (connecting ? std::uint32_t{EPOLLOUT} : 0U), *this);
}

Stream::~Stream() {
  if (loop_ != nullptr) {
    loop_->Unregister(fd_, *this);
    if (blocked()) loop_->ReturnBuffer(std::move(outbox_));
  }
  close(fd_);
}

Result<int> Stream::Connect(const Address& address) {
  const int fd = socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return Error{ErrorCode::kIo, "cannot make a socket", errno};
  if (!address.is_unix()) {
    const int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  // EAGAIN is a Unix socket whose backlog is full; there is no event that tells when to try again.
  if (connect(fd, address.raw(), address.length) != 0 && errno != EINPROGRESS) {
    const int failure = errno;
    close(fd);
    return Error{ErrorCode::kIo, "cannot connect", failure};
  }
  return fd;
}

int Stream::ConnectResult() const {
  int failure = 0;
  socklen_t length = sizeof failure;
  getsockopt(fd_, SOL_SOCKET, SO_ERROR, &failure, &length);
  return failure;
}

Result<std::span<std::uint8_t>> Stream::Receive() {
  while (true) {
    const ssize_t n = recv(fd_, loop_->scratch(), Loop::kScratchBytes, 0);
    if (n > 0) {
      const auto bytes = static_cast<std::size_t>(n);
      // A read that did not fill the scratch has emptied the socket: the next byte brings an event.
      if (bytes < Loop::kScratchBytes && !hangup_) readable_ = false;
      return std::span<std::uint8_t>(loop_->scratch(), bytes);
    }
    if (n == 0) {
      hangup_ = true;
      return Error{ErrorCode::kClosed, "the peer closed the connection"};
    }
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
      readable_ = false;
      return std::span<std::uint8_t>();
    }
    return Error{ErrorCode::kIo, "cannot read from the socket", errno};
  }
}

Result<Done> Stream::Send(wire::Bytes bytes) {
  if (write_failed_) return Error{ErrorCode::kIo, "the connection is broken", EPIPE};
  std::size_t sent = 0;
  if (!blocked()) {
    while (sent < bytes.size()) {
      const ssize_t n = send(fd_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (n >= 0) {
        sent += static_cast<std::size_t>(n);
        continue;
      }
      if (errno == EINTR) continue;
      if (errno == EAGAIN || errno == EWOULDBLOCK) break;
      write_failed_ = true;
      return Error{ErrorCode::kIo, "cannot write to the socket", errno};
    }
    if (sent == bytes.size()) return Done{};
    outbox_ = loop_->TakeBuffer(bytes.size() - sent);
    WatchWrites(true);
  }
  const std::size_t capacity = outbox_.capacity();
  outbox_.append(wire::AsText(bytes.subspan(sent)));
  loop_->BufferGrew(outbox_.capacity() - capacity);
  return Done{};
}

Result<Done> Stream::Flush() {
  while (blocked()) {
    const ssize_t n =
        send(fd_, outbox_.data() + outbox_sent_, outbox_.size() - outbox_sent_, MSG_NOSIGNAL);
    if (n >= 0) {
      outbox_sent_ += static_cast<std::size_t>(n);
      continue;
    }
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) return Done{};
    write_failed_ = true;
    break;
  }
  loop_->ReturnBuffer(std::exchange(outbox_, {}));
  outbox_sent_ = 0;
  WatchWrites(false);
  if (write_failed_) return Error{ErrorCode::kIo, "cannot write to the socket", errno};
  return Done{};
}

void Stream::WatchWrites(bool on) {
  loop_->Modify(fd_, kReadEvents | (on ? std::uint32_t{EPOLLOUT} : 0U), *this);
}

void Stream::Leave() {
  loop_->Unregister(fd_, *this);
  loop_ = nullptr;
}

void Stream::Join(Loop& loop) {
  loop_ = &loop;
  readable_ = false;  // what came meanwhile shows up as an event
  loop.Register(fd_, kReadEvents, *this);
}

void Stream::OnIo(std::uint32_t events) {
  Loop* const loop = loop_;
  if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) readable_ = true;
  if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0) hangup_ = true;
  if ((events & EPOLLOUT) != 0) {
    if (blocked()) {
      [[maybe_unused]] const Result<Done> flushed = Flush();  // a failure shows up in the next read
      if (write_failed_) readable_ = true;
    } else {
      WatchWrites(false);  // the end of connect()
    }
    if (!blocked()) handler_->OnWritable();
  }
  if (!loop->IsServing(*this)) return;  // the handler has destroyed us or moved us away
  if (readable_) handler_->OnReadable();
}

}  // namespace pgvalet::io
