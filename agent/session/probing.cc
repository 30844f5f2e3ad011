// ClientSession: finding out what the client made of its session where no extension says it.
#include "base/log.h"
#include "pool/server_restore.h"
#include "session/client_session.h"
#include "session/context.h"
#include "session/probe.h"

namespace pgvalet::session {

// Whether it matters here what the client leaves on its session, and the server does not say it.
bool ClientSession::MustFollow() const {
  return !lease_->HasExtension() && pool_->policy().mode != config::PoolMode::kSession &&
         pool_->policy().without_extension != config::WithoutExtension::kIgnore;
}

void ClientSession::LookForTies(wire::Bytes sql) {
  if (!may_have_tied_ && MustFollow()) may_have_tied_ = TextMayTie(wire::AsText(sql));
}

// REQUIRES: nothing is outstanding, no transaction is open.
void ClientSession::SendProbe() {
  may_have_tied_ = false;
  probe_ = std::make_unique<ProbeResult>();
  unnamed_lease_id_ = 0;  // a simple query drops the unnamed statement
  std::string out;
  wire::AppendQuery(out, ProbeSql());
  lease_->exchange.OnSent(wire::Sent::kOwnQuery);
  SendToServer(wire::AsBytes(out));
}

void ClientSession::OnProbeAnswer(const wire::Header& header, wire::Bytes body) {
  if (header.type == wire::server::kDataRow && !probe_->TakeRow(body)) lease_->retire = true;
  if (header.type == wire::server::kErrorResponse) {
    log::warn("cannot find out what a session carries: database={} user={} error={}",
              pool_->key().database, pool_->key().user, pool::ServerError(body).detail);
    wire::SessionReport unknown;
    unknown.pins.push_back({wire::PinReason::kUnknown, 1});
    lease_->reported->Set(unknown);
    probe_.reset();
  }
  if (header.type == wire::server::kReadyForQuery) EndProbe();
}

void ClientSession::EndProbe() {
  const std::unique_ptr<ProbeResult> probe = std::move(probe_);
  const std::string text = probe->Report(wanted_->startup);
  const std::optional<wire::SessionReport> report = wire::SessionReport::Parse(text);
  const auto wanted = report ? context_->states().FromReport(*report->state) : std::nullopt;
  const auto actual = context_->states().FromReport(probe->Actual());
  if (!wanted || !actual) {
    lease_->retire = true;
    return;
  }
  const bool was_free = lease_->reported->CanMove();
  lease_->carried = probe->HasAll(wanted_->startup) ? *wanted : *actual;
  wanted_ = *wanted;
  server_prepared_ = lease_->carried == wanted_;
  pin_is_stale_ = true;
  if (pool_->policy().without_extension == config::WithoutExtension::kPin) {
    lease_->reported->Set(*report);
    return;
  }
  if (!was_free || (report->pins.empty() && report->channels.empty())) return;
  lease_->retire = true;  // what is left on it is for nobody else
  std::string out;
  wire::AppendNoticeResponse(
      out, {"WARNING",
            "01000",
            "what this session has made is lost: its server connection goes to others now",
            {},
            "Without the pgvalet extension on the server, temporary objects, session locks, held "
            "cursors and LISTEN need pool_mode = session or without_extension = pin."});
  [[maybe_unused]] const bool sent = SendToClient(wire::AsBytes(out));
}

}  // namespace pgvalet::session
