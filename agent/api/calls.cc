#include "api/calls.h"

#include <algorithm>
#include <cassert>

namespace pgvalet::api {

Call& Calls::Add(std::string_view name, const google::protobuf::Descriptor* request, TokenRole role,
                 Call::Work work) {
  const auto* pool = google::protobuf::DescriptorPool::generated_pool();
  const auto* method = pool->FindMethodByName("pgvalet.v1." + std::string(name));
  assert(method != nullptr && method->input_type() == request);
  (void)request;
  return rows_.emplace_back(
      Call{.method = method, .role = role, .work = std::move(work), .ready_json = {}});
}

const Call* Calls::Find(const google::protobuf::Descriptor* request) const {
  const auto found = std::find_if(rows_.begin(), rows_.end(), [&](const Call& call) {
    return call.method->input_type() == request;
  });
  return found == rows_.end() ? nullptr : &*found;
}

bool Calls::Start(const Call& call, const Call::Message& request, Call::Message& response,
                  std::stop_token caller, Done done) {
  return threads_.Run(
      [this, &call, &request, &response, caller = std::move(caller), done = std::move(done)] {
        std::stop_source either;
        const auto call_off = [&either] { either.request_stop(); };
        const std::stop_callback by_caller(caller, call_off);
        const std::stop_callback by_us(stopping_.get_token(), call_off);
        done(call.work(request, response, either.get_token()));
      });
}

void Calls::Stop() {
  stopping_.request_stop();
  threads_.Finish();
}

grpc::Status TooManyCalls() {
  return {grpc::StatusCode::RESOURCE_EXHAUSTED, "the agent is busy with other calls"};
}

}  // namespace pgvalet::api
