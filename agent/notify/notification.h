// Notification: a NotificationResponse, as the server sent it, shared by all who get it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "wire/protocol.h"

namespace pgvalet::notify {

// Views into a message body.
struct NotificationFields {
  std::uint32_t sender_pid = 0;
  std::string_view channel;  // never empty
  std::string_view payload;
};

// None when it is not the body of a NotificationResponse.
std::optional<NotificationFields> ParseNotification(wire::Bytes body);

// Immutable; copies share the bytes, on any thread.
class Notification {
 public:
  // Copies the message.  REQUIRES: its body has been parsed without fault.
  explicit Notification(wire::Bytes message);

  // The whole message, header included, to be sent to a client.
  std::string_view message() const { return {bytes_.get(), size_}; }
  // Of the backend that notified.
  std::uint32_t sender_pid() const { return wire::LoadU32(bytes_.get() + wire::kHeaderBytes); }
  std::string_view channel() const { return bytes_.get() + kChannelAt; }
  std::string_view payload() const { return bytes_.get() + kChannelAt + channel().size() + 1; }

 private:
  static constexpr std::size_t kChannelAt = wire::kHeaderBytes + 4;
  std::shared_ptr<const char[]> bytes_;
  std::size_t size_;
};

}  // namespace pgvalet::notify
