#include "api/served_connection.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>

namespace pgvalet::api {
namespace {

thread_local ServedConnection* t_served = nullptr;

// As poll() takes it; it is called again when more is left.
int PollTime(Time deadline) {
  constexpr std::int64_t kMostMs = 60'000;
  if (deadline == Time::max()) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, kMostMs));
}

}  // namespace

Signal::Signal() : descriptor_(::eventfd(0, EFD_CLOEXEC)) {}
Signal::~Signal() { ::close(descriptor_); }

void Signal::Give() const {
  const std::uint64_t one = 1;
  (void)!::write(descriptor_, &one, sizeof(one));
}

void Signal::Await() const {
  std::uint64_t count = 0;
  while (::read(descriptor_, &count, sizeof(count)) < 0 && errno == EINTR) continue;
}

ServedConnection::ServedConnection(int socket, Time deadline, Duration time)
    : socket_(socket), deadline_(deadline), time_(time) {
  t_served = this;
}

ServedConnection::~ServedConnection() { t_served = nullptr; }

ServedConnection* ServedConnection::OfThisThread() { return t_served; }

ServedConnection::Wait ServedConnection::WaitFor(const Signal& signal, Time deadline) const {
  while (true) {
    std::array<pollfd, 2> either{pollfd{signal.descriptor(), POLLIN, 0},
                                 pollfd{socket_, POLLRDHUP, 0}};
    const int ready = ::poll(either.data(), either.size(), PollTime(deadline));
    if (either[0].revents != 0) {
      signal.Await();
      return Wait::kDone;
    }
    if (either[1].revents != 0) return Wait::kHungUp;
    if (ready == 0 && Clock::now() >= deadline) return Wait::kTimeOver;
    if (ready < 0 && errno != EINTR) return Wait::kHungUp;
  }
}

}  // namespace pgvalet::api
