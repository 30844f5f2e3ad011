#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string>

#include "cli/commands/commands.h"
#include "config/check.h"
#include "config/load.h"
#include "config/table.h"

namespace pgvalet::cli {
namespace {

// What it returns besides kOk and kUsage.
enum ImportExitCode : int {
  kFileHasMistakes = 1,  // all of them are on stderr
  kNotWritten = 3,
};

struct ImportOptions {
  std::string import_file;  // of PgBouncer
  std::string output_file;  // empty: stdout
};

int Complain(int status, const std::string& text) {
  std::fprintf(stderr, "pgvalet: %s\n", text.c_str());
  return status;
}

bool WriteAll(int fd, const std::string& text) {
  std::size_t written = 0;
  while (written < text.size()) {
    const ssize_t n = write(fd, text.data() + written, text.size() - written);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    written += static_cast<std::size_t>(n);
  }
  return true;
}

// In memory: it holds passwords.
Result<config::Loaded> LoadText(const std::string& text) {
  const int fd = memfd_create("pgvalet.toml", MFD_CLOEXEC);
  if (fd < 0 || !WriteAll(fd, text)) {
    const Error error{ErrorCode::kIo, "cannot keep a file in memory", errno};
    if (fd >= 0) close(fd);
    return error;
  }
  config::CommandLine command_line;
  command_line.config_file = "/proc/self/fd/" + std::to_string(fd);
  Result<config::Loaded> loaded = config::Load(command_line, {});
  close(fd);
  return loaded;
}

template <typename Owner>
bool Same(const std::vector<config::Setting<Owner>>& table, const Owner& a, const Owner& b) {
  for (const config::Setting<Owner>& setting : table) {
    if (setting.get(a) != setting.get(b)) return false;
  }
  return true;
}

bool SameHosts(const config::DatabaseSettings& a, const config::DatabaseSettings& b) {
  if (a.hosts.size() != b.hosts.size()) return false;
  for (std::size_t i = 0; i < a.hosts.size(); ++i) {
    if (a.hosts[i].host != b.hosts[i].host || a.hosts[i].port != b.hosts[i].port) return false;
  }
  return true;
}

bool Same(const config::Settings& a, const config::Settings& b) {
  if (!Same(config::SettingsTable(), a, b)) return false;
  if (a.databases.size() != b.databases.size() || a.users.size() != b.users.size()) return false;
  for (const auto& [name, database] : a.databases) {
    const auto other = b.databases.find(name);
    if (other == b.databases.end() || !SameHosts(database, other->second) ||
        !Same(config::DatabaseTable(), database, other->second)) {
      return false;
    }
  }
  for (const auto& [name, user] : a.users) {
    const auto other = b.users.find(name);
    if (other == b.users.end() || !Same(config::UserTable(), user, other->second)) return false;
  }
  return true;
}

int Write(const std::string& path, const std::string& text) {
  if (path.empty()) {
    std::fputs(text.c_str(), stdout);
    const bool written = std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
    return written ? kOk : Complain(kNotWritten, "cannot write to stdout");
  }
  // A name of its own first: nobody ever finds half a file, nor one that others may read.
  const std::string part = path + "." + std::to_string(getpid());
  const int fd = open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  const bool written = fd >= 0 && WriteAll(fd, text) && fsync(fd) == 0;
  const bool renamed = written && rename(part.c_str(), path.c_str()) == 0;
  const int failure = errno;
  if (fd >= 0) close(fd);
  if (renamed) return kOk;
  if (fd >= 0) unlink(part.c_str());
  return Complain(kNotWritten, "cannot write " + path + ": " + std::strerror(failure));
}

// Before it is written, the TOML has been loaded and compared.
int RunImport(const ImportOptions& options) {
  config::CommandLine command_line;
  command_line.pgbouncer_file = options.import_file;
  const Result<config::Loaded> loaded = config::Load(command_line, {});
  if (!loaded) return Complain(kFileHasMistakes, loaded.error().detail);
  const std::string text = "# From " + options.import_file +
                           ", by pgvalet import.  Each line says where it comes from.\n" +
                           config::WriteSettings(*loaded);
  const Result<config::Loaded> again = LoadText(text);
  if (!again || !Same(*loaded->settings, *again->settings)) {
    return Complain(kFileHasMistakes,
                    "the file holds something that TOML cannot: " +
                        (again ? "a value would not be the same" : again.error().detail));
  }
  for (const std::string& warning : loaded->warnings) {
    std::fprintf(stderr, "pgvalet: %s\n", warning.c_str());
  }
  return Write(options.output_file, text);
}

}  // namespace

void AddImport(CLI::App& program, Action& action) {
  CLI::App* command = program.add_subcommand(
      "import", "Turn PgBouncer's configuration file into one of pgvalet; says what differs");
  const auto options = std::make_shared<ImportOptions>();
  command->add_option("FILE", options->import_file, "pgbouncer.ini")->required()->option_text(" ");
  command
      ->add_option("-o,--output", options->output_file,
                   "write there, for its owner alone, instead of to stdout")
      ->type_name("FILE");
  command->callback([&action, options] {
    action = [options](const Common& /*common*/) { return RunImport(*options); };
  });
}

}  // namespace pgvalet::cli
