#include "api/pool_calls.h"

#include <google/protobuf/util/time_util.h>

#include <string>
#include <utility>
#include <vector>

#include "api/grpc_status.h"
#include "api/reported_pool_proto.h"
#include "pgvalet/v1/pools.pb.h"

namespace pgvalet::api {
namespace {

using google::protobuf::util::TimeUtil;

constexpr int kMaxPoolsInReport = 100;
constexpr Duration kDefaultTtl = std::chrono::seconds(60);
constexpr Duration kMinTtl = std::chrono::seconds(1);
constexpr Duration kMaxTtl = std::chrono::hours(1);

grpc::Status Invalid(const std::string& why) { return {grpc::StatusCode::INVALID_ARGUMENT, why}; }

grpc::Status Check(const v1::ReportedPool& pool) {
  if (pool.application().empty()) return Invalid("a pool needs an application");
  if (pool.name().empty()) return Invalid("a pool needs a name");
  for (const std::int64_t number :
       {pool.max_connections(), pool.in_use(), pool.idle(), pool.waiting(), pool.checkout_count(),
        pool.timeout_count(), pool.error_count(), pool.wait_us()}) {
    if (number < 0) return Invalid("pool " + pool.name() + ": a number is below 0");
  }
  return grpc::Status::OK;
}

grpc::Status ReportPools(const v1::ReportPoolsRequest& request, stats::ReportedPools& pools) {
  if (request.pools_size() > kMaxPoolsInReport) {
    return Invalid("at most " + std::to_string(kMaxPoolsInReport) + " pools in one report");
  }
  Duration ttl = kDefaultTtl;
  if (request.has_ttl()) {
    // Before it is turned into microseconds, where it might not fit.
    if (request.ttl().seconds() < 0 || request.ttl().seconds() > kMaxTtl / kMinTtl) {
      return Invalid("ttl must be 1 s to 1 h");
    }
    ttl = Duration(TimeUtil::DurationToMicroseconds(request.ttl()));
    if (ttl < kMinTtl || ttl > kMaxTtl) return Invalid("ttl must be 1 s to 1 h");
  }
  std::vector<stats::ReportedPool> reported;
  for (const v1::ReportedPool& pool : request.pools()) {
    if (const grpc::Status valid = Check(pool); !valid.ok()) return valid;
    reported.push_back(FromProto(pool));
  }
  return ToStatus(pools.Report(std::move(reported), ttl));
}

}  // namespace

void AddPoolCalls(Calls& calls, stats::ReportedPools& pools) {
  calls.Add<v1::ReportPoolsRequest, v1::ReportPoolsResponse>(
      "Pools.ReportPools", TokenRole::kRead,
      [&pools](const v1::ReportPoolsRequest& request, v1::ReportPoolsResponse&,
               const std::stop_token&) { return ReportPools(request, pools); });
}

}  // namespace pgvalet::api
