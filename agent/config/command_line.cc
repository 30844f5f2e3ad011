#include "config/command_line.h"

#include <CLI/CLI.hpp>
#include <cstring>
#include <exception>
#include <optional>
#include <sstream>
#include <string_view>

#include "config/connection_string.h"
#include "help/manual_page.h"

namespace pgvalet::config {
namespace {

constexpr std::string_view kFooter = R"(
Examples:
  pgvaletd postgres://app:secret@db.example.org/app
  pgvaletd --config /etc/pgvalet/pgvalet.toml
  pgvaletd --config pgvalet.toml --set listen_port=7000 --set databases.app=host=10.0.0.5
  pgvaletd --config pgvalet.toml --check
  pgvaletd --config /etc/pgbouncer/pgbouncer.ini

Who wins: command line, then environment, then file, then default.
Environment: PGVALET_<KEY> for every setting (PGVALET_LISTEN_PORT=7000), also
  PGVALET_CONFIG, PGVALET_DATABASE_URL, PGVALET_DATABASE_PASSWORD;
  PGVALET_<KEY>_FILE takes the value from a file.
Signals: HUP reads the configuration again; TERM waits for clients to leave,
  INT for transactions to end; QUIT ends at once; USR1 pauses, USR2 resumes.)";

// Adds every option to `app`; it writes to the other arguments when it parses.
void Declare(CLI::App& app, CommandLine& command_line, std::vector<std::string>& sets,
             bool& is_manual) {
  app.add_option("uri", command_line.database_url,
                 "Server to pool for, as postgres://user:password@host:port/database; all that is "
                 "needed when there is no file")
      ->option_text("[URI]");
  CLI::Option* config = app.add_option("-c,--config", command_line.config_file,
                                       "Configuration file: TOML, or PgBouncer's if it ends in "
                                       ".ini")
                            ->type_name("FILE");
  app.add_option("--pgbouncer", command_line.pgbouncer_file,
                 "Configuration file of PgBouncer, whatever its name")
      ->type_name("FILE")
      ->excludes(config);
  app.add_option("-s,--set", sets,
                 "Set one setting; databases.NAME and users.NAME too. Can be given many times")
      ->type_name("KEY=VALUE")
      ->take_all()
      ->allow_extra_args(false);
  app.add_flag("--check", command_line.check,
               "Check the configuration, print the settings in effect and where each came from, "
               "and stop");
  app.add_flag("--manual", is_manual, "Print the manual page, for man, and stop");
  app.set_version_flag("-V,--version", "pgvaletd " PGVALET_VERSION, "Print the version and stop");
  app.set_help_flag("-h,--help", "Print this help and stop");
}

Error Wrong(std::string detail) {
  return Error{ErrorCode::kInvalidSetting, "the command line cannot be used", 0, std::move(detail)};
}

// What cannot be a server to connect to is most likely a forgotten --config.
std::optional<Error> CheckUri(const std::string& uri) {
  if (uri.empty() || IsUri(uri) || uri.find('=') != std::string::npos) return std::nullopt;
  return Wrong("expected postgres://user@host/database, not \"" + uri +
               "\"; a file is given with --config");
}

Result<CommandLine> Parse(int argc, const char* const* argv) {
  CommandLine command_line;
  std::vector<std::string> sets;
  CLI::App app("pgvaletd: connection pooler and statistics for PostgreSQL", "pgvaletd");
  app.footer(std::string(kFooter));
  bool is_manual = false;
  Declare(app, command_line, sets, is_manual);
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& stop) {  // --help and --version
    std::ostringstream out;
    app.exit(stop, out, out);
    command_line.print = out.str();
    return command_line;
  }
  if (is_manual) {
    command_line.print = help::ManualPage(
        help::Describe(app),
        {.section = 8, .version = PGVALET_VERSION, .see_also = "pgvalet(1), postgres(1)"});
    return command_line;
  }
  for (const std::string& set : sets) {
    const std::size_t equals = set.find('=');
    if (equals == std::string::npos || equals == 0) {
      return Wrong("--set: expected KEY=VALUE, not \"" + set + "\"");
    }
    command_line.overrides.emplace_back(set.substr(0, equals), set.substr(equals + 1));
  }
  if (std::optional<Error> error = CheckUri(command_line.database_url)) return *std::move(error);
  return command_line;
}

// "postgres://user:password@host": up to the last @, in case it was not escaped.
void HideInUri(char* uri) {
  char* user = std::strstr(uri, "://") + 3;
  char* at = std::strrchr(user, '@');
  char* colon = std::strchr(user, ':');
  if (at == nullptr || colon == nullptr || colon > at) return;
  std::memset(colon + 1, '*', static_cast<std::size_t>(at - colon - 1));
}

// "password=secret", in a query, in pairs or after --set.
void HideAfterKey(char* text) {
  constexpr char kKey[] = "password=";
  while ((text = std::strstr(text, kKey)) != nullptr) {
    text += std::strlen(kKey);
    const std::size_t length = std::strcspn(text, "& ");
    std::memset(text, '*', length);
    text += length;
  }
}

}  // namespace

Result<CommandLine> ParseCommandLine(int argc, const char* const* argv) {
  try {
    return Parse(argc, argv);
  } catch (const std::exception& error) {
    const std::string text(error.what());
    // The library quotes the argument, which may hold a password.
    if (text.find("://") != std::string::npos) return Wrong("expected one URI; see --help");
    return Wrong(text + "; see --help");
  }
}

void HidePasswords(int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    if (IsUri(argv[i])) HideInUri(argv[i]);
    HideAfterKey(argv[i]);
  }
}

}  // namespace pgvalet::config
