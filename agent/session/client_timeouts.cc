// ClientSession: what time does to it.
#include "session/client_session.h"
#include "session/context.h"

namespace pgvalet::session {
namespace {

// How long last words may take.
constexpr Duration kGoodbyeLimit = std::chrono::seconds(5);

bool Passed(Duration limit, Time since, Time now) {
  return limit > Duration::zero() && Since(since, now) >= limit;
}

}  // namespace

void ClientSession::CheckIdle(Time now) {
  if (state_ == ClientState::kClosing) {
    if (Passed(kGoodbyeLimit, state_since_, now)) context_->Move(*this, ClientState::kDead);
    return;
  }
  if (pool_ == nullptr) return;  // of the console
  if (context_->is_suspended()) return;
  if (Passed(pool_->policy().client_idle_timeout, state_since_, now)) {
    Kill("57P05", "terminating connection due to client_idle_timeout");
  }
}

bool ClientSession::TransactionIsOpen() const {
  return !lease_->exchange.AtReady() || lease_->exchange.status() != wire::TxStatus::kIdle;
}

void ClientSession::OnLeaseTick(Time now) {
  if (context_->is_suspended()) return;  // what it has done may lie unread
  const pool::PoolPolicy& policy = pool_->policy();
  if (pin_id_ != 0) WarnOfPin(now);
  CheckListening(now);
  if (!lease_) return;
  if (!TransactionIsOpen()) {  // session mode or pinned, between transactions
    if (Passed(policy.client_idle_timeout, lease_->ready_at, now)) {
      Kill("57P05", "terminating connection due to client_idle_timeout");
    }
    return;
  }
  if (Passed(policy.transaction_timeout, lease_->transaction_at, now)) {
    return Kill("25P04", "terminating connection due to transaction_timeout");
  }
  if (lease_->exchange.AtReady()) {
    if (Passed(policy.idle_transaction_timeout, lease_->ready_at, now)) {
      Kill("25P03", "terminating connection due to idle_transaction_timeout");
    }
  } else if (Passed(policy.query_timeout, lease_->request_at, now)) {
    // The server connection goes with the lease; its backend would run on for nobody.
    context_->cancel_sender().Send(lease_->address, lease_->backend_pid, lease_->cancel_secret,
                                   context_->settings()->cancel_wait_timeout, nullptr);
    Kill("57014", "terminating connection due to query_timeout");
  }
}

}  // namespace pgvalet::session
