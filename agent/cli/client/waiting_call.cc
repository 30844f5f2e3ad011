#include "cli/client/waiting_call.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <thread>

#include "cli/screen/signals.h"

namespace pgvalet::cli {

grpc::Status RunWaiting(grpc::ClientContext& context, const std::function<grpc::Status()>& call,
                        const std::function<void()>& progress) {
  // Before the thread is made, so that it does not take a signal that is meant for us.
  const Signals signals;
  const int done = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (done < 0) return call();  // no descriptors are left: without progress
  grpc::Status status;
  std::thread thread([&] {
    status = call();
    const std::uint64_t one = 1;
    [[maybe_unused]] const ssize_t written = write(done, &one, sizeof one);
  });
  while (true) {
    pollfd fds[2] = {{signals.fd(), POLLIN, 0}, {done, POLLIN, 0}};
    const int ready = poll(fds, 2, 1000);
    if (ready < 0 && errno != EINTR) break;
    if (fds[1].revents != 0) break;
    if (fds[0].revents != 0 && signals.Take() == Signals::kEnd) context.TryCancel();
    if (ready == 0) progress();
  }
  thread.join();
  close(done);
  return status;
}

}  // namespace pgvalet::cli
