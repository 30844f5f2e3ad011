// Stream: one connected socket on one core.
//
// Reads land in the loop's scratch and are borrowed, so an idle stream owns no buffer.  A write
// that the socket does not take at once is kept in an outbox; its owner then stops reading from
// the other side until OnWritable(), so an outbox holds what one read brought, no more.
//
// TLS will live behind these same functions.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/result.h"
#include "io/address.h"
#include "io/loop.h"
#include "wire/protocol.h"

namespace pgvalet::io {

class StreamHandler {
 public:
  // There is something to Receive(): bytes, the end, or an error.
  virtual void OnReadable() = 0;
  // The outbox is empty again (or the connection is made).
  virtual void OnWritable() = 0;

 protected:
  ~StreamHandler() = default;
};

class Stream final : public IoHandler {
 public:
  // Takes over `fd`, which is non-blocking; `connecting`: tell OnWritable() when connect() is done.
  Stream(Loop& loop, int fd, StreamHandler& handler, bool connecting = false);
  // Closes the socket; unsent bytes are dropped.
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // Non-blocking connect; the result shows up as OnWritable(), then ConnectResult().
  static Result<int> Connect(const Address& address);

  void SetHandler(StreamHandler& handler) { handler_ = &handler; }
  // 0, or the errno of a connect() that failed.
  int ConnectResult() const;

  // Up to Loop::kScratchBytes that have arrived; empty when there is nothing now.  Valid until
  // anybody on this core receives.  kClosed at the end of the stream.
  Result<std::span<std::uint8_t>> Receive();
  // Receive() may have something.  Stays true after a full read.
  bool readable() const { return readable_; }
  // The peer has sent its last byte (it may lie before us unread).
  bool hangup() const { return hangup_; }

  // Sends, or keeps what the socket does not take.
  Result<Done> Send(wire::Bytes bytes);
  Result<Done> Send(std::string_view text) { return Send(wire::AsBytes(text)); }
  bool blocked() const { return outbox_.size() > outbox_sent_; }
  std::size_t outbox_bytes() const { return outbox_.size() - outbox_sent_; }

  // To another core.  REQUIRES: !blocked(), called on the present core / on the new core.
  void Leave();
  void Join(Loop& loop);

  int fd() const { return fd_; }
  Loop& loop() const { return *loop_; }

  void OnIo(std::uint32_t events) override;

 private:
  Result<Done> Flush();
  void WatchWrites(bool on);

  Loop* loop_;
  StreamHandler* handler_;
  std::string outbox_;
  std::size_t outbox_sent_ = 0;
  int fd_;
  bool readable_ = false;
  bool hangup_ = false;
  bool write_failed_ = false;
};

}  // namespace pgvalet::io
