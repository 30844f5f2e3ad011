// ClientSession: requests, from the client's socket to the server's.
#include "base/log.h"
#include "pool/server_restore.h"
#include "session/client_session.h"
#include "session/context.h"
#include "session/probe.h"

namespace pgvalet::session {
namespace {

// Reads of one session in one turn of the loop; then the others have their turn.
constexpr int kReadsPerTurn = 4;
// Unanswered messages beyond which a client that pipelines is not read any further.
constexpr std::size_t kMaxOutstanding = 20000;
// Messages that have to be seen whole may not be longer than this; all others are streamed.
constexpr std::size_t kMaxHeldBytes = 64 * 1024 * 1024;

bool NeedsNoServer(char type) {
  return type == wire::client::kTerminate || type == wire::client::kCopyData ||
         type == wire::client::kCopyDone || type == wire::client::kCopyFail;
}

}  // namespace

void ClientSession::ReadRequests() {
  if (context_->is_suspended()) return;  // RunDeferred() comes back here
  for (int i = 0; i < kReadsPerTurn; ++i) {
    if (state_ == ClientState::kWaiting && !stream_.hangup()) return;  // OnLease() comes back here
    if (lease_ && MustNotSend()) {  // OnServerWritable(), or the answers, come back here
      // It may wait for a lock; the other work is done soon, and the client may have left a
      // request.
      if (stream_.hangup() && shape_check_ == ShapeCheck::kAsked) {
        OnClientGone({ErrorCode::kClosed, "the client closed the connection"});
      }
      return;
    }
    if (!lease_ && state_ == ClientState::kIdle && !discarding_) {
      pool::Lease lease;
      if (!MustLetOthersPass()) lease = pool_->TryCheckout(wanted_);
      if (lease) {
        TakeLease(std::move(lease));
      } else if (!stream_.hangup()) {
        return GetInLine();  // its bytes stay in the kernel until its turn comes
      }
    }
    const bool can_go_on = lease_ || discarding_;
    if (!pending_.empty() && can_go_on && request_rest_ == 0 && !TakeRequests({})) return;
    if (!stream_.readable()) break;
    Result<std::span<std::uint8_t>> got = stream_.Receive();
    if (!got) return OnClientGone(got.error());
    if (got->empty()) break;
    if (!TakeRequests(*got)) return;
    if (!stream_.readable()) break;
    if (i + 1 == kReadsPerTurn) context_->loop().Defer(*this);
  }
  ReleaseIfIdle();
}

bool ClientSession::MustNotSend() const {
  const wire::Exchange& exchange = lease_->exchange;
  // Behind a probe the server may have to be given back what a RESET has taken.
  return lease_->stream->blocked() || probe_ || WaitsForMove() ||
         shape_check_ == ShapeCheck::kAsked || exchange.outstanding_count() > kMaxOutstanding ||
         (settling_ && exchange.NamesAreUncertain());
}

// False when the session ended.
bool ClientSession::TakeRequests(wire::Bytes fresh) {
  if (pool_ != nullptr) pool_->counters().from_clients_bytes.Add(fresh.size());
  if (pending_.empty()) {
    const std::size_t used = ForwardRequests(fresh);
    if (state_ == ClientState::kClosing || state_ == ClientState::kDead) return false;
    if (used < fresh.size()) pending_.assign(wire::AsText(fresh.subspan(used)));
  } else {
    pending_.append(wire::AsText(fresh));
    std::string data = std::move(pending_);
    pending_.clear();
    const std::size_t used = ForwardRequests(wire::AsBytes(data));
    if (state_ == ClientState::kClosing || state_ == ClientState::kDead) return false;
    if (used < data.size()) pending_ = used == 0 ? std::move(data) : data.substr(used);
  }
  const bool needs_server = !lease_ && state_ == ClientState::kIdle && !discarding_;
  if (needs_server && pending_.size() >= wire::kHeaderBytes) GetInLine();
  return true;
}

std::size_t ClientSession::ForwardRequests(wire::Bytes data) {
  MessageBatch batch(data, context_->loop().assembly());
  Step step = Step::kNext;
  while (batch.left() > 0 && step == Step::kNext) {
    if (request_rest_ > 0) {
      const std::size_t part = std::min(request_rest_, batch.left());
      batch.Pass(part);
      request_rest_ -= part;
      continue;
    }
    if (batch.left() < wire::kHeaderBytes) break;
    const wire::Header header = wire::LoadHeader(batch.rest().data());
    if (!wire::HeaderIsSane(header, context_->settings()->max_packet_size)) {
      step = Refuse("invalid message length");
    } else if (discarding_ && header.type != wire::client::kTerminate) {
      step = DiscardRequest(header, batch);
    } else if (!lease_ && !NeedsNoServer(header.type)) {
      break;
    } else {
      step = TakeRequest(header, batch);
      // Sent while the server skips to a Sync: it will never be carried out.
      if (lease_ && lease_->exchange.has_undone()) UndoSkipped();
    }
  }
  if (step == Step::kStop) return data.size();
  if (lease_ && !batch.Result().empty()) {
    GateNotifications();
    SendToServer(batch.Result());
  }
  return batch.consumed();
}

void ClientSession::SendToServer(wire::Bytes bytes) {
  if (bytes.empty()) return;
  pool_->counters().to_servers_bytes.Add(bytes.size());
  // A failed write shows up as the end of the server's stream, with its last words before it.
  [[maybe_unused]] const Result<Done> sent = lease_->stream->Send(bytes);
}

ClientSession::Step ClientSession::Refuse(const char* message) {
  Kill("08P01", message);
  return Step::kStop;
}

ClientSession::Step ClientSession::TakeRequest(const wire::Header& header, MessageBatch& batch) {
  using namespace wire;  // NOLINT: the names of the messages, nothing else
  switch (header.type) {
    case client::kQuery:
      unnamed_parse_.clear();  // as the server drops its unnamed statement
      if (const std::optional<Step> taken = TakeDeallocate(header, batch)) return *taken;
      return PassQuery(header, batch);
    case client::kParse:
      return TakeParse(header, batch);
    case client::kBind:
      return TakeBind(header, batch);
    case client::kDescribe:
      return TakeDescribe(header, batch);
    case client::kClose:
      return TakeClose(header, batch);
    case client::kExecute:
      return PassExecute(header, batch);
    case client::kSync:
      return PassRequest(header, batch, Sent::kSync);
    case client::kFunctionCall:
      meaning_.OnQuery();
      return PassRequest(header, batch, Sent::kFunctionCall);
    case client::kFlush:
      return PassUnanswered(header, batch);
    case client::kCopyData:
    case client::kCopyDone:
    case client::kCopyFail:
      return TakeCopyMessage(header, batch);
    case client::kTerminate:
      if (lease_) SendToServer(batch.Result());  // what came before it is still to be done
      End("the client said goodbye");
      return Step::kStop;
    default:
      return Refuse("invalid frontend message type");
  }
}

// The message goes on as it comes, however long it is.
ClientSession::Step ClientSession::PassUnanswered(const wire::Header& header, MessageBatch& batch) {
  const std::size_t here = std::min(header.total(), batch.left());
  batch.Pass(here);
  request_rest_ = header.total() - here;
  return Step::kNext;
}

// Cancelled while the client stood in line: up to the end of the request nothing goes to a server.
ClientSession::Step ClientSession::DiscardRequest(const wire::Header& header, MessageBatch& batch) {
  if (header.type == wire::client::kQuery || header.type == wire::client::kSync ||
      header.type == wire::client::kFunctionCall) {
    discarding_ = false;
    std::string out;
    wire::AppendErrorResponse(out, {"ERROR",
                                    "57014",
                                    "canceling statement due to user request",
                                    {},
                                    "It was still waiting for a server connection."});
    wire::AppendReadyForQuery(out, wire::TxStatus::kIdle);
    [[maybe_unused]] const bool sent = SendToClient(wire::AsBytes(out));
  }
  return PassUnanswered(header, batch);
}

ClientSession::Step ClientSession::PassQuery(const wire::Header& header, MessageBatch& batch) {
  const wire::Bytes text = batch.BodyOf(header);
  LookAt(text);
  meaning_.OnQuery();
  const Step step = PassRequest(header, batch, wire::Sent::kQuery);
  HoldNamesBehindDiscard(text);
  return step;
}

ClientSession::Step ClientSession::PassExecute(const wire::Header& header, MessageBatch& batch) {
  const bool is_unnamed =
      batch.left() > wire::kHeaderBytes && batch.rest()[wire::kHeaderBytes] == 0;
  meaning_.OnExecute(is_unnamed);
  if (!bound_may_drop_) return PassRequest(header, batch, wire::Sent::kExecute);
  // What names mean behind it is known from its answer, for which the server is asked at once.
  if (batch.left() < header.total()) {
    return header.total() > kMaxHeldBytes ? Refuse("malformed Execute message") : Step::kNeedMore;
  }
  const Step step = PassRequest(header, batch, wire::Sent::kExecute);
  wire::AppendFlush(batch.Insert());
  lease_->exchange.HoldNames();
  return step;
}

ClientSession::Step ClientSession::PassRequest(const wire::Header& header, MessageBatch& batch,
                                               wire::Sent kind) {
  PrepareServer(batch);
  PassUnanswered(header, batch);
  NoteRequest();
  lease_->exchange.OnSent(kind);
  return Step::kNext;
}

// For its timeouts, and how long it took: the next message is the first of an exchange, or of a
// transaction.
void ClientSession::NoteRequest() {
  pool::ServerConnection& server = *lease_;
  if (!server.exchange.AtReady()) return;
  server.request_at = context_->loop().now();
  if (server.exchange.Idle()) server.transaction_at = server.request_at;
}

ClientSession::Step ClientSession::TakeCopyMessage(const wire::Header& header,
                                                   MessageBatch& batch) {
  const std::size_t here = std::min(header.total(), batch.left());
  if (!lease_ || lease_->exchange.AtReady()) {
    // What is left of a COPY that has failed: the server would ignore it.
    if (here < header.total())
      return header.total() > kMaxHeldBytes ? Refuse("message is too long") : Step::kNeedMore;
    batch.Skip(here);
    return Step::kNext;
  }
  PassUnanswered(header, batch);
  if (header.type != wire::client::kCopyData) lease_->exchange.OnSent(wire::Sent::kCopyEnd);
  return Step::kNext;
}

// The extension clears what currval() and lastval() know at the end of every transaction.
bool ClientSession::MustRestoreSequences() const {
  return sequences_ && asks_sequences_ && lease_->HasExtension() && lease_->exchange.Idle();
}

// What the text of a request tells before it is carried out.
void ClientSession::LookAt(wire::Bytes sql) {
  LookForTies(sql);
  LookForSequenceUse(sql);
  LookForChannelUse(sql);
}

// A function may ask for them unseen; then the extension says so, and the next time is right.
void ClientSession::LookForSequenceUse(wire::Bytes sql) {
  if (!sequences_ || asks_sequences_) return;
  const std::string_view text = wire::AsText(sql);
  for (const std::string_view word : {"currval", "lastval", "CURRVAL", "LASTVAL"}) {
    if (text.find(word) != std::string_view::npos) asks_sequences_ = true;
  }
}

// Before the first message of a lease: what the client expects of its session goes ahead, in the
// same send and in a transaction of its own.
void ClientSession::PrepareServer(MessageBatch& batch) {
  const bool with_sequences = MustRestoreSequences();
  const bool with_channels = MustShowChannels();
  if (server_prepared_ && !with_sequences && !with_channels) return;
  server_prepared_ = true;
  NoteRequest();
  pool::ServerConnection& server = *lease_;
  if (server.carried != wanted_ || with_sequences) {
    const std::string_view sequences = with_sequences ? *sequences_ : std::string_view();
    if (pool::AppendRestore(batch.Insert(), server, *wanted_, sequences)) {
      server.exchange.OnSent(wire::Sent::kOwnQuery);
      pool_->counters().setting_restores.Add();
    }
    server.carried = wanted_;
  }
  for (const std::string& name : server.stray_names) {
    wire::AppendCloseStatement(batch.Insert(), name);
    server.exchange.OnSent(wire::Sent::kOwnClose);
  }
  server.stray_names.clear();
  if (with_channels) ShowChannels(batch);
}

}  // namespace pgvalet::session
