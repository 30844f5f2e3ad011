#include "cli/loadtest/loadtest.h"

#include <map>
#include <memory>
#include <string>

#include "cli/commands/commands.h"
#include "cli/common_options.h"

namespace pgvalet::cli {
namespace {

using loadtest::Script;

const std::map<std::string, Script> kScripts = {{"connect", Script::kConnect},
                                                {"query", Script::kQuery},
                                                {"transaction", Script::kTransaction}};

constexpr const char* kExamples =
    "Examples:\n"
    "  pgvalet loadtest --pool postgresql://app@localhost:6543/app\n"
    "                                              1000 requests over 10 s\n"
    "  pgvalet loadtest --pool ... --direct postgresql://app@db1/app -c 200\n"
    "                                              the same load past the pool, side by side\n"
    "  pgvalet loadtest --pool ... -n 60000 -d 60 --script transaction --fail-under 99.9\n"
    "                                              for scripts\n"
    "\n"
    "The direct run comes first, then the one through the pool.  Ctrl-C ends early, and reports\n"
    "what was measured.  Exit status: 0 measured; 1 no connection through the pool, or fewer\n"
    "than --fail-under succeeded; 2 wrong usage.  libpq takes passwords from the connection\n"
    "string, PGPASSWORD, PGPASSFILE (~/.pgpass) and service files.";

struct Written {
  loadtest::LoadTestOptions options;
  double duration_s = 10;
  double request_timeout_s = 10;
};

void DeclareLoad(CLI::App* command, const std::shared_ptr<Written>& written) {
  loadtest::LoadPlan& plan = written->options.plan;
  command->add_option("-n,--requests", plan.requests, "how many requests")
      ->type_name("COUNT")
      ->check(CLI::Range(1, 100'000'000).description(""))
      ->capture_default_str();
  command
      ->add_option("-d,--duration", written->duration_s,
                   "seconds over which the requests begin, evenly spread")
      ->type_name("SECONDS")
      ->check(CLI::Range(0.1, 86400.0).description(""))
      ->capture_default_str();
  command->add_option("-c,--clients", plan.clients, "requests under way at one time, at most")
      ->type_name("COUNT")
      ->check(CLI::Range(1, 100'000).description(""))
      ->capture_default_str();
  command
      ->add_option_function<std::string>(
          "--script",
          [written](const std::string& name) { written->options.plan.script = kScripts.at(name); },
          "a request is: connect (connect, query, disconnect; the default), query (on a connection "
          "that is kept), transaction (the same with BEGIN and COMMIT)")
      ->type_name("NAME")
      ->check(CLI::IsMember({"connect", "query", "transaction"}).description(""));
  command->add_option("--query", plan.query, "SQL of a request")
      ->type_name("SQL")
      ->capture_default_str();
  command
      ->add_option("--request-timeout", written->request_timeout_s,
                   "seconds after which a request has failed")
      ->type_name("SECONDS")
      ->check(CLI::Range(0.01, 3600.0).description(""))
      ->capture_default_str();
}

}  // namespace

void AddLoadTest(CLI::App& program, Action& action) {
  CLI::App* command = program.add_subcommand(
      "loadtest", "The same load through the pool and past it: success, latency, connections");
  const auto written = std::make_shared<Written>();
  command->add_option("--pool", written->options.pool_uri, "connection string through the pool")
      ->type_name("URI")
      ->required();
  command
      ->add_option("--direct", written->options.direct_uri,
                   "connection string past the pool, for a run to compare with")
      ->type_name("URI");
  DeclareLoad(command, written);
  command
      ->add_option("--fail-under", written->options.fail_under,
                   "exit status 1 when a smaller percentage of requests succeeds through the pool")
      ->type_name("PERCENT")
      ->check(CLI::Range(0.0, 100.0).description(""))
      ->capture_default_str();
  command->footer(kExamples);
  command->callback([&action, written] {
    written->options.plan.duration = FromSeconds(written->duration_s);
    written->options.plan.request_timeout = FromSeconds(written->request_timeout_s);
    action = [written](const Common& common) {
      return loadtest::RunLoadTest(common, written->options);
    };
  });
}

}  // namespace pgvalet::cli
