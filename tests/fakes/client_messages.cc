#include "fakes/client_messages.h"

#include <utility>
#include <vector>

#include "wire/body_reader.h"
#include "wire/error_fields.h"
#include "wire/message_builder.h"

namespace pgvalet::fakes {
namespace {

std::string Message(char type, std::string_view body = {}) {
  std::string out;
  wire::AppendMessage(out, type, wire::AsBytes(body));
  return out;
}

std::string Zero(std::string_view text) {
  std::string out;
  wire::AppendString(out, text);
  return out;
}

// Calls `visit(type, body)` for every whole message.
template <typename Visit>
void ForEach(std::string_view messages, Visit visit) {
  while (messages.size() >= wire::kHeaderBytes) {
    const wire::Header header =
        wire::LoadHeader(reinterpret_cast<const std::uint8_t*>(messages.data()));
    if (messages.size() < header.total()) break;
    visit(header.type,
          wire::AsBytes(messages.substr(wire::kHeaderBytes, header.total() - wire::kHeaderBytes)));
    messages.remove_prefix(header.total());
  }
  if (!messages.empty()) visit('?', wire::AsBytes(messages));
}

std::string Detail(char type, wire::Bytes body) {
  wire::BodyReader reader(body);
  switch (type) {
    case wire::server::kErrorResponse: {
      const wire::ErrorFields fields = wire::ParseErrorFields(body);
      return ":" + std::string(fields.severity == "FATAL" ? "FATAL:" : "") +
             std::string(fields.sqlstate);
    }
    case wire::server::kCommandComplete:
      return ":" + std::string(reader.TakeString());
    case wire::server::kReadyForQuery:
      return ":" + std::string(wire::AsText(body));
    case wire::server::kParameterStatus: {
      std::string text = ":" + std::string(reader.TakeString());
      return text.append("=").append(reader.TakeString());
    }
    default:
      return {};
  }
}

}  // namespace

std::string Query(std::string_view sql) { return Message('Q', Zero(sql)); }

std::string Parse(std::string_view name, std::string_view sql) {
  return Message('P', Zero(name) + Zero(sql) + std::string("\0\0", 2));
}

std::string Bind(std::string_view name, std::size_t padding) {
  std::string body = Zero("") + Zero(name) + std::string("\0\0", 2);
  wire::AppendU16(body, padding > 0 ? 1 : 0);
  if (padding > 0) {
    wire::AppendU32(body, static_cast<std::uint32_t>(padding));
    body.append(padding, 'x');
  }
  wire::AppendU16(body, 0);
  return Message('B', body);
}

std::string DescribeStatement(std::string_view name) { return Message('D', "S" + Zero(name)); }
std::string DescribePortal() { return Message('D', "P" + Zero("")); }
std::string Execute() { return Message('E', Zero("") + std::string("\0\0\0\0", 4)); }
std::string CloseStatement(std::string_view name) { return Message('C', "S" + Zero(name)); }
std::string Sync() { return Message('S'); }
std::string Flush() { return Message('H'); }
std::string FunctionCall() { return Message('F', std::string(10, '\0')); }
std::string CopyData(std::string_view data) { return Message('d', data); }
std::string CopyDone() { return Message('c'); }
std::string CopyFail() { return Message('f', Zero("enough")); }
std::string Terminate() { return Message('X'); }

std::string Startup(std::string_view user, std::string_view database, std::string_view options) {
  std::vector<std::pair<std::string, std::string>> parameters = {
      {"user", std::string(user)}, {"database", std::string(database)}};
  if (!options.empty()) parameters.emplace_back("options", options);
  std::string out;
  wire::AppendStartup(out, parameters);
  return out;
}

std::string Types(std::string_view messages) {
  std::string types;
  ForEach(messages, [&](char type, wire::Bytes) { types.push_back(type); });
  return types;
}

std::string Describe(std::string_view messages) {
  std::string text;
  ForEach(messages, [&](char type, wire::Bytes body) {
    if (!text.empty()) text.push_back(' ');
    text.push_back(type);
    text.append(Detail(type, body));
  });
  return text;
}

}  // namespace pgvalet::fakes
