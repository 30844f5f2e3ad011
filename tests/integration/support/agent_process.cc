#include "support/agent_process.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <stdexcept>
#include <system_error>

namespace pgvalet::integration {

namespace {

std::string Quote(const std::string& text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted += '\\';
    quoted += c;
  }
  return quoted + '"';
}

}  // namespace

AgentConfig::AgentConfig() : port_(FreePort()) {
  Set("cores", "2").Set("listen_addr", "\"127.0.0.1\"").Set("listen_port", std::to_string(port_));
  SetText("unix_socket_dir", "").SetText("grpc_listen", "").SetText("http_listen", "");
  SetText("auth_type", "trust").SetText("pool_mode", "transaction").Set("sampler_interval", "0");
  Database("*", "host=127.0.0.1 port=" + std::to_string(TheCluster().port()));
}

AgentConfig& AgentConfig::Set(const std::string& key, const std::string& toml_value) {
  settings_[key] = toml_value;
  return *this;
}

AgentConfig& AgentConfig::SetText(const std::string& key, const std::string& text) {
  return Set(key, Quote(text));
}

AgentConfig& AgentConfig::Unset(const std::string& key) {
  settings_.erase(key);
  return *this;
}

AgentConfig& AgentConfig::Database(const std::string& name, const std::string& connection_string) {
  databases_[name] = Quote(connection_string);
  return *this;
}

AgentConfig& AgentConfig::NoFallbackDatabase() {
  databases_.erase("*");
  return *this;
}

AgentConfig& AgentConfig::User(const std::string& name, const std::string& toml_table) {
  users_[name] = toml_table;
  return *this;
}

AgentConfig& AgentConfig::UserList(const std::string& lines) {
  user_list_ = lines;
  return *this;
}

std::string AgentConfig::ToToml(const std::filesystem::path& home) const {
  std::ostringstream toml;
  for (const auto& [key, value] : settings_) toml << key << " = " << value << "\n";
  if (!user_list_.empty())
    toml << "auth_file = " << Quote((home / "userlist.txt").string()) << "\n";
  toml << "\n[databases]\n";
  for (const auto& [name, value] : databases_) toml << Quote(name) << " = " << value << "\n";
  if (!users_.empty()) toml << "\n[users]\n";
  for (const auto& [name, value] : users_) toml << Quote(name) << " = " << value << "\n";
  return std::move(toml).str();
}

AgentProcess::AgentProcess(AgentConfig config)
    : config_(std::move(config)), home_(MakeTemporaryFolder()) {
  try {
    Start();
  } catch (...) {
    std::filesystem::remove_all(home_);
    throw;
  }
}

void AgentProcess::Start() {
  WriteFile(home_ / "pgvalet.toml", config_.ToToml(home_));
  WriteFile(home_ / "userlist.txt", config_.user_list());
  child_ = ChildProcess({.argv = {AgentProgram(), "--config", home_ / "pgvalet.toml"},
                         .log = home_ / "pgvaletd.log",
                         .as_server_user = false,
                         .environment = {}});
  // Clients come in a little before statistics are served.
  const auto is_ready = [this] { return log().find(" is ready") != std::string::npos; };
  const bool up = Eventually([&] { return !child_.Running() || is_ready(); });
  if (!up || !child_.Running())
    throw std::runtime_error("pgvaletd does not start:\n" + log() +
                             ReadFile(home_ / "pgvalet.toml"));
}

AgentProcess::~AgentProcess() {
  child_.Stop({SIGINT, SIGQUIT});
  for (const char* report : {"ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "runtime error:",
                             "WARNING: ThreadSanitizer", "ERROR: ThreadSanitizer"})
    EXPECT_EQ(log().find(report), std::string::npos) << "a sanitizer has something to say";
  if (testing::Test::HasFailure()) std::fprintf(stderr, "log of pgvaletd:\n%s\n", log().c_str());
  std::error_code ignored;
  std::filesystem::remove_all(home_, ignored);
}

std::string AgentProcess::To(const std::string& user, const std::string& database) const {
  return "host=127.0.0.1 port=" + std::to_string(port()) + " user=" + user + " password=" + user +
         "_pw dbname=" + database;
}

void AgentProcess::Reload(const AgentConfig& config) {
  WriteFile(home_ / "userlist.txt", config.user_list());
  ReloadText(config.ToToml(home_));
}

void AgentProcess::ReloadText(const std::string& toml) {
  WriteFile(home_ / "pgvalet.toml", toml);
  Signal(SIGHUP);
}

std::size_t AgentProcess::PeakMemory() const {
  std::istringstream status(ReadFile("/proc/" + std::to_string(pid()) + "/status"));
  std::string word;
  while (status >> word) {
    if (word != "VmHWM:") continue;
    std::size_t kilobytes = 0;
    status >> kilobytes;
    return kilobytes * 1024;
  }
  return 0;
}

std::filesystem::path AgentProgram() {
  const char* given = std::getenv("PGVALETD");
  return given != nullptr ? given : PGVALETD_PROGRAM;
}

std::filesystem::path CommandLineProgram() { return AgentProgram().parent_path() / "pgvalet"; }

}  // namespace pgvalet::integration
