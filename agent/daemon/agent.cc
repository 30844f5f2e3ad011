#include "daemon/agent.h"

#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <thread>
#include <utility>

#include "api/control_calls.h"
#include "api/event_calls.h"
#include "api/pool_calls.h"
#include "api/server_calls.h"
#include "api/stats_calls.h"
#include "base/log.h"
#include "config/table.h"

namespace pgvalet::daemon {
namespace {

// Who asks for a snapshot of now gets an older one when this has passed.
constexpr Duration kSnapshotLimit = std::chrono::seconds(1);

std::string AgentName() {
  char host[256] = "";
  gethostname(host, sizeof host - 1);
  return "pgvaletd/" + std::string(host) + ":" + std::to_string(getpid());
}

stats::ListeningStatus ChannelStatus(const notify::Counters& counters) {
  return {.clients = counters.clients.value(),
          .channels = counters.channels.value(),
          .connections = counters.connections.value(),
          .connects = counters.connects.value(),
          .connect_failures = counters.connect_failures.value(),
          .connections_lost = counters.losses.value(),
          .clients_lost = counters.clients_lost.value(),
          .notifications = counters.notifications.value(),
          .deliveries = counters.deliveries.value()};
}

// Every client and server is a descriptor: take what the hard limit allows.
void RaiseDescriptorLimit(int max_clients) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_max != RLIM_INFINITY && limit.rlim_max < static_cast<rlim_t>(max_clients) + 200) {
    log::warn(
        "max_client_conn is {}, but the limit of open files is {}: raise it (ulimit -n, "
        "LimitNOFILE)",
        max_clients, limit.rlim_max);
  }
}

}  // namespace

LogOptions LogOptionsOf(const config::Settings& settings, bool is_quiet) {
  return {.level = settings.log_level,
          .file = settings.logfile,
          .style = settings.log_format == config::LogFormat::kPgBouncer ? LogStyle::kPgBouncer
                                                                        : LogStyle::kPgvalet,
          .is_quiet = is_quiet,
          .syslog_ident = settings.syslog ? settings.syslog_ident : std::string(),
          .syslog_facility = settings.syslog_facility};
}

Agent::Agent(config::CommandLine command_line, config::Environment environment,
             config::Loaded loaded)
    : command_line_(std::move(command_line)),
      environment_(std::move(environment)),
      is_quiet_(command_line_.is_quiet || command_line_.is_daemon),
      settings_(std::move(loaded.settings)),
      sources_(std::move(loaded.sources)),
      started_at_(stats::WallNow()),
      settings_loaded_at_(started_at_.time_since_epoch().count()),
      max_clients_(settings_->max_client_conn),
      adviser_(settings_, &registry_.events()) {
  for (const std::string& warning : loaded.warnings) log::warn("{}", warning);
}

Agent::~Agent() { StopAll(); }

sigset_t Agent::Signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (int signal : {SIGHUP, SIGTERM, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2})
    sigaddset(&signals, signal);
  return signals;
}

Result<auth::UserDirectoryPtr> Agent::LoadUsers(const config::Settings& settings) {
  if (settings.auth_file.empty()) return std::make_shared<const auth::UserDirectory>();
  return auth::UserDirectory::Load(settings.auth_file);
}

config::SettingsPtr Agent::settings() const {
  const std::lock_guard lock(settings_mutex_);
  return settings_;
}

auth::UserDirectoryPtr Agent::users() const {
  const std::lock_guard lock(settings_mutex_);
  return users_;
}

