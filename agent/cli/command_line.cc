#include "cli/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <sstream>
#include <utility>

#include "cli/commands/commands.h"
#include "cli/common_options.h"

namespace pgvalet::cli {
namespace {

constexpr const char* kExamples =
    "Examples:\n"
    "  pgvalet status                          one page about the agent on this machine\n"
    "  pgvalet top                             live view: pools, backends, usage\n"
    "  pgvalet --address db1:6544 top          an agent elsewhere\n"
    "  pgvalet pools --json | jq .pools        for programs\n"
    "  pgvalet doctor                          what is wrong, and how to mend it\n"
    "  pgvalet import pgbouncer.ini -o a.toml  move over from PgBouncer\n"
    "\n"
    "Exit status: 0 fine; 1 the answer is no: the agent is not open to clients, what was asked\n"
    "for was refused, a problem was found; 2 wrong usage; 3 no agent can be reached.\n"
    "Environment: PGVALET_ADDRESS as --address, PGVALET_TOKEN_FILE as --token-file,\n"
    "PGVALET_TOKEN the token itself, PGVALET_TLS_CA_FILE as --tls-ca-file,\n"
    "NO_COLOR for output without colour.";

// Everything that a parse writes to: lives as long as the action that reads it.
struct Program {
  CLI::App app{"pgvalet: what the agent and the server behind it are doing, and how to steer them",
               "pgvalet"};
  CommonOptions options;
  Action action;
};

std::string TextOf(const CLI::App* failed, const CLI::Error& error) {
  std::string text = error.what();
  const bool is_bare = failed->get_subcommands().empty();
  if (error.get_name() == "RequiredError" && is_bare) text = "which command?";
  return text + "\nRun pgvalet --help for more.\n";
}

void Declare(Program& program) {
  CLI::App& app = program.app;
  app.require_subcommand(1);
  app.fallthrough();  // an option of all commands may stand before or after the command
  app.failure_message(TextOf);
  app.set_version_flag("--version", "pgvalet " PGVALET_VERSION);
  DeclareCommon(app, program.options);
  // In the order of the help text.
  for (const auto add : {AddStatus, AddTop, AddPools, AddClients, AddServers, AddBackends, AddPins,
                         AddLeaks, AddAlerts, AddEvents, AddConfig, AddSwitches, AddKill,
                         AddSettings, AddDoctor, AddLoadTest, AddAdvise, AddImport, AddHelp}) {
    add(app, program.action);
  }
  app.footer(kExamples);  // last: a command would take it over
}

}  // namespace

std::variant<Invocation, Answer> ParseCommandLine(std::vector<std::string> arguments) {
  const auto program = std::make_shared<Program>();
  Declare(*program);
  std::reverse(arguments.begin(), arguments.end());  // CLI11 takes them from the end
  try {
    program->app.parse(arguments);
  } catch (const CLI::ParseError& error) {
    std::ostringstream out, err;
    const bool wrong = program->app.exit(error, out, err) != 0;
    if (!wrong) return Answer{kOk, out.str() + (out.str().ends_with('\n') ? "" : "\n")};
    return Answer{kUsage, "pgvalet: " + err.str()};
  }
  Result<Common> common = Complete(program->options);
  if (!common) return Answer{kUsage, "pgvalet: " + common.error().detail + "\n"};
  return Invocation{{program, &program->app}, program->action, std::move(*common)};
}

}  // namespace pgvalet::cli
