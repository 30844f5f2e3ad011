#include "api/server_calls.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "api/grpc_status.h"
#include "api/proto_time.h"
#include "api/session_proto.h"
#include "api/snapshot_proto.h"
#include "pgvalet/v1/stats.pb.h"

namespace pgvalet::api {
namespace {

using Stop = std::stop_token;

constexpr int kMaxSessions = 1000;
constexpr int kDefaultMinutes = 60;
constexpr int kMaxMinutes = 1440;

grpc::Status Invalid(const std::string& what) { return {grpc::StatusCode::INVALID_ARGUMENT, what}; }

// How many rows, where 0 is `otherwise`; nothing: it cannot be used.
std::optional<int> LimitOf(int asked, int otherwise, int most) {
  if (asked < 0 || asked > most) return std::nullopt;
  return asked == 0 ? otherwise : asked;
}

grpc::Status BadLimit(int most) {
  return Invalid("limit must be from 0 to " + std::to_string(most));
}

void Fill(const stats::EndedSession& row, v1::EndedSession& message) {
  FillSession(row, message);
  message.set_sequence(row.sequence);
  SetTime(row.ended_at, message, &v1::EndedSession::mutable_ended_at);
  message.set_how_ended(row.how_ended);
  message.set_end_rule(row.end_rule);
  message.set_end_sqlstate(row.end_sqlstate);
  message.set_cpu_user_us(row.cpu_user_us);
  message.set_cpu_system_us(row.cpu_system_us);
}

void Fill(const stats::Distribution& row, v1::Distribution& message) {
  message.set_dimension(row.dimension);
  message.set_name(row.name);
  message.set_measure(row.measure);
  message.set_count(row.count);
  message.set_sum_us(row.sum_us);
  message.set_p50_us(row.p50_us);
  message.set_p90_us(row.p90_us);
  message.set_p95_us(row.p95_us);
  message.set_p99_us(row.p99_us);
  message.set_max_us(row.max_us);
  for (const stats::DistributionBucket& bucket : row.buckets) {
    v1::DistributionBucket& added = *message.add_buckets();
    added.set_lowest_us(bucket.lowest_us);
    added.set_highest_us(bucket.highest_us);
    added.set_count(bucket.count);
  }
}

void Fill(const stats::ServerMinute& row, v1::ServerMinute& message) {
  SetTime(row.started_at, message, &v1::ServerMinute::mutable_started_at);
  SetTime(row.ended_at, message, &v1::ServerMinute::mutable_ended_at);
  message.set_connections(row.connections);
  message.set_active(row.active);
  message.set_idle(row.idle);
  message.set_idle_in_transaction(row.idle_in_transaction);
  message.set_agent_connections(row.agent_connections);
  message.set_highest_connections(row.highest_connections);
  message.set_login_count(row.login_count);
  message.set_failed_login_count(row.failed_login_count);
  message.set_ended_client_count(row.ended_client_count);
  message.set_ended_abandoned_count(row.ended_abandoned_count);
  message.set_ended_killed_count(row.ended_killed_count);
  message.set_ended_policy_count(row.ended_policy_count);
  message.set_ended_error_count(row.ended_error_count);
  message.set_ended_crash_count(row.ended_crash_count);
  message.set_xact_commit_count(row.xact_commit_count);
  message.set_xact_rollback_count(row.xact_rollback_count);
  message.set_statement_count(row.statement_count);
  message.set_error_count(row.error_count);
  message.set_read_bytes(row.read_bytes);
  message.set_written_bytes(row.written_bytes);
  message.set_temp_bytes(row.temp_bytes);
  message.set_wal_bytes(row.wal_bytes);
  message.set_active_us(row.active_us);
}

grpc::Status ListEnded(control::Door& door, const v1::ListEndedSessionsRequest& request,
                       v1::ListEndedSessionsResponse& response, const Stop& stop) {
  stats::EndedSessionFilter filter{.database = request.database(),
                                   .user = request.user(),
                                   .application_name = request.application_name()};
  const std::optional<int> limit = LimitOf(request.limit(), filter.limit, kMaxSessions);
  if (!limit) return BadLimit(kMaxSessions);
  filter.limit = *limit;
  const Result<std::vector<stats::EndedSession>> sessions = door.EndedSessions(filter, stop);
  if (!sessions) return ToStatus(sessions.error());
  for (const stats::EndedSession& session : *sessions) Fill(session, *response.add_sessions());
  return grpc::Status::OK;
}

grpc::Status GetDistributions(control::Door& door, const v1::GetDistributionsRequest& request,
                              v1::GetDistributionsResponse& response, const Stop& stop) {
  const auto& measures = stats::kMeasures;
  if (!request.measure().empty() &&
      std::find(measures.begin(), measures.end(), request.measure()) == measures.end()) {
    return Invalid("measure must be statement, transaction, idle_in_transaction, session or login");
  }
  const Result<std::vector<stats::Distribution>> all =
      door.Distributions({.database = request.database(),
                          .role = request.role(),
                          .application_name = request.application_name(),
                          .measure = request.measure()},
                         stop);
  if (!all) return ToStatus(all.error());
  for (const stats::Distribution& one : *all) Fill(one, *response.add_distributions());
  return grpc::Status::OK;
}

grpc::Status GetMinutes(control::Door& door, const v1::GetServerHistoryRequest& request,
                        v1::GetServerHistoryResponse& response, const Stop& stop) {
  const std::optional<int> limit = LimitOf(request.limit(), kDefaultMinutes, kMaxMinutes);
  if (!limit) return BadLimit(kMaxMinutes);
  using google::protobuf::util::TimeUtil;
  const stats::WallTime since{
      std::chrono::microseconds(TimeUtil::TimestampToMicroseconds(request.since()))};
  const Result<std::vector<stats::ServerMinute>> minutes = door.ServerMinutes(since, *limit, stop);
  if (!minutes) return ToStatus(minutes.error());
  for (const stats::ServerMinute& minute : *minutes) Fill(minute, *response.add_minutes());
  return grpc::Status::OK;
}

// Who may read snapshots may read these.
template <typename Request, typename Response, typename Work>
void AddReading(Calls& calls, std::string_view name, control::Door& door, Work work) {
  Call& call = calls.Add<Request, Response>(
      name, TokenRole::kRead,
      [&door, work](const Request& request, Response& response, const Stop& stop) {
        return work(door, request, response, stop);
      });
  call.is_open_without_tokens = true;
}

}  // namespace

void AddServerCalls(Calls& calls, control::Door& door) {
  AddReading<v1::ListEndedSessionsRequest, v1::ListEndedSessionsResponse>(
      calls, "Stats.ListEndedSessions", door, &ListEnded);
  AddReading<v1::GetDistributionsRequest, v1::GetDistributionsResponse>(
      calls, "Stats.GetDistributions", door, &GetDistributions);
  AddReading<v1::GetServerHistoryRequest, v1::GetServerHistoryResponse>(
      calls, "Stats.GetServerHistory", door, &GetMinutes);
}

}  // namespace pgvalet::api
