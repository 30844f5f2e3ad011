#include "cli/loadtest/load_run.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

namespace pgvalet::cli::loadtest {
namespace {

using namespace std::chrono_literals;

constexpr auto kTick = 50ms;        // between two looks at progress and deadlines
constexpr auto kNoticeable = 10ms;  // a request that begins later than that is late
constexpr std::uint64_t kWake = ~0ULL;

bool IsCopy(ExecStatusType status) {
  return status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH;
}

bool IsFine(ExecStatusType status) {
  return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK || status == PGRES_EMPTY_QUERY;
}

}  // namespace

LoadRun::LoadRun(const LoadPlan& plan, ConnectionParameters parameters)
    : plan_(plan),
      parameters_(std::move(parameters)),
      statements_(StatementsOf(plan)),
      epoll_fd_(epoll_create1(EPOLL_CLOEXEC)),
      clients_(static_cast<std::size_t>(plan.clients)) {
  for (std::size_t i = clients_.size(); i > 0; --i) free_.push_back(i - 1);
}

LoadRun::~LoadRun() {
  if (epoll_fd_ >= 0) close(epoll_fd_);
}

RunResult LoadRun::Run(int wake_fd, const Continue& go_on) {
  epoll_event wake{};
  wake.events = EPOLLIN;
  wake.data.u64 = kWake;
  epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, wake_fd, &wake);
  start_ = Clock::now();
  Time next_tick = start_;
  RunResult result;
  for (Time now = start_; !Done(); now = Clock::now()) {
    BeginWhatIsDue(now);
    std::array<epoll_event, 256> events;
    const int count = epoll_wait(epoll_fd_, events.data(), events.size(), WaitMilliseconds(now));
    for (int i = 0; i < count; ++i) {
      const std::uint64_t index = events[static_cast<std::size_t>(i)].data.u64;
      if (index == kWake)
        next_tick = Time{};
      else
        Handle(index);
    }
    now = Clock::now();
    if (now < next_tick) continue;
    next_tick = now + kTick;
    EndWhatIsTooSlow(now);
    if (go_on(tally_, Since(start_, now))) continue;
    result.interrupted = true;
    break;
  }
  result.elapsed = Since(start_, Clock::now());
  if (!result.interrupted && begun_ < plan_.requests)
    tally_.Failed(Error{ErrorCode::kLimit, "never began: all clients were busy to the end"},
                  plan_.requests - begun_);
  result.tally = std::move(tally_);
  return result;
}

bool LoadRun::Done() const {
  return (is_over_ || begun_ == plan_.requests) && free_.size() == clients_.size();
}

int LoadRun::WaitMilliseconds(Time now) const {
  Time until = now + kTick;
  if (!is_over_ && begun_ < plan_.requests && !free_.empty())
    until = std::min<Time>(until, start_ + DueAfter(plan_, begun_));
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - now).count();
  return static_cast<int>(std::max<std::int64_t>(left, 0));
}

void LoadRun::BeginWhatIsDue(Time now) {
  if (is_over_) return;
  // What finds no free client until the end does not begin any more.
  is_over_ = now >= start_ + plan_.duration;
  while (begun_ < plan_.requests && !free_.empty()) {
    const Time due = start_ + DueAfter(plan_, begun_);
    if (due > now) return;
    ++begun_;
    if (now - due > kNoticeable) tally_.Late();
    const std::size_t index = free_.back();
    free_.pop_back();
    Begin(index, due, now);
  }
}

void LoadRun::Begin(std::size_t index, Time due, Time now) {
  Client& client = clients_[index];
  client.due = due;
  client.deadline = now + plan_.request_timeout;
  client.statement = 0;
  client.failed = false;
  if (client.connection != nullptr) return Ask(index);
  client.connection = StartConnection(parameters_);
  client.phase = Phase::kConnecting;
  if (client.connection == nullptr) return Fail(index, Error{ErrorCode::kLimit, "out of memory"});
  if (PQstatus(client.connection.get()) == CONNECTION_BAD)
    return Fail(index, SaidBy(PQerrorMessage(client.connection.get())));
  Connect(index, PGRES_POLLING_WRITING);
}

void LoadRun::Connect(std::size_t index, PostgresPollingStatusType next) {
  Client& client = clients_[index];
  switch (next) {
    case PGRES_POLLING_OK:
      PQsetnonblocking(client.connection.get(), 1);
      return Ask(index);
    case PGRES_POLLING_READING:
    case PGRES_POLLING_WRITING:
      if (!Watch(index, next == PGRES_POLLING_READING ? EPOLLIN : EPOLLOUT))
        Fail(index, Error{ErrorCode::kIo, "no socket"});
      return;
    default:
      return Fail(index, SaidBy(PQerrorMessage(client.connection.get())));
  }
}

