// What there is: pools, clients, servers, backends, pins, alerts.
#include <string>
#include <utility>

#include "cli/client/client.h"
#include "cli/client/json.h"
#include "cli/commands/commands.h"
#include "cli/commands/list_options.h"
#include "cli/screen/output.h"
#include "cli/views/client_tables.h"
#include "cli/views/list_tables.h"
#include "cli/views/pools_table.h"
#include "cli/views/server_tables.h"
#include "pgvalet/v1/control.grpc.pb.h"

namespace pgvalet::cli {
namespace {

using Filter = v1::SnapshotFilter;

// Only these fields of the snapshot.
Filter With(Filter filter, std::initializer_list<const char*> fields) {
  for (const char* field : fields) filter.mutable_fields()->add_paths(field);
  return filter;
}

// `run` with the options of the list, once the command is chosen.
template <typename Run>
void OnCall(CLI::App* command, Action& action, std::shared_ptr<ListOptions> options, Run run) {
  command->callback([&action, options = std::move(options), run] {
    action = [options, run](const Common& common) { return run(common, *options); };
  });
}

int RunPools(const Common& common, const ListOptions& options) {
  const Result<v1::Snapshot> snapshot =
      GetSnapshot(common, With(options.filter(), {"time", "pools", "reported_pools"}));
  if (!snapshot) return Complain(common, snapshot.error());
  if (common.json) {
    Print("{" + ListMember("pools", snapshot->pools()) + ",\n" +
          ListMember("reported_pools", snapshot->reported_pools()) + "}\n");
    return kOk;
  }
  PrintList(PoolsTable(*snapshot), options, "no pools: no client has logged in yet");
  if (snapshot->reported_pools().empty()) return kOk;
  Print("\nreported by applications\n");
  PrintList(ReportedPoolsTable(*snapshot), {}, "");
  return kOk;
}

// Lists of connections have no time of their own, and ours may differ from the agent's.
Result<google::protobuf::Timestamp> AgentTime(const Common& common) {
  const Result<v1::Snapshot> snapshot = GetSnapshot(common, With({}, {"time"}));
  if (!snapshot) return snapshot.error();
  return snapshot->time();
}

int RunClients(const Common& common, const ListOptions& options) {
  v1::ListClientsRequest request;
  request.set_database(options.database);
  request.set_user(options.user);
  Result<v1::ListClientsResponse> listed =
      Call<v1::Control>(common, &v1::Control::Stub::ListClients, request);
  if (!listed) return Complain(common, listed.error());
  v1::ListClientsResponse clients;
  for (v1::Client& client : *listed->mutable_clients()) {
    if (options.Wants(options.database, options.user, client.connection().application_name()))
      clients.add_clients()->Swap(&client);
  }
  if (common.json) {
    Print(ListToJson("clients", clients.clients()));
    return kOk;
  }
  const Result<google::protobuf::Timestamp> now = AgentTime(common);
  if (!now) return Complain(common, now.error());
  PrintList(ClientsTable(clients, *now), options, "no clients");
  return kOk;
}

int RunServers(const Common& common, const ListOptions& options) {
  v1::ListServersRequest request;
  request.set_database(options.database);
  request.set_user(options.user);
  const Result<v1::ListServersResponse> servers =
      Call<v1::Control>(common, &v1::Control::Stub::ListServers, request);
  if (!servers) return Complain(common, servers.error());
  if (common.json) {
    Print(ListToJson("servers", servers->servers()));
    return kOk;
  }
  const Result<google::protobuf::Timestamp> now = AgentTime(common);
  if (!now) return Complain(common, now.error());
  PrintList(ServersTable(*servers, *now), options, "no server connections");
  return kOk;
}

int RunBackends(const Common& common, const ListOptions& options) {
  const Result<v1::Snapshot> snapshot =
      GetSnapshot(common, With(options.filter(), {"time", "extension"}));
  if (!snapshot) return Complain(common, snapshot.error());
  const v1::Extension& extension = snapshot->extension();
  if (!extension.available()) {
    return Complain(common, Error{ErrorCode::kInvalidSetting, "no extension", 0,
                                  "the backends of the server are not known: " +
                                      (extension.reason().empty() ? std::string("not read yet")
                                                                  : extension.reason())});
  }
  if (common.json) {
    Print(ListToJson("backends", extension.backends()));
    return kOk;
  }
  PrintList(BackendAveragesTable(*snapshot), options, "no backends");
  return kOk;
}

int RunPins(const Common& common, const ListOptions& options) {
  const Result<v1::Snapshot> snapshot =
      GetSnapshot(common, With(options.filter(), {"time", "pins"}));
  if (!snapshot) return Complain(common, snapshot.error());
  if (common.json) {
    Print(ListToJson("pins", snapshot->pins()));
  } else {
    PrintList(PinsTable(*snapshot), options,
              "no pins: every client gives its server connection back between transactions");
  }
  return kOk;
}

int RunAlerts(const Common& common) {
  const Result<v1::Snapshot> snapshot = GetSnapshot(common, With({}, {"time", "alerts"}));
  if (!snapshot) return Complain(common, snapshot.error());
  const Lines lines = AlertLines(*snapshot);
  if (common.json) {
    Print(ListToJson("alerts", snapshot->alerts()));
  } else {
    Print(lines.empty() ? "no alerts\n" : Render(lines, UseColour()));
  }
  return snapshot->alerts().empty() ? kOk : kNo;
}

}  // namespace

void AddPools(CLI::App& program, Action& action) {
  CLI::App* command = program.add_subcommand(
      "pools",
      "Pools: clients, server connections, traffic, waits; those that applications report");
  command->footer(
      "Examples:\n"
      "  pgvalet pools --sort clients-waiting --limit 10\n"
      "  pgvalet pools --database shop --json | jq '.pools[].now.clients_waiting'");
  OnCall(command, action, DeclareList(*command, PoolsTable({})), RunPools);
}

void AddClients(CLI::App& program, Action& action) {
  CLI::App* command =
      program.add_subcommand("clients", "Clients of the agent: who, from where, what they do");
  command->footer(
      "ID is what `pgvalet kill client` takes, BACKEND the process behind the client.\n"
      "Examples:\n"
      "  pgvalet clients --sort waiting\n"
      "  pgvalet clients --application worker --json | jq '.clients | length'");
  OnCall(command, action, DeclareList(*command, ClientsTable({}, {})), RunClients);
}

void AddServers(CLI::App& program, Action& action) {
  CLI::App* command = program.add_subcommand("servers", "Server connections of the agent");
  command->footer(
      "Examples:\n"
      "  pgvalet servers --database shop --sort last-request");
  ListChoices choices;
  choices.has_application = false;
  OnCall(command, action, DeclareList(*command, ServersTable({}, {}), choices), RunServers);
}

void AddBackends(CLI::App& program, Action& action) {
  CLI::App* command = program.add_subcommand(
      "backends", "Backends of the server, pooled or not, as the extension sees them");
  command->footer(
      "Rates are those of a backend's whole life; `pgvalet top --view backends` has those of now.\n"
      "Examples:\n"
      "  pgvalet backends --sort time-in-state\n"
      "  pgvalet backends --application dashboard");
  OnCall(command, action, DeclareList(*command, BackendAveragesTable({})), RunBackends);
}

void AddPins(CLI::App& program, Action& action) {
  CLI::App* command = program.add_subcommand(
      "pins", "Clients that keep their server connection between transactions, and why");
  command->footer(
      "Examples:\n"
      "  pgvalet pins --sort age");
  OnCall(command, action, DeclareList(*command, PinsTable({})), RunPins);
}

void AddAlerts(CLI::App& program, Action& action) {
  CLI::App* command = program.add_subcommand(
      "alerts", "What needs attention, and what to do; exit status 1 if any");
  command->footer(
      "Examples:\n"
      "  pgvalet alerts || echo 'look at the pool'");
  command->callback([&action] { action = RunAlerts; });
}

}  // namespace pgvalet::cli
