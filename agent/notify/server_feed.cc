#include "notify/server_feed.h"

#include <utility>

#include "pool/server_query.h"
#include "wire/message_builder.h"

namespace pgvalet::notify {
namespace {

// A notification has a payload of less than 8000 bytes; nothing else we provoke is longer.
constexpr std::uint32_t kMaxMessageBytes = 64 * 1024;
// Of one turn: other work of this core is not to wait for a flood.
constexpr int kMaxReads = 16;

}  // namespace

ServerFeed::ServerFeed(std::unique_ptr<io::Stream> stream, std::string unread, FeedHandler& handler)
    : handler_(handler), stream_(std::move(stream)), buffer_(std::move(unread)) {
  stream_->SetHandler(*this);
}

ServerFeed::~ServerFeed() {
  if (ended_) return;
  std::string goodbye;
  wire::AppendTerminate(goodbye);
  [[maybe_unused]] const Result<Done> sent = stream_->Send(goodbye);
}

void ServerFeed::Ask(Command command, std::string_view sql) {
  asked_.push_back(std::move(command));
  wire::AppendQuery(unsent_, sql);
}

void ServerFeed::Turn() {
  if (ended_) return;
  if (!unsent_.empty()) {
    const Result<Done> sent = stream_->Send(unsent_);
    unsent_.clear();
    if (!sent) {
      while (ReadOnce()) {  // the server may have said why
      }
      return End(sent.error());
    }
  }
  if (unfinished_) Read();
}

void ServerFeed::End(const Error& error) {
  if (ended_) return;
  ended_ = true;
  handler_.OnFeedEnd(error);
}

void ServerFeed::OnReadable() {
  if (!ended_) Read();
}

void ServerFeed::Read() {
  TakeMessages();  // what login has left
  unfinished_ = false;
  for (int reads = 0; !ended_ && stream_->readable(); ++reads) {
    if (reads == kMaxReads) {
      unfinished_ = true;
      return;
    }
    ReadOnce();
  }
}

// False: there was nothing, or the end.
bool ServerFeed::ReadOnce() {
  if (ended_) return false;
  const Result<std::span<std::uint8_t>> got = stream_->Receive();
  if (!got) {
    End(failure_ ? *failure_ : got.error());
    return false;
  }
  buffer_.append(wire::AsText(*got));
  TakeMessages();
  return !got->empty();
}

void ServerFeed::TakeMessages() {
  std::size_t at = 0;
  while (!ended_ && buffer_.size() - at >= wire::kHeaderBytes) {
    const wire::Bytes rest = wire::AsBytes(buffer_).subspan(at);
    const wire::Header header = wire::LoadHeader(rest.data());
    if (!wire::HeaderIsSane(header, kMaxMessageBytes)) {
      return End({ErrorCode::kProtocol, "the server sent a message of invalid length"});
    }
    if (rest.size() < header.total()) break;
    TakeMessage(header.type, rest.first(header.total()));
    at += header.total();
  }
  buffer_.erase(0, at);
}

void ServerFeed::TakeMessage(char type, wire::Bytes message) {
  switch (type) {
    case wire::server::kNotificationResponse:
      return TakeNotification(message);
    case wire::server::kErrorResponse:
      if (!failure_) failure_ = pool::ServerError(message.subspan(wire::kHeaderBytes));
      return;
    case wire::server::kReadyForQuery:
      return TakeReady();
    case wire::server::kCommandComplete:
    case wire::server::kDataRow:
    case wire::server::kRowDescription:
    case wire::server::kNoticeResponse:
    case wire::server::kParameterStatus:
      return;
    default:
      return End({ErrorCode::kProtocol, "the server sent an unexpected message while we listen", 0,
                  std::string("type ") + std::to_string(static_cast<unsigned char>(type))});
  }
}

void ServerFeed::TakeNotification(wire::Bytes message) {
  const auto fields = ParseNotification(message.subspan(wire::kHeaderBytes));
  if (!fields) return End({ErrorCode::kProtocol, "the server sent a malformed notification"});
  handler_.OnNotification(*fields, message);
}

void ServerFeed::TakeReady() {
  if (asked_.empty()) {
    return End({ErrorCode::kProtocol, "the server is ready for what it was not asked"});
  }
  const Command command = std::move(asked_.front());
  asked_.pop_front();
  const std::optional<Error> failure = std::exchange(failure_, std::nullopt);
  handler_.OnAnswer(command, failure ? &*failure : nullptr);
}

}  // namespace pgvalet::notify
