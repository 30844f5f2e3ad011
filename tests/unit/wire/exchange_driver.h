// ExchangeDriver: what a session does with an Exchange, without a session.
//
// A client's messages go in; those the server is to see go on; answers come back as the client
// sees them.  Between the two lie only bytes, so a test decides what has arrived where.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "fakes/client_messages.h"
#include "wire/exchange.h"
#include "wire/message_builder.h"

namespace pgvalet::wire {

class ExchangeDriver {
 public:
  // One whole message of the client.
  void Send(std::string_view message) {
    const char type = message[0];
    if (type == 'd' || type == 'c' || type == 'f') {
      if (exchange.AtReady()) return;
      if (type != 'd') exchange.OnSent(Sent::kCopyEnd);
    } else if (type != 'H' && type != 'X') {
      exchange.OnSent(KindOf(type));
    }
    to_server.append(message);
  }

  // A message of ours, or one that the server need not see (`message` empty).
  void SendOwn(Sent kind, std::string_view message = {}, std::string_view client_name = {}) {
    exchange.OnSent(kind, std::make_unique<StatementChange>(
                              StatementChange{nullptr, std::string(client_name)}));
    to_server.append(message);
    TakeKnown();
  }

  // The first whole message in `answers`, which is taken off.
  void Answer(std::string& answers) {
    const Header header = LoadHeader(reinterpret_cast<const std::uint8_t*>(answers.data()));
    const std::string message = answers.substr(0, header.total());
    answers.erase(0, header.total());
    last = exchange.OnAnswer(header.type, AsBytes(message).subspan(kHeaderBytes));
    if (last == wire::Answer::kForward) to_client.append(message);
    TakeKnown();
    for (const SentMessage& message_undone : exchange.TakeUndone()) {
      undone.append(message_undone.change->client_name).push_back(' ');
    }
  }

  void AnswerAll(std::string answers) {
    while (!answers.empty()) Answer(answers);
  }

  Exchange exchange;
  std::string to_server;
  std::string to_client;
  std::string undone;  // names, each with a space behind it
  wire::Answer last{};

 private:
  static Sent KindOf(char type) {
    switch (type) {
      case 'P':
        return Sent::kParse;
      case 'B':
        return Sent::kBind;
      case 'D':
        return Sent::kDescribe;
      case 'E':
        return Sent::kExecute;
      case 'C':
        return Sent::kClose;
      case 'S':
        return Sent::kSync;
      case 'F':
        return Sent::kFunctionCall;
      default:
        return Sent::kQuery;
    }
  }

  void TakeKnown() {
    Sent kind;
    while (exchange.TakeKnown(&kind)) {
      if (kind == Sent::kKnownParse) {
        AppendParseComplete(to_client);
      } else {
        AppendCloseComplete(to_client);
      }
    }
  }
};

}  // namespace pgvalet::wire
