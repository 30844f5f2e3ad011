#include "wire/exchange.h"

#include <utility>

namespace pgvalet::wire {
namespace {

bool EndsWithReady(Sent kind) {
  return kind == Sent::kSync || kind == Sent::kQuery || kind == Sent::kFunctionCall ||
         kind == Sent::kOwnQuery;
}

bool IsKnown(Sent kind) { return kind == Sent::kKnownParse || kind == Sent::kKnownClose; }

}  // namespace

void Exchange::Push(SentMessage message) {
  if (tail_ - head_ == ring_.size()) {
    std::vector<SentMessage> wider(ring_.size() * 2);
    for (std::size_t i = head_; i != tail_; ++i) {
      wider[i & (wider.size() - 1)] = std::move(At(i));
    }
    ring_ = std::move(wider);
  }
  At(tail_++) = std::move(message);
}

void Exchange::PopFront() {
  Front().change.reset();
  ++head_;
  // The end of a COPY has no answer of its own; it goes with what began the COPY.
  while (Outstanding() && Front().kind == Sent::kCopyEnd) ++head_;
}

void Exchange::OnSent(Sent kind, std::unique_ptr<StatementChange> change) {
  at_ready_ = false;
  if (skipping_ && kind != Sent::kSync) {
    if (change) undone_.push_back({kind, std::move(change)});
    return;
  }
  if (kind == Sent::kCopyEnd) {
    copy_end_sent_ = true;
    if (copy_in_ || !Outstanding()) return;
  }
  if (kind == Sent::kSync) {
    if (copy_in_ && !copy_end_sent_) return;  // the server ignores it
    skipping_ = false;
  }
  Push({kind, std::move(change)});
}

bool Exchange::TakeKnown(Sent* kind) {
  if (!Outstanding() || !IsKnown(Front().kind)) return false;
  *kind = Front().kind;
  PopFront();
  return true;
}

void Exchange::CompleteFront(Sent client_kind, Sent own_kind, Answer* answer) {
  if (!Outstanding() || (Front().kind != client_kind && Front().kind != own_kind)) {
    broken_ = true;
    return;
  }
  if (Front().kind == own_kind && own_kind != client_kind) *answer = Answer::kSwallow;
  PopFront();
}

void Exchange::SkipToSync() {
  while (Outstanding() && !EndsWithReady(Front().kind)) {
    if (Front().change) undone_.push_back({Front().kind, std::move(Front().change)});
    ++head_;
  }
  skipping_ = !Outstanding();
}

void Exchange::OnError(Answer* answer) {
  copy_in_ = false;
  if (!Outstanding()) return;  // an error out of the blue: the end of the connection follows
  const Sent kind = Front().kind;
  if (kind == Sent::kOwnQuery) {
    *answer = Answer::kRestoreFailed;
  } else if (kind != Sent::kQuery && kind != Sent::kFunctionCall) {
    SkipToSync();
  }
}

void Exchange::OnReady(Bytes body, Answer* answer) {
  copy_in_ = false;
  copy_end_sent_ = false;
  if (body.size() != 1 || (body[0] != 'I' && body[0] != 'T' && body[0] != 'E')) {
    broken_ = true;
    return;
  }
  status_ = static_cast<TxStatus>(body[0]);
  skipping_ = false;
  while (Outstanding() && !EndsWithReady(Front().kind)) {
    broken_ = true;  // something was never answered
    PopFront();
  }
  if (Outstanding()) {
    if (Front().kind == Sent::kOwnQuery) *answer = Answer::kSwallow;
    PopFront();
  }
  at_ready_ = !Outstanding();
}

void Exchange::OnCopyIn() {
  copy_in_ = true;
  copy_end_sent_ = false;
  if (!Outstanding()) {
    broken_ = true;
    return;
  }
  if (Front().kind == Sent::kQuery) {
    copy_end_sent_ = head_ + 1 != tail_ && At(head_ + 1).kind == Sent::kCopyEnd;
    return;
  }
  // Syncs sent together with Execute are read while the COPY is on, and ignored.
  while (head_ + 1 != tail_ && At(head_ + 1).kind == Sent::kSync) {
    At(head_ + 1) = std::move(Front());
    ++head_;
  }
  copy_end_sent_ = head_ + 1 != tail_ && At(head_ + 1).kind == Sent::kCopyEnd;
}

Answer Exchange::OnAnswer(char type, Bytes body) {
  Answer answer = Answer::kForward;
  const Sent head = Outstanding() ? Front().kind : Sent::kSync;
  switch (type) {
    case server::kParseComplete:
      CompleteFront(Sent::kParse, Sent::kOwnParse, &answer);
      break;
    case server::kBindComplete:
      CompleteFront(Sent::kBind, Sent::kBind, &answer);
      break;
    case server::kCloseComplete:
      CompleteFront(Sent::kClose, Sent::kOwnClose, &answer);
      break;
    case server::kNoData:
    case server::kRowDescription:
      if (head == Sent::kDescribe) PopFront();
      if (head == Sent::kOwnQuery) answer = Answer::kSwallow;
      break;
    case server::kCommandComplete:
    case server::kEmptyQueryResponse:
    case server::kPortalSuspended:
      copy_in_ = false;
      if (head == Sent::kExecute) PopFront();
      if (head == Sent::kOwnQuery) answer = Answer::kSwallow;
      break;
    case server::kDataRow:
      if (head == Sent::kOwnQuery) answer = Answer::kSwallow;
      break;
    case server::kCopyInResponse:
      OnCopyIn();
      break;
    case server::kErrorResponse:
      OnError(&answer);
      break;
    case server::kReadyForQuery:
      OnReady(body, &answer);
      break;
    default:
      break;
  }
  return answer;
}

void Exchange::Reset() {
  while (Outstanding()) PopFront();
  undone_.clear();
  status_ = TxStatus::kIdle;
  at_ready_ = true;
  skipping_ = copy_in_ = copy_end_sent_ = broken_ = false;
}

}  // namespace pgvalet::wire
