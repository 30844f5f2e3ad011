#include "api/grpc_server.h"

#include <grpc/support/log.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>
#include <grpcpp/resource_quota.h>

#include <chrono>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "api/control_service.h"
#include "api/events_service.h"
#include "api/grpc_credentials.h"
#include "api/listen_address.h"
#include "api/pools_service.h"
#include "api/query_service.h"
#include "api/snapshot_serializer.h"
#include "api/stats_service.h"
#include "api/watcher.h"
#include "base/log.h"

namespace pgvalet::api {
namespace {

// Of service Query; all others are a few bytes.
constexpr int kMaxRequestBytes = 4 * 1024 * 1024;
constexpr std::size_t kMaxMemoryBytes = 256 * 1024 * 1024;
constexpr int kMaxStreamsPerConnection = 8000;
// A peer that does not answer a ping is gone; its connection and what is queued for it go too.
constexpr int kKeepaliveTimeMs = 30'000;
constexpr int kKeepaliveTimeoutMs = 20'000;
// From a connection to its first words: TLS, and what HTTP/2 begins with.
constexpr int kHandshakeTimeoutMs = 10'000;
// How long a call may take to end by itself when the server stops.
constexpr auto kStopGrace = std::chrono::seconds(1);

// What peers can cause as often as they like is no error of ours.
bool IsOfPeer(std::string_view message) { return message.starts_with("Handshake failed"); }

void LogFromGrpc(gpr_log_func_args* args) {
  if (args->severity == GPR_LOG_SEVERITY_ERROR && !IsOfPeer(args->message)) {
    log::warn("grpc: {}", args->message);
  } else {
    log::debug("grpc: {}", args->message);
  }
}

// What gRPC keeps per process: set before its first server.
void PrepareGrpcOnce() {
  static std::once_flag once;
  std::call_once(once, [] {
    gpr_set_log_function(&LogFromGrpc);
    grpc::EnableDefaultHealthCheckService(true);
    grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  });
}

// The address as gRPC writes it.
std::string GrpcAddress(const ListenAddress& address) {
  if (address.host == "*") return "[::]:" + std::to_string(address.port);  // IPv4 too
  return address.ToString();
}

}  // namespace

class GrpcServer::Impl {
 public:
  Impl(const stats::SnapshotHub& hub, GrpcServerOptions options)
      : hub_(hub),
        options_(std::move(options)),
        serializer_(hub),
        watchers_(options_.max_watchers, "watchers"),
        followers_(options_.max_followers, "followers"),
        stats_service_(serializer_, watchers_, options_.max_lag, options_.calls, options_.tokens) {
    if (options_.calls == nullptr || options_.tokens == nullptr) return;
    control_service_.emplace(*options_.calls, *options_.tokens);
    pools_service_.emplace(*options_.calls, *options_.tokens);
    if (options_.events.log != nullptr) {
      events_service_.emplace(options_.events, followers_, *options_.calls, *options_.tokens);
    }
    if (!options_.query_door.socket_directory.empty()) {
      query_service_.emplace(options_.query_door, *options_.tokens);
    }
  }

  Result<Done> Start();
  void Stop();

  int port() const { return port_; }
  std::size_t watchers() const { return watchers_.size(); }
  std::uint64_t serializations() const { return serializer_.count(); }

 private:
  const std::shared_ptr<grpc::ServerCredentials>& Credentials(const ListenAddress& address);
  void FanOut(const std::stop_token& stop);
  void FanOutEvents(const std::stop_token& stop);
  // The service "" tells whether the agent serves clients; "pgvalet.v1.Stats" whether this does.
  void TellHealth(const stats::Snapshot& snapshot);

