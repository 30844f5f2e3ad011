#include <cstdio>

#include "cli/client/client.h"
#include "cli/client/json.h"
#include "cli/commands/commands.h"
#include "cli/screen/output.h"
#include "cli/views/status_page.h"
#include "cli/views/summary_lines.h"

namespace pgvalet::cli {
namespace {

int RunStatus(const Common& common) {
  const Result<v1::Snapshot> snapshot = GetSnapshot(common);
  if (!snapshot) return Complain(common, snapshot.error());
  const Lines page = StatusPage(*snapshot, common.address, OutputWidth());
  Print(common.json ? ToJson(*snapshot) : Render(page, UseColour()));
  return Healthy(*snapshot) ? kOk : kNo;
}

}  // namespace

void AddStatus(CLI::App& program, Action& action) {
  CLI::App* command =
      program.add_subcommand("status", "One page: the agent, its pools, the server");
  command->callback([&action] { action = RunStatus; });
}

}  // namespace pgvalet::cli
