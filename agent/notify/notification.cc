#include "notify/notification.h"

#include <cstring>

#include "wire/body_reader.h"

namespace pgvalet::notify {
namespace {

std::shared_ptr<const char[]> Copy(wire::Bytes message) {
  // One allocation for the bytes and their count of owners.
  auto bytes = std::make_shared_for_overwrite<char[]>(message.size());
  std::memcpy(bytes.get(), message.data(), message.size());
  return bytes;
}

}  // namespace

std::optional<NotificationFields> ParseNotification(wire::Bytes body) {
  wire::BodyReader reader(body);
  NotificationFields fields;
  fields.sender_pid = reader.TakeU32();
  fields.channel = reader.TakeString();
  fields.payload = reader.TakeString();
  if (!reader.ok() || !reader.at_end() || fields.channel.empty()) return std::nullopt;
  return fields;
}

Notification::Notification(wire::Bytes message) : bytes_(Copy(message)), size_(message.size()) {}

}  // namespace pgvalet::notify
