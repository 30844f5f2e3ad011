// Many watchers of an agent's snapshots, a connection each, that read and throw away.
//
//   bench_watchers HOST:PORT COUNT SECONDS
//
// Says "open" when each has had its first snapshot; after so many seconds, how many came to all of
// them and how large they were, and how many streams ended before.
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

namespace {

constexpr const char* kMethod = "/pgvalet.v1.Stats/WatchSnapshots";

// One stream; what completes is always the operation that `step` names.
struct Watcher {
  enum class Step { kStart, kWrite, kRead, kFinish, kEnded };

  grpc::ClientContext context;
  std::unique_ptr<grpc::GenericStub> stub;
  std::unique_ptr<grpc::GenericClientAsyncReaderWriter> stream;
  grpc::ByteBuffer message;
  grpc::Status status;
  Step step = Step::kStart;
  bool has_read = false;
};

struct Counts {
  std::int64_t messages = 0;
  std::int64_t bytes = 0;
  std::int64_t first = 0;  // watchers that had one
  std::int64_t ended = 0;
};

void Read(Watcher& watcher) {
  watcher.step = Watcher::Step::kRead;
  watcher.message.Clear();
  watcher.stream->Read(&watcher.message, &watcher);
}

void Finish(Watcher& watcher) {
  watcher.step = Watcher::Step::kFinish;
  watcher.stream->Finish(&watcher.status, &watcher);
}

void Completed(Watcher& watcher, bool ok, Counts& counts) {
  switch (watcher.step) {
    case Watcher::Step::kStart: {
      if (!ok) return Finish(watcher);
      watcher.step = Watcher::Step::kWrite;
      // No field set: every snapshot, all of it.
      const grpc::Slice nothing("", 0);
      watcher.stream->WriteLast(grpc::ByteBuffer(&nothing, 1), grpc::WriteOptions(), &watcher);
      return;
    }
    case Watcher::Step::kWrite:
      return ok ? Read(watcher) : Finish(watcher);
    case Watcher::Step::kRead:
      if (!ok) return Finish(watcher);
      ++counts.messages;
      counts.bytes += static_cast<std::int64_t>(watcher.message.Length());
      counts.first += watcher.has_read ? 0 : 1;
      watcher.has_read = true;
      return Read(watcher);
    case Watcher::Step::kFinish:
      watcher.step = Watcher::Step::kEnded;
      ++counts.ended;
      return;
    case Watcher::Step::kEnded:
      return;
  }
}

void Open(Watcher& watcher, const std::string& address, grpc::CompletionQueue& queue) {
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // a connection of its own
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  watcher.stub = std::make_unique<grpc::GenericStub>(
      grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments));
  watcher.stream = watcher.stub->PrepareCall(&watcher.context, kMethod, &queue);
  watcher.stream->StartCall(&watcher);
}

int Run(const std::string& address, std::size_t count, int seconds) {
  grpc::CompletionQueue queue;
  std::vector<std::unique_ptr<Watcher>> watchers;
  for (std::size_t i = 0; i < count; ++i) {
    watchers.push_back(std::make_unique<Watcher>());
    Open(*watchers.back(), address, queue);
  }
  Counts counts, at_open;
  bool is_open = false;
  auto end = std::chrono::system_clock::now() + std::chrono::seconds(60);
  void* tag = nullptr;
  bool ok = false;
  while (queue.AsyncNext(&tag, &ok, end) == grpc::CompletionQueue::GOT_EVENT) {
    Completed(*static_cast<Watcher*>(tag), ok, counts);
    if (!is_open && counts.first == static_cast<std::int64_t>(count)) {
      is_open = true;
      at_open = counts;
      std::puts("open");
      std::fflush(stdout);
      end = std::chrono::system_clock::now() + std::chrono::seconds(seconds);
    }
    if (counts.ended == static_cast<std::int64_t>(count)) break;
  }
  const std::int64_t messages = counts.messages - at_open.messages;
  std::printf("messages %lld bytes %lld ended %lld\n", static_cast<long long>(messages),
              static_cast<long long>(counts.bytes - at_open.bytes),
              static_cast<long long>(counts.ended));
  std::fflush(stdout);
  // A thousand streams to take down in order would tell nobody anything.
  std::quick_exit(is_open && counts.ended == 0 ? 0 : 1);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: bench_watchers HOST:PORT COUNT SECONDS\n");
    return 2;
  }
  return Run(argv[1], std::strtoul(argv[2], nullptr, 10), std::atoi(argv[3]));
}
