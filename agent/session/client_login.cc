#include "session/client_login.h"

#include <utility>

#include "base/log.h"
#include "session/client_session.h"
#include "session/context.h"
#include "session/login_settings.h"
#include "session/secret_lookup.h"
#include "session/session_log.h"
#include "wire/message_builder.h"

namespace pgvalet::session {
namespace {

std::optional<Time> Deadline(const SessionContext& context, Time now) {
  const Duration limit = context.settings()->client_login_timeout;
  if (limit <= Duration::zero()) return std::nullopt;
  return now + limit;
}

Error Refusal(ErrorCode code, const char* sqlstate, const char* what, std::string detail = {}) {
  return Error{code, what, 0, std::move(detail), sqlstate};
}

// The client did nothing wrong, and is not to be told that it was slow.
Error AtServer(const Error& error) {
  if (error.code == ErrorCode::kServer) return error;
  if (error.what == std::string_view("query_wait_timeout")) {
    return Refusal(ErrorCode::kLimit, "53300",
                   "query_wait_timeout: no server connection became free in time", error.detail);
  }
  return Refusal(ErrorCode::kNotFound, "08001", "cannot connect to the database server",
                 error.ToString());
}

std::string AuthenticationMessage(std::string_view body) {
  std::string out;
  wire::AppendMessage(out, wire::server::kAuthentication, wire::AsBytes(body));
  return out;
}

}  // namespace

ClientLogin::ClientLogin(ClientSession& session)
    : session_(session),
      context_(*session.context_),
      channel_(context_.loop(), Deadline(context_, context_.loop().now())) {
  channel_.Use(session.stream_);
}

void ClientLogin::Start() {
  task_ = Run();
  task_.Start();
}

io::Task<Done> ClientLogin::Run() {
  Result<wire::StartupPacket> startup = co_await Negotiate();
  Result<Done> done = Done{};
  if (!startup) {
    done = startup.error();
  } else {
    done = co_await LogIn(std::move(*startup));
  }
  if (done && is_for_console_) {
    session_.EnterConsole(*context_.shared().console, {database_, user_, is_admin_},
                          channel_.TakeUnread());
  } else if (done) {
    session_.EnterRelay(channel_.TakeUnread());
  } else {
    Refuse(done.error());
  }
  co_return Done{};
}

void ClientLogin::Refuse(const Error& error) {
  if (error.code == ErrorCode::kAborted) return session_.End("cancel request");
  // Port scanners and health checks connect and leave; that is no failure.
  if (error.code == ErrorCode::kClosed && user_.empty()) return session_.End("left before login");
  context_.counters().login_failures.Add();
  if (error.code == ErrorCode::kClosed || error.code == ErrorCode::kIo) {
    log::info("client left during login: client={} user={}", session_.peer().ToString(), user_);
    return session_.End("left during login");
  }
  LogRefusal({&session_, session_.peer(), database_, user_}, error.ToString());
  context_.events().AddLimited({.kind = "login_refused",
                                .database = database_,
                                .user = user_,
                                .client = session_.peer().ToString(),
                                .message = "login refused: " + error.ToString()},
                               context_.loop().now());
  switch (error.code) {
    case ErrorCode::kTimeout:
      return session_.Kill("57014", "client_login_timeout: the login took too long");
    case ErrorCode::kAuth:
      return session_.Kill(error.sqlstate.empty() ? "28P01" : error.sqlstate,
                           auth::ClientText(error, user_));
    case ErrorCode::kServer:
      return session_.Kill(error.sqlstate.empty() ? "08006" : error.sqlstate, error.detail);
    default: {
      std::string text = error.what;
      if (!error.detail.empty()) text += ": " + error.detail;
      return session_.Kill(error.sqlstate.empty() ? "08P01" : error.sqlstate, text);
    }
  }
}

io::Task<Result<wire::StartupPacket>> ClientLogin::Negotiate() {
  bool asked_ssl = false;
  bool asked_gss = false;
  while (true) {
    if (Result<Done> some = co_await channel_.Fill(4); !some) co_return some.error();
    Result<std::size_t> length = wire::StartupLength(channel_.unread());
    if (!length) co_return length.error();
    if (Result<Done> whole = co_await channel_.Fill(*length); !whole) co_return whole.error();
    Result<wire::StartupPacket> packet = wire::ParseStartup(channel_.unread().first(*length));
    channel_.Consume(*length);
    if (!packet || packet->kind == wire::StartupKind::kStartup) co_return std::move(packet);
    if (packet->kind == wire::StartupKind::kCancelRequest) {
      ForwardCancel(*packet);
      co_return Error{ErrorCode::kAborted, "cancel request"};
    }
    bool& asked = packet->kind == wire::StartupKind::kSslRequest ? asked_ssl : asked_gss;
    // Bytes sent along with the request would have been sent in clear and taken as encrypted.
    if (asked || !channel_.unread().empty()) {
      co_return Error{ErrorCode::kProtocol,
                      "received unencrypted data after an encryption request"};
    }
    asked = true;
    if (Result<Done> sent = channel_.Send("N"); !sent) co_return sent.error();
  }
}

void ClientLogin::ForwardCancel(const wire::StartupPacket& request) {
  context_.counters().cancel_requests.Add();
  SessionShared& shared = context_.shared();
  const auto found = shared.cancels.Find(request.cancel_pid, request.cancel_secret);
  if (!found) return;  // unknown keys are not answered, as in PostgreSQL
  SessionContext* target = shared.cores[static_cast<std::size_t>(found->core)];
  const std::uint32_t pid = request.cancel_pid;
  const std::string secret = request.cancel_secret;
  if (target == &context_) return target->Cancel(pid, secret);
  target->loop().Post([target, pid, secret] { target->Cancel(pid, secret); });
}

Result<Done> ClientLogin::CheckLimits() const {
  if (context_.state() != ServiceState::kRunning) {
    return Refusal(ErrorCode::kLimit, "57P03", "pgvaletd is shutting down");
  }
  const int limit = context_.settings()->max_client_conn;
  if (limit > 0 && context_.shared().clients.load(std::memory_order_relaxed) > limit) {
    context_.counters().refused.Add();
    return Refusal(ErrorCode::kLimit, "53300", "no more connections allowed (max_client_conn)");
  }
  return Done{};
}

io::Task<Result<Done>> ClientLogin::Authenticate(const config::DatabaseSettings& database) {
  const config::SettingsPtr settings = context_.settings();  // a reload may come while we wait
  const config::AuthType type = settings->auth_type;
  if (type == config::AuthType::kTrust) {
    secret_ = KnownSecret(context_, user_);  // the server may want it
    // Where users were named with the server's address, they are the only ones
    // (docs/decisions/0140).
    const bool are_named = !settings->inline_users.empty();
    if (secret_ || (settings->trust_unknown_users && !are_named)) co_return Done{};
    if (are_named) {
      co_return Refusal(ErrorCode::kAuth, "28000", "this user is not known to pgvalet");
    }
  }
  auto looked_up = co_await LookUpSecret(context_, database, database_, user_);
  if (!looked_up) {
    log::error("auth_query failed: database={} user={} error={}", database_, user_,
               looked_up.error().ToString());
    co_return Refusal(ErrorCode::kNotFound, "08006",
                      "the password of the user could not be looked up");
  }
  secret_ = std::move(*looked_up);
  if (type == config::AuthType::kTrust && !secret_) {
    co_return Refusal(ErrorCode::kAuth, "28000", "this user is not known to pgvalet");
  }
  co_return co_await Prove(type);
}

io::Task<Result<Done>> ClientLogin::Prove(config::AuthType type) {
  auth::ClientAuth login(type, user_, secret_, *context_.shared().verifiers);
  Result<auth::ClientStep> step = login.Start();
  while (step && !step->ok) {
    if (Result<Done> sent = channel_.Send(AuthenticationMessage(step->send)); !sent)
      co_return sent.error();
    Result<io::ChannelMessage> answer = co_await channel_.NextMessage(auth::kMaxClientMessageBytes);
    if (!answer) co_return answer.error();
    if (answer->type != wire::client::kPassword) {
      co_return Error{ErrorCode::kProtocol, "expected a password message"};
    }
    step = login.OnMessage(wire::AsText(answer->body));
  }
  if (!step) co_return step.error();
  if (!step->send.empty()) {
    if (Result<Done> sent = channel_.Send(AuthenticationMessage(step->send)); !sent)
      co_return sent.error();
  }
  keys_ = login.learned_keys();
  co_return Done{};
}

// How the pool logs in to the server: with the password of the configuration, or as the client.
void ClientLogin::UseCredentials(const config::DatabaseSettings& database, pool::PoolGroup& group) {
  auth::ServerCredentials credentials;
  credentials.user = group.key().user;
  if (!database.password.empty()) {
    credentials.secret =
        std::make_shared<const auth::Secret>(auth::Secret::Plain(database.password));
    credentials.keys = group.credentials().keys;
  } else if (credentials.user == user_) {
    credentials.secret = secret_;
    auth::LearnedSecrets& learned = context_.shared().learned;
    if (secret_ && keys_) learned.LearnKeys({database_, user_}, secret_, keys_);
    if (secret_) credentials.keys = learned.FindKeys({database_, user_}, *secret_);
  } else {
    credentials.secret = KnownSecret(context_, credentials.user);
  }
  group.SetCredentials(std::move(credentials));
}

io::Task<Result<Done>> ClientLogin::LogIn(wire::StartupPacket startup) {
  user_ = startup.Find("user");
  if (user_.empty())
    co_return Refusal(ErrorCode::kProtocol, "28000",
                      "no PostgreSQL user name specified in startup packet");
  database_ = startup.Find("database");
  if (database_.empty()) database_ = user_;
  if (context_.settings()->log_connections) {
    LogLoginAttempt({&session_, session_.peer(), database_, user_});
  }
  if (startup.minor > 0 || !startup.protocol_options.empty()) {
    std::string out;
    wire::AppendNegotiateProtocolVersion(out, 3 << 16, startup.protocol_options);
    if (Result<Done> sent = channel_.Send(out); !sent) co_return sent.error();
  }
  if (context_.shared().console != nullptr && IsConsoleDatabase(database_)) {
    co_return co_await LogInToConsole();
  }
  co_return co_await LogInToPool(std::move(startup));
}

io::Task<Result<Done>> ClientLogin::LogInToPool(wire::StartupPacket startup) {
  if (Result<Done> fits = CheckLimits(); !fits) co_return fits.error();

  const config::SettingsPtr settings = context_.settings();  // a reload may come while we wait
  static const config::DatabaseSettings kNowhere;
  const config::DatabaseSettings* database = settings->FindDatabase(database_);
  // A client that does not know a password does not learn which databases there are.
  if (Result<Done> known = co_await Authenticate(database != nullptr ? *database : kNowhere);
      !known) {
    co_return known.error();
  }
  if (database == nullptr) {
    co_return Refusal(ErrorCode::kNotFound, "3D000",
                      "no such database in the configuration of pgvalet", database_);
  }
  if (context_.shared().pools->groups.IsDisabled(database_)) {
    co_return Refusal(ErrorCode::kLimit, "57P03", "the database is disabled by its administrator",
                      database_);
  }
  Result<wire::StateRef> asked = SettingsOf(context_, startup, session_.peer().ToString());
  if (!asked) co_return asked.error();

  const pool::PoolKey key{database_, database->user.empty() ? user_ : database->user};
  pool::Pool* pool = context_.pools().Find(key);
  if (pool == nullptr)
    co_return Refusal(ErrorCode::kNotFound, "3D000",
                      "no such database in the configuration of pgvalet", database_);
  session_.pool_ = pool;
  if (user_ != key.user) session_.login_user_ = std::make_unique<const std::string>(user_);
  pool->AddClient();
  UseCredentials(*database, pool->group());
  Result<wire::StateRef> accepted = co_await AcceptSettings(context_, *pool, *asked);
  if (!accepted) {
    co_return AtServer(accepted.error());
  }
  session_.wanted_ = *accepted;
  const pool::WelcomePtr welcome = pool->group().welcome();
  if (!welcome)
    co_return Refusal(ErrorCode::kNotFound, "08006", "the database server is not known yet");
  session_.cancel_key_ = context_.shared().cancels.Add(session_, context_.core());
  SendWelcome(*welcome, **accepted);
  pool->counters().client_logins.Add();
  if (settings->log_connections) {
    LogLogin({&session_, session_.peer(), database_, user_});
  }
  co_return Done{};
}

void ClientLogin::SendWelcome(const pool::Welcome& welcome, const wire::SessionState& settings) {
  std::string out;
  wire::AppendAuthenticationOk(out);
  for (const auto& [name, value] : welcome.parameters) {
    const std::string* own = settings.Find(wire::LowerCase(name));
    wire::AppendParameterStatus(out, name, own != nullptr ? *own : value);
  }
  std::string secret;
  wire::AppendU32(secret, session_.cancel_key_.secret);
  wire::AppendBackendKeyData(out, session_.cancel_key_.pid, secret);
  wire::AppendReadyForQuery(out, wire::TxStatus::kIdle);
  [[maybe_unused]] const Result<Done> sent = channel_.Send(out);
}

}  // namespace pgvalet::session
