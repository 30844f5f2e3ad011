#include "api/snapshot_filter.h"

#include <google/protobuf/util/field_mask_util.h>

#include <string>

namespace pgvalet::api {
namespace {

using google::protobuf::util::FieldMaskUtil;

bool Fits(const std::string& wanted, const std::string& name) {
  return wanted.empty() || wanted == name;
}

template <typename Rows, typename Wanted>
void Keep(Rows& rows, Wanted wanted) {
  int kept = 0;
  for (int i = 0; i < rows.size(); ++i) {
    if (!wanted(rows.Get(i))) continue;
    if (kept != i) rows.SwapElements(kept, i);
    ++kept;
  }
  rows.DeleteSubrange(kept, rows.size() - kept);
}

void KeepRows(const v1::SnapshotFilter& filter, v1::Snapshot& snapshot) {
  const std::string& database = filter.database();
  const std::string& user = filter.user();
  const std::string& application = filter.application_name();
  Keep(*snapshot.mutable_pools(), [&](const v1::Pool& pool) {
    return Fits(database, pool.database()) && Fits(user, pool.user());
  });
  Keep(*snapshot.mutable_pins(), [&](const v1::Pin& pin) {
    return Fits(database, pin.database()) && Fits(user, pin.user()) &&
           Fits(application, pin.application_name());
  });
  // What is about no pool is about all of them.
  Keep(*snapshot.mutable_alerts(), [&](const v1::Alert& alert) {
    return alert.database().empty() ||
           (Fits(database, alert.database()) && (alert.user().empty() || Fits(user, alert.user())));
  });
  Keep(*snapshot.mutable_reported_pools(),
       [&](const v1::ReportedPool& pool) { return Fits(application, pool.application()); });
  if (!snapshot.has_extension()) return;
  v1::Extension& extension = *snapshot.mutable_extension();
  Keep(*extension.mutable_backends(), [&](const v1::Backend& backend) {
    return Fits(database, backend.database_name()) && Fits(user, backend.role_name()) &&
           Fits(application, backend.application_name());
  });
  const auto named = [](const std::string& wanted) {
    return [&wanted](const v1::Usage& usage) { return Fits(wanted, usage.name()); };
  };
  Keep(*extension.mutable_usage_by_role(), named(user));
  Keep(*extension.mutable_usage_by_database(), named(database));
  Keep(*extension.mutable_usage_by_application(), named(application));
}

}  // namespace

grpc::Status Check(const v1::SnapshotFilter& filter) {
  for (const std::string& path : filter.fields().paths()) {
    // protobuf overlooks parts that are empty.
    const bool has_empty_part =
        path.empty() || path.front() == '.' || path.back() == '.' || path.find("..") != path.npos;
    if (has_empty_part || !FieldMaskUtil::IsValidPath<v1::Snapshot>(path)) {
      return {grpc::StatusCode::INVALID_ARGUMENT, "Snapshot has no field \"" + path + "\""};
    }
  }
  return grpc::Status::OK;
}

void Apply(const v1::SnapshotFilter& filter, v1::Snapshot& snapshot) {
  KeepRows(filter, snapshot);
  if (filter.fields().paths().empty()) return;
  google::protobuf::FieldMask fields = filter.fields();
  for (const char* always : {"sequence", "time", "interval_us", "window_us"}) {
    fields.add_paths(always);
  }
  FieldMaskUtil::TrimMessage(fields, &snapshot);
}

}  // namespace pgvalet::api
