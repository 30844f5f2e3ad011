#include "support/cluster.h"

#include <signal.h>

#include <cstdlib>
#include <memory>
#include <stdexcept>

#include "support/connection.h"

namespace pgvalet::integration {

namespace {

constexpr const char* kHba =
    "local all all trust\n"
    "host all scram_user,scram_other,expired_user all scram-sha-256\n"
    "host all md5_user all md5\n"
    "host all plain_user all password\n"
    "host all all all trust\n";

// Small and quick: nothing here needs to survive a power cut.
constexpr const char* kSettings =
    "fsync = off\n"
    "synchronous_commit = off\n"
    "full_page_writes = off\n"
    "shared_buffers = 32MB\n"
    "max_connections = 80\n"
    "autovacuum = off\n"
    "log_min_messages = info\n"
    "log_line_prefix = '%m [%p] %u@%d '\n"
    "timezone = 'UTC'\n";

constexpr const char* kRoles =
    "CREATE ROLE alice LOGIN PASSWORD 'alice_pw';"
    "CREATE ROLE bob LOGIN PASSWORD 'bob_pw';"
    "CREATE ROLE scram_user LOGIN PASSWORD 'scram_user_pw';"
    "CREATE ROLE scram_other LOGIN PASSWORD 'scram_other_pw';"
    "CREATE ROLE plain_user LOGIN PASSWORD 'plain_user_pw';"
    "CREATE ROLE expired_user LOGIN PASSWORD 'expired_user_pw' VALID UNTIL '2001-01-01';"
    "SET password_encryption = 'md5';"
    "CREATE ROLE md5_user LOGIN PASSWORD 'md5_user_pw';"
    "RESET password_encryption;"
    "CREATE ROLE monitor LOGIN IN ROLE pg_monitor;";

std::filesystem::path FindPrograms() {
  if (const char* given = std::getenv("PGVALET_PG_BIN")) return given;
  const std::filesystem::path log =
      std::filesystem::path(PGVALET_TEST_PREFIX).parent_path() / "private_prefix.out";
  std::filesystem::remove(log);
  const std::string command = std::string(PGVALET_SOURCE_DIR) + "/extension/private_prefix.sh '" +
                              PGVALET_TEST_PREFIX + "' >'" + log.string() + "'";
  if (std::system(command.c_str()) != 0)
    throw std::runtime_error("extension/private_prefix.sh failed");
  std::string bin_dir = ReadFile(log);
  while (!bin_dir.empty() && bin_dir.back() == '\n') bin_dir.pop_back();
  return bin_dir;
}

std::unique_ptr<Cluster>& Instance() {
  static std::unique_ptr<Cluster> instance;
  return instance;
}

}  // namespace

Cluster::Cluster(Preload preload)
    : home_(MakeTemporaryFolder()), bin_dir_(FindPrograms()), port_(FreePort()), preload_(preload) {
  socket_dir_ = home_ / "sock";
  std::filesystem::create_directory(socket_dir_);
  GiveToServerUser(socket_dir_);
  CreateData();
  Start();
  CreateRoles();
}

Cluster::~Cluster() {
  server_.Stop({SIGINT, SIGQUIT});
  std::error_code ignored;
  std::filesystem::remove_all(home_, ignored);
}

void Cluster::CreateData() const {
  const std::filesystem::path data = home_ / "data";
  std::filesystem::create_directory(data);
  GiveToServerUser(data);
  const int status = RunToEnd({.argv = {bin_dir_ / "initdb", "-D", data, "-U", "postgres", "-E",
                                        "UTF8", "--locale=C.UTF-8", "--no-sync", "-A", "trust"},
                               .log = home_ / "initdb.log",
                               .as_server_user = true,
                               .environment = {}});
  if (status != 0) throw std::runtime_error("initdb failed: " + ReadFile(home_ / "initdb.log"));
  WriteFile(data / "pg_hba.conf", kHba);
  std::string settings = kSettings;
  settings += "listen_addresses = '127.0.0.1'\nport = " + std::to_string(port_) + "\n";
  settings += "unix_socket_directories = '" + socket_dir_.string() + "'\n";
  // A prefix without the extension (PGVALET_PG_BIN) cannot preload it.
  const std::filesystem::path library = bin_dir_.parent_path() / "lib" / "pgvalet.so";
  if (preload_ == Preload::kExtension && std::filesystem::exists(library))
    settings += "shared_preload_libraries = 'pgvalet'\n";
  WriteFile(data / "postgresql.auto.conf", settings);
}

void Cluster::Start() {
  server_ = ChildProcess({.argv = {bin_dir_ / "postgres", "-D", home_ / "data"},
                          .log = home_ / "postgres.log",
                          .as_server_user = true,
                          .environment = {}});
  const bool up = Eventually(
      [&] { return !server_.Running() || Connection(DirectTo("postgres", "postgres")).ok(); });
  if (!up || !server_.Running())
    throw std::runtime_error("PostgreSQL does not start: " + ReadFile(home_ / "postgres.log"));
}

void Cluster::Stop() { server_.Stop({SIGINT, SIGQUIT}); }

void Cluster::Restart() {
  Stop();
  Start();
}

void Cluster::CreateRoles() {
  Connection admin(DirectTo("postgres", "postgres"));
  admin.Must(kRoles);
  admin.Must("CREATE DATABASE app OWNER alice");
  Connection app(DirectTo("postgres"));
  if (app.Value("SHOW shared_preload_libraries") == "pgvalet") {
    app.Must("CREATE EXTENSION pgvalet");
    has_extension_ = true;
  }
  app.Must("GRANT CREATE ON SCHEMA public TO PUBLIC");
}

std::string Cluster::DirectTo(const std::string& user, const std::string& database) const {
  return "host=127.0.0.1 port=" + std::to_string(port_) + " user=" + user + " password=" + user +
         "_pw dbname=" + database;
}

Cluster& TheCluster() {
  if (!Instance()) Instance() = std::make_unique<Cluster>();
  return *Instance();
}

void StopTheCluster() { Instance().reset(); }

}  // namespace pgvalet::integration
