#include "api/snapshot_filter.h"

#include <gtest/gtest.h>

namespace pgvalet::api {
namespace {

v1::Snapshot Sample() {
  v1::Snapshot snapshot;
  snapshot.set_sequence(7);
  for (const auto& [database, user] :
       {std::pair("app", "alice"), std::pair("app", "bob"), std::pair("shop", "alice")}) {
    v1::Pool& pool = *snapshot.add_pools();
    pool.set_database(database);
    pool.set_user(user);
    pool.mutable_now()->set_pool_size(3);
    v1::Backend& backend = *snapshot.mutable_extension()->add_backends();
    backend.set_database_name(database);
    backend.set_role_name(user);
    backend.set_application_name("web");
    snapshot.mutable_extension()->add_usage_by_role()->set_name(user);
  }
  snapshot.mutable_agent()->set_version("1");
  snapshot.mutable_totals()->set_lease_count(9);
  return snapshot;
}

TEST(SnapshotFilterTest, AnEmptyFilterChangesNothing) {
  v1::Snapshot snapshot = Sample();
  Apply({}, snapshot);
  EXPECT_EQ(snapshot.SerializeAsString(), Sample().SerializeAsString());
}

TEST(SnapshotFilterTest, RowsAreChosenByTheirNames) {
  v1::SnapshotFilter filter;
  filter.set_database("app");
  filter.set_user("alice");
  v1::Snapshot snapshot = Sample();
  Apply(filter, snapshot);
  ASSERT_EQ(snapshot.pools_size(), 1);
  EXPECT_EQ(snapshot.pools(0).database(), "app");
  EXPECT_EQ(snapshot.extension().backends_size(), 1);
  EXPECT_EQ(snapshot.extension().usage_by_role_size(), 2);
  EXPECT_EQ(snapshot.totals().lease_count(), 9);
  filter.set_application_name("none");
  Apply(filter, snapshot);
  EXPECT_EQ(snapshot.extension().backends_size(), 0);
}

TEST(SnapshotFilterTest, AlertsAboutOtherPoolsAreLeftOutAndThoseAboutNoneStay) {
  v1::Snapshot snapshot = Sample();
  for (const auto& [database, user] :
       {std::pair("", ""), std::pair("app", "bob"), std::pair("app", ""), std::pair("shop", "")}) {
    v1::Alert& alert = *snapshot.add_alerts();
    alert.set_database(database);
    alert.set_user(user);
  }
  v1::SnapshotFilter filter;
  filter.set_database("app");
  filter.set_user("alice");
  Apply(filter, snapshot);
  ASSERT_EQ(snapshot.alerts_size(), 2);
  EXPECT_EQ(snapshot.alerts(0).database(), "");
  EXPECT_EQ(snapshot.alerts(1).database(), "app");
}

TEST(SnapshotFilterTest, FieldsAreChosenByTheirPaths) {
  v1::SnapshotFilter filter;
  filter.mutable_fields()->add_paths("pools");
  filter.mutable_fields()->add_paths("agent.version");
  ASSERT_TRUE(Check(filter).ok());
  v1::Snapshot snapshot = Sample();
  Apply(filter, snapshot);
  EXPECT_EQ(snapshot.pools_size(), 3);
  EXPECT_EQ(snapshot.agent().version(), "1");
  EXPECT_EQ(snapshot.sequence(), 7);
  EXPECT_FALSE(snapshot.has_totals());
  EXPECT_FALSE(snapshot.has_extension());
}

TEST(SnapshotFilterTest, APathThatIsNotThereIsRefused) {
  for (const char* path : {"nothing", "pools.now", "agent.nothing", "", ".", "agent..version"}) {
    v1::SnapshotFilter filter;
    filter.mutable_fields()->add_paths(path);
    EXPECT_EQ(Check(filter).error_code(), grpc::StatusCode::INVALID_ARGUMENT) << path;
  }
}

}  // namespace
}  // namespace pgvalet::api
