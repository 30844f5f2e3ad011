// House: one or more cores with their sessions and pools, a fake server, and clients.
//
// Everything lives on the thread of the test, which turns the loops.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/log.h"
#include "fakes/client_messages.h"
#include "fakes/fake_client.h"
#include "fakes/fake_server.h"
#include "fakes/stepped_loop.h"
#include "session/context.h"

namespace pgvalet::session {

using namespace fakes;  // NOLINT: what these tests speak

inline std::string UniqueName() {
  static std::atomic<int> next{0};
  return "@pgvalet-test-" + std::to_string(getpid()) + "-" + std::to_string(next++);
}

class House {
 public:
  using Change = std::function<void(config::Settings&)>;

  explicit House(const Change& change = {}, int cores = 1) {
    spdlog::set_level(spdlog::level::off);
    for (int i = 0; i < cores; ++i) loops.push_back(std::make_unique<SteppedLoop>());
    server = std::make_unique<FakeServer>(server_loop.loop, UniqueName());
    settings = MakeSettings(change);
    pools.registry = &registry;
    pools.resolver = &resolver;
    pools.agent_name = "pgvaletd/test";
    shared.pools = &pools;
    shared.verifiers = auth::VerifierCache::Create().value();
    for (int i = 0; i < cores; ++i) {
      contexts.push_back(std::make_unique<SessionContext>(
          shared, loops[static_cast<std::size_t>(i)]->loop, i, settings,
          std::make_shared<const auth::UserDirectory>()));
      shared.cores.push_back(contexts.back().get());
      pools.siblings.push_back(&contexts.back()->pools());
    }
  }

  config::SettingsPtr MakeSettings(const Change& change) {
    config::Settings made;
    made.auth_type = config::AuthType::kTrust;
    made.log_connections = made.log_disconnections = made.log_pooler_errors = false;
    made.default_pool_size = 1;
    // Fake servers have no extension, and no catalog that could be asked instead.
    made.without_extension = config::WithoutExtension::kIgnore;
    made.query_wait_timeout = std::chrono::seconds(100);
    config::DatabaseSettings database;
    database.name = "*";
    database.hosts = {server->address()};
    made.databases["*"] = database;
    if (change) change(made);
    return std::make_shared<const config::Settings>(std::move(made));
  }

  SessionContext& context(std::size_t core = 0) { return *contexts[core]; }
  pool::Pool& pool(std::size_t core = 0) { return *context(core).pools().Find({"shop", "mia"}); }

  void TurnOnce() {
    for (auto& loop : loops) loop->Turn();
    server_loop.Turn();
    server->SendPieces();
  }
  void Settle() {
    for (int i = 0; i < SteppedLoop::kSettleTurns; ++i) {
      TurnOnce();
    }
  }
  // Time that has passed, as the pools and sessions see it.
  void Tick(Duration from_now) {
    for (auto& one : contexts) one->Tick(one->loop().now() + from_now);
    Settle();
  }

  // A client that is let in, with its welcome read.
  FakeClient Connect(std::string_view options = {}, std::size_t core = 0) {
    FakeClient client = ConnectOnly(Startup("mia", "shop", options), core);
    const std::string welcome = client.Answers();
    EXPECT_TRUE(welcome.ends_with(" K Z:I")) << welcome;
    return client;
  }
  FakeClient ConnectOnly(std::string_view startup, std::size_t core = 0, int buffer_bytes = 0) {
    FakeClient client(buffer_bytes);
    io::Address peer;
    peer.storage.ss_family = AF_UNIX;
    peer.length = sizeof(sa_family_t);
    context(core).Accept(client.TakeAgentFd(), peer);
    client.Send(startup);
    Settle();
    return client;
  }
  // Sends, and returns what comes back.
  std::string Ask(FakeClient& client, std::string_view bytes) {
    client.Send(bytes);
    Settle();
    return client.Answers();
  }
  FakeServer::Connection& connection(std::size_t index) { return server->connection(index); }
  std::vector<std::string> Seen(std::size_t index) { return connection(index).TakeSeen(); }

  stats::Registry registry;
  io::Resolver resolver;
  pool::Shared pools;
  SessionShared shared;
  std::vector<std::unique_ptr<SteppedLoop>> loops;
  SteppedLoop server_loop;
  std::unique_ptr<FakeServer> server;
  config::SettingsPtr settings;
  std::vector<std::unique_ptr<SessionContext>> contexts;
};

using Lines = std::vector<std::string>;

}  // namespace pgvalet::session
