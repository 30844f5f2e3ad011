// Listening: a directory with its hubs, a fake server, and clients on stepped loops.
//
// Everything lives on the thread of the test, which turns the loops.
#pragma once

#include <gmock/gmock.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/log.h"
#include "fakes/fake_listen_server.h"
#include "fakes/stepped_loop.h"
#include "notify/subscriber.h"

namespace pgvalet::notify {

using fakes::FakeListenServer;
using fakes::SteppedLoop;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;
using Lines = std::vector<std::string>;

inline std::string UniqueName() {
  static std::atomic<int> next{0};
  return "@pgvalet-notify-" + std::to_string(getpid()) + "-" + std::to_string(next++);
}

inline std::string Describe(const Event& event) {
  if (const auto* one = std::get_if<Notification>(&event)) {
    return std::string(one->channel()) + "=" + std::string(one->payload());
  }
  if (const auto* refused = std::get_if<Refused>(&event)) {
    return "refused " + refused->error.sqlstate;
  }
  if (const auto* lost = std::get_if<Lost>(&event)) {
    return "lost " +
           (lost->error.sqlstate.empty() ? ErrorCodeName(lost->error.code) : lost->error.sqlstate);
  }
  if (std::holds_alternative<Subscribed>(event)) return "subscribed";
  return std::holds_alternative<Marked>(event) ? "marked" : "passed";
}

// A client with its lease, which listens for real; the test says when what the lease has is read.
class Client final : public EventSink {
 public:
  Client(Directory& directory, io::Loop& loop, const FakeListenServer& server,
         const std::string& user, const std::string& database)
      : subscriber(
            std::make_unique<Subscriber>(directory, loop, *this, pool::PoolKey{database, user})),
        server_(server) {}

  void OnEvent(const Event& event) override {
    got.push_back(Describe(event));
    if (const auto* subscribed = std::get_if<Subscribed>(&event)) {
      marker_channel = subscribed->marker_channel;
    }
    if (on_event) on_event(event);
  }
  Lines Take() { return std::exchange(got, {}); }

  // LISTEN on the lease.
  void LeaseListens(const std::string& channel) {
    if (lease_channels.empty()) lease_at_ = server_.log.size();
    lease_channels.insert(channel);
  }
  // What the lease has brought since is passed on, as far as it belongs to the client.
  void ReadLease() {
    for (; lease_at_ < server_.log.size(); ++lease_at_) {
      const auto& [pid, channel, payload] = server_.log[lease_at_];
      if (!lease_channels.contains(channel)) continue;
      if (subscriber->PassLeaseNotification(channel, payload)) {
        got.push_back("lease " + channel + "=" + payload);
      }
    }
  }

  std::unique_ptr<Subscriber> subscriber;
  Lines got;
  std::string marker_channel;
  std::set<std::string> lease_channels;
  std::function<void(const Event&)> on_event;

 private:
  const FakeListenServer& server_;
  std::size_t lease_at_ = 0;
};

struct ListeningTest : testing::Test {
  ListeningTest() {
    spdlog::set_level(spdlog::level::off);
    options.first_retry = options.last_retry = Duration::zero();
  }
  ~ListeningTest() override {
    if (directory) directory->Close();
    clients.clear();
  }

  config::SettingsPtr Settings() {
    config::Settings made;
    config::DatabaseSettings database;
    database.name = "*";
    database.hosts = {server->address()};
    made.databases["*"] = database;
    return std::make_shared<const config::Settings>(std::move(made));
  }
  Directory& directory_() {
    if (!directory) {
      pools.resolver = &resolver;
      pools.registry = &registry;
      directory = std::make_unique<Directory>(pools, hub_loop.loop, Settings(), options);
    }
    return *directory;
  }

  Client& NewClient(const std::string& user = "mia", const std::string& database = "shop") {
    return NewClientOn(client_loop, user, database);
  }
  Client& NewClientOn(SteppedLoop& loop, const std::string& user = "mia",
                      const std::string& database = "shop") {
    clients.push_back(std::make_unique<Client>(directory_(), loop.loop, *server, user, database));
    return *clients.back();
  }

  void Settle() {
    for (int i = 0; i < SteppedLoop::kSettleTurns; ++i) {
      hub_loop.Turn();
      client_loop.Turn();
      server_loop.Turn();
    }
  }
  // Up to the hub's answer.
  void Subscribe(Client& client, const std::vector<std::string>& channels) {
    for (const std::string& channel : channels) client.LeaseListens(channel);
    client.subscriber->Subscribe(channels);
    Settle();
  }
  // Both sides have the marker, but the client has not read the lease.
  void Mark(Client& client) {
    client.LeaseListens(client.marker_channel);
    client.subscriber->Mark();
    Settle();
  }
  // All of it; the lease goes back at its end.
  void Move(Client& client, const std::vector<std::string>& channels) {
    Subscribe(client, channels);
    Mark(client);
    client.ReadLease();
    Settle();
    client.lease_channels.clear();
    client.Take();
  }
  void Notify(const std::string& channel, const std::string& payload) {
    server->Notify(77, channel, payload);
  }
  FakeListenServer::Connection& connection(std::size_t index = 0) {
    return *server->connections.at(index);
  }
  std::int64_t Count(const Gauge& gauge) const { return gauge.value(); }
  const Counters& counters() const { return *directory->counters(); }

  SteppedLoop hub_loop;
  SteppedLoop client_loop;
  SteppedLoop server_loop;
  io::Resolver resolver;
  stats::Registry registry;
  pool::Shared pools;
  std::unique_ptr<FakeListenServer> server =
      std::make_unique<FakeListenServer>(server_loop.loop, UniqueName());
  Options options;
  std::unique_ptr<Directory> directory;
  std::vector<std::unique_ptr<Client>> clients;
};

}  // namespace pgvalet::notify
