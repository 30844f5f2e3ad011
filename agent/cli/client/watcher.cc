#include "cli/client/watcher.h"

#include <grpcpp/completion_queue.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <utility>

#include "cli/client/client.h"
#include "cli/screen/format.h"
#include "pgvalet/v1/control.grpc.pb.h"

namespace pgvalet::cli {
namespace {

using namespace std::chrono_literals;

constexpr Duration kPause = 1s;  // between two attempts

google::protobuf::Duration ToProto(Duration duration) {
  google::protobuf::Duration proto;
  proto.set_seconds(duration.count() / 1000000);
  proto.set_nanos(static_cast<std::int32_t>(duration.count() % 1000000 * 1000));
  return proto;
}

bool SameReading(const v1::Snapshot& a, const v1::Snapshot& b) {
  return Microseconds(a.extension().sampled_at()) == Microseconds(b.extension().sampled_at());
}

}  // namespace

void Join(Watcher::Report* report, SnapshotPtr snapshot) {
  if (report->now) {
    const bool restarted = Microseconds(report->now->agent().started_at()) !=
                           Microseconds(snapshot->agent().started_at());
    if (restarted) {
      report->notice = "the agent was restarted";
    } else if (!report->problem.empty()) {
      report->notice = "connected again";
    }
    if (!SameReading(*report->now, *snapshot)) report->before = report->now;
  }
  report->now = std::move(snapshot);
  report->problem.clear();
  report->received = Clock::now();
  report->tried = true;
  ++report->snapshots;
}

Watcher::Watcher(Common common, Duration interval)
    : common_(std::move(common)),
      interval_(interval),
      event_fd_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)),
      thread_([this] { Run(); }) {}

Watcher::~Watcher() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
    if (call_ != nullptr) call_->TryCancel();
  }
  stopped_.notify_all();
  thread_.join();
  if (event_fd_ >= 0) close(event_fd_);
}

Watcher::Report Watcher::Take() {
  std::uint64_t count = 0;
  [[maybe_unused]] const ssize_t taken = read(event_fd_, &count, sizeof count);
  std::lock_guard lock(mutex_);
  return report_;
}

void Watcher::Wake() {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(event_fd_, &one, sizeof one);
}

void Watcher::Received(SnapshotPtr snapshot) {
  {
    std::lock_guard lock(mutex_);
    Join(&report_, std::move(snapshot));
  }
  Wake();
}

void Watcher::WantConnections(bool wanted) {
  std::lock_guard lock(mutex_);
  wants_connections_ = wanted;
}

// On the watcher's thread; the destructor cancels it as any call.
void Watcher::AskConnections(const std::shared_ptr<grpc::Channel>& channel) {
  const std::unique_ptr<v1::Control::Stub> stub = v1::Control::NewStub(channel);
  auto connections = std::make_shared<Connections>();
  const auto ask = [&](const auto& call) {
    grpc::ClientContext context;
    UseToken(context, common_.token);
    context.set_deadline(std::chrono::system_clock::now() + common_.timeout);
    grpc::ClientContext* outer = nullptr;
    {
      std::lock_guard lock(mutex_);
      if (stop_ || !wants_connections_) return false;
      outer = std::exchange(call_, &context);
    }
    const grpc::Status status = call(context);
    {
      std::lock_guard lock(mutex_);
      call_ = outer;
      if (stop_ && outer != nullptr) outer->TryCancel();
    }
    if (!status.ok()) connections->problem = FromStatus(status).detail;
    return status.ok();
  };
  const bool asked = ask([&](grpc::ClientContext& context) {
                       return stub->ListClients(&context, {}, &connections->clients);
                     }) &&
                     ask([&](grpc::ClientContext& context) {
                       return stub->ListServers(&context, {}, &connections->servers);
                     });
  if (!asked && connections->problem.empty()) return;
  {
    std::lock_guard lock(mutex_);
    report_.connections = std::move(connections);
  }
  Wake();
}

void Watcher::Failed(std::string problem) {
  {
    std::lock_guard lock(mutex_);
    report_.problem = std::move(problem);
    report_.notice.clear();
    report_.tried = true;
  }
  Wake();
}

void Watcher::Run() {
  while (true) {
    // A channel of its own per attempt: one that failed waits longer and longer by itself.
    const Result<std::shared_ptr<grpc::Channel>> channel = OpenChannel(common_);
    std::string problem = channel ? WatchOnce(*channel) : channel.error().detail;
    {
      std::unique_lock lock(mutex_);
      if (stop_) return;
    }
    Failed(std::move(problem));
    std::unique_lock lock(mutex_);
    if (stopped_.wait_for(lock, kPause, [this] { return stop_; })) return;
  }
}

// Reads one stream to its end; returns why it ended.
std::string Watcher::WatchOnce(const std::shared_ptr<grpc::Channel>& channel) {
  grpc::ClientContext context;
  UseToken(context, common_.token);
  grpc::CompletionQueue queue;
  {
    std::lock_guard lock(mutex_);
    if (stop_) return "";
    call_ = &context;
  }
  v1::WatchSnapshotsRequest request;
  *request.mutable_interval() = ToProto(interval_);
  const std::unique_ptr<v1::Stats::Stub> stub = v1::Stats::NewStub(channel);
  const auto reader = stub->AsyncWatchSnapshots(&context, request, &queue, nullptr);

  // One operation is under way at any time, so the tag is of no interest.  A read that
  // takes too long is cancelled, and then ends as any failed one does.
  bool silent = false;
  const auto wait = [&](Duration patience) {
    void* tag = nullptr;
    bool ok = false;
    const auto deadline = std::chrono::system_clock::now() + patience;
    if (queue.AsyncNext(&tag, &ok, deadline) == grpc::CompletionQueue::TIMEOUT) {
      silent = true;
      context.TryCancel();
      queue.Next(&tag, &ok);
    }
    return ok;
  };
  bool flows = wait(common_.timeout);
  while (flows) {
    auto snapshot = std::make_shared<v1::Snapshot>();
    reader->Read(snapshot.get(), nullptr);
    flows = wait(interval_ + common_.timeout);
    if (!flows) break;
    Received(std::move(snapshot));
    AskConnections(channel);
  }
  grpc::Status status;
  reader->Finish(&status, nullptr);
  wait(common_.timeout);
  {
    std::lock_guard lock(mutex_);
    call_ = nullptr;
  }
  queue.Shutdown();
  if (silent) return "no answer in time";
  if (status.ok()) return "the agent ended the stream";
  const Error error = FromStatus(status);
  const bool is_refused = error.code == ErrorCode::kAuth;
  return (is_refused ? "a token is needed, see --token-file: " : "") + error.detail;
}

}  // namespace pgvalet::cli
