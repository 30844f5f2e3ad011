#include "cli/top/top.h"

#include <map>
#include <memory>
#include <string>

#include "cli/commands/commands.h"
#include "cli/common_options.h"

namespace pgvalet::cli {
namespace {

const std::map<std::string, View> kViews = {{"pools", View::kPools},
                                            {"clients", View::kClients},
                                            {"backends", View::kBackends},
                                            {"usage", View::kUsage},
                                            {"pins", View::kPins}};

}  // namespace

void AddTop(CLI::App& program, Action& action) {
  struct Written {
    TopOptions options;
    double interval_s = 1;
    bool once = false;
  };
  const auto written = std::make_shared<Written>();
  CLI::App* top = program.add_subcommand(
      "top", "Live view: pools, clients, backends, usage, pins; from one into the other");
  top->add_option("-i,--interval", written->interval_s, "seconds between two readings")
      ->type_name("SECONDS")
      ->check(CLI::Range(0.1, 3600.0).description(""))
      ->capture_default_str();
  top->add_option("-n,--iterations", written->options.iterations, "end after so many readings")
      ->type_name("COUNT")
      ->check(CLI::Range(1, 1000000000).description(""));
  top->add_flag("--once", written->once, "print one table and end: --plain --iterations 1");
  top->add_flag("--plain", written->options.plain,
                "print tables one after the other; so it is when the output is no terminal");
  top->add_option_function<std::string>(
         "--view", [written](const std::string& name) { written->options.view = kViews.at(name); },
         "what to show first")
      ->type_name("NAME")
      ->check(CLI::IsMember({"pools", "clients", "backends", "usage", "pins"}));
  top->footer(
      "Keys: 1 to 5 choose a view; arrows and page keys move; enter goes into a row: from a pool "
      "to\n"
      "its clients, from them to a backend; esc goes back; s sorts by the next column, r the "
      "other\n"
      "way round; p pauses; q ends.  With --json one snapshot per line.\n"
      "Examples:\n"
      "  pgvalet top --view backends\n"
      "  pgvalet top --once\n"
      "  pgvalet top --iterations 60 > log.txt\n"
      "  pgvalet top --json --interval 10 | jq .totals_window.transactions_per_s");
  top->callback([&action, written] {
    written->options.interval = FromSeconds(written->interval_s);
    if (written->once) written->options.iterations = 1;
    written->options.plain = written->options.plain || written->once;
    action = [written](const Common& common) { return RunTop(common, written->options); };
  });
}

}  // namespace pgvalet::cli