Result<Done> Agent::Start() {
  Result<PidFile> pidfile = PidFile::Create(settings_->pidfile);
  if (!pidfile) return pidfile.error();
  pidfile_ = std::move(*pidfile);
  RaiseDescriptorLimit(settings_->max_client_conn);
  Result<auth::UserDirectoryPtr> users = LoadUsers(*settings_);
  if (!users) return users.error();
  users_ = std::move(*users);
  if (Result<Done> loaded = LoadAccess(*settings_); !loaded) return loaded.error();
  if (Result<Done> started = StartCores(); !started) return started.error();
  if (Result<Done> opened = OpenQueryDoor(); !opened) return opened.error();
  // Before clients: through the console they reach everything that a reload touches.
  if (Result<Done> faces = StartFaces(); !faces) return faces.error();
  if (Result<Done> listening = StartListening(); !listening) return listening.error();
  state_ = stats::AgentState::kRunning;
  publisher_->PublishNow();
  if (CurrentLogStyle() == LogStyle::kPgBouncer) {
    log::info("process up: PgBouncer {} (pgvalet {})", settings()->pgbouncer_version,
              PGVALET_VERSION);
  } else {
    log::info("pgvaletd {} is ready", PGVALET_VERSION);
  }
  TellEvent("agent_started", std::string("pgvaletd ") + PGVALET_VERSION + " is ready");
  return Done{};
}

void Agent::TellEvent(const char* kind, std::string message) {
  registry_.events().Add({.kind = kind, .message = std::move(message)});
}

Result<Done> Agent::StartCores() {
  Result<std::unique_ptr<auth::VerifierCache>> verifiers = auth::VerifierCache::Create();
  if (!verifiers) return verifiers.error();
  session_shared_.verifiers = std::move(*verifiers);
  session_shared_.pools = &pool_shared_;
  pool_shared_.registry = &registry_;
  pool_shared_.resolver = &resolver_;
  pool_shared_.agent_name = AgentName();

  const int hardware = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  const int count =
      std::min(settings_->cores > 0 ? settings_->cores : hardware, pool::PoolGroup::kMaxCores);
  balancer_ = std::make_unique<Balancer>(count, settings_->core_busy_percent);
  for (int i = 0; i < count; ++i) {
    cores_.push_back(
        std::make_unique<Core>(i, session_shared_, registry_, *balancer_, settings_, users_));
    session_shared_.cores.push_back(&cores_.back()->sessions());
    pool_shared_.siblings.push_back(&cores_.back()->sessions().pools());
  }
  balancer_->SetCores(session_shared_.cores);
  notifications_ =
      std::make_unique<notify::Directory>(pool_shared_, cores_.front()->loop(), settings_);
  session_shared_.notifications = notifications_.get();
  OpenDoor();
  for (auto& core : cores_) core->Start();
  return Done{};
}

void Agent::OpenDoor() {
  inquiry_ = std::make_unique<sampler::Inquiry>(*settings_, PasswordFinder());
  door_ = std::make_unique<ControlDoor>(
      cores_, pool_shared_.groups,
      ControlDoor::Process{
          [this] { return FreshSnapshot(); }, [this] { return EffectiveSettings(); },
          [this] { return Reload(); },
          [this](const std::string& key, const std::string& value) { return Set(key, value); },
          [this](const pool::PoolKey& key, int pool_size) { return ResizePool(key, pool_size); },
          &Agent::ShutDown, &registry_.events(), inquiry_.get()});
  console_ = std::make_unique<console::AdminConsole>(*door_, hub_, registry_.events());
  session_shared_.console = console_.get();
}

Result<Done> Agent::StartListening() {
  const config::SettingsPtr settings = this->settings();  // a reload may come by gRPC
  Result<std::vector<io::Address>> addresses =
      io::ListenAddresses(settings->listen_addr, settings->listen_port, settings->unix_socket_dir);
  if (!addresses) return addresses.error();
  Error last{ErrorCode::kInvalidSetting,
             "there is no address to listen on: set listen_addr or unix_socket_dir"};
  for (const io::Address& address : *addresses) {
    Result<io::ListenSocket> socket =
        io::ListenSocket::Open(address, {.backlog = settings->listen_backlog,
                                         .unix_mode = settings->unix_socket_mode,
                                         .unix_group = settings->unix_socket_group,
                                         .reuse_port = settings->so_reuseport});
    if (socket) {
      log::info("listening on {}", socket->name());
      listen_sockets_.push_back(std::move(*socket));
      continue;
    }
    last = socket.error();
    // "localhost" and "*" name IPv6 too, which a machine may not have.
    if (address.family() == AF_INET6 &&
        (last.os_errno == EAFNOSUPPORT || last.os_errno == EADDRNOTAVAIL)) {
      continue;
    }
    return last;
  }
  const bool has_public = std::any_of(listen_sockets_.begin(), listen_sockets_.end(),
                                      [](const auto& socket) { return !socket.is_private(); });
  if (!has_public) return last;
  Core* first = cores_.front().get();
  first->Post([first, this] { first->Listen(listen_sockets_); });
  listening_ = true;
  return Done{};
}

