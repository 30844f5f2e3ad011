#include "daemon/core.h"

#include <pthread.h>
#include <time.h>

#include <string>
#include <utility>

namespace pgvalet::daemon {
namespace {

constexpr Duration kTick = std::chrono::milliseconds(100);
// Of a core that has nothing to look after.
constexpr Duration kIdleTick = std::chrono::seconds(1);

std::uint64_t ThreadCpuMicros() {
  timespec spent{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent);
  return static_cast<std::uint64_t>(spent.tv_sec) * 1'000'000 +
         static_cast<std::uint64_t>(spent.tv_nsec) / 1000;
}

}  // namespace

Core::Core(int index, session::SessionShared& shared, stats::Registry& registry, Balancer& balancer,
           const config::SettingsPtr& settings, auth::UserDirectoryPtr users)
    : index_(index),
      counters_(registry.AddCore(index)),
      balancer_(balancer),
      shared_(shared),
      loop_(*counters_),
      sessions_(shared, loop_, index, settings, std::move(users)),
      tick_([this] { Tick(); }) {}

Core::~Core() { Stop(); }

void Core::Start() {
  thread_ = std::thread([this] { Run(); });
}

void Core::Stop() {
  if (!thread_.joinable()) return;
  loop_.Stop();
  thread_.join();
}

void Core::Run() {
  pthread_setname_np(pthread_self(), ("core " + std::to_string(index_)).c_str());
  loop_.Arm(tick_, loop_.now());
  loop_.Run();
}

void Core::Tick() {
  counters_->busy_us.Add(ThreadCpuMicros() - counters_->busy_us.value());
  sessions_.Tick(loop_.now());
  if (index_ == 0) balancer_.Tick(loop_.now());
  const bool quiet = sessions_.client_count() == 0 && sessions_.pools().empty();
  loop_.Arm(tick_, loop_.now() + (quiet ? kIdleTick : kTick));
}

void Core::Listen(const std::vector<io::ListenSocket>& sockets) {
  for (const io::ListenSocket& socket : sockets) {
    acceptors_.push_back(std::make_unique<io::Acceptor>(
        loop_, socket, [this](int fd, const io::Address& peer) { OnAccept(fd, peer); }));
  }
}

void Core::OnAccept(int fd, const io::Address& peer) {
  const int to = balancer_.Place();
  if (to == index_) {
    sessions_.Accept(fd, peer);
    // A quiet core ticks slowly; a client is a reason to wake up.
    loop_.Arm(tick_, loop_.now() + kTick);
    return;
  }
  session::SessionContext* target = shared_.cores[static_cast<std::size_t>(to)];
  target->loop().Post([target, fd, peer] { target->Accept(fd, peer); });
}

}  // namespace pgvalet::daemon
