#include "cli/client/event_stream.h"

#include <chrono>
#include <memory>
#include <thread>

#include "cli/client/client.h"
#include "pgvalet/v1/events.grpc.pb.h"

namespace pgvalet::cli {
namespace {

constexpr std::chrono::seconds kPause{1};  // between two attempts

// An agent that is started anew counts from the beginning.
void GoOnBehind(const v1::FollowEventsResponse& response, v1::FollowEventsRequest& request) {
  request.set_after_sequence(response.next_after_sequence());
}

struct Ended {
  bool is_enough = false;
  bool has_answered = false;
  grpc::Status status;
};

Ended FollowOnce(const Common& common, const std::shared_ptr<grpc::Channel>& channel,
                 v1::FollowEventsRequest& request, const FollowedEvents& followed) {
  grpc::ClientContext context;
  UseToken(context, common.token);
  const std::unique_ptr<v1::Events::Stub> stub = v1::Events::NewStub(channel);
  const auto reader = stub->FollowEvents(&context, request);
  Ended ended;
  for (v1::FollowEventsResponse response; reader->Read(&response);) {
    ended.has_answered = true;
    GoOnBehind(response, request);
    if (followed.on_events(response)) continue;
    ended.is_enough = true;
    context.TryCancel();
    break;
  }
  ended.status = reader->Finish();
  return ended;
}

}  // namespace

Result<Done> FollowEvents(const Common& common, v1::FollowEventsRequest request,
                          const FollowedEvents& followed) {
  // The first attempt has the time of a call; later ones may last.
  const Result<v1::ListEventsResponse> asked = [&] {
    v1::ListEventsRequest first;
    first.set_limit(1);
    return Call<v1::Events>(common, &v1::Events::Stub::ListEvents, first);
  }();
  if (!asked) return asked.error();
  while (true) {
    // A channel that failed waits longer and longer by itself: a new one each time.
    const Result<std::shared_ptr<grpc::Channel>> channel = OpenChannel(common);
    if (!channel) return channel.error();
    const Ended ended = FollowOnce(common, *channel, request, followed);
    if (ended.is_enough) return Done{};
    const Error error = ended.status.ok()
                            ? Error{ErrorCode::kIo, "the agent ended the stream", 0, ""}
                            : FromStatus(ended.status);
    if (error.code == ErrorCode::kInvalidSetting || error.code == ErrorCode::kAuth) return error;
    followed.on_break(error.detail.empty() ? error.what : error.detail);
    std::this_thread::sleep_for(kPause);
  }
}

}  // namespace pgvalet::cli
