// Cancel keys of clients, and cancel requests on their way to servers.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "io/address.h"
#include "io/channel.h"
#include "io/loop.h"
#include "pool/policy.h"

namespace pgvalet::session {

class ClientSession;

// What BackendKeyData tells a client: a number of ours in the place of a pid, and a secret.
struct CancelKey {
  std::uint32_t pid = 0;
  std::uint32_t secret = 0;
};

// Which session a cancel key belongs to, and on which core it lives.  One per process, thread-safe.
// The session itself may be touched on its core only.
class CancelDirectory {
 public:
  CancelKey Add(ClientSession& session, int core);
  void Move(const CancelKey& key, int core);
  void Remove(const CancelKey& key);

  struct Found {
    ClientSession* session;
    int core;
  };
  // Nothing when the pid is unknown or the secret (as four bytes) is not its own.
  std::optional<Found> Find(std::uint32_t pid, std::string_view secret) const;

 private:
  struct Entry {
    std::uint32_t secret;
    int core;
    ClientSession* session;
  };
  mutable std::mutex mutex_;  // protects all below
  std::unordered_map<std::uint32_t, Entry> entries_;
};

// Cancel requests on their way from one core.  A request is done when the server closes the
// connection that carried it: by then the backend has been signalled.
class CancelSender final : public io::Deferred {
 public:
  explicit CancelSender(io::Loop& loop) : loop_(loop) {}

  // `done` runs later, whether the request arrived or not; `limit` bounds the whole thing.
  void Send(const io::Address& address, std::uint32_t pid, std::string secret, Duration limit,
            std::function<void()> done);

  void RunDeferred() override;

 private:
  struct Errand {
    Errand(io::Loop& loop, Time deadline) : channel(loop, deadline) {}
    std::unique_ptr<io::Stream> stream;
    io::Channel channel;
    io::Task<Done> task;
    std::function<void()> done;
    bool finished = false;
  };
  io::Task<Done> Deliver(Errand& errand, io::Address address, std::uint32_t pid,
                         std::string secret);

  io::Loop& loop_;
  std::list<Errand> errands_;
};

}  // namespace pgvalet::session
