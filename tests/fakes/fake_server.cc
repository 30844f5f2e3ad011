#include "fakes/fake_server.h"

#include <algorithm>
#include <cstdlib>

#include "wire/message_builder.h"
#include "wire/startup.h"

namespace pgvalet::fakes {
namespace {

std::string SecretOf(std::uint32_t pid) {
  std::string secret;
  wire::AppendU32(secret, pid * 7919);
  return secret;
}

}  // namespace

FakeServer::FakeServer(io::Loop& loop, std::string name) : loop_(loop), name_(std::move(name)) {
  const auto at = io::Address::ForUnixDirectory(name_, kPort);
  auto socket = io::ListenSocket::Open(*at, {});
  if (!socket) std::abort();
  socket_ = std::make_unique<io::ListenSocket>(std::move(*socket));
  acceptor_ =
      std::make_unique<io::Acceptor>(loop_, *socket_, [this](int fd, const io::Address& /*peer*/) {
        connections.push_back(std::make_unique<Connection>(*this, fd, next_pid_++));
      });
}

std::size_t FakeServer::open() const {
  return static_cast<std::size_t>(std::count_if(connections.begin(), connections.end(),
                                                [](const auto& one) { return !one->gone(); }));
}

void FakeServer::ReleaseCancels() {
  hold_cancels_ = false;
  for (auto& stranger : strangers_) stranger->Close();
}

void FakeServer::SendPieces() {
  for (auto& connection : connections) {
    if (connection->piece_ > 0) connection->Speak();
  }
}

void FakeServer::OnStartup(Connection& connection) {
  const auto packet = wire::ParseStartup(wire::AsBytes(connection.startup_));
  if (!packet) return connection.Close();
  if (packet->kind == wire::StartupKind::kStartup) return connection.LogIn();
  for (const auto& other : connections) {
    if (other->pid_ != packet->cancel_pid || SecretOf(other->pid_) != packet->cancel_secret) {
      continue;
    }
    cancels.push_back(other->pid_);
    other->backend.Wake(/*canceled=*/true);
    other->Speak();
  }
  // Not a connection of a session: out of the list, as its handler is on the stack not destroyed.
  const auto found = std::find_if(connections.begin(), connections.end(),
                                  [&](const auto& one) { return one.get() == &connection; });
  strangers_.push_back(std::move(*found));
  connections.erase(found);
  if (!hold_cancels_) connection.Close();
}

FakeServer::Connection::Connection(FakeServer& server, int fd, std::uint32_t pid)
    : server_(server), stream_(std::make_unique<io::Stream>(server.loop_, fd, *this)), pid_(pid) {}

void FakeServer::Connection::Close() {
  gone_ = true;
  stream_.reset();
}

void FakeServer::Connection::SendRaw(std::string_view bytes) {
  [[maybe_unused]] const auto sent = stream_->Send(bytes);
}

void FakeServer::Connection::Release() {
  held_ = false;
  OnReadable();
}

void FakeServer::Connection::LogIn() {
  logged_in_ = true;
  std::string out;
  if (server_.refuse_sqlstate) {
    wire::AppendErrorResponse(out, {"FATAL", *server_.refuse_sqlstate, "not today"});
    SendRaw(out);
    return Close();
  }
  wire::AppendAuthenticationOk(out);
  wire::AppendParameterStatus(out, "server_version", "15.7");
  wire::AppendParameterStatus(out, "TimeZone", "UTC");
  wire::AppendParameterStatus(out, "application_name", "");
  wire::AppendBackendKeyData(out, pid_, SecretOf(pid_));
  if (server_.with_extension) out += backend.PreloadExtension();
  wire::AppendReadyForQuery(out, wire::TxStatus::kIdle);
  SendRaw(out);
}

void FakeServer::Connection::Speak() {
  if (!stream_ || held_) return;
  unsent_ += backend.TakeAnswers();
  if (stream_->blocked()) return;
  const std::size_t now = piece_ > 0 ? std::min(piece_, unsent_.size()) : unsent_.size();
  if (now > 0) SendRaw(std::string_view(unsent_).substr(0, now));
  unsent_.erase(0, now);
  if (backend.terminated() && unsent_.empty()) Close();
}

void FakeServer::Connection::OnReadable() {
  while (stream_ && !held_ && stream_->readable()) {
    const auto got = stream_->Receive();
    if (!got) return Close();
    if (got->empty()) return;
    const std::string bytes(reinterpret_cast<const char*>(got->data()), got->size());
    if (!logged_in_) {
      startup_ += bytes;
      const auto length = wire::StartupLength(wire::AsBytes(startup_));
      if (length && *length > 0 && startup_.size() >= *length) return server_.OnStartup(*this);
    } else {
      backend.Take(bytes);
      Speak();
    }
  }
}

}  // namespace pgvalet::fakes
