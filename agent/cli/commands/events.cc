#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "cli/client/client.h"
#include "cli/client/event_stream.h"
#include "cli/client/json.h"
#include "cli/commands/commands.h"
#include "cli/screen/output.h"
#include "cli/views/event_line.h"
#include "pgvalet/v1/events.grpc.pb.h"

namespace pgvalet::cli {
namespace {

struct EventOptions {
  std::string database;
  std::string user;
  std::vector<std::string> kinds;
  std::int64_t after = 0;
  int limit = 50;
  bool follow = false;

  v1::EventFilter filter() const {
    v1::EventFilter filter;
    filter.set_database(database);
    filter.set_user(user);
    for (const std::string& kind : kinds) filter.add_kinds(kind);
    return filter;
  }
};

// False: the reader has gone.
bool PrintEvent(const Common& common, const v1::Event& event) {
  return Print(common.json ? ToJson(event, true) : Render({EventLine(event)}, UseColour()));
}

void TellLost(std::int64_t count) {
  if (count > 0)
    std::fprintf(stderr, "pgvalet: %lld events were lost\n", static_cast<long long>(count));
}

Result<v1::ListEventsResponse> Ask(const Common& common, const EventOptions& options) {
  constexpr int kAll = 4096;  // as many as the agent keeps
  v1::ListEventsRequest request;
  request.set_after_sequence(options.after);
  request.set_limit(kAll);
  *request.mutable_filter() = options.filter();
  return Call<v1::Events>(common, &v1::Events::Stub::ListEvents, request);
}

int Follow(const Common& common, const EventOptions& options, std::int64_t after) {
  v1::FollowEventsRequest request;
  request.set_after_sequence(after);
  *request.mutable_filter() = options.filter();
  FollowedEvents followed;
  std::string told;  // why there is no connection
  followed.on_events = [&common, &told](const v1::FollowEventsResponse& response) {
    told.clear();
    TellLost(response.lost_count());
    for (const v1::Event& event : response.events()) {
      if (!PrintEvent(common, event)) return false;
    }
    return true;
  };
  followed.on_break = [&told](const std::string& why) {
    if (why == told) return;
    told = why;
    std::fprintf(stderr, "pgvalet: no connection, trying again: %s\n", why.c_str());
  };
  const Result<Done> ended = FollowEvents(common, request, followed);
  return ended ? kOk : Complain(common, ended.error());
}

int RunEvents(const Common& common, const EventOptions& options) {
  const Result<v1::ListEventsResponse> listed = Ask(common, options);
  if (!listed) return Complain(common, listed.error());
  TellLost(options.after > 0 ? listed->lost_count() : 0);
  const int first = std::max(0, listed->events_size() - options.limit);
  for (int i = first; i < listed->events_size(); ++i) {
    if (!PrintEvent(common, listed->events(i))) return kOk;
  }
  if (options.follow) return Follow(common, options, listed->next_after_sequence());
  if (listed->events().empty() && !common.json) Print("no events\n");
  return kOk;
}

}  // namespace

void AddEvents(CLI::App& program, Action& action) {
  CLI::App* command =
      program.add_subcommand("events", "What happened, at the agent and the server");
  const auto options = std::make_shared<EventOptions>();
  command->add_flag("-f,--follow", options->follow, "go on with what happens from now on");
  command
      ->add_option("-n,--limit", options->limit, "at most so many that happened before, the newest")
      ->type_name("COUNT")
      ->check(CLI::Range(0, 4096).description(""))
      ->capture_default_str();
  command->add_option("--after", options->after, "only those behind this number")
      ->type_name("NUMBER")
      ->check(CLI::NonNegativeNumber.description(""));
  command->add_option("-d,--database", options->database, "only of this database")
      ->type_name("NAME");
  command->add_option("-u,--user", options->user, "only of this user")->type_name("NAME");
  command->add_option("--kind", options->kinds, "only of this kind; may be given more than once")
      ->type_name("KIND")
      ->allow_extra_args(false);
  command->footer(
      "With --json one event per line.  Kinds are listed in docs/events.md.\n"
      "Examples:\n"
      "  pgvalet events --follow\n"
      "  pgvalet events --kind alert_begun --kind alert_ended -n 10");
  command->callback([&action, options] {
    action = [options](const Common& common) { return RunEvents(common, *options); };
  });
}

}  // namespace pgvalet::cli
