#include "support/raw_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "support/child_process.h"

namespace pgvalet::integration {

namespace {

std::uint32_t ReadInt32(std::string_view bytes) {
  std::uint32_t value = 0;
  for (const char byte : bytes.substr(0, 4)) value = value << 8 | static_cast<std::uint8_t>(byte);
  return value;
}

int ReadInt16(std::string_view bytes) {
  return static_cast<std::uint8_t>(bytes[0]) << 8 | static_cast<std::uint8_t>(bytes[1]);
}

}  // namespace

std::string RawMessage::Field(char code) const {
  size_t at = 0;
  while (at < body.size() && body[at] != 0) {
    const size_t end = body.find('\0', at);
    if (body[at] == code) return body.substr(at + 1, end - at - 1);
    at = end + 1;
  }
  return "";
}

std::string Int16(int value) {
  return {static_cast<char>(value >> 8 & 0xff), static_cast<char>(value & 0xff)};
}

std::string Int32(std::int64_t value) {
  return {static_cast<char>(value >> 24 & 0xff), static_cast<char>(value >> 16 & 0xff),
          static_cast<char>(value >> 8 & 0xff), static_cast<char>(value & 0xff)};
}

std::string String(std::string_view text) { return std::string(text) + '\0'; }

std::string Message(char type, std::string_view body) {
  return type + Int32(static_cast<std::int64_t>(body.size()) + 4) + std::string(body);
}

std::string StartupPacket(const std::vector<std::string>& keys_and_values, std::int64_t version) {
  std::string body = Int32(version);
  for (const std::string& word : keys_and_values) body += String(word);
  body += '\0';
  return Int32(static_cast<std::int64_t>(body.size()) + 4) + body;
}

std::string QueryMessage(std::string_view sql) { return Message('Q', String(sql)); }

std::string ParseMessage(std::string_view name, std::string_view sql) {
  return Message('P', String(name) + String(sql) + Int16(0));
}

std::string BindMessage(std::string_view portal, std::string_view statement,
                        const std::vector<std::string>& parameters) {
  std::string body = String(portal) + String(statement) + Int16(0);
  body += Int16(static_cast<int>(parameters.size()));
  for (const std::string& parameter : parameters)
    body += Int32(static_cast<std::int64_t>(parameter.size())) + parameter;
  return Message('B', body + Int16(0));
}

std::string DescribeMessage(char kind, std::string_view name) {
  return Message('D', kind + String(name));
}

std::string ExecuteMessage(std::string_view portal, int max_rows) {
  return Message('E', String(portal) + Int32(max_rows));
}

std::string CloseMessage(char kind, std::string_view name) {
  return Message('C', kind + String(name));
}

std::string SyncMessage() { return Message('S', ""); }
std::string FlushMessage() { return Message('H', ""); }
std::string TerminateMessage() { return Message('X', ""); }

RawClient::RawClient(int port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
    const int error = errno;
    close(fd_);
    throw std::system_error(error, std::generic_category(), "connect");
  }
}

RawClient::RawClient(RawClient&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), buffer_(std::move(other.buffer_)) {}

RawClient::~RawClient() { Drop(); }

void RawClient::Drop(bool reset) {
  if (fd_ < 0) return;
  if (reset) {
    const linger now{1, 0};
    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  }
  close(std::exchange(fd_, -1));
}

bool RawClient::Send(std::string_view bytes) const {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
  return true;
}

bool RawClient::Fill() {
  pollfd waiting{fd_, POLLIN, 0};
  const int patience = static_cast<int>(std::chrono::milliseconds(kPatience).count());
  if (poll(&waiting, 1, patience) == 0) throw std::runtime_error("the peer says nothing");
  std::array<char, 65536> chunk;
  const ssize_t got = recv(fd_, chunk.data(), chunk.size(), 0);
  if (got <= 0) return false;
  buffer_.append(chunk.data(), static_cast<size_t>(got));
  return true;
}

std::optional<char> RawClient::ReadByte() {
  if (buffer_.empty() && !Fill()) return {};
  const char byte = buffer_.front();
  buffer_.erase(0, 1);
  return byte;
}

std::optional<RawMessage> RawClient::Read() {
  while (buffer_.size() < 5 || buffer_.size() < 1 + ReadInt32(std::string_view(buffer_).substr(1)))
    if (!Fill()) return {};
  const size_t size = 1 + ReadInt32(std::string_view(buffer_).substr(1));
  RawMessage message{buffer_[0], buffer_.substr(5, size - 5)};
  buffer_.erase(0, size);
  return message;
}

std::vector<RawMessage> RawClient::ReadUntil(char type) {
  std::vector<RawMessage> messages;
  while (std::optional<RawMessage> message = Read()) {
    messages.push_back(std::move(*message));
    if (messages.back().type == type) break;
  }
  return messages;
}

std::vector<RawMessage> RawClient::ReadToEnd() { return ReadUntil('\0'); }

std::vector<RawMessage> RawClient::Login(const std::string& user, const std::string& database,
                                         const std::vector<std::string>& more) {
  std::vector<std::string> words{"user", user, "database", database};
  words.insert(words.end(), more.begin(), more.end());
  if (!Send(StartupPacket(words))) throw std::runtime_error("closed during login");
  std::vector<RawMessage> messages = ReadUntil('Z');
  if (messages.empty() || messages.back().type != 'Z')
    throw std::runtime_error("login failed: " + First(messages, 'E').Field('M'));
  messages.pop_back();
  return messages;
}

std::string Types(const std::vector<RawMessage>& messages) {
  std::string types;
  for (const RawMessage& message : messages) types += message.type;
  return types;
}

RawMessage First(const std::vector<RawMessage>& messages, char type) {
  for (const RawMessage& message : messages)
    if (message.type == type) return message;
  return {};
}

std::vector<std::string> FirstRow(const std::vector<RawMessage>& messages) {
  const std::string body = First(messages, 'D').body;
  std::vector<std::string> fields;
  if (body.size() < 2) return fields;
  size_t at = 2;
  for (int left = ReadInt16(body); left > 0; --left) {
    const auto length = static_cast<std::int32_t>(ReadInt32(std::string_view(body).substr(at)));
    at += 4;
    fields.push_back(length < 0 ? "(null)" : body.substr(at, static_cast<size_t>(length)));
    if (length > 0) at += static_cast<size_t>(length);
  }
  return fields;
}

}  // namespace pgvalet::integration
