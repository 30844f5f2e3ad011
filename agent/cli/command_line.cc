#include "cli/command_line.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <utility>

namespace pgvalet::cli {
namespace {

constexpr const char* kExamples =
    "Examples:\n"
    "  pgvalet status                          one page about the agent on this machine\n"
    "  pgvalet status --json | jq .pools       the same for programs\n"
    "  pgvalet top                             live view: pools, backends, usage\n"
    "  pgvalet top --view backends             begin with the backends\n"
    "  pgvalet --address db1:6544 top          an agent elsewhere\n"
    "  pgvalet top --iterations 60 > log.txt   a table per second into a file\n"
    "  pgvalet import pgbouncer.ini -o a.toml  move over from PgBouncer\n"
    "\n"
    "Exit status: 0 fine, 1 the agent is not open to clients, 2 wrong usage,\n"
    "3 no agent can be reached.\n"
    "Environment: PGVALET_ADDRESS as --address, PGVALET_TOKEN_FILE as --token-file,\n"
    "PGVALET_TOKEN the token itself, NO_COLOR for output without colour.";

Duration FromSeconds(double seconds) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

// gRPC takes host:port, [v6]:port and unix:path; a port left out would be 443.
std::string CheckAddress(const std::string& address) {
  if (address.rfind("unix:", 0) == 0) return address.size() > 5 ? "" : "a path must follow unix:";
  const std::size_t colon = address.rfind(':');
  const std::string port = colon == std::string::npos ? "" : address.substr(colon + 1);
  const bool digits =
      !port.empty() && port.size() <= 5 &&
      std::all_of(port.begin(), port.end(), [](char c) { return c >= '0' && c <= '9'; });
  const bool bare_v6 =
      colon != std::string::npos && address[0] != '[' && address.find(':') != colon;
  if (!digits || colon == 0 || bare_v6 || std::stoi(port) < 1 || std::stoi(port) > 65535)
    return "expected host:port (an IPv6 address in brackets) or unix:path, got \"" + address + "\"";
  return "";
}

// What comes of the token: out of its file, or (empty: no file) of the environment; nothing when
// the file cannot be used.
std::optional<std::string> TokenOf(const std::string& path) {
  if (path.empty()) {
    const char* given = std::getenv("PGVALET_TOKEN");
    return given != nullptr ? given : "";
  }
  std::ifstream file(path);
  std::string token, more;
  if (!(file >> token)) return std::nullopt;
  // A line of the agent's own file: the role, then the token.
  if (file >> more && (token == "read" || token == "control")) token = more;
  return token;
}

// One option may stand before or after the command.
void AddCommonOptions(CLI::App* app, Options* options, std::string* token_file, double* timeout) {
  app->add_option("-a,--address", options->address, "where the agent answers")
      ->envname("PGVALET_ADDRESS")
      ->type_name("HOST:PORT")
      ->check(CLI::Validator(CheckAddress, ""))
      ->capture_default_str();
  app->add_option("--token-file", *token_file,
                  "file with a token of the agent, or a line of the agent's token_file")
      ->envname("PGVALET_TOKEN_FILE")
      ->type_name("FILE");
  app->add_option("--timeout", *timeout, "seconds to wait for the agent")
      ->type_name("SECONDS")
      ->check(CLI::Range(0.01, 3600.0).description(""))
      ->capture_default_str();
}

struct Seconds {
  double timeout = 5;
  double interval = 1;
};

void AddTop(CLI::App* app, Options* options, Seconds* seconds) {
  CLI::App* top = app->add_subcommand("top", "Live view of pools, backends and usage");
  top->fallthrough();
  top->add_option("-i,--interval", seconds->interval, "seconds between two readings")
      ->type_name("SECONDS")
      ->check(CLI::Range(0.1, 3600.0).description(""))
      ->capture_default_str();
  top->add_option("-n,--iterations", options->iterations, "end after so many readings")
      ->type_name("COUNT")
      ->check(CLI::Range(1, 1000000000).description(""));
  top->add_flag("--plain", options->plain,
                "print tables one after the other; so it is when the output is no terminal");
  static const std::map<std::string, View> views = {
      {"pools", View::kPools}, {"backends", View::kBackends}, {"usage", View::kUsage}};
  top->add_option_function<std::string>(
         "--view", [options](const std::string& name) { options->view = views.at(name); },
         "what to show first: pools, backends or usage")
      ->type_name("NAME")
      ->check(CLI::IsMember({"pools", "backends", "usage"}).description(""));
  top->callback([options] { options->command = Command::kTop; });
}

void AddStatus(CLI::App* app, Options* options) {
  CLI::App* status = app->add_subcommand("status", "One page: the agent, its pools, the server");
  status->fallthrough();
  status->add_flag("--json", options->json, "print the snapshot as JSON");
  status->callback([options] { options->command = Command::kStatus; });
}

void AddImport(CLI::App* app, Options* options) {
  CLI::App* command = app->add_subcommand(
      "import", "Turn PgBouncer's configuration file into one of pgvalet; says what differs");
  command->add_option("FILE", options->import_file, "pgbouncer.ini")->required()->option_text(" ");
  command
      ->add_option("-o,--output", options->output_file,
                   "write there, for its owner alone, instead of to stdout")
      ->type_name("FILE");
  command->callback([options] { options->command = Command::kImport; });
}

}  // namespace

std::variant<Options, Answer> ParseCommandLine(std::vector<std::string> arguments) {
  Options options;
  Seconds seconds;
  CLI::App app("pgvalet: what the agent and the server behind it are doing", "pgvalet");
  app.footer(kExamples);
  app.require_subcommand(1);
  app.failure_message([](const CLI::App* failed, const CLI::Error& error) {
    std::string text = error.what();
    const bool is_bare = failed->get_subcommands().empty();
    if (error.get_name() == "RequiredError" && is_bare) text = "which command, status or top?";
    return text + "\nRun pgvalet --help for more.\n";
  });
  app.set_version_flag("--version", "pgvalet " PGVALET_VERSION);
  std::string token_file;
  AddCommonOptions(&app, &options, &token_file, &seconds.timeout);
  AddStatus(&app, &options);
  AddTop(&app, &options, &seconds);
  AddImport(&app, &options);

  std::reverse(arguments.begin(), arguments.end());  // CLI11 takes them from the end
  try {
    app.parse(arguments);
  } catch (const CLI::ParseError& error) {
    std::ostringstream out, err;
    const bool wrong = app.exit(error, out, err) != 0;
    if (!wrong) return Answer{kOk, out.str() + (out.str().ends_with('\n') ? "" : "\n")};
    return Answer{kUsage, "pgvalet: " + err.str()};
  }
  std::optional<std::string> token = TokenOf(token_file);
  if (!token) return Answer{kUsage, "pgvalet: no token can be read from " + token_file + "\n"};
  options.token = std::move(*token);
  options.timeout = FromSeconds(seconds.timeout);
  options.interval = FromSeconds(seconds.interval);
  return options;
}

}  // namespace pgvalet::cli
