// ClientSession: prepared statements by the client's names, on whichever server it has.
#include <algorithm>

#include "session/client_session.h"
#include "session/context.h"
#include "session/statement_text.h"
#include "wire/body_reader.h"

namespace pgvalet::session {
namespace {

using wire::Sent;

// A named Parse has to be seen whole, since it may have to be sent again to another server.
constexpr std::size_t kMaxParseBytes = 64 * 1024 * 1024;
// An unnamed one is kept up to this; a longer one is streamed, and gone with its lease.
constexpr std::size_t kMaxUnnamedBytes = 1024 * 1024;
// Messages that name things only.
constexpr std::size_t kMaxNameMessageBytes = 64 * 1024;

}  // namespace

bool ClientSession::RenamesStatements() const {
  return pool_->policy().max_prepared_statements > 0 &&
         pool_->policy().mode != config::PoolMode::kSession;
}

// A text means the same to two clients of a pool if their settings make it so, and the tables have
// the columns that they had when it was prepared.  Temporary objects hide others: a client that has
// some shares nothing.
std::string ClientSession::StatementContext() const {
  const pool::PoolKey& key = pool_->key();
  std::string context = key.database + '\0' + key.user + '\0' +
                        std::to_string(pool_->group().catalog_epoch().value());
  const auto& pins = lease_->reported->pins();
  const bool has_temporary = std::any_of(pins.begin(), pins.end(), [](const wire::Pin& pin) {
    return pin.reason == wire::PinReason::kTemporaryObjects;
  });
  if (has_temporary) context += "." + std::to_string(lease_->lease_id);
  return context + " " + wanted_->statement_context;
}

// Prepared in the middle of a change, its columns are looked at on whichever server gets it next.
wire::StatementPtr ClientSession::MakeStatement(std::string_view tail) {
  wire::StatementStore& store = context_->shared().statements;
  const std::uint64_t epoch = pool_->group().catalog_epoch().value();
  if (meaning_.IsItsOwn()) return store.MakePrivate(tail, 0);
  if (NamesMoment(tail)) return store.MakePrivate(tail, epoch);
  return store.Intern(tail, StatementContext(), epoch);
}

// A client that pipelines beyond a Sync may name statements of which it is not known yet whether an
// error has kept them from being made.  Then the request waits for the answers before it.
bool ClientSession::MustSettleFirst() {
  settling_ = RenamesStatements() && lease_->exchange.NamesAreUncertain();
  return settling_;
}

void ClientSession::CloseOnServer(const wire::StatementPtr& statement, MessageBatch& batch) {
  if (!lease_->statements.Holds(*statement)) return;
  wire::AppendCloseStatement(batch.Insert(), statement->server_name);
  lease_->statements.Remove(*statement);
  lease_->exchange.OnSent(Sent::kOwnClose, wire::GivesName(statement));
}

void ClientSession::MakeStatementRoom(MessageBatch& batch) {
  wire::ServerStatements& held = lease_->statements;
  while (held.size() >= static_cast<std::size_t>(pool_->policy().max_prepared_statements)) {
    const wire::StatementPtr oldest = held.Oldest();
    CloseOnServer(oldest, batch);
  }
}

// False when its answer has to be waited for.
bool ClientSession::EnsureOnServer(const wire::StatementPtr& statement, MessageBatch& batch) {
  if (RefuseChanged(*statement, batch)) return true;
  if (lease_->statements.Touch(*statement)) return true;
  MakeStatementRoom(batch);
  wire::AppendParse(batch.Insert(), statement->server_name, statement->tail);
  lease_->statements.Add(statement);
  lease_->exchange.OnSent(Sent::kOwnParse, wire::GivesName(statement));
  pool_->counters().server_parses.Add();
  if (!MustCompareShape(*statement)) return true;
  AskForShape(statement, batch);
  return false;
}

void ClientSession::EnsureUnnamed(MessageBatch& batch) {
  if (unnamed_parse_.empty() || unnamed_lease_id_ == lease_->lease_id) return;
  if (UnnamedDeallocates()) MakeDeallocatable(batch);
  wire::AppendMessage(batch.Insert(), wire::client::kParse, wire::AsBytes(unnamed_parse_));
  unnamed_lease_id_ = lease_->lease_id;
  lease_->exchange.OnSent(Sent::kOwnParse);
}

ClientSession::Step ClientSession::TakeParse(const wire::Header& header, MessageBatch& batch) {
  const wire::Bytes body = batch.BodyOf(header);
  if (!body.empty() && body[0] == 0) return TakeUnnamedParse(header, batch);
  if (!RenamesStatements()) return PassRequest(header, batch, Sent::kParse);
  if (batch.left() < header.total()) {
    return header.total() > kMaxParseBytes ? Refuse("the text of a named statement is too long")
                                           : Step::kNeedMore;
  }
  wire::BodyReader reader(body);
  const std::string_view name = reader.TakeString();
  if (!reader.ok()) return Refuse("malformed Parse message");
  if (MustSettleFirst()) return Step::kNeedMore;
  LookAt(reader.rest());
  pool_->counters().client_parses.Add();
  if (statements_.Find(name) != nullptr) return TakeRepeatedParse(header, batch, name);

  PrepareServer(batch);
  NoteRequest();
  wire::StatementPtr statement = MakeStatement(wire::AsText(reader.rest()));
  statements_.Set(name, statement);
  // In a failed transaction the server is to say so.
  if (lease_->exchange.MayHaveFailed()) CloseOnServer(statement, batch);
  if (lease_->statements.Touch(*statement)) {
    batch.Skip(header.total());
    lease_->exchange.OnSent(Sent::kKnownParse, wire::GivesName(std::move(statement), name));
    AppendKnownAnswersNow();
    return Step::kNext;
  }
  MakeStatementRoom(batch);
  wire::AppendParse(batch.Insert(), statement->server_name, statement->tail);
  lease_->statements.Add(statement);
  lease_->exchange.OnSent(Sent::kParse, wire::GivesName(std::move(statement), name));
  pool_->counters().server_parses.Add();
  batch.Skip(header.total());
  return Step::kNext;
}

ClientSession::Step ClientSession::TakeUnnamedParse(const wire::Header& header,
                                                    MessageBatch& batch) {
  const bool whole = batch.left() >= header.total();
  if (!whole && header.total() <= kMaxUnnamedBytes) return Step::kNeedMore;
  const std::string to_deallocate = whole ? NameToDeallocate(header, batch) : std::string();
  if (!to_deallocate.empty() && MustSettleFirst()) return Step::kNeedMore;
  const bool deallocates = statements_.Find(to_deallocate) != nullptr;
  if (whole && RenamesStatements()) {
    unnamed_parse_.assign(wire::AsText(batch.BodyOf(header)));
  } else {
    unnamed_parse_ = std::string();
  }
  unnamed_lease_id_ = lease_->lease_id;
  LookAt(batch.BodyOf(header));
  if (deallocates) return DeallocateByParse(header, batch, to_deallocate);
  return PassRequest(header, batch, Sent::kParse);
}

// The client has a statement of this name already, which is an error that the server has to
// raise, in its own words and with its effect on the transaction: two statements under the
// client's own name do that.
ClientSession::Step ClientSession::TakeRepeatedParse(const wire::Header& header,
                                                     MessageBatch& batch, std::string_view name) {
  PrepareServer(batch);
  std::string& out = batch.Insert();
  wire::AppendCloseStatement(out, name);  // of an attempt before this one
  lease_->exchange.OnSent(Sent::kOwnClose);
  wire::AppendParse(out, name, std::string_view("\0\0\0", 3));
  lease_->exchange.OnSent(Sent::kOwnParse);
  lease_->stray_names.emplace_back(name);
  return PassRequest(header, batch, Sent::kParse);
}

ClientSession::Step ClientSession::TakeBind(const wire::Header& header, MessageBatch& batch) {
  const wire::Bytes body = batch.BodyOf(header);
  wire::BodyReader reader(body);
  const std::string_view portal = reader.TakeString();
  const std::string_view name = reader.TakeString();
  if (!reader.ok()) {
    if (batch.left() < header.total() && body.size() < kMaxNameMessageBytes) return Step::kNeedMore;
    return Refuse("malformed Bind message");
  }
  if (!name.empty() && MustSettleFirst()) return Step::kNeedMore;
  const wire::StatementPtr* found = statements_.Find(name);
  if (found != nullptr) LookAt(wire::AsBytes((*found)->tail));
  // Another server may have to be told of it, which looked at nothing yet.
  const bool is_new_here = name.empty() && unnamed_lease_id_ != lease_->lease_id;
  if (is_new_here) LookAt(wire::AsBytes(UnnamedText()));
  PrepareServer(batch);
  pool_->counters().binds.Add();
  bound_.reset();
  const std::string_view sql = found != nullptr ? (*found)->tail : UnnamedText();
  meaning_.OnBind(portal, sql);
  bound_may_drop_ = RenamesStatements() && MayDropStatements(sql);
  if (!RenamesStatements()) return PassRequest(header, batch, Sent::kBind);
  if (name.empty()) {
    EnsureUnnamed(batch);
    return PassRequest(header, batch, Sent::kBind);
  }
  if (found == nullptr)
    return PassRequest(header, batch, Sent::kBind);  // the server knows, or says so
  if (!EnsureOnServer(*found, batch)) return Step::kNeedMore;
  // Of interest once; afterwards its count of holders, which all cores share, is left alone.
  const bool is_unknown = (*found)->shape.load(std::memory_order_relaxed) == wire::kUnknownShape;
  if (is_unknown && portal.empty()) bound_ = *found;

  // The head anew with our name, then the rest as it comes.
  const std::string& ours = (*found)->server_name;
  std::string& out = batch.Insert();
  out.push_back(wire::client::kBind);
  wire::AppendU32(out, static_cast<std::uint32_t>(header.length - name.size() + ours.size()));
  wire::AppendString(out, portal);
  wire::AppendString(out, ours);
  const std::size_t head = wire::kHeaderBytes + portal.size() + 1 + name.size() + 1;
  batch.Skip(head);
  const std::size_t here = std::min(header.total() - head, batch.left());
  batch.Pass(here);
  request_rest_ = header.total() - head - here;
  NoteRequest();
  lease_->exchange.OnSent(Sent::kBind);
  return Step::kNext;
}

ClientSession::Step ClientSession::TakeDescribe(const wire::Header& header, MessageBatch& batch) {
  if (batch.left() < header.total()) {
    return header.total() > kMaxNameMessageBytes ? Refuse("malformed Describe message")
                                                 : Step::kNeedMore;
  }
  const wire::Bytes body = batch.BodyOf(header);
  if (body.size() < 2 || body[0] != 'S' || !RenamesStatements()) {
    return PassDescribe(header, batch);
  }
  if (MustSettleFirst()) return Step::kNeedMore;
  PrepareServer(batch);
  wire::BodyReader reader(body.subspan(1));
  const std::string_view name = reader.TakeString();
  if (name.empty()) EnsureUnnamed(batch);
  const wire::StatementPtr* found = statements_.Find(name);
  if (found == nullptr) return PassRequest(header, batch, Sent::kDescribe);
  if (!EnsureOnServer(*found, batch)) return Step::kNeedMore;
  wire::AppendDescribeStatement(batch.Insert(), (*found)->server_name);
  batch.Skip(header.total());
  NoteRequest();
  lease_->exchange.OnSent(Sent::kDescribe, NoteOfShape(*found));
  return Step::kNext;
}

// Of a portal, nearly always the unnamed one.
ClientSession::Step ClientSession::PassDescribe(const wire::Header& header, MessageBatch& batch) {
  const wire::Bytes body = batch.BodyOf(header);
  const bool is_unnamed = body.size() == 2 && body[1] == 0;
  PrepareServer(batch);
  PassUnanswered(header, batch);
  NoteRequest();
  lease_->exchange.OnSent(Sent::kDescribe, is_unnamed ? NoteOfShape(bound_) : nullptr);
  return Step::kNext;
}

ClientSession::Step ClientSession::TakeClose(const wire::Header& header, MessageBatch& batch) {
  if (batch.left() < header.total()) {
    return header.total() > kMaxNameMessageBytes ? Refuse("malformed Close message")
                                                 : Step::kNeedMore;
  }
  const wire::Bytes body = batch.BodyOf(header);
  if (body.size() < 2 || body[0] != 'S') return PassRequest(header, batch, Sent::kClose);
  if (MustSettleFirst()) return Step::kNeedMore;
  wire::BodyReader reader(body.subspan(1));
  const std::string_view name = reader.TakeString();
  if (name.empty()) unnamed_parse_ = std::string();
  const wire::StatementPtr* found = RenamesStatements() ? statements_.Find(name) : nullptr;
  if (found == nullptr) return PassRequest(header, batch, Sent::kClose);
  wire::StatementPtr statement = *found;
  statements_.Erase(name);
  PrepareServer(batch);
  batch.Skip(header.total());
  // On the server it stays where others may use it.
  if (statement->is_private) CloseOnServer(statement, batch);
  if (std::erase(lease_->stray_names, name) > 0) {
    wire::AppendCloseStatement(batch.Insert(), name);
    lease_->exchange.OnSent(Sent::kOwnClose);
  }
  lease_->exchange.OnSent(Sent::kKnownClose, wire::DropsName(std::move(statement), name));
  AppendKnownAnswersNow();
  return Step::kNext;
}

// The text of the unnamed statement, which may have to be prepared again elsewhere.
std::string_view ClientSession::UnnamedText() const {
  return unnamed_parse_.empty() ? std::string_view() : std::string_view(unnamed_parse_).substr(1);
}

void ClientSession::AppendKnownAnswersNow() {
  std::string out;
  Sent kind;
  while (lease_->exchange.TakeKnown(&kind)) {
    if (kind == Sent::kKnownParse) {
      wire::AppendParseComplete(out);
    } else {
      wire::AppendCloseComplete(out);
    }
  }
  if (!out.empty()) [[maybe_unused]]
    const bool alive = SendToClient(wire::AsBytes(out));
}

// The server has skipped these messages after an error: what they were to change has not changed.
void ClientSession::UndoSkipped() {
  std::vector<wire::SentMessage> undone = lease_->exchange.TakeUndone();
  std::reverse(undone.begin(), undone.end());
  for (wire::SentMessage& message : undone) {
    wire::StatementChange& change = *message.change;
    if (change.drops_name) {
      statements_.Set(change.client_name, change.statement);
      continue;
    }
    if (message.kind == Sent::kOwnClose) {
      lease_->statements.Add(change.statement);
      continue;
    }
    if (message.kind == Sent::kOwnDescribe) shape_check_ = ShapeCheck::kNone;
    if (message.kind == Sent::kDescribe || message.kind == Sent::kOwnDescribe) continue;
    if (message.kind != Sent::kKnownParse) lease_->statements.Remove(*change.statement);
    const wire::StatementPtr* named = statements_.Find(change.client_name);
    if (named != nullptr && *named == change.statement) statements_.Erase(change.client_name);
  }
}

}  // namespace pgvalet::session
