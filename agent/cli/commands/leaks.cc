#include "cli/views/leaks.h"

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

#include "cli/client/client.h"
#include "cli/commands/commands.h"
#include "cli/commands/list_options.h"
#include "cli/common_options.h"
#include "cli/screen/format.h"
#include "cli/screen/output.h"
#include "pgvalet/v1/control.grpc.pb.h"

namespace pgvalet::cli {
namespace {

struct LeakOptions {
  std::shared_ptr<ListOptions> list;
  double min_age_s = 60;
};

std::string ToJson(const std::vector<Leak>& leaks) {
  nlohmann::json rows = nlohmann::json::array();
  for (const Leak& leak : leaks) {
    rows.push_back({{"kind", leak.kind},
                    {"database", leak.database},
                    {"user", leak.user},
                    {"application_name", leak.application_name},
                    {"client", leak.client},
                    {"client_id", leak.client_id},
                    {"server_pid", leak.server_pid},
                    {"age_us", leak.age_us},
                    {"state", leak.state}});
  }
  using Handler = nlohmann::json::error_handler_t;
  return nlohmann::json{{"leaks", rows}}.dump(2, ' ', false, Handler::replace) + "\n";
}

int RunLeaks(const Common& common, const LeakOptions& options) {
  const Result<v1::Snapshot> snapshot = GetSnapshot(common);
  if (!snapshot) return Complain(common, snapshot.error());
  const Result<v1::ListClientsResponse> clients =
      Call<v1::Control>(common, &v1::Control::Stub::ListClients, v1::ListClientsRequest());
  if (!clients) return Complain(common, clients.error());
  const Duration min_age = FromSeconds(options.min_age_s);
  std::vector<Leak> leaks = LeaksOf(*snapshot, *clients, min_age.count());
  std::erase_if(leaks, [&](const Leak& leak) {
    return !options.list->Wants(leak.database, leak.user, leak.application_name);
  });
  const v1::Extension& extension = snapshot->extension();
  if (common.json) {
    Print(ToJson(leaks));
  } else {
    PrintList(LeaksTable(leaks), *options.list,
              "no leaks: nothing is held unused for " + Elapsed(min_age.count()));
    if (!extension.available()) {
      Print("open transactions are not known: " +
            (extension.reason().empty() ? "not read yet" : extension.reason()) + "\n");
    }
  }
  return leaks.empty() ? kOk : kNo;
}

}  // namespace

void AddLeaks(CLI::App& program, Action& action) {
  CLI::App* command = program.add_subcommand(
      "leaks", "What is held for long and not used; exit status 1 if there is something");
  const auto options = std::make_shared<LeakOptions>();
  options->list = DeclareList(*command, LeaksTable({}));
  command->add_option("--min-age", options->min_age_s, "seconds from which on it is a leak")
      ->type_name("SECONDS")
      ->check(CLI::Range(0.0, 1e9).description(""))
      ->capture_default_str();
  command->footer(
      "A leak is a backend that is idle in a transaction, a client that keeps its server\n"
      "connection by what its session holds (a pin), or one that has it and asks nothing.\n"
      "Examples:\n"
      "  pgvalet leaks --min-age 600\n"
      "  pgvalet leaks --json | jq -r '.leaks[] | select(.client_id > 0) | .client_id' |\n"
      "      xargs -r -n1 pgvalet kill client");
  command->callback([&action, options] {
    action = [options](const Common& common) { return RunLeaks(common, *options); };
  });
}

}  // namespace pgvalet::cli
