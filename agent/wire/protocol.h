// The PostgreSQL protocol, version 3: names of its bytes and numbers.
//
// Source: PostgreSQL documentation, chapter "Frontend/Backend Protocol".
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace pgvalet::wire {

using Bytes = std::span<const std::uint8_t>;

inline std::string_view AsText(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline Bytes AsBytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

inline std::uint32_t LoadU32(const void* at) {
  std::uint32_t value;
  std::memcpy(&value, at, sizeof value);
  if constexpr (std::endian::native == std::endian::little) value = __builtin_bswap32(value);
  return value;
}

// Messages of a client.
namespace client {
inline constexpr char kBind = 'B';
inline constexpr char kClose = 'C';
inline constexpr char kCopyData = 'd';
inline constexpr char kCopyDone = 'c';
inline constexpr char kCopyFail = 'f';
inline constexpr char kDescribe = 'D';
inline constexpr char kExecute = 'E';
inline constexpr char kFlush = 'H';
inline constexpr char kFunctionCall = 'F';
inline constexpr char kParse = 'P';
inline constexpr char kPassword = 'p';  // also SASL responses
inline constexpr char kQuery = 'Q';
inline constexpr char kSync = 'S';
inline constexpr char kTerminate = 'X';
}  // namespace client

// Messages of a server.
namespace server {
inline constexpr char kAuthentication = 'R';
inline constexpr char kBackendKeyData = 'K';
inline constexpr char kBindComplete = '2';
inline constexpr char kCloseComplete = '3';
inline constexpr char kCommandComplete = 'C';
inline constexpr char kCopyBothResponse = 'W';
inline constexpr char kCopyInResponse = 'G';
inline constexpr char kCopyOutResponse = 'H';
inline constexpr char kDataRow = 'D';
inline constexpr char kEmptyQueryResponse = 'I';
inline constexpr char kErrorResponse = 'E';
inline constexpr char kFunctionCallResponse = 'V';
inline constexpr char kNegotiateProtocolVersion = 'v';
inline constexpr char kNoData = 'n';
inline constexpr char kNoticeResponse = 'N';
inline constexpr char kNotificationResponse = 'A';
inline constexpr char kParameterDescription = 't';
inline constexpr char kParameterStatus = 'S';
inline constexpr char kParseComplete = '1';
inline constexpr char kPortalSuspended = 's';
inline constexpr char kReadyForQuery = 'Z';
inline constexpr char kRowDescription = 'T';
}  // namespace server

// Type byte and the length after it.
inline constexpr std::size_t kHeaderBytes = 5;

struct Header {
  char type;
  std::uint32_t length;  // of the message without its type byte, at least 4

  std::size_t total() const { return std::size_t{length} + 1; }
  std::size_t body() const { return std::size_t{length} - 4; }
};

// REQUIRES: at least kHeaderBytes bytes.  The length is as sent: check it with HeaderIsSane.
inline Header LoadHeader(const std::uint8_t* at) {
  return {static_cast<char>(at[0]), LoadU32(at + 1)};
}
inline bool HeaderIsSane(const Header& header, std::uint32_t max_packet_bytes) {
  return header.length >= 4 && header.length <= max_packet_bytes;
}

// The byte of ReadyForQuery.
enum class TxStatus : char { kIdle = 'I', kInTransaction = 'T', kFailed = 'E' };

}  // namespace pgvalet::wire
