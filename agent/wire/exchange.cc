#include "wire/exchange.h"

#include <algorithm>
#include <utility>

namespace pgvalet::wire {
namespace {

bool EndsWithReady(Sent kind) {
  return kind == Sent::kSync || kind == Sent::kQuery || kind == Sent::kFunctionCall ||
         kind == Sent::kOwnQuery;
}

}  // namespace

void Exchange::Push(SentMessage message) {
  if (tail_ - head_ == ring_.size()) {
    std::vector<SentMessage> wider(ring_.size() * 2);
    for (std::size_t i = head_; i != tail_; ++i) {
      wider[i & (wider.size() - 1)] = std::move(At(i));
    }
    ring_ = std::move(wider);
  }
  const Sent kind = message.kind;
  const bool changes = message.change != nullptr;
  At(tail_++) = std::move(message);
  if (changes) change_end_ = tail_;
  if (!EndsWithReady(kind)) return;
  synced_change_end_ = std::max(synced_change_end_, change_end_);
  ready_end_ = tail_;
}

void Exchange::PopFront() {
  Front().change.reset();
  ++head_;
  // The end of a COPY has no answer of its own; it goes with what began the COPY.
  while (Outstanding() && Front().kind == Sent::kCopyEnd) ++head_;
}

void Exchange::OnSent(Sent kind, std::unique_ptr<StatementChange> change) {
  if (kind == Sent::kCopyEnd) return OnCopyEndSent();
  at_ready_ = false;
  if (sync_unsure_) broken_ = true;  // skipped or served, nobody can tell
  if (skipping_) {
    if (kind != Sent::kSync) {
      if (change) undone_.push_back({kind, std::move(change)});
      return;
    }
    skipping_ = false;
  } else if (copy_in_ && !copy_end_sent_) {
    if (kind == Sent::kSync) {
      ++copy_syncs_;
      return;
    }
    broken_ = true;  // the server ends a connection on which a COPY is interrupted
  }
  Push({kind, std::move(change)});
}

void Exchange::OnCopyEndSent() {
  if (skipping_ || !Outstanding()) return;  // no COPY can be on: the server ignores it
  if (copy_in_ && !copy_end_sent_) {
    copy_end_sent_ = true;
  } else {
    Push({Sent::kCopyEnd, nullptr});
  }
}

bool Exchange::TakeFront(Sent* kind) {
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
  while (Outstanding() && Front().kind != Sent::kSync) {
    if (Front().change) undone_.push_back({Front().kind, std::move(Front().change)});
    ++head_;
  }
  skipping_ = !Outstanding();
}

void Exchange::OnError(Answer* answer) {
  // Of a Sync sent after the Execute nobody can tell whether the COPY has read and ignored it, or
  // failed before and will answer it.
  const bool unsure = std::exchange(copy_in_, false) && copy_syncs_ > 0;
  if (!Outstanding()) return;  // an error out of the blue: the end of the connection follows
  const Sent kind = Front().kind;
  if (kind == Sent::kOwnQuery) {
    *answer = Answer::kRestoreFailed;
  } else if (kind == Sent::kRefusal) {
    *answer = Answer::kRefuse;
    SkipToSync();
  } else if (kind == Sent::kQuery || kind == Sent::kFunctionCall) {
    if (Front().change) undone_.push_back({kind, std::move(Front().change)});
    if (unsure) broken_ = true;
  } else {
    // As long as nothing was sent behind that one Sync, its ReadyForQuery tells.
    if (unsure && (copy_syncs_ > 1 || outstanding_count() > 1)) broken_ = true;
    SkipToSync();
    sync_unsure_ = unsure && skipping_;
  }
}

void Exchange::OnReady(Bytes body, Answer* answer) {
  copy_in_ = false;
  skipping_ = false;
  const bool unasked_is_fine = std::exchange(sync_unsure_, false);
  if (body.size() != 1 || (body[0] != 'I' && body[0] != 'T' && body[0] != 'E')) {
    broken_ = true;
    return;
  }
  status_ = static_cast<TxStatus>(body[0]);
  while (Outstanding() && !EndsWithReady(Front().kind)) {
    broken_ = true;  // something was never answered
    PopFront();
  }
  if (Outstanding()) {
    if (Front().kind == Sent::kOwnQuery) *answer = Answer::kSwallow;
    PopFront();
  } else if (!unasked_is_fine) {
    broken_ = true;
  }
  at_ready_ = !Outstanding();
  // From the front again: a server that is used little at a time keeps one cache line of the ring.
  if (at_ready_) head_ = tail_ = change_end_ = synced_change_end_ = ready_end_ = 0;
}

void Exchange::OnCopyIn() {
  if (!Outstanding() || (Front().kind != Sent::kQuery && Front().kind != Sent::kExecute)) {
    broken_ = true;
    return;
  }
  copy_in_ = true;
  copy_end_sent_ = false;
  copy_syncs_ = 0;
  // What was sent along is read while the COPY is on: Syncs are ignored.
  while (!copy_end_sent_ && head_ + 1 != tail_) {
    const Sent next = At(head_ + 1).kind;
    if (next != Sent::kSync && next != Sent::kCopyEnd) {
      broken_ = true;  // as above
      return;
    }
    if (next == Sent::kSync) {
      ++copy_syncs_;
    } else {
      copy_end_sent_ = true;
    }
    At(head_ + 1) = std::move(Front());
    ++head_;
  }
}

// Ends `kind`; or, if a simple query may bring such an answer, is a part of what that brings.
void Exchange::CompletePart(Sent kind, bool by_query, Answer* answer) {
  if (Outstanding() && Front().kind == kind) return PopFront();
  if (Outstanding() && by_query && Front().kind == Sent::kOwnQuery) {
    *answer = Answer::kSwallow;
  } else if (!Outstanding() || !by_query || Front().kind != Sent::kQuery) {
    broken_ = true;
  }
}

bool Exchange::CompleteOwnDescribe(Answer* answer) {
  if (!Outstanding() || Front().kind != Sent::kOwnDescribe) return false;
  *answer = Answer::kSwallow;
  PopFront();
  return true;
}

Answer Exchange::OnAnswer(char type, Bytes body) {
  Answer answer = Answer::kForward;
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
      if (CompleteOwnDescribe(&answer)) break;
      CompletePart(Sent::kDescribe, /*by_query=*/false, &answer);
      break;
    case server::kRowDescription:
      if (CompleteOwnDescribe(&answer)) break;
      CompletePart(Sent::kDescribe, /*by_query=*/true, &answer);
      break;
    case server::kCommandComplete:
    case server::kEmptyQueryResponse:
      copy_in_ = false;
      CompletePart(Sent::kExecute, /*by_query=*/true, &answer);
      break;
    case server::kPortalSuspended:
      CompletePart(Sent::kExecute, /*by_query=*/false, &answer);
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
    case server::kNotificationResponse:
      break;  // belongs to no message
    case server::kParameterDescription:
      if (Outstanding() && Front().kind == Sent::kOwnDescribe) answer = Answer::kSwallow;
      break;
    default:
      if (HeadIsOwnQuery()) answer = Answer::kSwallow;
      break;
  }
  return answer;
}

void Exchange::Reset() {
  while (Outstanding()) PopFront();
  undone_.clear();
  status_ = TxStatus::kIdle;
  at_ready_ = true;
  skipping_ = sync_unsure_ = copy_in_ = copy_end_sent_ = broken_ = false;
  copy_syncs_ = 0;
}

}  // namespace pgvalet::wire
