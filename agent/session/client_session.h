// ClientSession: one client's stay, from accept to goodbye.
//
// Lives on one core, owned by the list of its SessionContext that tells its state.  Login is a
// coroutine (client_login.h); from then on the relay works by callbacks: requests in
// relay_request.cc, answers in relay_answer.cc.  An idle session owns its struct and nothing else.
//
// A lease is held from the first request of a transaction to the ReadyForQuery that ends it
// (transaction and statement mode), or to the end of the session (session mode).
#pragma once

#include <boost/intrusive/list.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "control/connection_info.h"
#include "io/address.h"
#include "io/stream.h"
#include "pool/pool.h"
#include "session/cancel.h"
#include "session/listening.h"
#include "session/message_batch.h"
#include "session/text_meaning.h"
#include "stats/lease_board.h"
#include "wire/error_fields.h"
#include "wire/exchange.h"
#include "wire/message_builder.h"
#include "wire/session_report.h"
#include "wire/session_state.h"
#include "wire/statement.h"

namespace pgvalet::session {

class SessionContext;
class ClientLogin;
class Console;
class ConsoleClient;
class ProbeResult;
struct ConsoleCaller;

enum class ClientState : std::uint8_t { kLogin, kIdle, kWaiting, kActive, kClosing, kDead };

// Whether a session is to end as soon as no transaction is open, and why.
enum class Leaving : std::uint8_t { kNo, kShutdown, kDrain };

struct SessionTag;
using SessionHook = boost::intrusive::list_base_hook<boost::intrusive::tag<SessionTag>>;

class ClientSession final : public SessionHook,
                            public io::StreamHandler,
                            public pool::Waiter,
                            public pool::LeaseHolder,
                            private ListeningHost,
                            public io::Deferred {
 public:
  ClientSession(SessionContext& context, int fd, const io::Address& peer);
  ~ClientSession();
  ClientSession(const ClientSession&) = delete;
  ClientSession& operator=(const ClientSession&) = delete;

  void Start();

  std::uint64_t id() const { return id_; }
  ClientState state() const { return state_; }
  const io::PeerAddress& peer() const { return peer_; }
  Time state_since() const { return state_since_; }

  // Tells the client why (FATAL) and ends.
  void Kill(std::string_view sqlstate, std::string_view message, std::string_view hint = {});
  // Ends without a word; `reason` is for the log.
  void End(std::string_view reason);
  // Ends now if no transaction is open, else at its end.
  void FinishSoon(Leaving why);
  // The client asked for its query to be cancelled.  On this core.
  void CancelQuery();
  // REQUIRES: state() is kActive.
  stats::LeasedClient DescribeLease() const;
  // It talks to the console instead of a server.
  bool is_console() const { return console_ != nullptr; }
  // Empty: it is logging in.
  const std::string& database() const;
  // Who logged in; not always the user of its pool.
  const std::string& user() const;
  // Nothing waits for the client or its server to take it.
  bool IsFlushed() const;
  // The backend it has, 0: none.
  std::uint32_t server_pid() const { return lease_ ? lease_->backend_pid : 0; }
  control::ClientInfo Describe(Time now) const;
  // Timeouts of a session that is idle or on its way out.
  void CheckIdle(Time now);

  // To another core.  REQUIRES: CanMove().
  bool CanMove() const;
  void Leave();
  void Join(SessionContext& context);

  // StreamHandler, of the client's socket.
  void OnReadable() override;
  void OnWritable() override;
  // Waiter.
  void OnLease(pool::Lease lease) override;
  void OnLeaseRefused(const Error& error) override;
  // LeaseHolder.
  void OnLeaseTick(Time now) override;
  void DescribeHolder(control::ServerInfo& server) const override;
  // Deferred: goes on where a turn's share of reads was used up.
  void RunDeferred() override;

 private:
  friend class ClientLogin;
  friend class ConsoleClient;
  friend class SessionContext;

  // The handler of the server's socket while we have the lease.
  class ServerSide final : public io::StreamHandler {
   public:
    explicit ServerSide(ClientSession& session) : session_(session) {}
    void OnReadable() override { session_.OnServerReadable(); }
    void OnWritable() override { session_.OnServerWritable(); }

   private:
    ClientSession& session_;
  };

  // Of a statement whose columns may have changed: what the server says of them.
  enum class ShapeCheck : std::uint8_t { kNone, kAsked, kDiffers };

  enum class Step : std::uint8_t {
    kNext,      // message served
    kNeedMore,  // the rest of the message has to arrive first
    kStop,      // the session ends
  };

  // After login, from ClientLogin.
  void EnterRelay(std::string unread);
  void EnterConsole(Console& console, ConsoleCaller caller, std::string unread);
  void CountPoolClients(int by);

  // client_session.cc
  void TakeLease(pool::Lease lease);
  bool ReleaseIfIdle();
  bool KeepPinned();
  void ShowPin();
  void Unpin();
  void WarnOfPin(Time now);
  void DropLease(const char* reason);
  void GetInLine();
  void OnClientGone(const Error& error);
  bool IsInMessage() const;
  // Into the events, with who it is about.  REQUIRES: it has a pool.
  void TellEvent(std::string_view kind, std::string_view message);
  void SayGoodbye();

  bool MustLetOthersPass() const;
  bool IsLeaving() const { return leaving_ != Leaving::kNo; }

  // relay_request.cc
  void ReadRequests();
  bool MustNotSend() const;
  bool TakeRequests(wire::Bytes fresh);
  std::size_t ForwardRequests(wire::Bytes data);
  Step TakeRequest(const wire::Header& header, MessageBatch& batch);
  Step DiscardRequest(const wire::Header& header, MessageBatch& batch);
  Step PassUnanswered(const wire::Header& header, MessageBatch& batch);
  Step PassQuery(const wire::Header& header, MessageBatch& batch);
  Step PassExecute(const wire::Header& header, MessageBatch& batch);
  Step PassRequest(const wire::Header& header, MessageBatch& batch, wire::Sent kind);
  Step TakeCopyMessage(const wire::Header& header, MessageBatch& batch);
  void PrepareServer(MessageBatch& batch);
  bool MustRestoreSequences() const;
  void LookAt(wire::Bytes sql);
  void LookForSequenceUse(wire::Bytes sql);
  void NoteRequest();
  void SendToServer(wire::Bytes bytes);
  Step Refuse(const char* message);

  // statement_names.cc
  bool RenamesStatements() const;
  std::string StatementContext() const;
  wire::StatementPtr MakeStatement(std::string_view tail);
  std::string_view UnnamedText() const;
  bool MustSettleFirst();
  Step TakeParse(const wire::Header& header, MessageBatch& batch);
  Step TakeUnnamedParse(const wire::Header& header, MessageBatch& batch);
  Step TakeRepeatedParse(const wire::Header& header, MessageBatch& batch, std::string_view name);
  Step TakeBind(const wire::Header& header, MessageBatch& batch);
  Step TakeDescribe(const wire::Header& header, MessageBatch& batch);
  Step PassDescribe(const wire::Header& header, MessageBatch& batch);
  Step TakeClose(const wire::Header& header, MessageBatch& batch);
  bool EnsureOnServer(const wire::StatementPtr& statement, MessageBatch& batch);
  void EnsureUnnamed(MessageBatch& batch);
  void CloseOnServer(const wire::StatementPtr& statement, MessageBatch& batch);
  void MakeStatementRoom(MessageBatch& batch);
  void AppendKnownAnswersNow();

  // statement_deallocate.cc
  void HoldNamesBehindDiscard(wire::Bytes query);
  std::string NameToDeallocate(std::string_view sql) const;
  std::string NameToDeallocate(const wire::Header& header, const MessageBatch& batch) const;
  bool UnnamedDeallocates() const;
  void MakeDeallocatable(MessageBatch& batch);
  // Nothing when the query is something else.
  std::optional<Step> TakeDeallocate(const wire::Header& header, MessageBatch& batch);
  Step DeallocateByParse(const wire::Header& header, MessageBatch& batch, std::string_view name);

  // statement_shapes.cc
  bool MustCompareShape(const wire::Statement& statement) const;
  void AskForShape(const wire::StatementPtr& statement, MessageBatch& batch);
  bool RefuseChanged(const wire::Statement& statement, MessageBatch& batch);
  void TakeShape(const wire::Header& header, wire::Bytes body);
  static std::unique_ptr<wire::StatementChange> NoteOfShape(const wire::StatementPtr& statement);
  void UndoSkipped();

  // relay_answer.cc
  void OnServerReadable();
  void OnServerWritable();
  bool ForwardAnswers(wire::Bytes fresh);
  void AfterAnswers();
  bool TakeAnswer(const wire::Header& header, MessageBatch& batch);
  wire::Answer Consider(const wire::Header& header, wire::Bytes body);
  bool RefuseTransaction(MessageBatch& batch);
  bool OnReady();
  bool OnRestoreFailed(wire::Bytes body);
  void TakeError(const wire::ErrorFields& error);
  void OnOwnAnswer(const wire::Header& header, wire::Bytes body);
  void OnReportPart(std::string_view value);
  void OnTransactionPart(std::string_view value);
  void OnStatementsGone();
  bool TakeServerParameter(wire::Bytes body);
  void OnCommandTag(std::string_view tag);
  void AppendKnownAnswers(MessageBatch& batch);
  bool SendToClient(wire::Bytes bytes);
  void OnServerGone(const Error& error);

  // probing.cc
  bool MustFollow() const;
  void LookForTies(wire::Bytes sql);
  void SendProbe();
  void OnProbeAnswer(const wire::Header& header, wire::Bytes body);
  void EndProbe();

  // channels.cc
  bool ReadsServerEncoding() const;
  bool MoveChannels();
  void SendOwnCommand(std::string_view sql);
  bool WaitsForMove() const;
  void CheckListening(Time now);
  void TakeChannels(const wire::SessionReport& report);
  bool AwaitsNotifications() const;
  bool OwnWorkOnly() const;
  void GateNotifications();
  bool MustShowChannels() const;
  void ShowChannels(MessageBatch& batch);
  void LookForChannelUse(wire::Bytes sql);
  // ListeningHost.
  void OnChannelStep() override;
  void OnNotification(const notify::Notification& notification) override;
  void OnNotificationsComplete() override;
  void OnListeningLost(const Error& error) override;

  // client_timeouts.cc
  bool TransactionIsOpen() const;

  const std::uint64_t id_;
  SessionContext* context_;
  io::Stream stream_;
  ServerSide server_side_{*this};
  ClientState state_ = ClientState::kLogin;
  bool logged_in_ = false;
  Leaving leaving_ = Leaving::kNo;
  bool discarding_ = false;       // the request on its way was cancelled before it had a server
  bool settling_ = false;         // waits for answers before it goes on with requests
  bool server_prepared_ = false;  // settings of this lease's server are the client's
  bool server_said_fatal_ = false;
  bool may_have_tied_ = false;  // something on its session, and there is no extension to say
  ShapeCheck shape_check_ = ShapeCheck::kNone;
  std::uint64_t shape_checked_id_ = 0;  // of that statement
  TextMeaning meaning_;
  bool bound_may_drop_ = false;      // the statement of the last Bind: names of statements
  bool statements_cleared_ = false;  // since the last ReadyForQuery, as a command tag said
  io::PeerAddress peer_;
  pool::Pool* pool_ = nullptr;
  pool::Lease lease_;
  wire::StateRef wanted_;  // what the client wants its server to carry; null before login
  wire::ClientStatements statements_;
  wire::StatementPtr bound_;   // to the unnamed portal by the last Bind, if its columns are unknown
  std::string unnamed_parse_;  // body of the last unnamed Parse; empty: none
  std::uint64_t unnamed_lease_id_ = 0;  // the lease whose server has it
  std::string pending_;                 // bytes of a request that cannot be served yet
  std::size_t request_rest_ = 0;        // bytes of a request still to come, passed unseen
  CancelKey cancel_key_;
  stats::PinBoard::Id pin_id_ = 0;  // 0: not pinned
  Time pinned_since_{};
  bool pin_is_stale_ = false;  // the board does not show the newest reasons
  bool pin_was_logged_ = false;
  bool pin_was_held_ = false;  // ever
  Time state_since_{};
  const Time connected_at_;
  std::unique_ptr<const std::string> login_user_;  // null: the user of the pool
  std::unique_ptr<ClientLogin> login_;             // until logged in
  std::unique_ptr<ConsoleClient> console_;         // talks to the console instead of a server
  std::unique_ptr<ProbeResult> probe_;             // while one is under way
  // What currval() and lastval() know, as the extension reported it; null: they know nothing.
  std::unique_ptr<const std::string> sequences_;
  bool asks_sequences_ = false;           // it has used them, or may
  bool asks_channels_ = false;            // on this lease it may look at what it listens to
  std::unique_ptr<Listening> listening_;  // while channels are, or come to be, without a lease
};

}  // namespace pgvalet::session