void LoadRun::Ask(std::size_t index) {
  Client& client = clients_[index];
  client.phase = Phase::kAsking;
  PGconn* const connection = client.connection.get();
  if (PQsendQuery(connection, statements_[client.statement].c_str()) == 0)
    return Fail(index, SaidBy(PQerrorMessage(connection)));
  const bool unsent = PQflush(connection) > 0;
  if (!Watch(index, EPOLLIN | (unsent ? EPOLLOUT : 0U)))
    Fail(index, Error{ErrorCode::kIo, "no socket"});
}

void LoadRun::Handle(std::size_t index) {
  Client& client = clients_[index];
  if (client.connection == nullptr) return;  // ended by an earlier event of this round
  switch (client.phase) {
    case Phase::kFree:  // the other side says something, or goodbye
      if (PQconsumeInput(client.connection.get()) == 0) client.connection.reset();
      return;
    case Phase::kConnecting:
      return Connect(index, PQconnectPoll(client.connection.get()));
    case Phase::kAsking:
      return Read(index);
  }
}

void LoadRun::Read(std::size_t index) {
  Client& client = clients_[index];
  PGconn* const connection = client.connection.get();
  const int unsent = PQflush(connection);
  if (unsent < 0 || PQconsumeInput(connection) == 0)
    return Fail(index, SaidBy(PQerrorMessage(connection)));
  if (unsent == 0) Watch(index, EPOLLIN);
  while (PQisBusy(connection) == 0) {
    const ResultPtr result(PQgetResult(connection));
    if (result == nullptr) return StatementIsDone(index);
    if (!Take(client, result.get())) return Fail(index, client.error);
  }
}

bool LoadRun::Take(Client& client, const PGresult* result) {
  const ExecStatusType status = PQresultStatus(result);
  if (IsFine(status)) return true;
  if (!client.failed) {
    client.failed = true;
    client.error = IsCopy(status) ? Error{ErrorCode::kLimit, "COPY is no query for a load test"}
                                  : SaidBy(PQresultErrorMessage(result));
  }
  return !IsCopy(status) && PQstatus(client.connection.get()) == CONNECTION_OK;
}

void LoadRun::StatementIsDone(std::size_t index) {
  Client& client = clients_[index];
  if (client.failed) return Fail(index, client.error);
  if (++client.statement < statements_.size()) return Ask(index);
  tally_.Succeeded(Since(client.due, Clock::now()));
  Finish(index, plan_.script != Script::kConnect);
}

void LoadRun::Fail(std::size_t index, const Error& error) {
  tally_.Failed(error);
  // Only a plain query leaves its connection as it was.
  const Client& client = clients_[index];
  const bool usable = client.phase == Phase::kAsking && client.failed &&
                      plan_.script == Script::kQuery &&
                      PQstatus(client.connection.get()) == CONNECTION_OK &&
                      PQtransactionStatus(client.connection.get()) == PQTRANS_IDLE;
  Finish(index, usable);
}

void LoadRun::Finish(std::size_t index, bool keep) {
  Client& client = clients_[index];
  client.phase = Phase::kFree;
  if (!keep) client.connection.reset();
  free_.push_back(index);
}

bool LoadRun::Watch(std::size_t index, std::uint32_t events) {
  const int fd = PQsocket(clients_[index].connection.get());
  if (fd < 0) return false;
  epoll_event event{};
  event.events = events;
  event.data.u64 = index;
  // libpq may have closed its socket and opened another: then the old one is gone from the set.
  if (epoll_ctl(epoll_fd_, EPOLL_CTL_MOD, fd, &event) == 0) return true;
  return errno == ENOENT && epoll_ctl(epoll_fd_, EPOLL_CTL_ADD, fd, &event) == 0;
}

void LoadRun::EndWhatIsTooSlow(Time now) {
  for (std::size_t index = 0; index < clients_.size(); ++index) {
    Client& client = clients_[index];
    if (client.phase == Phase::kFree || now < client.deadline) continue;
    client.failed = false;  // its connection is of no use
    Fail(index, Error{ErrorCode::kTimeout, client.phase == Phase::kConnecting
                                               ? "no login within the time for a request"
                                               : "no answer within the time for a request"});
  }
}

}  // namespace pgvalet::cli::loadtest
