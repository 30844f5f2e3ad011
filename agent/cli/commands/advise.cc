#include "cli/advise/advise.h"

#include <cstdint>
#include <memory>
#include <string>

#include "cli/commands/commands.h"
#include "cli/common_options.h"

namespace pgvalet::cli {
namespace {

constexpr const char* kExamples =
    "Examples:\n"
    "  pgvalet advise                          from ten seconds of the agent's work\n"
    "  pgvalet advise --measure 300 --wait-goal 5 --share 99.9\n"
    "                                          from five minutes, for shorter waits\n"
    "  pgvalet advise --workers 40 --connections-per-worker 10 --max-connections 100\n"
    "                                          from what is planned; needs no agent\n"
    "\n"
    "Measure while the load is what it is at its highest.  Pools in session mode cannot be\n"
    "measured: each client needs a server connection there.";

struct Written {
  advise::AdviseOptions options;
  double measure_s = 10;
  double wait_goal_ms = 10;
  double share_percent = 99;
};

void DeclareMeasured(CLI::App* command, Written& written) {
  command->add_option("--measure", written.measure_s, "seconds to measure for")
      ->type_name("SECONDS")
      ->check(CLI::Range(0.1, 86400.0).description(""))
      ->capture_default_str();
  command
      ->add_option("--wait-goal", written.wait_goal_ms,
                   "milliseconds that a wait for a server connection may take")
      ->type_name("MS")
      ->check(CLI::Range(0.0, 3600000.0).description(""))
      ->capture_default_str();
  command
      ->add_option("--share", written.share_percent, "percentage of waits that have to be so short")
      ->type_name("PERCENT")
      ->check(CLI::Range(1.0, 99.999).description(""))
      ->capture_default_str();
}

void DeclarePlanned(CLI::App* command, advise::AdviseOptions& options) {
  const CLI::Range count = CLI::Range(std::int64_t{1}, std::int64_t{1'000'000});
  CLI::Option* workers =
      command->add_option("--workers", options.workers, "processes or threads that are planned")
          ->type_name("COUNT")
          ->check(CLI::Validator(count).description(""));
  const auto add = [&](const char* name, auto& value, const char* meaning,
                       const CLI::Range& range) {
    return command->add_option(name, value, meaning)
        ->type_name("COUNT")
        ->needs(workers)
        ->check(CLI::Validator(range).description(""));
  };
  add("--connections-per-worker", options.connections_per_worker,
      "connections that each of them opens", count)
      ->capture_default_str();
  add("--max-connections", options.max_connections,
      "the server's limit; left out: the agent is asked", count);
  add("--reserved", options.reserved,
      "of these, kept back for superusers; left out: as the agent says, else 3",
      CLI::Range(std::int64_t{0}, std::int64_t{1'000'000}));
  add("--pools", options.pools, "pools that share the server, those of other agents too", count)
      ->capture_default_str();
}

}  // namespace

void AddAdvise(CLI::App& program, Action& action) {
  CLI::App* command =
      program.add_subcommand("advise", "Sizes for pools, measured or planned, with the arithmetic");
  const auto written = std::make_shared<Written>();
  DeclareMeasured(command, *written);
  DeclarePlanned(command, written->options);
  command->footer(kExamples);
  command->callback([&action, written] {
    written->options.measure = FromSeconds(written->measure_s);
    written->options.goal = {.wait_s = written->wait_goal_ms / 1000,
                             .share = written->share_percent / 100};
    action = [written](const Common& common) {
      return advise::RunAdvise(common, written->options);
    };
  });
}

}  // namespace pgvalet::cli
