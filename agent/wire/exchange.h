// Exchange: what a server connection still owes, and to whom.
//
// Every message sent to a server that will be answered is noted in order; every answer is matched
// with it.  From that follows: may the lease go back?  Is this answer the client's, or the answer
// to a message we added ourselves?  Which statements exist after an error?
//
// Rules of the protocol it rests on (PostgreSQL documentation, "Message Flow"):
//   - after an error in the extended protocol the server skips everything up to the next Sync, also
//     simple queries and function calls;
//   - while a COPY reads from the client, Sync and Flush are ignored; outside of one, CopyDone and
//     CopyFail are;
//   - only ReadyForQuery says the transaction status.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "wire/protocol.h"
#include "wire/statement.h"

namespace pgvalet::wire {

// What a message did to the tables of statements, so that it can be undone when the server never
// carries the message out; or, of a Describe, the statement that it is about.
struct StatementChange {
  StatementPtr statement;
  std::string client_name;  // empty: only the server's table changed
  bool drops_name = false;  // the client's table has lost it, instead of won
};

inline std::unique_ptr<StatementChange> GivesName(StatementPtr statement,
                                                  std::string_view client_name = {}) {
  return std::make_unique<StatementChange>(
      StatementChange{std::move(statement), std::string(client_name)});
}
inline std::unique_ptr<StatementChange> DropsName(StatementPtr statement,
                                                  std::string_view client_name) {
  return std::make_unique<StatementChange>(
      StatementChange{std::move(statement), std::string(client_name), /*drops_name=*/true});
}

enum class Sent : std::uint8_t {
  // The client's messages; their answers go to the client.
  kParse,
  kBind,
  kDescribe,
  kExecute,
  kClose,
  kSync,
  kQuery,
  kFunctionCall,
  kCopyEnd,  // CopyDone or CopyFail: has no answer of its own
  // Ours; their answers are swallowed.
  kOwnParse,
  kOwnClose,
  kOwnQuery,
  kOwnDescribe,  // of a statement
  kRefusal,      // fails on purpose; its error goes to the client, in other words
  // The client's, answered by us without asking the server.
  kKnownParse,
  kKnownClose,
};

struct SentMessage {
  Sent kind;
  std::unique_ptr<StatementChange> change;
};

// What to do with a message of the server.
enum class Answer : std::uint8_t {
  kForward,        // pass it to the client
  kSwallow,        // it answers a message of ours
  kRestoreFailed,  // an ErrorResponse that answers a query of ours
  kRefuse,         // an ErrorResponse that answers a refusal
};

class Exchange {
 public:
  // A message goes to the server now (or, for kKnown*, is taken note of).  While the server skips
  // to the next Sync the message will never be answered: it is given to `undone` at once.
  void OnSent(Sent kind, std::unique_ptr<StatementChange> change = nullptr);

  // A whole message, or for types not listed here at least its type, came from the server.
  // `body` is needed for ReadyForQuery only.
  Answer OnAnswer(char type, Bytes body = {});

  // The next thing to tell the client without the server: kKnownParse or kKnownClose at the head.
  // Takes it off and returns true.  To be called after every OnSent of a kKnown kind and OnAnswer.
  bool TakeKnown(Sent* kind) { return Outstanding() && IsKnown(Front().kind) && TakeFront(kind); }

  // Messages the server has skipped since the last call, in order.
  std::vector<SentMessage> TakeUndone() { return std::move(undone_); }
  bool has_undone() const { return !undone_.empty(); }

  // Behind a Sync that is sent, names of statements may not mean what the tables say: whether what
  // was sent before it is carried out or skipped is not known yet.
  bool NamesAreUncertain() const { return synced_change_end_ > head_; }
  // May what is sent now be refused because its transaction has failed?  Not in the transaction of
  // the last ReadyForQuery alone: behind others that are to come it may be in another.
  bool MayHaveFailed() const { return status_ == TxStatus::kFailed || ready_end_ > head_; }
  // So they are until what was sent last is answered: it may drop statements.
  void HoldNames() { synced_change_end_ = tail_; }

  // Nothing is outstanding, and the server said it is idle, outside a transaction.
  bool Idle() const { return at_ready_ && status_ == TxStatus::kIdle; }
  // Nothing is outstanding; the transaction may be open.
  bool AtReady() const { return at_ready_; }
  bool Outstanding() const { return head_ != tail_; }
  std::size_t outstanding_count() const { return tail_ - head_; }
  TxStatus status() const { return status_; }
  // The server reads COPY data from the client.
  bool copying_in() const { return copy_in_; }
  // An answer did not fit what was asked, or it cannot be known how many are still to come (a COPY
  // failed before which the client had sent a Sync): the server connection must not be used again.
  bool broken() const { return broken_; }
  // The server skips to a Sync that was not sent yet.
  bool skipping() const { return skipping_; }
  // The oldest unanswered message; null: none.
  const SentMessage* oldest() const { return Outstanding() ? &Front() : nullptr; }
  // Is it a query of ours?
  bool HeadIsOwnQuery() const { return Outstanding() && Front().kind == Sent::kOwnQuery; }

  // As after login.  Keeps its memory.
  void Reset();

 private:
  static constexpr std::size_t kFirstCapacity = 32;  // a power of two, as every later one

  SentMessage& At(std::size_t index) { return ring_[index & (ring_.size() - 1)]; }
  SentMessage& Front() { return At(head_); }
  const SentMessage& Front() const { return ring_[head_ & (ring_.size() - 1)]; }
  void Push(SentMessage message);
  static bool IsKnown(Sent kind) { return kind == Sent::kKnownParse || kind == Sent::kKnownClose; }
  bool TakeFront(Sent* kind);
  void PopFront();
  void CompleteFront(Sent client_kind, Sent own_kind, Answer* answer);
  void OnError(Answer* answer);
  void OnReady(Bytes body, Answer* answer);
  void OnCopyIn();
  void OnCopyEndSent();
  void CompletePart(Sent kind, bool by_query, Answer* answer);
  bool CompleteOwnDescribe(Answer* answer);
  void SkipToSync();

  std::vector<SentMessage> ring_ = std::vector<SentMessage>(kFirstCapacity);
  std::size_t head_ = 0;  // grow while anything is outstanding; the ring has their low bits
  std::size_t tail_ = 0;
  std::size_t change_end_ = 0;         // index behind the last message that had a change
  std::size_t synced_change_end_ = 0;  // the same, of those with a Sync behind them
  std::size_t ready_end_ = 0;          // the same, of those that ReadyForQuery answers
  std::vector<SentMessage> undone_;
  TxStatus status_ = TxStatus::kIdle;
  bool at_ready_ = true;
  bool skipping_ = false;     // the server skips to a Sync that was not sent yet
  bool sync_unsure_ = false;  // or to one that was sent, and read by a COPY or not
  bool copy_in_ = false;
  bool copy_end_sent_ = false;  // of the COPY that is on
  std::size_t copy_syncs_ = 0;  // Syncs sent for it to ignore
  bool broken_ = false;
};

}  // namespace pgvalet::wire
