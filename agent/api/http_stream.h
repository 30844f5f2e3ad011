// The sockets of HttpListener as httplib wants them: with one deadline for all that is read and
// written, and so many bytes of a request.
//
// Each lives on the thread that serves its connection.
#pragma once

#include <httplib.h>
#include <openssl/ssl.h>
#include <poll.h>

#include <array>
#include <cstddef>
#include <memory>

#include "api/served_connection.h"
#include "base/clock.h"

namespace pgvalet::api {

class DeadlineStream : public httplib::Stream {
 public:
  // `sock` is the caller's to close.
  DeadlineStream(socket_t sock, Duration time, std::size_t max_request_bytes)
      : sock_(sock), served_(sock, Clock::now() + time, time), may_read_(max_request_bytes) {}

  bool is_readable() const override { return begin_ < end_ || IsReady(); }
  bool is_writable() const override;
  // httplib asks for the header byte by byte, hence the buffer.
  ssize_t read(char* ptr, size_t size) override;
  ssize_t write(const char* ptr, size_t size) override { return Send(ptr, size); }

  // Nobody asks: requests are not logged with their origin.
  void get_remote_ip_and_port(std::string& /*ip*/, int& /*port*/) const override {}
  void get_local_ip_and_port(std::string& /*ip*/, int& /*port*/) const override {}
  socket_t socket() const override { return sock_; }

 protected:
  // Until the socket is ready for `events`; false: the time is over.
  bool WaitFor(short events) const;
  // Something can be received, or comes in time.
  virtual bool IsReady() const;
  // Some bytes, waiting for them; 0 at the end, -1 on errors and when the time is over.
  virtual ssize_t Receive(char* into, std::size_t most);
  virtual ssize_t Send(const char* from, std::size_t size);

 private:
  bool Fill();

  const socket_t sock_;
  ServedConnection served_;
  std::size_t may_read_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::array<char, 4096> buffer_;
};

class TlsStream final : public DeadlineStream {
 public:
  TlsStream(SSL_CTX& context, socket_t sock, Duration time, std::size_t max_request_bytes);
  // Says goodbye, if there is room for it.
  ~TlsStream() override;

  // To be called first; false: the peer does not speak TLS, or has no certificate that we want.
  bool ShakeHands();

 protected:
  bool IsReady() const override { return SSL_has_pending(ssl_.get()) == 1 || WaitFor(POLLIN); }
  ssize_t Receive(char* into, std::size_t most) override;
  ssize_t Send(const char* from, std::size_t size) override;

 private:
  // After `outcome` of an SSL function: waits for what it wants; false: there is no going on.
  bool CanGoOn(int outcome);

  std::unique_ptr<SSL, decltype(&SSL_free)> ssl_;
  bool has_hands_shaken_ = false;
};

}  // namespace pgvalet::api