Result<Done> Agent::OpenQueryDoor() {
  if (settings_->grpc_listen.empty()) return Done{};
  query_door_.port = settings_->listen_port;
  Result<io::ListenSocket> socket =
      io::ListenSocket::OpenPrivate(query_door_.port, &query_door_.socket_directory);
  if (!socket) return socket.error();
  listen_sockets_.push_back(std::move(*socket));
  return Done{};
}

sampler::PasswordLookup Agent::PasswordFinder() {
  return [this](std::string_view user) -> std::string {
    const auth::UserDirectoryPtr known = users();
    const auth::Secret* secret = known->Find(user);
    return secret != nullptr && secret->kind() == auth::SecretKind::kPlain
               ? std::string(secret->plain())
               : std::string();
  };
}

Result<Done> Agent::StartFaces() {
  const config::SettingsPtr settings = this->settings();
  sampler_ = std::make_unique<sampler::Sampler>(sampler::Sampler::Options{
      settings_, PasswordFinder(), [this] { return registry_.leases().List(); },
      pool_shared_.agent_name, &registry_.events()});
  if (Result<Done> started = sampler_->Start(); !started) return started.error();
  publisher_ = std::make_unique<stats::Publisher>(
      registry_, hub_,
      stats::PublisherSources{
          [this] { return Status(); }, [this] { return sampler_->Latest(); },
          [this](const stats::Snapshot& snapshot) { return adviser_.Judge(snapshot); }},
      settings->snapshot_interval);
  publisher_->Start();
  history_recorder_ = std::make_unique<stats::HistoryRecorder>(hub_, history_);
  calls_ = std::make_unique<api::Calls>();
  api::AddControlCalls(*calls_, *door_);
  api::AddStatsCalls(*calls_, hub_, history_);
  api::AddServerCalls(*calls_, *door_);
  const api::EventFeed events{&registry_.events(), started_at_};
  api::AddEventCalls(*calls_, events);
  api::AddPoolCalls(*calls_, registry_.reported_pools());
  grpc_ = std::make_unique<api::GrpcServer>(hub_,
                                            api::GrpcServerOptions{.listen = settings->grpc_listen,
                                                                   .calls = calls_.get(),
                                                                   .tokens = &tokens_,
                                                                   .tls = &tls_,
                                                                   .events = events,
                                                                   .query_door = query_door_});
  if (Result<Done> started = grpc_->Start(); !started) return started.error();
  http_ = std::make_unique<api::HttpServer>(
      hub_, api::HttpServerOptions{.listen = settings->http_listen,
                                   .tokens = &tokens_,
                                   .calls = calls_.get(),
                                   .settings = [this] { return door_->Settings(); },
                                   .tls = &tls_});
  if (Result<Done> started = http_->Start(); !started) return started.error();
  if (!settings->grpc_listen.empty()) log::info("gRPC on {}", settings->grpc_listen);
  if (!settings->http_listen.empty()) log::info("HTTP on {}", settings->http_listen);
  return Done{};
}

stats::AgentStatus Agent::Status() const {
  stats::AgentStatus status;
  status.version = PGVALET_VERSION;
  status.state = state_;
  status.listening = listening_;
  status.started_at = started_at_;
  status.settings_loaded_at =
      stats::WallTime(stats::WallTime::duration(settings_loaded_at_.load()));
  status.max_clients = max_clients_;
  status.channels = ChannelStatus(*notifications_->counters());
  status.switched = pool_shared_.groups.Switched();
  return status;
}

