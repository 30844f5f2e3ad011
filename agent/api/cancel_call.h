// Cancels a gRPC call and tells its caller why, which TryCancel() cannot.
#pragma once

#include <grpc/grpc.h>
#include <grpcpp/server_context.h>

namespace pgvalet::api {

// REQUIRES: the call has not been finished.
inline void CancelCall(grpc::CallbackServerContext& context, const grpc::Status& status) {
  grpc_call_cancel_with_status(context.c_call(), static_cast<grpc_status_code>(status.error_code()),
                               status.error_message().c_str(), nullptr);
}

}  // namespace pgvalet::api
