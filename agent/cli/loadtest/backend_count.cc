#include "cli/loadtest/backend_count.h"

#include <cstdlib>
#include <utility>

namespace pgvalet::cli::loadtest {
namespace {

using namespace std::chrono_literals;

// Names of other roles' programs are hidden from most roles, their databases are not.
constexpr const char* kCount =
    "SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity"
    " WHERE datname = pg_catalog.current_database() AND pid <> pg_catalog.pg_backend_pid()";

}  // namespace

BackendCount::BackendCount(const ConnectionParameters& parameters, Duration timeout)
    : timeout_(timeout) {
  if (Result<Postgres> connection = Postgres::Open(parameters, timeout))
    connection_.emplace(std::move(*connection));
  Restart();
  thread_ = std::thread([this] { Run(); });
}

BackendCount::~BackendCount() {
  {
    std::lock_guard lock(mutex_);
    stop_ = true;
  }
  stopped_.notify_all();
  thread_.join();
}

void BackendCount::Restart() {
  before_ = Ask();
  highest_ = before_;
}

std::int64_t BackendCount::Ask() {
  std::lock_guard lock(asking_);
  if (!connection_) return -1;
  const auto rows = connection_->Query(kCount, timeout_);
  if (rows && !rows->empty()) return std::atoll(rows->front().front().c_str());
  connection_.reset();
  return -1;
}

void BackendCount::Run() {
  std::unique_lock lock(mutex_);
  while (!stopped_.wait_for(lock, 100ms, [this] { return stop_; })) {
    lock.unlock();
    const std::int64_t now = Ask();
    if (now > highest_.load()) highest_ = now;
    lock.lock();
  }
}

}  // namespace pgvalet::cli::loadtest
