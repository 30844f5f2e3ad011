// What is done to databases: pause, resume, drain, disable, enable, reconnect, suspend.
#include <memory>
#include <string>
#include <utility>

#include "cli/commands/act.h"
#include "cli/commands/commands.h"

namespace pgvalet::cli {
namespace {

struct DatabaseOptions {
  std::string database;  // empty: all
  bool is_sure = false;
};

// "database shop", "all databases".
std::string Of(const std::string& database) {
  return database.empty() ? "all databases" : "database " + database;
}

std::shared_ptr<DatabaseOptions> DeclareDatabase(CLI::App& command, bool is_required) {
  auto options = std::make_shared<DatabaseOptions>();
  CLI::Option* name =
      command
          .add_option("DATABASE", options->database,
                      is_required ? "as clients ask for it" : "as clients ask for it; none: all")
          ->option_text(is_required ? " " : "(optional)");
  name->required(is_required);
  return options;
}

template <typename Request>
Request RequestOf(const std::string& database) {
  Request request;
  request.set_database(database);
  return request;
}

template <typename Run>
void OnCall(CLI::App* command, Action& action, std::shared_ptr<DatabaseOptions> options, Run run) {
  command->callback([&action, options = std::move(options), run] {
    action = [options, run](const Common& common) { return run(common, *options); };
  });
}

int RunPause(const Common& common, const DatabaseOptions& options) {
  return ActAndWait(common, &v1::Control::Stub::Pause,
                    RequestOf<v1::PauseRequest>(options.database), options.database,
                    {.done = Of(options.database) + " paused: clients wait until pgvalet resume"});
}

int RunResume(const Common& common, const DatabaseOptions& options) {
  return Act(common, &v1::Control::Stub::Resume, RequestOf<v1::ResumeRequest>(options.database),
             Of(options.database) + " resumed");
}

int RunDrain(const Common& common, const DatabaseOptions& options) {
  if (!Confirm("Refuse new clients of " + Of(options.database) + " and end those that are there?",
               options.is_sure))
    return kNo;
  return ActAndWait(
      common, &v1::Control::Stub::Drain, RequestOf<v1::DrainRequest>(options.database),
      options.database,
      {.done = Of(options.database) + " drained: closed to clients until pgvalet enable",
       .on_leave = "stops waiting",
       .left = "not waited for: clients go on leaving, and new ones are refused until "
               "pgvalet enable " +
               options.database});
}

int RunReconnect(const Common& common, const DatabaseOptions& options) {
  return Act(common, &v1::Control::Stub::Reconnect,
             RequestOf<v1::ReconnectRequest>(options.database),
             "server connections of " + Of(options.database) + " are replaced as they become free");
}

int RunDisable(const Common& common, const DatabaseOptions& options) {
  return Act(common, &v1::Control::Stub::Disable, RequestOf<v1::DisableRequest>(options.database),
             Of(options.database) + " disabled: new clients are refused until pgvalet enable");
}

int RunEnable(const Common& common, const DatabaseOptions& options) {
  return Act(common, &v1::Control::Stub::Enable, RequestOf<v1::EnableRequest>(options.database),
             Of(options.database) + " enabled");
}

int RunSuspend(const Common& common) {
  return ActAndWait(common, &v1::Control::Stub::Suspend, v1::SuspendRequest(), "",
                    {.done = "suspended: nothing is read until pgvalet resume"});
}

}  // namespace

void AddSwitches(CLI::App& program, Action& action) {
  CLI::App* pause = program.add_subcommand(
      "pause", "Give no client a server connection any more, and wait until all are closed");
  pause->footer(
      "Clients stay and wait.  Ctrl-C before the end calls the pause off.\n"
      "Examples:\n"
      "  pgvalet pause shop && restart-the-server && pgvalet resume shop");
  OnCall(pause, action, DeclareDatabase(*pause, false), RunPause);

  CLI::App* resume = program.add_subcommand("resume", "End a pause, or a suspend");
  OnCall(resume, action, DeclareDatabase(*resume, false), RunResume);

  CLI::App* drain = program.add_subcommand(
      "drain", "Refuse new clients, end those that are there as their transactions end, and wait");
  const std::shared_ptr<DatabaseOptions> drained = DeclareDatabase(*drain, true);
  drain->add_flag("-y,--yes", drained->is_sure, "do not ask");
  OnCall(drain, action, drained, RunDrain);

  CLI::App* disable = program.add_subcommand("disable", "Refuse new clients of a database");
  OnCall(disable, action, DeclareDatabase(*disable, true), RunDisable);
  CLI::App* enable = program.add_subcommand("enable", "Let clients of a database in again");
  OnCall(enable, action, DeclareDatabase(*enable, true), RunEnable);
  CLI::App* reconnect =
      program.add_subcommand("reconnect", "Replace server connections as they become free");
  OnCall(reconnect, action, DeclareDatabase(*reconnect, false), RunReconnect);

  CLI::App* suspend = program.add_subcommand(
      "suspend", "Read nothing from clients and servers any more, and wait until all is sent");
  suspend->callback([&action] { action = RunSuspend; });
}

}  // namespace pgvalet::cli
