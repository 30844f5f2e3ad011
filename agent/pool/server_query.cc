#include "pool/server_query.h"

#include "wire/body_reader.h"
#include "wire/error_fields.h"
#include "wire/message_builder.h"

namespace pgvalet::pool {
namespace {

constexpr std::size_t kMaxRows = 1000;
constexpr std::uint32_t kMaxMessageBytes = 1024 * 1024;

void TakeRow(wire::Bytes body, QueryOutcome& outcome) {
  if (outcome.rows.size() == kMaxRows) return;
  wire::BodyReader reader(body);
  std::vector<std::optional<std::string>> row;
  for (int left = reader.TakeU16(); left > 0 && reader.ok(); --left) {
    const std::uint32_t length = reader.TakeU32();
    if (length == 0xffffffff) {
      row.emplace_back();
    } else {
      row.emplace_back(wire::AsText(reader.TakeBytes(length)));
    }
  }
  if (reader.ok()) outcome.rows.push_back(std::move(row));
}

void TakeParameter(wire::Bytes body, QueryOutcome& outcome) {
  wire::BodyReader reader(body);
  const std::string_view name = reader.TakeString();
  const std::string_view value = reader.TakeString();
  if (reader.ok()) outcome.parameters.emplace_back(name, value);
}

}  // namespace

Error ServerError(wire::Bytes body) {
  const wire::ErrorFields fields = wire::ParseErrorFields(body);
  std::string text(fields.message);
  if (!fields.detail.empty()) text.append(" (").append(fields.detail).append(")");
  return Error{ErrorCode::kServer, "the server answered", 0, std::move(text),
               std::string(fields.sqlstate)};
}

io::Task<Result<QueryOutcome>> RunMessages(io::Channel& channel, std::string messages) {
  if (Result<Done> sent = channel.Send(messages); !sent) co_return sent.error();
  QueryOutcome outcome;
  std::optional<Error> failure;
  while (true) {
    Result<io::ChannelMessage> message = co_await channel.NextMessage(kMaxMessageBytes);
    // A FATAL error is followed by the end of the stream: the error says more than the end.
    if (!message) co_return failure ? *failure : message.error();
    switch (message->type) {
      case wire::server::kDataRow:
        TakeRow(message->body, outcome);
        break;
      case wire::server::kParameterStatus:
        TakeParameter(message->body, outcome);
        break;
      case wire::server::kErrorResponse:
        if (!failure) failure = ServerError(message->body);
        break;
      case wire::server::kReadyForQuery:
        if (failure) co_return *failure;
        if (!message->body.empty()) outcome.status = static_cast<char>(message->body[0]);
        co_return std::move(outcome);
      case wire::server::kCopyInResponse:
      case wire::server::kCopyOutResponse:
      case wire::server::kCopyBothResponse:
        co_return Error{ErrorCode::kProtocol, "a query of ours began a COPY"};
      default:
        break;
    }
  }
}

io::Task<Result<QueryOutcome>> RunQuery(io::Channel& channel, std::string sql) {
  std::string messages;
  wire::AppendQuery(messages, sql);
  co_return co_await RunMessages(channel, std::move(messages));
}

}  // namespace pgvalet::pool
