// FakeListenServer: a PostgreSQL server on an abstract Unix socket that knows nothing but LISTEN,
// UNLISTEN and NOTIFY.
//
// Lives on one loop; lets everybody in (trust).  As the real one it has one order of notifications
// for all sessions, and tells a session's own before its ReadyForQuery.  Any other SQL succeeds.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "config/settings.h"
#include "io/listener.h"
#include "io/stream.h"

namespace pgvalet::fakes {

class FakeListenServer {
 public:
  class Connection final : public io::StreamHandler {
   public:
    Connection(FakeListenServer& server, int fd, std::uint32_t pid);

    // The agent has closed it, or the test.
    bool gone() const { return stream_ == nullptr; }
    std::uint32_t pid() const { return pid_; }
    // Name, zero, value, zero, ... as sent.
    const std::string& startup() const { return startup_; }
    const std::set<std::string>& channels() const { return channels_; }
    // Queries it read, in order, but for that which sets up the session.
    std::vector<std::string> TakeSeen();
    void Close() { stream_.reset(); }
    // FATAL, and the end.
    void Terminate(std::string_view sqlstate);
    void SendRaw(std::string_view bytes);
    // It does not read until Release().
    void Hold() { held_ = true; }
    void Release();

    void OnReadable() override;
    void OnWritable() override {}

   private:
    friend class FakeListenServer;
    void TakeInput();
    void LogIn();
    void Run(const std::string& sql);

    FakeListenServer& server_;
    std::unique_ptr<io::Stream> stream_;
    std::uint32_t pid_;
    std::string input_;
    std::string startup_;
    std::set<std::string> channels_;
    std::vector<std::string> seen_;
    bool logged_in_ = false;
    bool held_ = false;
  };

  struct Sent {
    std::uint32_t pid;
    std::string channel;
    std::string payload;
  };

  FakeListenServer(io::Loop& loop, std::string name);

  config::HostPort address() const { return {name_, kPort}; }
  // A transaction of some other session, with this pid.
  void Notify(std::uint32_t pid, const std::string& channel, const std::string& payload);
  // Connections that are not gone.
  std::size_t open() const;

  // All that were ever made, in order.
  std::vector<std::unique_ptr<Connection>> connections;
  // All notifications, whoever sent them, in the one order.
  std::vector<Sent> log;
  std::optional<std::string> refuse_sqlstate;      // of logins, from here on
  std::map<std::string, std::string> fail_listen;  // channel to sqlstate; "*": all
  std::optional<std::string> fail_notify;

 private:
  static constexpr std::uint16_t kPort = 5432;

  io::Loop& loop_;
  std::string name_;
  std::unique_ptr<io::ListenSocket> socket_;
  std::unique_ptr<io::Acceptor> acceptor_;
  std::uint32_t next_pid_ = 2001;
};

}  // namespace pgvalet::fakes
