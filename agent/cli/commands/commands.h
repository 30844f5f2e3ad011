// The subcommands of `pgvalet`, a file each.
//
// Each declares itself on `program`; when its command is the one that is asked for, the parse puts
// what is to be done into `action`.  Both outlive the parse.
#pragma once

#include <CLI/CLI.hpp>

#include "cli/command.h"

namespace pgvalet::cli {

void AddStatus(CLI::App& program, Action& action);
void AddTop(CLI::App& program, Action& action);
void AddPools(CLI::App& program, Action& action);
void AddClients(CLI::App& program, Action& action);
void AddServers(CLI::App& program, Action& action);
void AddBackends(CLI::App& program, Action& action);
void AddPins(CLI::App& program, Action& action);
void AddLeaks(CLI::App& program, Action& action);
void AddAlerts(CLI::App& program, Action& action);
void AddEvents(CLI::App& program, Action& action);
void AddConfig(CLI::App& program, Action& action);
void AddSwitches(CLI::App& program, Action& action);  // pause, resume, drain, ...
void AddKill(CLI::App& program, Action& action);      // and cancel
void AddSettings(CLI::App& program, Action& action);  // reload, set, resize, shutdown
void AddImport(CLI::App& program, Action& action);
void AddHelp(CLI::App& program, Action& action);  // completion, manual
void AddDoctor(CLI::App& program, Action& action);
void AddLoadTest(CLI::App& program, Action& action);
void AddAdvise(CLI::App& program, Action& action);

}  // namespace pgvalet::cli
