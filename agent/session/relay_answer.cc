// ClientSession: answers, from the server's socket to the client's.
#include <algorithm>

#include "base/log.h"
#include "pool/server_restore.h"
#include "session/client_session.h"
#include "session/context.h"
#include "session/probe.h"
#include "wire/body_reader.h"
#include "wire/error_fields.h"
#include "wire/sequence_values.h"

namespace pgvalet::session {
namespace {

constexpr int kReadsPerTurn = 4;
// Messages of a server that have to be seen whole; none of them is ever that long, but for errors,
// which say what we want to know at their beginning.
constexpr std::size_t kMaxHeldBytes = 1024 * 1024;
constexpr std::size_t kErrorHeadBytes = 256;
// PostgreSQL's own bound of a message, and a little.
constexpr std::uint32_t kMaxAnswerBytes = 0x7fffffff;

// Also RowDescription: an answer of ours may have to follow it, and must not stand inside it.
bool MustBeWhole(char type) {
  return type == wire::server::kReadyForQuery || type == wire::server::kParameterStatus ||
         type == wire::server::kCommandComplete || type == wire::server::kErrorResponse ||
         type == wire::server::kRowDescription || type == wire::server::kNotificationResponse;
}

// How much of a message must be there before it can be served.
std::size_t BytesNeeded(const wire::Header& header) {
  if (header.type == wire::server::kErrorResponse && header.total() > kMaxHeldBytes) {
    return kErrorHeadBytes;
  }
  return MustBeWhole(header.type) ? header.total() : wire::kHeaderBytes;
}

}  // namespace

void ClientSession::OnServerReadable() {
  if (context_->is_suspended()) return;  // RunDeferred() comes back here
  for (int i = 0; i < kReadsPerTurn; ++i) {
    // A slow reader: OnWritable() comes back here; or OnNotificationsComplete().
    if (stream_.blocked() || AwaitsNotifications()) return;
    pool::ServerConnection& server = *lease_;
    Result<std::span<std::uint8_t>> got = server.stream->Receive();
    if (!got) return OnServerGone(got.error());
    if (got->empty()) break;
    if (!ForwardAnswers(*got)) return;
    if (ReleaseIfIdle()) {
      // What the client sent meanwhile begins a new transaction.
      if (state_ == ClientState::kIdle && (stream_.readable() || !pending_.empty())) {
        context_->loop().Defer(*this);
      }
      return;
    }
    if (!lease_->stream->readable()) break;
    if (i + 1 == kReadsPerTurn) context_->loop().Defer(*this);
  }
  // A client that pipelined too much was not read until some answers had come.
  if (lease_ && (stream_.readable() || settling_)) context_->loop().Defer(*this);
}

// Where answers were taken outside of OnServerReadable().
void ClientSession::AfterAnswers() {
  if (ReleaseIfIdle() && state_ != ClientState::kIdle) return;
  const bool has_answers = lease_ && (lease_->stream->readable() || settling_);
  if (has_answers || stream_.readable() || !pending_.empty()) context_->loop().Defer(*this);
}

void ClientSession::OnServerWritable() {
  if (stream_.readable() || !pending_.empty()) ReadRequests();
}

// False when the session ended or lost its server.
bool ClientSession::ForwardAnswers(wire::Bytes fresh) {
  pool_->counters().from_servers_bytes.Add(fresh.size());
  pool::ServerConnection& server = *lease_;
  std::string held;
  if (!server.partial.empty()) {
    held = std::move(server.partial);
    server.partial.clear();
    held.append(wire::AsText(fresh));
    fresh = wire::AsBytes(held);
  }
  MessageBatch batch(fresh, context_->loop().assembly());
  while (batch.left() > 0) {
    if (server.answer_rest > 0) {
      const std::size_t part = std::min(server.answer_rest, batch.left());
      if (server.answer_rest_swallowed) {
        batch.Skip(part);
      } else {
        batch.Pass(part);
      }
      server.answer_rest -= part;
      continue;
    }
    if (batch.left() < wire::kHeaderBytes) break;
    const wire::Header header = wire::LoadHeader(batch.rest().data());
    const std::size_t needed = BytesNeeded(header);
    if (!wire::HeaderIsSane(header, kMaxAnswerBytes) || needed > kMaxHeldBytes) {
      OnServerGone(Error{ErrorCode::kProtocol, "the server sent an invalid message"});
      return false;
    }
    const bool probed = probe_ && server.exchange.HeadIsOwnQuery();
    if (batch.left() < (probed ? header.total() : needed)) break;
    // What the client has notified itself of stands before its ReadyForQuery.
    if (header.type == wire::server::kReadyForQuery && AwaitsNotifications()) break;
    if (!TakeAnswer(header, batch)) return false;
  }
  if (batch.left() > 0) server.partial.assign(wire::AsText(batch.rest()));
  const bool sent = SendToClient(batch.Result());
  GateNotifications();
  return sent;
}

bool ClientSession::TakeAnswer(const wire::Header& header, MessageBatch& batch) {
  pool::ServerConnection& server = *lease_;
  const std::size_t here = std::min(header.total(), batch.left());
  const wire::Bytes body = batch.BodyOf(header);
  if (probe_ && server.exchange.HeadIsOwnQuery()) {
    OnOwnAnswer(header, body);
    batch.Skip(here);
    return true;
  }
  const wire::Answer answer = Consider(header, body);
  if (answer == wire::Answer::kRestoreFailed && !OnRestoreFailed(body)) return false;
  const bool is_ready =
      header.type == wire::server::kReadyForQuery && answer == wire::Answer::kForward;
  if (header.type == wire::server::kReadyForQuery && !is_ready && listening_) {
    listening_->OnOwnReady();
  }
  if (is_ready && !OnReady()) return RefuseTransaction(batch);
  if (answer == wire::Answer::kRefuse) {
    // The words and the place in the source by which drivers know it.
    wire::AppendErrorResponse(batch.Insert(), {.sqlstate = "0A000",
                                               .message = "cached plan must not change result type",
                                               .routine = "RevalidateCachedQuery"});
  }
  server.answer_rest = header.total() - here;
  server.answer_rest_swallowed = answer != wire::Answer::kForward;
  if (answer == wire::Answer::kForward) {
    batch.Pass(here);
  } else {
    batch.Skip(here);
  }
  AppendKnownAnswers(batch);
  if (server.exchange.has_undone()) UndoSkipped();
  return true;
}

// What is to be done with it, once everybody here has taken note.
wire::Answer ClientSession::Consider(const wire::Header& header, wire::Bytes body) {
  pool::ServerConnection& server = *lease_;
  wire::Answer answer;
  switch (header.type) {
    case wire::server::kDataRow:
      // By far the most frequent, and never an end of anything.
      answer = server.exchange.HeadIsOwnQuery() ? wire::Answer::kSwallow : wire::Answer::kForward;
      break;
    case wire::server::kParameterStatus:
      answer = TakeServerParameter(body) ? wire::Answer::kForward : wire::Answer::kSwallow;
      break;
    case wire::server::kCommandComplete:
      answer = server.exchange.OnAnswer(header.type);
      if (answer == wire::Answer::kForward) OnCommandTag(wire::AsText(body));
      break;
    case wire::server::kErrorResponse:
      answer = server.exchange.OnAnswer(header.type);
      pool_->counters().errors.Add();
      if (answer != wire::Answer::kRestoreFailed) TakeError(wire::ParseErrorFields(body));
      break;
    case wire::server::kNotificationResponse:
      answer = !listening_ || listening_->PassLeaseNotification(body) ? wire::Answer::kForward
                                                                      : wire::Answer::kSwallow;
      break;
    case wire::server::kRowDescription:
    case wire::server::kNoData:
      TakeShape(header, body);
      answer = server.exchange.OnAnswer(header.type);
      break;
    default:
      answer = server.exchange.OnAnswer(header.type, body);
      break;
  }
  return answer;
}

// In statement mode: in the place of ReadyForQuery and in one send, so that the client takes it as
// the answer.  Ends the session.
bool ClientSession::RefuseTransaction(MessageBatch& batch) {
  constexpr std::string_view kReason =
      "transaction blocks are not allowed in statement pooling mode";
  wire::AppendErrorResponse(batch.Insert(),
                            {"FATAL",
                             "08P01",
                             kReason,
                             {},
                             "Use pool_mode = transaction for applications that need them."});
  [[maybe_unused]] const bool sent = SendToClient(batch.Result());
  End(kReason);
  return false;
}

void ClientSession::TakeError(const wire::ErrorFields& error) {
  if (error.severity == "FATAL" || error.severity == "PANIC") server_said_fatal_ = true;
  // "cached plan must not change result type", in whichever language.
  if (error.sqlstate == "0A000" && error.routine == "RevalidateCachedQuery") {
    pool_->group().catalog_epoch().NoteStalePlan(context_->loop().now());
  }
}

// An answer to a probe of ours; it came whole.
void ClientSession::OnOwnAnswer(const wire::Header& header, wire::Bytes body) {
  [[maybe_unused]] const wire::Answer answer = lease_->exchange.OnAnswer(header.type, body);
  OnProbeAnswer(header, body);
}

// False when the session ended.  With the extension the backend refuses what the client has sent
// behind it, with the same error; so the client learns of it as the answer to its own request.
bool ClientSession::OnRestoreFailed(wire::Bytes body) {
  const Error error = pool::ServerError(body);
  if (listening_ && listening_->command_under_way()) {
    listening_->OnCommandFailed();
    return true;
  }
  if (lease_->HasExtension()) {
    lease_->retire = true;
    log::warn("session state cannot be restored: database={} user={} client={} error={}",
              pool_->key().database, pool_->key().user, peer_.ToString(), error.detail);
    return true;
  }
  Kill(error.sqlstate, "the settings of this session cannot be restored: " + error.detail);
  return false;
}

// False when the pool mode does not allow what the server has just entered.
bool ClientSession::OnReady() {
  pool::ServerConnection& server = *lease_;
  const Time now = context_->loop().now();
  stats::PoolCounters& counters = pool_->counters();
  counters.queries.Add();
  counters.query_time.Record(static_cast<std::uint64_t>(Since(server.request_at, now).count()));
  server.request_at = server.ready_at = now;
  statements_cleared_ = false;
  if (!server.HasExtension() && !server.CanMove()) may_have_tied_ = true;  // still?
  const bool is_idle = server.exchange.status() == wire::TxStatus::kIdle;
  meaning_.OnReady(server.exchange.AtReady(), !is_idle);
  if (is_idle) {
    counters.transactions.Add();
    counters.transaction_time.Record(
        static_cast<std::uint64_t>(Since(server.transaction_at, now).count()));
    return true;
  }
  return pool_->policy().mode != config::PoolMode::kStatement;
}

// Statements that were answered without the server, when their turn comes.
void ClientSession::AppendKnownAnswers(MessageBatch& batch) {
  wire::Sent kind;
  while (lease_->exchange.TakeKnown(&kind)) {
    if (kind == wire::Sent::kKnownParse) {
      wire::AppendParseComplete(batch.Insert());
    } else {
      wire::AppendCloseComplete(batch.Insert());
    }
  }
}

// True when the client is to know of it.
bool ClientSession::TakeServerParameter(wire::Bytes body) {
  wire::BodyReader reader(body);
  const std::string_view name = reader.TakeString();
  const std::string_view value = reader.TakeString();
  if (!reader.ok()) return false;
  if (name.starts_with("pgvalet.")) {
    if (name == wire::kSessionParameter) OnReportPart(value);
    if (name == wire::kTransactionParameter) OnTransactionPart(value);
    return false;
  }
  pool::ServerConnection& server = *lease_;
  if (server.exchange.HeadIsOwnQuery()) return false;  // we told the server; the client knows
  std::string lower = wire::LowerCase(name);
  if (wire::IsReadByAnalysis(lower)) meaning_.OnChanged();  // up to the end of the transaction
  if (server.HasExtension()) return true;
  if (!wire::IsServerDecided(lower)) {
    wanted_ = context_->states().With(wanted_, lower, value);
    server.carried = wanted_;
  }
  return true;
}

// The extension says what the session carries, right before ReadyForQuery.
void ClientSession::OnReportPart(std::string_view value) {
  pool::ServerConnection& server = *lease_;
  const std::optional<wire::SessionReport> report =
      pool::TakeReport(server, context_->states(), value);
  if (!report) return;
  pin_is_stale_ = true;
  if (report->state) wanted_ = server.carried;
  if (report->sequences_gone) sequences_.reset();
  if (report->sequences) {
    sequences_ = std::make_unique<const std::string>(
        wire::MergeSequences(sequences_ ? *sequences_ : std::string_view(), *report->sequences));
  }
  asks_sequences_ = asks_sequences_ || report->sequences_used;
  TakeChannels(*report);
  if (report->statements_gone) OnStatementsGone();
}

// And what it has done in a transaction that is open, right before ReadyForQuery too.
void ClientSession::OnTransactionPart(std::string_view value) {
  if (wire::SaysStatementsGone(value)) return OnStatementsGone();
  if (wire::ChangesMeaning(value)) meaning_.OnChanged();
}

void ClientSession::OnStatementsGone() {
  if (statements_cleared_) return;  // by a command of the client's, in its place
  // Inside of something else (DO, a function): what was prepared before and what behind it cannot
  // be told apart.
  statements_.Clear();
  lease_->statements.Clear();
  lease_->retire = true;
}

void ClientSession::OnCommandTag(std::string_view tag) {
  if (tag.starts_with("SELECT ")) return;  // by far the most frequent, and nothing of what follows
  tag = tag.substr(0, tag.find('\0'));
  const bool all_discarded = tag == "DISCARD ALL";
  if (all_discarded || tag == "DEALLOCATE ALL") {
    lease_->statements.Clear();
    statements_.Clear();
    statements_cleared_ = true;
  }
  if (lease_->HasExtension()) return;  // it knows better
  // Also before it is committed: who prepares in the same transaction is to see it.
  const bool alters = tag.starts_with("ALTER ") || tag.starts_with("DROP ");
  if (alters) pool_->group().catalog_epoch().NoteChange();
  if (alters || tag.starts_with("CREATE ") || tag == "SET") meaning_.OnChanged();
  if (!may_have_tied_ && MustFollow()) may_have_tied_ = TagMayTie(tag);
  if (all_discarded || tag == "RESET") {
    // The server is back at its own defaults, not at what this client logged in with.  Which of
    // its settings that changed cannot be told from here, so the next lease sets all of them.
    wire::SettingList values = wanted_->startup;
    values.insert(values.end(), wanted_->session.begin(), wanted_->session.end());
    for (auto& [name, value] : values) value = "\x01unknown";
    lease_->carried = context_->states().FromStartup(std::move(values));
  }
}

bool ClientSession::SendToClient(wire::Bytes bytes) {
  if (bytes.empty()) return true;
  pool_->counters().to_clients_bytes.Add(bytes.size());
  // A failed write shows up as the end of the client's stream.
  [[maybe_unused]] const Result<Done> sent = stream_.Send(bytes);
  return true;
}

void ClientSession::OnServerGone(const Error& error) {
  log::warn("server connection lost: database={} user={} server_pid={} error={}",
            pool_->key().database, pool_->key().user, lease_->backend_pid, error.ToString());
  TellEvent("server_connection_lost", "the server connection was lost: " + error.ToString());
  const bool is_silent = server_said_fatal_ || IsInMessage();
  DropLease("the server closed the connection");
  if (is_silent) return End("the server ended the session");
  Kill("08006", "the database server closed the connection unexpectedly",
       "The transaction that was open is rolled back by the server.");
}

}  // namespace pgvalet::session
