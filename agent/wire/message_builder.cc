#include "wire/message_builder.h"

namespace pgvalet::wire {
namespace {

void StoreU32(char* at, std::uint32_t value) {
  at[0] = static_cast<char>(value >> 24);
  at[1] = static_cast<char>(value >> 16);
  at[2] = static_cast<char>(value >> 8);
  at[3] = static_cast<char>(value);
}

void AppendField(std::string& out, char field, std::string_view text) {
  if (text.empty()) return;
  out.push_back(field);
  AppendString(out, text);
}

void AppendFields(std::string& out, char type, const ErrorText& text) {
  const std::size_t mark = BeginMessage(out, type);
  AppendField(out, 'S', text.severity);
  AppendField(out, 'V', text.severity);
  AppendField(out, 'C', text.sqlstate);
  AppendField(out, 'M', text.message);
  AppendField(out, 'D', text.detail);
  AppendField(out, 'H', text.hint);
  AppendField(out, 'R', text.routine);
  out.push_back('\0');
  EndMessage(out, mark);
}

}  // namespace

void AppendU16(std::string& out, std::uint16_t value) {
  out.push_back(static_cast<char>(value >> 8));
  out.push_back(static_cast<char>(value));
}

void AppendU32(std::string& out, std::uint32_t value) {
  char bytes[4];
  StoreU32(bytes, value);
  out.append(bytes, sizeof bytes);
}

void AppendString(std::string& out, std::string_view text) {
  out.append(text.substr(0, text.find('\0')));
  out.push_back('\0');
}

std::size_t BeginMessage(std::string& out, char type) {
  out.push_back(type);
  out.append(4, '\0');
  return out.size() - 4;
}

void EndMessage(std::string& out, std::size_t mark) {
  StoreU32(out.data() + mark, static_cast<std::uint32_t>(out.size() - mark));
}

void AppendMessage(std::string& out, char type, Bytes body) {
  out.push_back(type);
  AppendU32(out, static_cast<std::uint32_t>(body.size() + 4));
  out.append(AsText(body));
}

void AppendErrorResponse(std::string& out, const ErrorText& text) {
  AppendFields(out, server::kErrorResponse, text);
}

void AppendNoticeResponse(std::string& out, const ErrorText& text) {
  AppendFields(out, server::kNoticeResponse, text);
}

void AppendAuthenticationOk(std::string& out) {
  const std::size_t mark = BeginMessage(out, server::kAuthentication);
  AppendU32(out, 0);
  EndMessage(out, mark);
}

void AppendParameterStatus(std::string& out, std::string_view name, std::string_view value) {
  const std::size_t mark = BeginMessage(out, server::kParameterStatus);
  AppendString(out, name);
  AppendString(out, value);
  EndMessage(out, mark);
}

void AppendBackendKeyData(std::string& out, std::uint32_t pid, std::string_view secret) {
  const std::size_t mark = BeginMessage(out, server::kBackendKeyData);
  AppendU32(out, pid);
  out.append(secret);
  EndMessage(out, mark);
}

void AppendReadyForQuery(std::string& out, TxStatus status) {
  const std::size_t mark = BeginMessage(out, server::kReadyForQuery);
  out.push_back(static_cast<char>(status));
  EndMessage(out, mark);
}

void AppendParseComplete(std::string& out) { AppendMessage(out, server::kParseComplete, {}); }

void AppendCloseComplete(std::string& out) { AppendMessage(out, server::kCloseComplete, {}); }

void AppendNegotiateProtocolVersion(std::string& out, std::uint32_t newest_minor,
                                    const std::vector<std::string>& options) {
  const std::size_t mark = BeginMessage(out, server::kNegotiateProtocolVersion);
  AppendU32(out, newest_minor);
  AppendU32(out, static_cast<std::uint32_t>(options.size()));
  for (const std::string& option : options) AppendString(out, option);
  EndMessage(out, mark);
}

void AppendStartup(std::string& out,
                   const std::vector<std::pair<std::string, std::string>>& parameters) {
  const std::size_t mark = out.size();
  AppendU32(out, 0);
  AppendU32(out, 3 << 16);
  for (const auto& [name, value] : parameters) {
    AppendString(out, name);
    AppendString(out, value);
  }
  out.push_back('\0');
  EndMessage(out, mark);
}

void AppendCancelRequest(std::string& out, std::uint32_t pid, std::string_view secret) {
  AppendU32(out, static_cast<std::uint32_t>(12 + secret.size()));
  AppendU32(out, 80877102);
  AppendU32(out, pid);
  out.append(secret);
}

void AppendQuery(std::string& out, std::string_view sql) {
  const std::size_t mark = BeginMessage(out, client::kQuery);
  AppendString(out, sql);
  EndMessage(out, mark);
}

void AppendParse(std::string& out, std::string_view name, std::string_view tail) {
  const std::size_t mark = BeginMessage(out, client::kParse);
  AppendString(out, name);
  out.append(tail);
  EndMessage(out, mark);
}

void AppendCloseStatement(std::string& out, std::string_view name) {
  const std::size_t mark = BeginMessage(out, client::kClose);
  out.push_back('S');
  AppendString(out, name);
  EndMessage(out, mark);
}

void AppendDescribeStatement(std::string& out, std::string_view name) {
  const std::size_t mark = BeginMessage(out, client::kDescribe);
  out.push_back('S');
  AppendString(out, name);
  EndMessage(out, mark);
}

void AppendFlush(std::string& out) { AppendMessage(out, client::kFlush, {}); }

void AppendSync(std::string& out) { AppendMessage(out, client::kSync, {}); }

void AppendFunctionCall(std::string& out, std::uint32_t oid,
                        std::initializer_list<std::string_view> arguments) {
  const std::size_t mark = BeginMessage(out, client::kFunctionCall);
  AppendU32(out, oid);
  AppendU16(out, 0);  // formats: all text
  AppendU16(out, static_cast<std::uint16_t>(arguments.size()));
  for (std::string_view argument : arguments) {
    AppendU32(out, static_cast<std::uint32_t>(argument.size()));
    out.append(argument);
  }
  AppendU16(out, 0);
  EndMessage(out, mark);
}

void AppendTerminate(std::string& out) { AppendMessage(out, client::kTerminate, {}); }

void AppendQueryWithParameters(std::string& out, std::string_view sql,
                               const std::vector<std::string_view>& values) {
  std::size_t mark = BeginMessage(out, client::kParse);
  AppendString(out, "");
  AppendString(out, sql);
  AppendU16(out, 0);
  EndMessage(out, mark);

  mark = BeginMessage(out, client::kBind);
  AppendString(out, "");
  AppendString(out, "");
  AppendU16(out, 0);
  AppendU16(out, static_cast<std::uint16_t>(values.size()));
  for (std::string_view value : values) {
    AppendU32(out, static_cast<std::uint32_t>(value.size()));
    out.append(value);
  }
  AppendU16(out, 0);
  EndMessage(out, mark);

  mark = BeginMessage(out, client::kExecute);
  AppendString(out, "");
  AppendU32(out, 0);
  EndMessage(out, mark);
  AppendSync(out);
}

}  // namespace pgvalet::wire