  const stats::SnapshotHub& hub_;
  const GrpcServerOptions options_;
  SnapshotSerializer serializer_;
  WatcherSet watchers_;
  FollowerSet followers_;
  StatsService stats_service_;
  std::optional<ControlService> control_service_;
  std::optional<EventsService> events_service_;
  std::optional<PoolsService> pools_service_;
  std::optional<QueryService> query_service_;
  int port_ = 0;
  std::shared_ptr<grpc::ServerCredentials> credentials_;  // the server asks them
  std::unique_ptr<grpc::Server> server_;
  bool serving_ = false;  // as last told; fan-out thread only
  std::jthread fan_out_;
  std::jthread event_fan_out_;
};

const std::shared_ptr<grpc::ServerCredentials>& GrpcServer::Impl::Credentials(
    const ListenAddress& address) {
  const bool is_encrypted = UsesTls(address, options_.tls);
  if (!is_encrypted && !address.IsLocal()) WarnOfClearText("gRPC", options_.listen);
  credentials_ = is_encrypted ? TlsCredentials(*options_.tls) : grpc::InsecureServerCredentials();
  return credentials_;
}

Result<Done> GrpcServer::Impl::Start() {
  if (options_.listen.empty()) return Done{};
  Result<ListenAddress> address = ParseListenAddress(options_.listen);
  if (!address) return address.error();

  PrepareGrpcOnce();
  grpc::ResourceQuota quota("pgvalet");
  quota.Resize(kMaxMemoryBytes);
  grpc::ServerBuilder builder;
  builder.SetResourceQuota(quota);
  builder.SetMaxReceiveMessageSize(kMaxRequestBytes);
  // Without this a second agent would share the port silently, each getting some of the calls.
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
  builder.AddChannelArgument(GRPC_ARG_MAX_CONCURRENT_STREAMS, kMaxStreamsPerConnection);
  builder.AddChannelArgument(GRPC_ARG_SERVER_HANDSHAKE_TIMEOUT_MS, kHandshakeTimeoutMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveTimeMs);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs);
  builder.AddListeningPort(GrpcAddress(*address), Credentials(*address), &port_);
  builder.RegisterService(&stats_service_);
  if (control_service_) builder.RegisterService(&*control_service_);
  if (events_service_) builder.RegisterService(&*events_service_);
  if (pools_service_) builder.RegisterService(&*pools_service_);
  if (query_service_) builder.RegisterService(&*query_service_);
  server_ = builder.BuildAndStart();
  if (!server_ || (address->unix_path.empty() && port_ == 0)) {
    Stop();
    return Error{
        .code = ErrorCode::kIo, .what = "cannot listen for gRPC", .detail = options_.listen};
  }
  if (!address->unix_path.empty()) port_ = 0;  // gRPC says 1
  server_->GetHealthCheckService()->SetServingStatus(v1::Stats::service_full_name(), true);
  server_->GetHealthCheckService()->SetServingStatus(v1::Control::service_full_name(),
                                                     control_service_.has_value());
  server_->GetHealthCheckService()->SetServingStatus(v1::Events::service_full_name(),
                                                     events_service_.has_value());
  server_->GetHealthCheckService()->SetServingStatus(v1::Pools::service_full_name(),
                                                     pools_service_.has_value());
  server_->GetHealthCheckService()->SetServingStatus(v1::Query::service_full_name(),
                                                     query_service_.has_value());
  server_->GetHealthCheckService()->SetServingStatus("", false);  // until a snapshot says so
  fan_out_ = std::jthread([this](const std::stop_token& stop) { FanOut(stop); });
  if (events_service_) {
    event_fan_out_ = std::jthread([this](const std::stop_token& stop) { FanOutEvents(stop); });
  }
  return Done{};
}

void GrpcServer::Impl::Stop() {
  fan_out_.request_stop();
  event_fan_out_.request_stop();
  if (fan_out_.joinable()) fan_out_.join();
  if (event_fan_out_.joinable()) event_fan_out_.join();
  if (!server_) return;
  if (options_.calls != nullptr) options_.calls->Stop();
  if (query_service_) query_service_->Stop();
  const grpc::Status stopping(grpc::StatusCode::UNAVAILABLE, "the agent is stopping");
  watchers_.EndAll(stopping);
  followers_.EndAll(stopping);
  server_->Shutdown(std::chrono::system_clock::now() + kStopGrace);
  watchers_.WaitUntilEmpty();
  followers_.WaitUntilEmpty();
  server_.reset();
}

void GrpcServer::Impl::FanOut(const std::stop_token& stop) {
  std::uint64_t seen = 0;
  while (const stats::SnapshotPtr snapshot = hub_.WaitNewer(seen, stop)) {
    seen = snapshot->sequence;
    TellHealth(*snapshot);
    if (watchers_.size() == 0) continue;
    watchers_.ForEach(
        [&](Watcher& watcher) { watcher.Offer(serializer_.Newest(watcher.filter())); });
  }
}

void GrpcServer::Impl::FanOutEvents(const std::stop_token& stop) {
  const stats::EventLog& log = *options_.events.log;
  std::uint64_t seen = 0;
  while (log.WaitNewer(seen, stop)) {
    seen = log.newest();
    followers_.ForEach([](EventFollower& follower) { follower.Poke(); });
  }
}

void GrpcServer::Impl::TellHealth(const stats::Snapshot& snapshot) {
  const stats::AgentStatus& status = snapshot.agent.status;
  const bool serving = status.state == stats::AgentState::kRunning && status.listening;
  if (serving_ == serving) return;  // each call is a message to everyone who watches health
  serving_ = serving;
  server_->GetHealthCheckService()->SetServingStatus("", serving);
}

GrpcServer::GrpcServer(const stats::SnapshotHub& hub, GrpcServerOptions options)
    : impl_(std::make_unique<Impl>(hub, std::move(options))) {}

GrpcServer::~GrpcServer() { Stop(); }

Result<Done> GrpcServer::Start() { return impl_->Start(); }
void GrpcServer::Stop() { impl_->Stop(); }
int GrpcServer::port() const { return impl_->port(); }
std::size_t GrpcServer::watchers() const { return impl_->watchers(); }
std::uint64_t GrpcServer::serializations() const { return impl_->serializations(); }

}  // namespace pgvalet::api
