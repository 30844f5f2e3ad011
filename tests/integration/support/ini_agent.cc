#include "support/ini_agent.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>

#include "support/agent_process.h"
#include "support/connection.h"

namespace pgvalet::integration {

IniAgent::IniAgent(const std::string& ini) : home_(MakeTemporaryFolder()), port_(FreePort()) {
  Write("userlist.txt", "\"admin\" \"admin_pw\"\n\"alice\" \"alice_pw\"\n\"bob\" \"bob_pw\"\n");
  Write("pgbouncer.ini",
        "[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = " + std::to_string(port_) +
            "\nunix_socket_dir = " + home_.string() +
            "\nauth_file = " + (home_ / "userlist.txt").string() + "\nadmin_users = admin\n" + ini);
  GiveToServerUser(home_);
}

IniAgent::~IniAgent() {
  Stop();
  if (testing::Test::HasFailure()) std::fprintf(stderr, "its log:\n%s\n", log().c_str());
  std::error_code ignored;
  std::filesystem::remove_all(home_, ignored);
}

std::filesystem::path IniAgent::Write(const std::string& name, const std::string& text) const {
  const std::filesystem::path path = home_ / name;
  WriteFile(path, text);
  std::filesystem::permissions(
      path, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  GiveToServerUser(path);
  return path;
}

bool IniAgent::Start(const std::filesystem::path& program,
                     const std::vector<std::string>& arguments) {
  std::vector<std::string> argv = {program.string()};
  for (const std::string& argument : arguments) {
    argv.push_back(argument == "INI" ? ini().string() : argument);
  }
  child_ =
      ChildProcess({.argv = argv, .log = home_ / "log", .as_server_user = true, .environment = {}});
  return Eventually([&] {
           return !child_.Running() || log().find("process up: ") != std::string::npos;
         }) &&
         child_.Running();
}

bool IniAgent::Start() { return Start(AgentProgram(), {"--config", "INI"}); }

int IniAgent::Run(const std::filesystem::path& program, std::vector<std::string> arguments) {
  std::replace(arguments.begin(), arguments.end(), std::string("INI"), ini().string());
  arguments.insert(arguments.begin(), program.string());
  return RunToEnd(
      {.argv = arguments, .log = home_ / "log", .as_server_user = true, .environment = {}});
}

std::string IniAgent::To(const std::string& user, const std::string& database) const {
  return "host=127.0.0.1 port=" + std::to_string(port_) + " user=" + user + " password=" + user +
         "_pw dbname=" + database;
}

std::filesystem::path PgBouncerLink() { return AgentProgram().parent_path() / "pgbouncer"; }

std::filesystem::path RealPgBouncer() {
  const std::filesystem::path path = "/usr/sbin/pgbouncer";
  return std::filesystem::exists(path) ? path : std::filesystem::path();
}

}  // namespace pgvalet::integration
