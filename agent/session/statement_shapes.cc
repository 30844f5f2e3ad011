// ClientSession: a statement that was prepared before a table changed, on a server connection that
// does not have it yet.
//
// A direct session would be told "cached plan must not change result type" if its columns are not
// what they were.  Prepared anew, the statement would give the new columns to a client that knows
// the old ones.  So what clients were told of a statement's columns is remembered, and where a
// table may have changed since, the server is asked before the statement is used.
#include "session/client_session.h"
#include "session/context.h"

namespace pgvalet::session {
namespace {

// Cannot be parsed, so the server skips what comes behind it, as after the error of its own.
constexpr char kRefusalBody[] = "the result of a prepared statement has changed\0\0";
constexpr std::string_view kRefusal(kRefusalBody, sizeof kRefusalBody);  // with three zeros
constexpr std::string_view kRefusalName = "PGVALET_CHANGED";

}  // namespace

bool ClientSession::MustCompareShape(const wire::Statement& statement) const {
  return statement.shape.load(std::memory_order_relaxed) != wire::kUnknownShape &&
         statement.epoch != pool_->group().catalog_epoch().value() && !lease_->exchange.skipping();
}

// The Parse of the statement has just been sent.
void ClientSession::AskForShape(const wire::StatementPtr& statement, MessageBatch& batch) {
  std::string& out = batch.Insert();
  wire::AppendDescribeStatement(out, statement->server_name);
  wire::AppendFlush(out);
  lease_->exchange.OnSent(wire::Sent::kOwnDescribe, wire::GivesName(statement));
  shape_check_ = ShapeCheck::kAsked;
  shape_checked_id_ = statement->id;
  settling_ = true;
}

// True when the answer was taken: the client's request is refused.
bool ClientSession::RefuseChanged(const wire::Statement& statement, MessageBatch& batch) {
  if (shape_check_ != ShapeCheck::kDiffers || shape_checked_id_ != statement.id) return false;
  shape_check_ = ShapeCheck::kNone;
  std::string& out = batch.Insert();
  wire::AppendCloseStatement(out, statement.server_name);
  lease_->exchange.OnSent(wire::Sent::kOwnClose);
  lease_->statements.Remove(statement);
  wire::AppendParse(out, kRefusalName, kRefusal);
  lease_->exchange.OnSent(wire::Sent::kRefusal);
  return true;
}

// Before the exchange takes the answer: RowDescription or NoData.
void ClientSession::TakeShape(const wire::Header& header, wire::Bytes body) {
  const wire::SentMessage* asked = lease_->exchange.oldest();
  if (asked == nullptr || asked->change == nullptr) return;
  const wire::Statement& statement = *asked->change->statement;
  const wire::RowShape shape =
      header.type == wire::server::kNoData ? wire::kNoRows : wire::ShapeOf(body);
  if (asked->kind == wire::Sent::kDescribe) {
    wire::RowShape unknown = wire::kUnknownShape;
    statement.shape.compare_exchange_strong(unknown, shape, std::memory_order_relaxed);
  } else if (asked->kind == wire::Sent::kOwnDescribe) {
    const bool same = shape == statement.shape.load(std::memory_order_relaxed);
    shape_check_ = same ? ShapeCheck::kNone : ShapeCheck::kDiffers;
  }
}

// What a client learns of a statement's columns is noted once.
std::unique_ptr<wire::StatementChange> ClientSession::NoteOfShape(
    const wire::StatementPtr& statement) {
  if (!statement || statement->shape.load(std::memory_order_relaxed) != wire::kUnknownShape) {
    return nullptr;
  }
  return wire::GivesName(statement);
}

}  // namespace pgvalet::session
