// The PostgreSQL that integration tests run against: one for the whole program.
//
// Made on first use in a folder of /tmp, with no fsync; gone at the program's
// end.  Its programs come from PGVALET_PG_BIN, else from the private prefix with
// the extension that extension/private_prefix.sh makes.
//
// Roles, all with password = role name + "_pw"; how each logs in by TCP:
//   postgres (superuser), alice, bob   trust
//   scram_user, scram_other            scram-sha-256
//   md5_user                           md5
//   plain_user                         password
// Database: "app", owned by alice.  Unix socket: trust for all.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "support/child_process.h"

namespace pgvalet::integration {

class Cluster {
 public:
  enum class Preload : std::uint8_t { kExtension, kNothing };

  // Throws std::runtime_error when it cannot be made.
  explicit Cluster(Preload preload = Preload::kExtension);
  Cluster(const Cluster&) = delete;
  ~Cluster();

  int port() const { return port_; }
  const std::filesystem::path& socket_dir() const { return socket_dir_; }
  const std::filesystem::path& bin_dir() const { return bin_dir_; }
  bool has_extension() const { return has_extension_; }

  // libpq connection string that goes past the agent.
  std::string DirectTo(const std::string& user, const std::string& database = "app") const;

  void Start();  // REQUIRES: stopped
  void Stop();   // as a fast shutdown: sessions are ended with 57P01
  void Restart();

 private:
  void CreateData() const;
  void CreateRoles();

  std::filesystem::path home_;
  std::filesystem::path bin_dir_;
  std::filesystem::path socket_dir_;
  int port_ = 0;
  const Preload preload_;
  bool has_extension_ = false;
  ChildProcess server_;
};

// The program's cluster; started on first use.
Cluster& TheCluster();
// Ends it; main() calls this.
void StopTheCluster();

}  // namespace pgvalet::integration
