// FakeServer: a PostgreSQL server on an abstract Unix socket, with a FakeBackend per connection.
//
// Lives on the loop of the test; lets everybody in (trust).  A test may hold back what a backend
// says or reads, close it, or have it say anything.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/settings.h"
#include "fakes/fake_backend.h"
#include "io/listener.h"
#include "io/stream.h"

namespace pgvalet::fakes {

class FakeServer {
 public:
  class Connection final : public io::StreamHandler {
   public:
    Connection(FakeServer& server, int fd, std::uint32_t pid);

    // The agent has closed it.
    bool gone() const { return gone_; }
    bool logged_in() const { return logged_in_; }
    std::uint32_t pid() const { return pid_; }
    const std::string& startup() const { return startup_; }
    std::vector<std::string> TakeSeen() { return backend.TakeSeen(); }
    // Ends it from this side.
    void Close();
    void SendRaw(std::string_view bytes);
    // It neither reads nor speaks until Release().
    void Hold() { held_ = true; }
    void Release();
    // Sends answers in pieces of this many bytes, one per turn of the loop; 0: whole.
    void SendInPieces(std::size_t bytes) { piece_ = bytes; }
    // Passes on what the backend has to say; after FakeBackend::Wake().
    void Speak();

    void OnReadable() override;
    void OnWritable() override { Speak(); }

    FakeBackend backend;

   private:
    friend class FakeServer;
    void LogIn();

    FakeServer& server_;
    std::unique_ptr<io::Stream> stream_;
    std::uint32_t pid_;
    std::string startup_;
    std::string unsent_;
    std::size_t piece_ = 0;
    bool logged_in_ = false;
    bool held_ = false;
    bool gone_ = false;
  };

  FakeServer(io::Loop& loop, std::string name);

  config::HostPort address() const { return {name_, kPort}; }
  // All that were ever made, in order; a cancel request is none.
  std::vector<std::unique_ptr<Connection>> connections;
  Connection& connection(std::size_t index) { return *connections.at(index); }
  // Connections that are not gone.
  std::size_t open() const;
  // Pids that cancel requests named, with the right secret.
  std::vector<std::uint32_t> cancels;
  // The connections of cancel requests stay open until this is called.
  void HoldCancels() { hold_cancels_ = true; }
  void ReleaseCancels();
  // Connections made from here on have the extension.
  bool with_extension = false;
  // Logins are refused with this from here on.
  std::optional<std::string> refuse_sqlstate;
  // Pieces of one turn.
  void SendPieces();

 private:
  static constexpr std::uint16_t kPort = 5432;
  void OnStartup(Connection& connection);

  io::Loop& loop_;
  std::string name_;
  std::unique_ptr<io::ListenSocket> socket_;
  std::unique_ptr<io::Acceptor> acceptor_;
  std::vector<std::unique_ptr<Connection>> strangers_;  // not logged in: cancel requests
  std::uint32_t next_pid_ = 1001;
  bool hold_cancels_ = false;
};

}  // namespace pgvalet::fakes
