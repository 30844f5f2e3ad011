#include "fakes/fake_listen_server.h"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "wire/body_reader.h"
#include "wire/message_builder.h"
#include "wire/startup.h"

namespace pgvalet::fakes {
namespace {

// Takes a quoted name from the front of `sql`.
std::string TakeName(std::string_view& sql) {
  std::string name;
  sql.remove_prefix(sql.find('"') + 1);
  while (!sql.empty()) {
    const char c = sql.front();
    sql.remove_prefix(1);
    if (c == '"') {
      if (sql.empty() || sql.front() != '"') break;
      sql.remove_prefix(1);
    }
    name += c;
  }
  return name;
}

std::string TakeLiteral(std::string_view& sql) {
  sql.remove_prefix(sql.find('\'') + 1);
  std::string text(sql.substr(0, sql.find('\'')));
  sql.remove_prefix(text.size() + 1);
  return text;
}

void AppendNotification(std::string& out, const FakeListenServer::Sent& sent) {
  const std::size_t mark = wire::BeginMessage(out, wire::server::kNotificationResponse);
  wire::AppendU32(out, sent.pid);
  wire::AppendString(out, sent.channel);
  wire::AppendString(out, sent.payload);
  wire::EndMessage(out, mark);
}

}  // namespace

FakeListenServer::FakeListenServer(io::Loop& loop, std::string name)
    : loop_(loop), name_(std::move(name)) {
  const auto at = io::Address::ForUnixDirectory(name_, kPort);
  auto socket = io::ListenSocket::Open(*at, {});
  if (!socket) std::abort();
  socket_ = std::make_unique<io::ListenSocket>(std::move(*socket));
  acceptor_ =
      std::make_unique<io::Acceptor>(loop_, *socket_, [this](int fd, const io::Address& /*peer*/) {
        connections.push_back(std::make_unique<Connection>(*this, fd, next_pid_++));
      });
}

void FakeListenServer::Notify(std::uint32_t pid, const std::string& channel,
                              const std::string& payload) {
  log.push_back({pid, channel, payload});
  std::string out;
  AppendNotification(out, log.back());
  for (const auto& connection : connections) {
    if (!connection->gone() && connection->channels_.contains(channel)) connection->SendRaw(out);
  }
}

std::size_t FakeListenServer::open() const {
  return static_cast<std::size_t>(std::count_if(connections.begin(), connections.end(),
                                                [](const auto& one) { return !one->gone(); }));
}

FakeListenServer::Connection::Connection(FakeListenServer& server, int fd, std::uint32_t pid)
    : server_(server), stream_(std::make_unique<io::Stream>(server.loop_, fd, *this)), pid_(pid) {}

std::vector<std::string> FakeListenServer::Connection::TakeSeen() {
  return std::exchange(seen_, {});
}

void FakeListenServer::Connection::Terminate(std::string_view sqlstate) {
  std::string out;
  wire::AppendErrorResponse(out, {"FATAL", sqlstate, "terminating connection"});
  SendRaw(out);
  Close();
}

void FakeListenServer::Connection::SendRaw(std::string_view bytes) {
  [[maybe_unused]] const auto sent = stream_->Send(bytes);
}

void FakeListenServer::Connection::Release() {
  held_ = false;
  OnReadable();
}

void FakeListenServer::Connection::OnReadable() {
  while (stream_ && !held_ && stream_->readable()) {
    const auto got = stream_->Receive();
    if (!got) return Close();
    if (got->empty()) break;
    input_.append(wire::AsText(*got));
  }
  TakeInput();
}

void FakeListenServer::Connection::TakeInput() {
  if (!logged_in_) {
    const auto length = wire::StartupLength(wire::AsBytes(input_));
    if (!length || *length == 0 || input_.size() < *length) return;
    startup_ = input_.substr(8, *length - 8);
    input_.erase(0, *length);
    LogIn();
  }
  while (stream_ && input_.size() >= wire::kHeaderBytes) {
    const wire::Header header = wire::LoadHeader(wire::AsBytes(input_).data());
    if (input_.size() < header.total()) return;
    const std::string body = input_.substr(wire::kHeaderBytes, header.body());
    input_.erase(0, header.total());
    if (header.type == wire::client::kTerminate) return Close();
    Run(body.substr(0, body.find('\0')));
  }
}

void FakeListenServer::Connection::LogIn() {
  logged_in_ = true;
  if (server_.refuse_sqlstate) return Terminate(*server_.refuse_sqlstate);
  std::string out;
  wire::AppendAuthenticationOk(out);
  wire::AppendBackendKeyData(out, pid_, "secret");
  wire::AppendReadyForQuery(out, wire::TxStatus::kIdle);
  SendRaw(out);
}

void FakeListenServer::Connection::Run(const std::string& sql) {
  if (!sql.starts_with("SELECT")) seen_.push_back(sql);
  std::string_view rest = sql;
  std::optional<std::string> failure;
  if (sql.starts_with("LISTEN")) {
    const std::string name = TakeName(rest);
    const auto& fails = server_.fail_listen;
    const auto found = fails.contains("*") ? fails.find("*") : fails.find(name);
    if (found != fails.end()) {
      failure = found->second;
    } else {
      channels_.insert(name);
    }
  } else if (sql.starts_with("UNLISTEN")) {
    channels_.erase(TakeName(rest));
  } else if (sql.starts_with("NOTIFY") && server_.fail_notify) {
    failure = server_.fail_notify;
  } else {
    while (rest.starts_with("NOTIFY")) {
      const std::string channel = TakeName(rest);
      server_.Notify(pid_, channel, TakeLiteral(rest));
      if (rest.starts_with(";")) rest.remove_prefix(1);
    }
  }
  std::string out;
  if (failure) {
    wire::AppendErrorResponse(out, {"ERROR", *failure, "no"});
  } else {
    wire::AppendMessage(out, wire::server::kCommandComplete,
                        wire::AsBytes(std::string_view("OK\0", 3)));
  }
  wire::AppendReadyForQuery(out, wire::TxStatus::kIdle);
  SendRaw(out);
}

}  // namespace pgvalet::fakes
