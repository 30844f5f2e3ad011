// The command line of PgBouncer.
#include <getopt.h>

#include "config/command_line.h"
#include "config/settings.h"

namespace pgvalet::config {
namespace {

constexpr const char* kHelp =
    "pgbouncer is a connection pooler for PostgreSQL, here pgvalet " PGVALET_VERSION
    ".\n\n"
    "Usage:\n"
    "  pgbouncer [OPTION]... CONFIG_FILE\n\n"
    "Options:\n"
    "  -d, --daemon         run in background (as a daemon)\n"
    "  -q, --quiet          run quietly\n"
    "  -R, --reboot         start only if no other process has the pid file and the port\n"
    "  -u, --user=USERNAME  assume identity of USERNAME\n"
    "  -v, --verbose        increase verbosity\n"
    "  -V, --version        show version, then exit\n"
    "  -h, --help           show this help, then exit\n";

constexpr option kOptions[] = {
    {"daemon", no_argument, nullptr, 'd'},  {"quiet", no_argument, nullptr, 'q'},
    {"reboot", no_argument, nullptr, 'R'},  {"user", required_argument, nullptr, 'u'},
    {"verbose", no_argument, nullptr, 'v'}, {"version", no_argument, nullptr, 'V'},
    {"help", no_argument, nullptr, 'h'},    {nullptr, 0, nullptr, 0}};

Error Wrong(std::string detail) {
  return Error{ErrorCode::kInvalidSetting, "the command line cannot be used", 0,
               std::move(detail) + "\nTry \"pgbouncer --help\" for more information."};
}

}  // namespace

Result<CommandLine> ParsePgBouncerCommandLine(int argc, char** argv) {
  CommandLine command_line;
  command_line.as_pgbouncer = true;
  int verbose = 0;
  optind = 0;  // from the start, with nothing kept of a call before
  opterr = 0;  // we complain ourselves
  for (int got = 0; (got = getopt_long(argc, argv, "dqRu:vVh", kOptions, nullptr)) != -1;) {
    switch (got) {
      case 'd':
        command_line.is_daemon = true;
        break;
      case 'q':
        command_line.is_quiet = true;
        break;
      case 'R':
        command_line.is_reboot = true;
        break;
      case 'u':
        command_line.overrides.emplace_back("user", optarg);
        break;
      case 'v':
        ++verbose;
        break;
      case 'V':
        command_line.print =
            "PgBouncer " + Settings().pgbouncer_version + "\npgvalet " PGVALET_VERSION "\n";
        return command_line;
      case 'h':
        command_line.print = kHelp;
        return command_line;
      default:
        return Wrong("invalid option");
    }
  }
  if (verbose > 0)
    command_line.overrides.emplace_back("log_level", verbose > 1 ? "trace" : "debug");
  if (optind >= argc) return Wrong("no configuration file specified");
  if (optind + 1 < argc) return Wrong("too many arguments");
  command_line.pgbouncer_file = argv[optind];
  return command_line;
}

bool IsPgBouncerName(std::string_view program) {
  const std::size_t slash = program.rfind('/');
  if (slash != std::string_view::npos) program.remove_prefix(slash + 1);
  return program == "pgbouncer";
}

}  // namespace pgvalet::config
