#include "cli/doctor/doctor.h"

#include <memory>

#include "cli/commands/commands.h"

namespace pgvalet::cli {
namespace {

constexpr const char* kExamples =
    "Examples:\n"
    "  pgvalet doctor                                     the agent of this machine\n"
    "  pgvalet --token-file token doctor                  its settings and databases, too\n"
    "  pgvalet doctor --agent-uri postgresql://alice@localhost:6543/app\n"
    "                                                     and a login through the pool\n"
    "  pgvalet doctor --server-uri postgresql://postgres@db1/app --strict\n"
    "                                                     and past it, for scripts\n"
    "\n"
    "Exit status: 0 no problem; 1 a problem, with --strict also a warning; 2 wrong usage;\n"
    "3 no agent answers or it does not let us in.  libpq takes passwords from the connection\n"
    "string, PGPASSWORD, PGPASSFILE (~/.pgpass) and service files.";

}  // namespace

void AddDoctor(CLI::App& program, Action& action) {
  CLI::App* command = program.add_subcommand(
      "doctor", "Connect step by step to agent and server; say what is wrong, and how to mend it");
  const auto options = std::make_shared<doctor::DoctorOptions>();
  command
      ->add_option("--agent-uri", options->agent_uri,
                   "log in through the pool with this connection string")
      ->type_name("URI");
  command
      ->add_option("--server-uri", options->server_uri,
                   "ask the server, past the pool, with this connection string")
      ->type_name("URI");
  command->add_flag("--strict", options->strict, "a warning counts as a problem");
  command->footer(kExamples);
  command->callback([&action, options] {
    action = [options](const Common& common) { return doctor::RunDoctor(common, *options); };
  });
}

}  // namespace pgvalet::cli
