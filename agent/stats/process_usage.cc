#include "stats/process_usage.h"

#include <dirent.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include <fstream>
#include <memory>

namespace pgvalet::stats {
namespace {

std::int64_t Microseconds(const timeval& time) {
  return std::int64_t{time.tv_sec} * 1'000'000 + time.tv_usec;
}

std::int64_t ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  std::int64_t size_pages = 0;
  std::int64_t resident_pages = 0;
  if (!(statm >> size_pages >> resident_pages)) return 0;
  return resident_pages * ::sysconf(_SC_PAGESIZE);
}

std::int64_t OpenFds() {
  constexpr const char* kFolder = "/proc/self/fd";
  struct stat folder {};
  // Since Linux 6.2 the size of this folder is the number of descriptors.
  if (::stat(kFolder, &folder) == 0 && folder.st_size > 0) return folder.st_size;

  const std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir(kFolder), &::closedir);
  if (!dir) return 0;
  std::int64_t entries = 0;
  while (::readdir(dir.get()) != nullptr) ++entries;
  return entries - 3;  // ".", ".." and the descriptor this loop reads from
}

}  // namespace

ProcessUsage ReadProcessUsage() {
  ProcessUsage usage;
  usage.resident_bytes = ResidentBytes();
  usage.open_fds = OpenFds();
  if (rlimit limit{}; ::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    usage.max_fds = static_cast<std::int64_t>(limit.rlim_cur);
  }
  if (rusage used{}; ::getrusage(RUSAGE_SELF, &used) == 0) {
    usage.cpu_user_us = Microseconds(used.ru_utime);
    usage.cpu_system_us = Microseconds(used.ru_stime);
  }
  return usage;
}

}  // namespace pgvalet::stats
