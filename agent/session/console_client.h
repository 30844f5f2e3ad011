// ConsoleClient: a client that talks to the console, after its login.
//
// Owned by its session.  Thread: the session's core; answers come from other threads by Post().
#pragma once

#include <memory>
#include <stop_token>
#include <string>

#include "io/stream.h"
#include "session/console.h"
#include "wire/protocol.h"

namespace pgvalet::session {

class ClientSession;

class ConsoleClient final : public io::StreamHandler {
 public:
  // `unread`: what arrived behind the login.
  ConsoleClient(ClientSession& session, Console& console, ConsoleCaller caller, std::string unread);
  // A command that still runs is called off; nobody hears of its answer.
  ~ConsoleClient();
  ConsoleClient(const ConsoleClient&) = delete;
  ConsoleClient& operator=(const ConsoleClient&) = delete;

  // Serves what has arrived.
  void Begin();
  // The client asked for its command to be cancelled.
  void Cancel() { stop_.request_stop(); }
  const ConsoleCaller& caller() const { return caller_; }

  void OnReadable() override;
  void OnWritable() override;

 private:
  // Ours as long as we live; what an answer finds when it comes.
  struct Address {
    ConsoleClient* client;
  };

  // False: the session has ended.
  bool Receive();
  void TakeMessages();
  bool TakeMessage(const wire::Header& header, wire::Bytes body);
  void Ask(std::string sql);
  void OnAnswer(const ConsoleAnswer& answer);

  ClientSession& session_;
  Console& console_;
  const ConsoleCaller caller_;
  std::string buffer_;
  std::stop_source stop_;
  bool is_busy_ = false;
  std::shared_ptr<Address> address_ = std::make_shared<Address>(Address{this});
};

}  // namespace pgvalet::session
