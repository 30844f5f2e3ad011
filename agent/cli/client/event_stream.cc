#include "cli/client/event_stream.h"

#include <chrono>
#include <memory>
#include <thread>
#include <utility>

#include "cli/client/client.h"
#include "pgvalet/v1/events.grpc.pb.h"

namespace pgvalet::cli {
namespace {

constexpr std::chrono::seconds kPause{1};  // between two attempts

// Where the reader is.
struct Bookmark {
  v1::FollowEventsRequest request;
  google::protobuf::Timestamp agent;  // when the agent started whose numbers these are
};

// Whether the numbers are of another agent than before: it counts from the beginning.
bool IsOfAnother(const Bookmark& mark, const v1::FollowEventsResponse& response) {
  const google::protobuf::Timestamp& now = response.agent_started_at();
  const bool is_known = mark.agent.seconds() != 0;
  return is_known && (mark.agent.seconds() != now.seconds() || mark.agent.nanos() != now.nanos());
}

struct Ended {
  bool is_enough = false;
  bool is_another = false;  // to be read from its first event
  grpc::Status status;
};

Ended FollowOnce(const Common& common, const std::shared_ptr<grpc::Channel>& channel,
                 Bookmark& mark, const FollowedEvents& followed) {
  grpc::ClientContext context;
  UseToken(context, common.token);
  const std::unique_ptr<v1::Events::Stub> stub = v1::Events::NewStub(channel);
  const auto reader = stub->FollowEvents(&context, mark.request);
  Ended ended;
  for (v1::FollowEventsResponse response; reader->Read(&response);) {
    ended.is_another = IsOfAnother(mark, response);
    mark.agent = response.agent_started_at();
    mark.request.set_after_sequence(ended.is_another ? 0 : response.next_after_sequence());
    ended.is_enough = !ended.is_another && !followed.on_events(response);
    if (!ended.is_enough && !ended.is_another) continue;
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
  Bookmark mark{std::move(request), asked->agent_started_at()};
  while (true) {
    // A channel that failed waits longer and longer by itself: a new one each time.
    const Result<std::shared_ptr<grpc::Channel>> channel = OpenChannel(common);
    if (!channel) return channel.error();
    const Ended ended = FollowOnce(common, *channel, mark, followed);
    if (ended.is_enough) return Done{};
    if (ended.is_another) continue;
    const Error error = ended.status.ok()
                            ? Error{ErrorCode::kIo, "the agent ended the stream", 0, ""}
                            : FromStatus(ended.status);
    if (error.code == ErrorCode::kInvalidSetting || error.code == ErrorCode::kAuth) return error;
    followed.on_break(error.detail.empty() ? error.what : error.detail);
    std::this_thread::sleep_for(kPause);
  }
}

}  // namespace pgvalet::cli
