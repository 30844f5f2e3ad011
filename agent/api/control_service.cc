#include "api/control_service.h"

#include <stop_token>
#include <string_view>

#include "api/authorize.h"

namespace pgvalet::api {
namespace {

// One call.  gRPC deletes it through OnDone(), when it is finished.
class Finishing final : public grpc::ServerUnaryReactor {
 public:
  void OnDone() override { delete this; }
  void OnCancel() override { stop_.request_stop(); }
  std::stop_token token() const { return stop_.get_token(); }

 private:
  std::stop_source stop_;
};

std::string_view AuthorizationOf(const grpc::CallbackServerContext& context) {
  const auto& metadata = context.client_metadata();
  const auto header = metadata.find("authorization");
  if (header == metadata.end()) return {};
  return {header->second.data(), header->second.size()};
}

}  // namespace

ControlService::Reactor* ControlService::Run(Context* context,
                                             const google::protobuf::Message& request,
                                             google::protobuf::Message& response) {
  auto* reactor = new Finishing;
  const Call* call = calls_.Find(request.GetDescriptor());
  if (call == nullptr) {
    reactor->Finish({grpc::StatusCode::UNIMPLEMENTED, "this agent does not have the call"});
    return reactor;
  }
  if (const grpc::Status allowed = Authorize(tokens_, AuthorizationOf(*context), call->role);
      !allowed.ok()) {
    reactor->Finish(allowed);
    return reactor;
  }
  // The reactor outlives the work: it is deleted when it is finished, which the work does last.
  const bool is_taken =
      calls_.Start(*call, request, response, reactor->token(),
                   [reactor](grpc::Status status) { reactor->Finish(std::move(status)); });
  if (!is_taken) reactor->Finish(TooManyCalls());
  return reactor;
}

}  // namespace pgvalet::api
