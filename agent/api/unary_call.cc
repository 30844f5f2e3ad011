#include "api/unary_call.h"

#include <stop_token>
#include <utility>

#include "api/grpc_authorize.h"

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

grpc::Status Authorize(const Call& call, const Tokens& tokens,
                       const grpc::CallbackServerContext& context) {
  return call.is_open_without_tokens ? AuthorizeReading(&tokens, context)
                                     : Authorize(tokens, context, call.role);
}

}  // namespace

grpc::ServerUnaryReactor* RunCall(Calls& calls, const Tokens& tokens,
                                  grpc::CallbackServerContext& context,
                                  const google::protobuf::Message& request,
                                  google::protobuf::Message& response) {
  auto* reactor = new Finishing;
  const Call* call = calls.Find(request.GetDescriptor());
  if (call == nullptr) {
    reactor->Finish({grpc::StatusCode::UNIMPLEMENTED, "this agent does not have the call"});
    return reactor;
  }
  if (const grpc::Status allowed = Authorize(*call, tokens, context); !allowed.ok()) {
    reactor->Finish(allowed);
    return reactor;
  }
  // The reactor outlives the work: it is deleted when it is finished, which the work does last.
  const bool is_taken =
      calls.Start(*call, request, response, reactor->token(),
                  [reactor](grpc::Status status) { reactor->Finish(std::move(status)); });
  if (!is_taken) reactor->Finish(TooManyCalls());
  return reactor;
}

}  // namespace pgvalet::api
