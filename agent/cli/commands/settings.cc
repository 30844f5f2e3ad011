// Changes how the agent runs: reload, set, resize, shutdown.
#include <map>
#include <memory>
#include <string>

#include "cli/commands/act.h"
#include "cli/commands/commands.h"

namespace pgvalet::cli {
namespace {

int RunReload(const Common& common) {
  return Act(common, &v1::Control::Stub::Reload, v1::ReloadRequest(),
             "the configuration was read again");
}

struct SetOptions {
  std::string assignment;  // key=value, or key alone
  std::string value;
  bool has_value = false;
};

int RunSet(const Common& common, const SetOptions& options) {
  v1::SetSettingRequest request;
  const std::size_t equals = options.assignment.find('=');
  request.set_key(options.assignment.substr(0, equals));
  request.set_value(options.has_value ? options.value : options.assignment.substr(equals + 1));
  return Act(common, &v1::Control::Stub::SetSetting, request,
             request.key() + " was set, until the next reload");
}

// "key=value" or "key value"; nothing else is one setting.
std::string CheckSet(const SetOptions& options) {
  const bool has_equals = options.assignment.find('=') != std::string::npos;
  if (has_equals == options.has_value) return "expected KEY=VALUE or KEY VALUE";
  return "";
}

struct ResizeOptions {
  std::string database;
  std::string user;
  int pool_size = 0;
};

int RunResize(const Common& common, const ResizeOptions& options) {
  v1::ResizePoolRequest request;
  request.set_database(options.database);
  request.set_user(options.user);
  request.set_pool_size(options.pool_size);
  const Result<v1::ResizePoolResponse> answer =
      Call<v1::Control>(common, &v1::Control::Stub::ResizePool, request);
  if (!answer) return Complain(common, answer.error());
  return Tell(common, *answer,
              "pool_size of " + options.database +
                  (options.user.empty() ? "" : "/" + options.user) + " was " +
                  std::to_string(answer->previous_pool_size()) + ", is " +
                  std::to_string(options.pool_size) + " until the next reload");
}

struct ShutdownOptions {
  std::string when = "servers";
  bool is_sure = false;
};

const std::map<std::string, v1::ShutdownMode> kModes = {
    {"now", v1::SHUTDOWN_MODE_IMMEDIATE},
    {"servers", v1::SHUTDOWN_MODE_WAIT_FOR_SERVERS},
    {"clients", v1::SHUTDOWN_MODE_WAIT_FOR_CLIENTS}};

int RunShutdown(const Common& common, const ShutdownOptions& options) {
  if (!Confirm("End the agent at " + common.address + "?", options.is_sure)) return kNo;
  v1::ShutdownRequest request;
  request.set_mode(kModes.at(options.when));
  return Act(common, &v1::Control::Stub::Shutdown, request, "the agent ends");
}

void AddSet(CLI::App& program, Action& action) {
  CLI::App* set =
      program.add_subcommand("set", "Change a setting of the running agent until the next reload");
  const auto options = std::make_shared<SetOptions>();
  set->add_option("KEY=VALUE", options->assignment, "the setting, as in the configuration file")
      ->required()
      ->option_text(" ");
  CLI::Option* value = set->add_option("VALUE", options->value, "if it does not stand behind a =")
                           ->option_text("(optional)");
  set->footer(
      "Examples:\n"
      "  pgvalet set query_wait_timeout=30\n"
      "  pgvalet set default_pool_size 40");
  set->callback([&action, options, value] {
    options->has_value = value->count() > 0;
    const std::string wrong = CheckSet(*options);
    if (!wrong.empty()) throw CLI::ValidationError("set", wrong);
    action = [options](const Common& common) { return RunSet(common, *options); };
  });
}

void AddResize(CLI::App& program, Action& action) {
  CLI::App* resize =
      program.add_subcommand("resize", "Change the size of a pool until the next reload");
  const auto options = std::make_shared<ResizeOptions>();
  resize->add_option("DATABASE", options->database, "as clients ask for it")
      ->required()
      ->option_text(" ");
  resize->add_option("SIZE", options->pool_size, "server connections at most")
      ->required()
      ->check(CLI::Range(1, 1000000).description(""))
      ->option_text(" ");
  resize->add_option("-u,--user", options->user, "only the pool of this user")->type_name("NAME");
  resize->footer(
      "Examples:\n"
      "  pgvalet resize shop 40\n"
      "  pgvalet resize shop 5 --user reports");
  resize->callback([&action, options] {
    action = [options](const Common& common) { return RunResize(common, *options); };
  });
}

void AddShutdown(CLI::App& program, Action& action) {
  CLI::App* shutdown = program.add_subcommand("shutdown", "End the agent");
  const auto options = std::make_shared<ShutdownOptions>();
  shutdown
      ->add_option("--when", options->when,
                   "at once, as transactions end (servers), or as clients leave")
      ->type_name("WHEN")
      ->check(CLI::IsMember({"now", "servers", "clients"}))
      ->capture_default_str();
  shutdown->add_flag("-y,--yes", options->is_sure, "do not ask");
  shutdown->callback([&action, options] {
    action = [options](const Common& common) { return RunShutdown(common, *options); };
  });
}

}  // namespace

void AddSettings(CLI::App& program, Action& action) {
  CLI::App* reload = program.add_subcommand("reload", "Read the configuration file again");
  reload->footer("A file with mistakes changes nothing; all of them are told.");
  reload->callback([&action] { action = RunReload; });
  AddSet(program, action);
  AddResize(program, action);
  AddShutdown(program, action);
}

}  // namespace pgvalet::cli
