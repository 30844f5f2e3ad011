// Pools that applications report, beside the agent's own.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <memory>
#include <string>

#include "pgvalet/v1/pools.grpc.pb.h"
#include "pgvalet/v1/stats.grpc.pb.h"
#include "support/connection.h"
#include "support/grpc_test.h"

namespace pgvalet::integration {
namespace {

using grpc::StatusCode;

class ReportedPoolsTest : public GrpcTest {
 protected:
  grpc::Status Report(const v1::ReportPoolsRequest& request,
                      const std::string& token = kReader) const {
    grpc::ClientContext context;
    Use(context, token);
    v1::ReportPoolsResponse response;
    return v1::Pools::NewStub(Channel())->ReportPools(&context, request, &response);
  }

  static v1::ReportPoolsRequest Sample() {
    v1::ReportPoolsRequest request;
    v1::ReportedPool& pool = *request.add_pools();
    pool.set_application("shop");
    pool.set_name("orders");
    pool.set_kind("sqlalchemy");
    pool.set_max_connections(15);
    pool.set_in_use(4);
    pool.set_waiting(2);
    return request;
  }

  v1::Snapshot Snapshot() const {
    grpc::ClientContext context;
    Use(context, kReader);
    v1::Snapshot snapshot;
    v1::GetSnapshotRequest request;
    request.mutable_filter()->mutable_fields()->add_paths("reported_pools");
    EXPECT_TRUE(v1::Stats::NewStub(Channel())->GetSnapshot(&context, request, &snapshot).ok());
    return snapshot;
  }
};

TEST_F(ReportedPoolsTest, AReportedPoolAppearsInTheSnapshotAndGoesWithItsTime) {
  v1::ReportPoolsRequest request = Sample();
  request.mutable_ttl()->set_seconds(1);
  ASSERT_TRUE(Report(request).ok());
  v1::Snapshot snapshot;
  ASSERT_TRUE(Eventually([&] {
    snapshot = Snapshot();
    return snapshot.reported_pools_size() == 1;
  }));
  EXPECT_EQ(snapshot.reported_pools(0).application(), "shop");
  EXPECT_EQ(snapshot.reported_pools(0).in_use(), 4);
  EXPECT_TRUE(Eventually([&] { return Snapshot().reported_pools_size() == 0; }));
}

TEST_F(ReportedPoolsTest, WhatMakesNoSenseIsRefused) {
  EXPECT_EQ(Report(Sample(), "").error_code(), StatusCode::UNAUTHENTICATED);
  v1::ReportPoolsRequest request = Sample();
  request.mutable_pools(0)->clear_name();
  EXPECT_EQ(Report(request).error_code(), StatusCode::INVALID_ARGUMENT);
  request = Sample();
  request.mutable_pools(0)->set_in_use(-1);
  EXPECT_EQ(Report(request).error_code(), StatusCode::INVALID_ARGUMENT);
  for (const std::int64_t seconds : {std::int64_t{0}, std::int64_t{-1}, std::int64_t{4000},
                                     std::numeric_limits<std::int64_t>::max()}) {
    request = Sample();
    request.mutable_ttl()->set_seconds(seconds);
    EXPECT_EQ(Report(request).error_code(), StatusCode::INVALID_ARGUMENT) << seconds;
  }
  request.clear_pools();
  for (int i = 0; i < 101; ++i) *request.add_pools() = Sample().pools(0);
  EXPECT_EQ(Report(request).error_code(), StatusCode::INVALID_ARGUMENT);
}

}  // namespace
}  // namespace pgvalet::integration
