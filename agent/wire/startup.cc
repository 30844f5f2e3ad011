#include "wire/startup.h"

#include "wire/body_reader.h"

namespace pgvalet::wire {
namespace {

constexpr std::uint32_t kSslRequestCode = 80877103;
constexpr std::uint32_t kGssEncRequestCode = 80877104;
constexpr std::uint32_t kCancelRequestCode = 80877102;
// Protocol 3.2 allows cancel secrets of up to 256 bytes.
constexpr std::size_t kMaxCancelSecretBytes = 256;

Error Malformed(const char* what) { return Error{ErrorCode::kProtocol, what}; }

Result<StartupPacket> ParseParameters(BodyReader reader, StartupPacket packet) {
  while (true) {
    const std::string_view name = reader.TakeString();
    if (!reader.ok()) return Malformed("startup packet is not terminated");
    if (name.empty()) break;
    const std::string_view value = reader.TakeString();
    if (!reader.ok()) return Malformed("startup packet has a parameter without a value");
    if (name.starts_with("_pq_.")) {
      packet.protocol_options.emplace_back(name);
    } else {
      packet.parameters.emplace_back(name, value);
    }
  }
  if (!reader.at_end()) return Malformed("startup packet has bytes after its terminator");
  return packet;
}

}  // namespace

std::string_view StartupPacket::Find(std::string_view name) const {
  for (const auto& [key, value] : parameters) {
    if (key == name) return value;
  }
  return {};
}

Result<std::size_t> StartupLength(Bytes data) {
  if (data.size() < 4) return std::size_t{0};
  const std::uint32_t length = LoadU32(data.data());
  if (length < 8 || length > kMaxStartupBytes) return Malformed("invalid length of startup packet");
  return std::size_t{length};
}

Result<StartupPacket> ParseStartup(Bytes bytes) {
  BodyReader reader(bytes);
  const std::uint32_t length = reader.TakeU32();
  const std::uint32_t code = reader.TakeU32();
  if (!reader.ok() || length != bytes.size()) return Malformed("invalid length of startup packet");

  StartupPacket packet;
  if (code == kSslRequestCode || code == kGssEncRequestCode) {
    if (!reader.at_end()) return Malformed("invalid length of startup packet");
    packet.kind = code == kSslRequestCode ? StartupKind::kSslRequest : StartupKind::kGssEncRequest;
    return packet;
  }
  if (code == kCancelRequestCode) {
    packet.kind = StartupKind::kCancelRequest;
    packet.cancel_pid = reader.TakeU32();
    packet.cancel_secret = AsText(reader.rest());
    if (!reader.ok() || packet.cancel_secret.empty() ||
        packet.cancel_secret.size() > kMaxCancelSecretBytes) {
      return Malformed("invalid length of cancel request");
    }
    return packet;
  }
  packet.major = static_cast<std::uint16_t>(code >> 16);
  packet.minor = static_cast<std::uint16_t>(code & 0xffff);
  if (packet.major != 3) {
    return Error{ErrorCode::kProtocol,
                 "unsupported frontend protocol: only 3.0 is spoken here",
                 0,
                 {},
                 "0A000"};
  }
  return ParseParameters(reader, std::move(packet));
}

}  // namespace pgvalet::wire
