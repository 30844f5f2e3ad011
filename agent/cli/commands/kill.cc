// Ends clients, backends and what they do: kill, cancel.
#include <cstdint>
#include <memory>
#include <string>

#include "cli/commands/act.h"
#include "cli/commands/commands.h"

namespace pgvalet::cli {
namespace {

struct KillOptions {
  std::uint64_t client_id = 0;
  std::uint32_t pid = 0;
  std::string database;
  bool is_sure = false;
};

int KillClient(const Common& common, const KillOptions& options) {
  const std::string who = "client " + std::to_string(options.client_id);
  if (!Confirm("End " + who + "?", options.is_sure)) return kNo;
  v1::KillClientRequest request;
  request.set_id(options.client_id);
  return Act(common, &v1::Control::Stub::KillClient, request, who + " was ended");
}

int EndBackend(const Common& common, const KillOptions& options) {
  const std::string who = "backend " + std::to_string(options.pid);
  if (!Confirm("End " + who + " of the server?", options.is_sure)) return kNo;
  v1::EndBackendRequest request;
  request.set_pid(options.pid);
  return Act(common, &v1::Control::Stub::EndBackend, request, who + " was told to end");
}

int KillDatabase(const Common& common, const KillOptions& options) {
  if (!Confirm("End all clients and server connections of database " + options.database + "?",
               options.is_sure))
    return kNo;
  v1::KillRequest request;
  request.set_database(options.database);
  return Act(common, &v1::Control::Stub::Kill, request,
             "database " + options.database +
                 ": all connections were closed; new clients wait until pgvalet resume");
}

int Cancel(const Common& common, const KillOptions& options) {
  v1::CancelBackendRequest request;
  request.set_pid(options.pid);
  return Act(common, &v1::Control::Stub::CancelBackend, request,
             "the statement of backend " + std::to_string(options.pid) + " was cancelled");
}

using Run = int (*)(const Common&, const KillOptions&);

void OnCall(CLI::App* command, Action& action, const std::shared_ptr<KillOptions>& options,
            Run run) {
  command->callback([&action, options, run] {
    action = [options, run](const Common& common) { return run(common, *options); };
  });
}

void DeclarePid(CLI::App& command, KillOptions& options) {
  command.add_option("PID", options.pid, "process ID, column BACKEND or PID of the lists")
      ->required()
      ->option_text(" ");
}

}  // namespace

void AddKill(CLI::App& program, Action& action) {
  CLI::App* kill = program.add_subcommand("kill", "End a client, a backend, or all of a database");
  kill->require_subcommand(1);
  const auto options = std::make_shared<KillOptions>();
  kill->add_flag("-y,--yes", options->is_sure, "do not ask");

  CLI::App* client = kill->add_subcommand("client", "A client of the agent, told 57P01 and closed");
  client->add_option("ID", options->client_id, "column ID of pgvalet clients")
      ->required()
      ->option_text(" ");
  OnCall(client, action, options, KillClient);

  CLI::App* backend = kill->add_subcommand(
      "backend", "A backend of the server, pooled or not (pg_terminate_backend)");
  DeclarePid(*backend, *options);
  OnCall(backend, action, options, EndBackend);

  CLI::App* database = kill->add_subcommand(
      "database", "All clients and server connections of a database; new clients wait");
  database->add_option("NAME", options->database, "as clients ask for it")
      ->required()
      ->option_text(" ");
  OnCall(database, action, options, KillDatabase);
  kill->footer(
      "Examples:\n"
      "  pgvalet kill client 4711\n"
      "  pgvalet kill backend 23456 --yes");

  CLI::App* cancel = program.add_subcommand(
      "cancel", "Cancel the statement that a backend runs (pg_cancel_backend)");
  DeclarePid(*cancel, *options);
  OnCall(cancel, action, options, Cancel);
}

}  // namespace pgvalet::cli
