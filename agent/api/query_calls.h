// What the calls of pgvalet.v1.Query do, written straight on.
//
// Each runs on a thread of its own and returns the status of its call.  `stop` is requested when
// the caller is gone or its deadline has passed.  write() and read() wait for the caller, and are
// false when it is gone.
#pragma once

#include <grpcpp/support/status.h>

#include <functional>
#include <stop_token>

#include "pgvalet/v1/query.pb.h"
#include "query/connection.h"

namespace pgvalet::api {

grpc::Status RunExecute(const query::Door& door, const v1::ExecuteRequest& request,
                        const std::stop_token& stop,
                        const std::function<bool(const v1::ExecuteResponse&)>& write);

grpc::Status RunBatch(const query::Door& door, const v1::ExecuteBatchRequest& request,
                      const std::stop_token& stop,
                      const std::function<bool(const v1::ExecuteBatchResponse&)>& write);

grpc::Status RunTransaction(const query::Door& door, const std::stop_token& stop,
                            const std::function<bool(v1::TransactRequest&)>& read,
                            const std::function<bool(const v1::TransactResponse&)>& write);

}  // namespace pgvalet::api
