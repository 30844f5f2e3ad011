// What the commands that do something have in common.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "cli/client/client.h"
#include "cli/client/json.h"
#include "cli/client/waiting_call.h"
#include "cli/command.h"
#include "cli/screen/output.h"
#include "pgvalet/v1/control.grpc.pb.h"

namespace pgvalet::cli {

// On a terminal asks, and says whether the answer was yes; anywhere else it is.
bool Confirm(const std::string& question, bool is_sure);

// Says on a terminal how many server connections and clients `database` (empty: all) still has.
class Countdown {
 public:
  // `on_leave`: what Ctrl-C does.
  Countdown(const Common& common, std::string database, std::string on_leave);
  ~Countdown();  // takes its line away
  Countdown(const Countdown&) = delete;
  Countdown& operator=(const Countdown&) = delete;
  void Show();

 private:
  const Common& common_;
  const std::string database_;
  const std::string on_leave_;
  const bool is_seen_;
  bool is_shown_ = false;
  int seconds_ = 0;
};

// Prints what became of a call: the answer as JSON, or `text`.
int Tell(const Common& common, const google::protobuf::Message& answer, const std::string& text);

// One call of Control that ends soon.
template <typename Request, typename Response>
int Act(const Common& common,
        grpc::Status (v1::Control::Stub::*method)(grpc::ClientContext*, const Request&, Response*),
        const Request& request, const std::string& text) {
  const Result<Response> answer = Call<v1::Control>(common, method, request);
  if (!answer) return Complain(common, answer.error());
  return Tell(common, *answer, text);
}

// What a command that waits says it has done, and what becomes of it when the user leaves.
struct WaitTexts {
  std::string done;
  std::string on_leave = "calls it off";
  std::string left = "called off";
};

// One that waits for clients; nothing but the user ends the wait.
template <typename Request, typename Response>
int ActAndWait(const Common& common,
               grpc::Status (v1::Control::Stub::*method)(grpc::ClientContext*, const Request&,
                                                         Response*),
               const Request& request, const std::string& database, const WaitTexts& texts) {
  const Result<std::shared_ptr<grpc::Channel>> channel = OpenChannel(common);
  if (!channel) return Complain(common, channel.error());
  const std::unique_ptr<v1::Control::Stub> stub = v1::Control::NewStub(*channel);
  grpc::ClientContext context;
  UseToken(context, common.token);
  Response answer;
  std::optional<Countdown> countdown(std::in_place, common, database, texts.on_leave);
  const grpc::Status status = RunWaiting(
      context, [&] { return (stub.get()->*method)(&context, request, &answer); },
      [&] { countdown->Show(); });
  countdown.reset();
  if (status.error_code() == grpc::StatusCode::CANCELLED) {
    return Complain(common, Error{ErrorCode::kInvalidSetting, "left", 0, texts.left});
  }
  if (!status.ok()) return Complain(common, FromStatus(status));
  return Tell(common, answer, texts.done);
}

}  // namespace pgvalet::cli