void Agent::Run() {
  const sigset_t signals = Signals();
  const timespec poll{0, 100'000'000};
  while (!ended_) {
    // Only an agent on its way out has to look whether the last client has left.
    const bool leaving = state_ == stats::AgentState::kDraining;
    const int signal =
        leaving ? sigtimedwait(&signals, nullptr, &poll) : sigwaitinfo(&signals, nullptr);
    if (signal > 0) OnSignal(signal);
    if (state_ == stats::AgentState::kDraining && !ended_) {
      if (Deserted()) ended_ = true;
      if (Clock::now() >= give_up_at_) OnSignal(SIGQUIT);
    }
  }
  StopAll();
  log::info("pgvaletd has ended");
}

bool Agent::Administer(int signal) {
  if (signal != SIGHUP && signal != SIGUSR1 && signal != SIGUSR2) return false;
  if (signal == SIGHUP) {
    log::info("got SIGHUP, re-reading config");
    [[maybe_unused]] const Result<Done> reloaded = Reload();  // it has logged what is wrong
    return true;
  }
  const bool pauses = signal == SIGUSR1;
  log::info("got {}", pauses ? "SIGUSR1, pausing all activity" : "SIGUSR2, continuing from PAUSE");
  const Result<Done> done = pauses ? door_->BeginPause("") : door_->Resume("");
  if (!done) log::warn("{}", done.error().what);
  return true;
}

void Agent::OnSignal(int signal) {
  if (Administer(signal)) return;
  const bool again = state_ == stats::AgentState::kDraining;
  TellEvent("agent_stopping",
            again ? "ending faster: asked a second time" : "no new clients; ending as was asked");
  StopListening();
  state_ = stats::AgentState::kDraining;
  if (publisher_) publisher_->PublishNow();
  if (signal == SIGTERM && !again) {
    log::info("got SIGTERM, no new clients, waiting for those connected to leave");
    SetState(session::ServiceState::kDraining);
    const Duration limit = settings()->shutdown_timeout;
    if (limit > Duration::zero()) give_up_at_ = Clock::now() + limit;
  } else if (signal == SIGINT && !again) {
    log::info("got SIGINT, shutting down, waiting for transactions to end");
    SetState(session::ServiceState::kFinishing);
  } else {
    log::info("ending now");
    EndClients("terminating connection due to administrator command: pgvaletd is shutting down");
    ended_ = true;
  }
}

stats::SnapshotPtr Agent::FreshSnapshot() const {
  const Time asked = Clock::now();
  if (publisher_) publisher_->PublishNow();
  return hub_.WaitReadSince(asked, asked + kSnapshotLimit);
}

control::EffectiveSettings Agent::EffectiveSettings() const {
  const std::lock_guard lock(settings_mutex_);
  return {settings_, sources_};
}

void Agent::ShutDown(control::Shutdown how) {
  const int signal = how == control::Shutdown::kWaitForClients   ? SIGTERM
                     : how == control::Shutdown::kWaitForServers ? SIGINT
                                                                 : SIGQUIT;
  kill(getpid(), signal);  // Run() waits for it
}

void Agent::StopListening() {
  if (!listening_.exchange(false)) return;
  Core* first = cores_.front().get();
  // Closed, not only left alone: a client in the backlog would wait for an answer for ever.
  first->Post([first, this] {
    first->StopListening();
    listen_sockets_.clear();
  });
}

void Agent::SetState(session::ServiceState state) {
  for (auto& core : cores_) {
    Core* target = core.get();
    target->Post([target, state] { target->sessions().SetState(state); });
  }
}

void Agent::EndClients(const char* reason) {
  for (auto& core : cores_) {
    Core* target = core.get();
    target->Post([target, reason] { target->sessions().EndAll(reason); });
  }
}

bool Agent::Deserted() const {
  return session_shared_.clients.load(std::memory_order_relaxed) == 0;
}

void Agent::StopAll() {
  if (calls_) calls_->Stop();
  if (grpc_) grpc_->Stop();
  if (http_) http_->Stop();
  if (console_) console_->Stop();
  history_recorder_.reset();
  if (publisher_) publisher_->Stop();
  if (sampler_) sampler_->Stop();
  for (auto& core : cores_) core->Stop();
  // A session that was on its way to another core holds on to both: all threads stop before any
  // core goes.
  if (notifications_) notifications_->Close();
  cores_.clear();
  listen_sockets_.clear();
}

}  // namespace pgvalet::daemon
