// ClientSession: the channels it listens to.
#include <algorithm>

#include "base/log.h"
#include "session/client_session.h"
#include "session/context.h"
#include "session/listening.h"
#include "wire/message_builder.h"

namespace pgvalet::session {
namespace {

// How long a move may take before it counts, and is shown, as a pin; and for how long a client may
// have to wait for one.
constexpr Duration kSlowMove = std::chrono::seconds(1);
// How long an answer waits for what its client has notified itself of.
constexpr Duration kSlowNotification = std::chrono::seconds(5);

// "UTF8", "utf-8" and "Utf_8" are the same encoding to PostgreSQL.
std::string BareName(std::string_view encoding) {
  std::string bare;
  for (const char byte : wire::LowerCase(encoding)) {
    if ((byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9')) bare.push_back(byte);
  }
  return bare;
}

bool IsAscii(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char byte) { return static_cast<unsigned char>(byte) < 0x80; });
}

}  // namespace

// Notifications come from the shared connection in the server's encoding.
bool ClientSession::ReadsServerEncoding() const {
  const pool::WelcomePtr welcome = pool_->group().welcome();
  if (!welcome) return false;
  const std::string* server = welcome->Find("server_encoding");
  const std::string* client = wanted_->Find("client_encoding");
  if (client == nullptr) client = welcome->Find("client_encoding");
  if (server == nullptr || client == nullptr) return false;
  const std::string at_server = BareName(*server);
  const std::string at_client = BareName(*client);
  return at_server == at_client || at_server == "sqlascii" || at_client == "sqlascii";
}

// Of a lease between two transactions.  True while the move of its channels is under way, after
// which it can be released; false when they hold it.
bool ClientSession::MoveChannels() {
  const bool can_move = lease_->HasExtension() && lease_->reported->pins().empty() &&
                        !IsLeaving() && context_->shared().notifications != nullptr &&
                        ReadsServerEncoding();
  if (!can_move) return false;
  if (!listening_) {
    ListeningHost& host = *this;
    listening_ = std::make_unique<Listening>(*context_->shared().notifications, context_->loop(),
                                             host, pool_->key());
  }
  if (listening_->command_under_way()) return true;
  const std::string command = listening_->NextCommand(lease_->reported->channels());
  if (!command.empty()) SendOwnCommand(command);
  return listening_->moving() && pin_id_ == 0;
}

// REQUIRES: nothing is outstanding, no transaction is open.
void ClientSession::SendOwnCommand(std::string_view sql) {
  unnamed_lease_id_ = 0;  // a simple query drops the unnamed statement
  std::string out;
  wire::AppendQuery(out, sql);
  NoteRequest();
  lease_->exchange.OnSent(wire::Sent::kOwnQuery);
  SendToServer(wire::AsBytes(out));
}

// The client could see what the move does on its lease, and mix it up.
bool ClientSession::WaitsForMove() const {
  if (!listening_ || !listening_->needs_quiet()) return false;
  return listening_->command_under_way() ||
         Since(listening_->since(), context_->loop().now()) < kSlowMove;
}

void ClientSession::CheckListening(Time now) {
  if (!listening_) return;
  if (listening_->awaiting() && Since(listening_->awaiting_since(), now) >= kSlowNotification) {
    log::warn("notifications are late: database={} client={}", pool_->key().database,
              peer_.ToString());
    listening_->StopAwaiting();
    return OnNotificationsComplete();
  }
  if (!listening_->moving() || Since(listening_->since(), now) < kSlowMove) return;
  listening_->CallOff();
  if (pin_id_ == 0 && lease_->exchange.Idle() && KeepPinned()) return;
  context_->loop().Defer(*this);  // it need not wait any longer
}

// From a report, before the ReadyForQuery it belongs to.
void ClientSession::TakeChannels(const wire::SessionReport& report) {
  // A command of ours has changed the lease, not what the client listens to.
  if (!listening_ || lease_->exchange.HeadIsOwnQuery()) return;
  if (!report.unlistened.empty()) listening_->Unlisten(report.unlistened, report.channels);
  if (report.channels.empty() && !listening_->has_channels()) {
    listening_.reset();
    return;
  }
  // A client that notifies itself has the notification before its ReadyForQuery.
  if (report.notified && listening_->has_channels()) listening_->AwaitNotifications();
}

bool ClientSession::AwaitsNotifications() const { return listening_ && listening_->awaiting(); }

// Nothing of the client's runs on the server, though something is outstanding.
bool ClientSession::OwnWorkOnly() const {
  if (!listening_) return false;
  const bool is_last = lease_->exchange.outstanding_count() == 1;
  return listening_->command_under_way() || (listening_->awaiting() && is_last);
}

// Notifications go between transactions, as a server sends them, and never into a message.
void ClientSession::GateNotifications() {
  if (!listening_) return;
  const bool between =
      !lease_ || (lease_->exchange.Idle() && lease_->answer_rest == 0) || listening_->awaiting();
  if (between && !stream_.blocked()) {
    listening_->Resume();
  } else {
    listening_->Pause();
  }
}

// What pg_listening_channels() shows is to be what the client listens to.
bool ClientSession::MustShowChannels() const {
  return asks_channels_ && listening_ && listening_->has_channels() && lease_->exchange.Idle();
}

void ClientSession::ShowChannels(MessageBatch& batch) {
  asks_channels_ = false;
  const std::string commands = listening_->ListenCommands(lease_->reported->channels());
  if (commands.empty()) return;
  unnamed_lease_id_ = 0;  // a simple query drops the unnamed statement
  wire::AppendQuery(batch.Insert(), commands);
  lease_->exchange.OnSent(wire::Sent::kOwnQuery);
}

void ClientSession::LookForChannelUse(wire::Bytes sql) {
  if (!listening_) return;
  asks_channels_ = asks_channels_ || ContainsWord(wire::AsText(sql), "pg_listening_channels");
}

// ---- ListeningHost ----

void ClientSession::OnChannelStep() {
  if (!lease_ || state_ != ClientState::kActive) return;
  if (ReleaseIfIdle()) {
    if (state_ != ClientState::kIdle) return;
  }
  if (stream_.readable() || !pending_.empty()) context_->loop().Defer(*this);
}

void ClientSession::OnNotification(const notify::Notification& notification) {
  if (state_ == ClientState::kClosing || state_ == ClientState::kDead) return;
  const std::string_view message = notification.message();
  const bool is_ascii = IsAscii(notification.payload()) && IsAscii(notification.channel());
  if (!is_ascii && !ReadsServerEncoding()) {
    return Kill("22P05", "a notification cannot be sent in this client_encoding",
                "A session that changes its client_encoding while it listens gets notifications "
                "in the server's encoding only.");
  }
  [[maybe_unused]] const bool sent = SendToClient(wire::AsBytes(message));
  if (stream_.blocked()) listening_->Pause();
}

void ClientSession::OnNotificationsComplete() {
  if (!lease_ || state_ != ClientState::kActive) return;
  // From the ReadyForQuery on, which was kept back.
  if (!ForwardAnswers({})) return;
  AfterAnswers();
}

void ClientSession::OnListeningLost(const Error& error) {
  const bool from_server = error.code == ErrorCode::kServer && error.sqlstate.size() == 5;
  const std::string text = from_server ? error.detail : error.ToString();
  Kill(from_server ? std::string_view(error.sqlstate) : "08006",
       "the connection that listened for this session was lost: " + text,
       "Notifications may have been missed; connect and LISTEN again.");
}

}  // namespace pgvalet::session
