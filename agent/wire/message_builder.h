// Builds messages at the end of a byte string.
//
// Every function appends whole messages to `out` and allocates only when `out` must grow, so a
// string that is kept and cleared costs nothing after its first use.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "wire/protocol.h"

namespace pgvalet::wire {

void AppendU16(std::string& out, std::uint16_t value);
void AppendU32(std::string& out, std::uint32_t value);
// `text` and a zero byte.  Bytes after a zero inside `text` are not sent.
void AppendString(std::string& out, std::string_view text);

// Begins a message; EndMessage writes its length.  Returns the mark EndMessage wants.
std::size_t BeginMessage(std::string& out, char type);
void EndMessage(std::string& out, std::size_t mark);

// A whole message with this body.
void AppendMessage(std::string& out, char type, Bytes body);

// To clients.
struct ErrorText {
  const char* severity = "ERROR";  // "ERROR", "FATAL", "WARNING", "NOTICE"
  std::string_view sqlstate;
  std::string_view message;
  std::string_view detail{};
  std::string_view hint{};
  std::string_view routine{};
};
void AppendErrorResponse(std::string& out, const ErrorText& text);
void AppendNoticeResponse(std::string& out, const ErrorText& text);
void AppendAuthenticationOk(std::string& out);
void AppendParameterStatus(std::string& out, std::string_view name, std::string_view value);
void AppendBackendKeyData(std::string& out, std::uint32_t pid, std::string_view secret);
void AppendReadyForQuery(std::string& out, TxStatus status);
void AppendParseComplete(std::string& out);
void AppendCloseComplete(std::string& out);
// `options` are those that are not understood.
void AppendNegotiateProtocolVersion(std::string& out, std::uint32_t newest_minor,
                                    const std::vector<std::string>& options);

// To servers.
void AppendStartup(std::string& out,
                   const std::vector<std::pair<std::string, std::string>>& parameters);
void AppendCancelRequest(std::string& out, std::uint32_t pid, std::string_view secret);
void AppendQuery(std::string& out, std::string_view sql);
// `tail` is all of a Parse body after its name: query, zero, parameter types.
void AppendParse(std::string& out, std::string_view name, std::string_view tail);
void AppendCloseStatement(std::string& out, std::string_view name);
void AppendDescribeStatement(std::string& out, std::string_view name);
void AppendFlush(std::string& out);
void AppendSync(std::string& out);
// FunctionCall with text arguments and a text result.
void AppendFunctionCall(std::string& out, std::uint32_t oid,
                        std::initializer_list<std::string_view> arguments);
void AppendTerminate(std::string& out);
// Parse, Bind, Describe-less Execute and Sync of `sql` with text parameters, unnamed throughout.
void AppendQueryWithParameters(std::string& out, std::string_view sql,
                               const std::vector<std::string_view>& values);

}  // namespace pgvalet::wire
