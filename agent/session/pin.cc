// ClientSession: holding on to a server connection between transactions.
#include <fmt/format.h>

#include "base/log.h"
#include "session/client_session.h"
#include "session/context.h"

namespace pgvalet::session {
namespace {

std::vector<stats::PinReasonCount> ReasonsOf(const pool::ReportedSession& session) {
  std::vector<stats::PinReasonCount> reasons;
  for (const wire::Pin& pin : session.pins()) {
    reasons.push_back({wire::PinReasonName(pin.reason), static_cast<std::int64_t>(pin.count)});
  }
  if (!session.channels().empty()) {
    reasons.push_back({"listen", static_cast<std::int64_t>(session.channels().size())});
  }
  return reasons;
}

std::string InWords(const std::vector<stats::PinReasonCount>& reasons) {
  std::string text;
  for (const stats::PinReasonCount& reason : reasons) {
    fmt::format_to(std::back_inserter(text), "{}{} ({})", text.empty() ? "" : ", ", reason.reason,
                   reason.objects);
  }
  return text;
}

}  // namespace

// The lease stays: what ties the session to this backend is there still.  True when the session
// ended over it.
bool ClientSession::KeepPinned() {
  if (IsLeaving()) {
    FinishSoon(leaving_);
    return true;
  }
  if (pin_id_ == 0) {
    const pool::PoolPolicy& policy = pool_->policy();
    if (policy.pin_limit_action == config::PinLimitAction::kError && pool_->PinsAreFull()) {
      const std::string reasons = InWords(ReasonsOf(*lease_->reported));
      Kill("53300",
           fmt::format("too many clients of this pool hold a server connection (max_pinned_share)"),
           fmt::format("This session cannot move to another server connection: {}.", reasons));
      return true;
    }
    pinned_since_ = context_->loop().now();
    pin_was_logged_ = false;
    pin_was_held_ = true;
    pool_->group().AddPinned(1);
    pool_->counters().clients_pinned.Add(1);
    pool_->counters().pins.Add();
  }
  if (pin_id_ == 0 || pin_is_stale_) ShowPin();
  return false;
}

void ClientSession::ShowPin() {
  const std::string* application = wanted_->Find("application_name");
  pin_id_ = context_->pins().Put(pin_id_, {.database = pool_->key().database,
                                           .user = pool_->key().user,
                                           .client = peer_.ToString(),
                                           .application_name = application ? *application : "",
                                           .server_pid = lease_->backend_pid,
                                           .reasons = ReasonsOf(*lease_->reported),
                                           .since = pinned_since_});
  pin_is_stale_ = false;
}

void ClientSession::Unpin() {
  if (pin_id_ == 0) return;
  context_->pins().Remove(pin_id_);
  pool_->group().AddPinned(-1);
  pool_->counters().clients_pinned.Add(-1);
}

void ClientSession::WarnOfPin(Time now) {
  const Duration limit = pool_->policy().pin_warn_after;
  if (pin_was_logged_ || limit == Duration::zero() || Since(pinned_since_, now) < limit) return;
  pin_was_logged_ = true;
  const std::string reasons = InWords(ReasonsOf(*lease_->reported));
  const auto seconds =
      std::chrono::duration_cast<std::chrono::seconds>(Since(pinned_since_, now)).count();
  TellEvent("client_pinned", "holds its server connection between transactions since " +
                                 std::to_string(seconds) + " s: " + reasons);
  log::warn(
      "client holds a server connection between transactions: client={} database={} user={} "
      "server_pid={} seconds={} reasons={}",
      peer_.ToString(), pool_->key().database, pool_->key().user, lease_->backend_pid, seconds,
      reasons);
}

bool ClientSession::MustLetOthersPass() const {
  return pin_was_held_ && pool_->policy().pin_limit_action == config::PinLimitAction::kWait &&
         pool_->PinsAreFull();
}

}  // namespace pgvalet::session
