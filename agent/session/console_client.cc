#include "session/console_client.h"

#include <utility>

#include "session/client_session.h"
#include "session/context.h"
#include "wire/message_builder.h"

namespace pgvalet::session {
namespace {

// A command is a line, not a program.
constexpr std::uint32_t kMaxMessageBytes = 64 * 1024;

}  // namespace

ConsoleClient::ConsoleClient(ClientSession& session, Console& console, ConsoleCaller caller,
                             std::string unread)
    : session_(session),
      console_(console),
      caller_(std::move(caller)),
      buffer_(std::move(unread)) {}

ConsoleClient::~ConsoleClient() {
  address_->client = nullptr;
  stop_.request_stop();
}

void ConsoleClient::Begin() { OnReadable(); }

void ConsoleClient::OnReadable() {
  if (Receive()) TakeMessages();
}

bool ConsoleClient::Receive() {
  io::Stream& stream = session_.stream_;
  while (stream.readable() && buffer_.size() <= kMaxMessageBytes) {
    Result<std::span<std::uint8_t>> got = stream.Receive();
    if (!got) {
      session_.End("the client closed the connection");
      return false;
    }
    if (got->empty()) break;
    buffer_ += wire::AsText(*got);
  }
  return true;
}

void ConsoleClient::OnWritable() {
  if (session_.state() == ClientState::kClosing) return session_.OnWritable();
  TakeMessages();
}

// One command after the other: the next is looked at when the answer is sent.
void ConsoleClient::TakeMessages() {
  while (!is_busy_ && !session_.stream_.blocked()) {
    const wire::Bytes unread = wire::AsBytes(buffer_);
    if (unread.size() < wire::kHeaderBytes) return;
    const wire::Header header = wire::LoadHeader(unread.data());
    if (!wire::HeaderIsSane(header, kMaxMessageBytes)) {
      return session_.Kill("08P01", "the message is malformed or too long for the console");
    }
    if (unread.size() < header.total()) return;
    const std::string body(wire::AsText(unread.subspan(wire::kHeaderBytes, header.body())));
    buffer_.erase(0, header.total());
    if (!TakeMessage(header, wire::AsBytes(body))) return;
  }
}

bool ConsoleClient::TakeMessage(const wire::Header& header, wire::Bytes body) {
  switch (header.type) {
    case wire::client::kQuery: {
      const std::string_view text = wire::AsText(body);
      Ask(std::string(text.substr(0, text.find('\0'))));
      return true;
    }
    case wire::client::kTerminate:
      session_.End("the client said goodbye");
      return false;
    case wire::client::kParse:
    case wire::client::kBind:
    case wire::client::kDescribe:
    case wire::client::kExecute:
    case wire::client::kClose:
    case wire::client::kFlush:
    case wire::client::kSync:
      session_.Kill("08P01", "extended query protocol not supported by admin console",
                    "Make the driver use the simple query protocol.");
      return false;
    default:
      session_.Kill("08P01", "the console does not know this kind of message");
      return false;
  }
}

void ConsoleClient::Ask(std::string sql) {
  is_busy_ = true;
  stop_ = std::stop_source();
  io::Loop& loop = session_.stream_.loop();
  console_.Execute(caller_, std::move(sql), stop_.get_token(),
                   [&loop, address = address_](ConsoleAnswer answer) {
                     loop.Post([address, answer = std::move(answer)] {
                       if (address->client != nullptr) address->client->OnAnswer(answer);
                     });
                   });
}

void ConsoleClient::OnAnswer(const ConsoleAnswer& answer) {
  is_busy_ = false;
  if (!session_.stream_.Send(answer.messages)) {
    return session_.End("the client closed the connection");
  }
  if (answer.ends_session) return session_.End("the console ended the session");
  if (Receive()) TakeMessages();
}

}  // namespace pgvalet::session
