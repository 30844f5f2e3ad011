#include "support/child_process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <pwd.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <sstream>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <utility>

namespace pgvalet::integration {

namespace {

struct ServerUser {
  uid_t uid;
  gid_t gid;
};

// Empty when servers run as the user we are.
std::optional<ServerUser> OtherServerUser() {
  if (getuid() != 0) return {};
  for (const char* name : {"postgres", "nobody"}) {
    const passwd* entry = getpwnam(name);
    if (entry != nullptr) return ServerUser{entry->pw_uid, entry->pw_gid};
  }
  throw std::runtime_error("run as root, and neither user postgres nor nobody exists");
}

std::vector<char*> Pointers(const std::vector<std::string>& words) {
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  for (const std::string& word : words) pointers.push_back(const_cast<char*>(word.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

// In the forked child of a program with threads: async-signal-safe calls only.
[[noreturn]] void BecomeProgram(char* const* argv, char* const* environment, int log_fd,
                                const std::optional<ServerUser>& user) {
  if (user && (setgroups(0, nullptr) != 0 || setgid(user->gid) != 0 || setuid(user->uid) != 0))
    _exit(126);
  // After setuid(), which would clear it.
  prctl(PR_SET_PDEATHSIG, SIGQUIT);
  const int null_fd = open("/dev/null", O_RDONLY);
  dup2(null_fd, STDIN_FILENO);
  dup2(log_fd, STDOUT_FILENO);
  dup2(log_fd, STDERR_FILENO);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  setpgid(0, 0);
  execve(argv[0], argv, environment);
  _exit(127);
}

}  // namespace

ChildProcess::ChildProcess(const ChildOptions& options) {
  const std::optional<ServerUser> user =
      options.as_server_user ? OtherServerUser() : std::optional<ServerUser>{};
  std::vector<std::string> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) environment.emplace_back(*entry);
  environment.insert(environment.end(), options.environment.begin(), options.environment.end());
  const std::vector<char*> argv = Pointers(options.argv);
  const std::vector<char*> envp = Pointers(environment);
  const int log_fd = open(options.log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (log_fd < 0) throw std::system_error(errno, std::generic_category(), options.log);

  pid_ = fork();
  if (pid_ == 0) BecomeProgram(argv.data(), envp.data(), log_fd, user);
  close(log_fd);
  if (pid_ < 0) throw std::system_error(errno, std::generic_category(), options.argv[0]);
}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, 0)), status_(other.status_) {}

ChildProcess& ChildProcess::operator=(ChildProcess&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(status_, other.status_);
  return *this;
}

ChildProcess::~ChildProcess() { Stop({SIGQUIT}); }

void ChildProcess::Signal(int number) const {
  if (pid_ > 0) kill(pid_, number);
}

bool ChildProcess::Running() {
  if (pid_ == 0) return false;
  int status = 0;
  if (waitpid(pid_, &status, WNOHANG) != pid_) return true;
  pid_ = 0;
  status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return false;
}

std::optional<int> ChildProcess::WaitForExit() {
  if (!Eventually([&] { return !Running(); })) return {};
  return status_;
}

void ChildProcess::Stop(const std::vector<int>& signals) {
  for (const int number : signals) {
    if (!Running()) return;
    Signal(number);
    if (WaitForExit()) return;
  }
  Signal(SIGKILL);
  WaitForExit();
}

int RunToEnd(const ChildOptions& options) {
  ChildProcess child(options);
  const std::optional<int> status = child.WaitForExit();
  if (!status) throw std::runtime_error(options.argv[0] + " does not end");
  return *status;
}

std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  return std::move(text).str();
}

void WriteFile(const std::filesystem::path& path, const std::string& text) {
  std::ofstream out(path, std::ios::trunc);
  out << text;
  out.close();
  if (!out) throw std::system_error(errno, std::generic_category(), path);
}

std::filesystem::path MakeTemporaryFolder() {
  std::string name = "/tmp/pgvalet-test-XXXXXX";
  if (mkdtemp(name.data()) == nullptr)
    throw std::system_error(errno, std::generic_category(), name);
  if (chmod(name.c_str(), 0755) != 0) throw std::system_error(errno, std::generic_category(), name);
  return name;
}

void GiveToServerUser(const std::filesystem::path& path) {
  const std::optional<ServerUser> user = OtherServerUser();
  if (user && chown(path.c_str(), user->uid, user->gid) != 0)
    throw std::system_error(errno, std::generic_category(), path);
}

int FreePort() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  const bool found = bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
                     getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0;
  close(fd);
  if (!found) throw std::system_error(errno, std::generic_category(), "no free port");
  return ntohs(address.sin_port);
}

void Nap() { std::this_thread::sleep_for(std::chrono::milliseconds(10)); }

}  // namespace pgvalet::integration
