#include "session/cancel.h"

#include <sys/random.h>

#include <cstring>
#include <utility>

#include "base/log.h"
#include "wire/message_builder.h"

namespace pgvalet::session {
namespace {

std::uint32_t RandomU32() {
  std::uint32_t value = 0;
  if (getrandom(&value, sizeof value, 0) != sizeof value) std::abort();  // cannot happen on Linux
  return value;
}

}  // namespace

CancelKey CancelDirectory::Add(ClientSession& session, int core) {
  const std::uint32_t secret = RandomU32();
  const std::lock_guard lock(mutex_);
  while (true) {
    // Positive, as clients that read it as a signed number expect of a pid.
    const std::uint32_t pid = RandomU32() & 0x7fffffff;
    if (pid != 0 && entries_.try_emplace(pid, Entry{secret, core, &session}).second) {
      return {pid, secret};
    }
  }
}

void CancelDirectory::Move(const CancelKey& key, int core) {
  const std::lock_guard lock(mutex_);
  if (const auto found = entries_.find(key.pid); found != entries_.end()) found->second.core = core;
}

void CancelDirectory::Remove(const CancelKey& key) {
  const std::lock_guard lock(mutex_);
  entries_.erase(key.pid);
}

std::optional<CancelDirectory::Found> CancelDirectory::Find(std::uint32_t pid,
                                                            std::string_view secret) const {
  if (secret.size() != 4) return std::nullopt;
  const std::lock_guard lock(mutex_);
  const auto found = entries_.find(pid);
  if (found == entries_.end() || found->second.secret != wire::LoadU32(secret.data()))
    return std::nullopt;
  return Found{found->second.session, found->second.core};
}

void CancelSender::Send(const io::Address& address, std::uint32_t pid, std::string secret,
                        Duration limit, std::function<void()> done) {
  Errand& errand = errands_.emplace_back(loop_, loop_.now() + limit);
  errand.done = std::move(done);
  errand.task = Deliver(errand, address, pid, std::move(secret));
  errand.task.Start();
}

io::Task<Done> CancelSender::Deliver(Errand& errand, io::Address address, std::uint32_t pid,
                                     std::string secret) {
  Result<int> fd = io::Stream::Connect(address);
  if (fd) {
    errand.stream = std::make_unique<io::Stream>(loop_, *fd, errand.channel, /*connecting=*/true);
    errand.channel.Use(*errand.stream);
    Result<Done> connected = co_await errand.channel.Drained();
    std::string packet;
    wire::AppendCancelRequest(packet, pid, secret);
    if (connected && errand.channel.Send(packet)) {
      [[maybe_unused]] const Result<Done> end = co_await errand.channel.Fill(1);
    } else {
      log::warn("a cancel request could not be delivered to {}", address.ToString());
    }
  }
  errand.finished = true;
  loop_.Defer(*this);
  co_return Done{};
}

void CancelSender::RunDeferred() {
  for (auto it = errands_.begin(); it != errands_.end();) {
    if (!it->finished) {
      ++it;
      continue;
    }
    std::function<void()> done = std::move(it->done);
    it = errands_.erase(it);
    if (done) done();
  }
}

}  // namespace pgvalet::session
