// A client that speaks the PostgreSQL wire protocol by hand, for the cases that
// libpq is too well-behaved for.  Written against the protocol's documentation,
// on purpose without the agent's own `wire` room.
//
// Owner: one test.  Every wait ends after kPatience.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgvalet::integration {

struct RawMessage {
  char type = 0;
  std::string body;

  // Field of an ErrorResponse or NoticeResponse: 'C' SQLSTATE, 'M' text, 'S' severity.
  std::string Field(char code) const;
};

// Bodies are built by concatenation: Int32(7) + String("abc").
std::string Int16(int value);
std::string Int32(std::int64_t value);
std::string String(std::string_view text);  // with its zero byte
// Type byte, length, body.
std::string Message(char type, std::string_view body);

std::string StartupPacket(const std::vector<std::string>& keys_and_values,
                          std::int64_t version = 196608);
std::string QueryMessage(std::string_view sql);
std::string ParseMessage(std::string_view name, std::string_view sql);
// Text parameters, text results.
std::string BindMessage(std::string_view portal, std::string_view statement,
                        const std::vector<std::string>& parameters = {});
std::string DescribeMessage(char kind, std::string_view name);
std::string ExecuteMessage(std::string_view portal, int max_rows = 0);
std::string CloseMessage(char kind, std::string_view name);
std::string SyncMessage();
std::string FlushMessage();
std::string TerminateMessage();

inline constexpr std::int64_t kSslRequestCode = 80877103;
inline constexpr std::int64_t kGssEncRequestCode = 80877104;
inline constexpr std::int64_t kCancelRequestCode = 80877102;

class RawClient {
 public:
  // Connects to 127.0.0.1.  Throws std::system_error when nobody listens.
  explicit RawClient(int port);
  RawClient(const RawClient&) = delete;
  RawClient(RawClient&& other) noexcept;
  ~RawClient();

  // Returns false when the peer has closed.
  bool Send(std::string_view bytes) const;
  // Exactly one byte, as SSLRequest is answered; empty when closed.
  std::optional<char> ReadByte();
  // Next message; empty when the peer closed.  Throws std::runtime_error after kPatience.
  std::optional<RawMessage> Read();
  // All messages up to and with the first of that type, or up to the end.
  std::vector<RawMessage> ReadUntil(char type);
  // Everything up to the end of the stream.
  std::vector<RawMessage> ReadToEnd();
  // Logs in as a user who needs no password; returns the messages before ReadyForQuery.
  std::vector<RawMessage> Login(const std::string& user, const std::string& database = "app",
                                const std::vector<std::string>& more = {});
  // Drops the connection: at once and, with `reset`, by RST.
  void Drop(bool reset = false);

 private:
  bool Fill();  // reads once; false at the end

  int fd_ = -1;
  std::string buffer_;
};

// "1ZT" for ParseComplete, ReadyForQuery, RowDescription ...
std::string Types(const std::vector<RawMessage>& messages);
// First message of that type; an empty one when there is none.
RawMessage First(const std::vector<RawMessage>& messages, char type);
// Fields of the first DataRow, as text.
std::vector<std::string> FirstRow(const std::vector<RawMessage>& messages);

}  // namespace pgvalet::integration
