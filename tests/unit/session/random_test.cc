// Random clients share few servers, and bytes are cut anywhere: each client sees what it would see
// with a server of its own.
#include <random>

#include "house.h"

namespace pgvalet::session {
namespace {

// Requests of one client, each up to where the server has answered all.
std::string RandomRequest(std::mt19937& random) {
  static const std::vector<std::string> kSql = {"select 1", "select 3", "fail",  "begin",
                                                "commit",   "rollback", "defer", "copy out",
                                                "update",   "",         "notice"};
  static const std::vector<std::string> kNames = {"", "a", "b", "c"};
  const auto pick = [&random](const auto& from) { return from[random() % from.size()]; };
  const auto extended = [&] {
    std::string request;
    const std::string name = pick(kNames);
    if (random() % 2 == 0) request += Parse(name, random() % 8 == 0 ? "bad" : pick(kSql));
    if (random() % 3 == 0) request += DescribeStatement(name);
    if (random() % 4 != 0) request += Bind(name, random() % 50) + Execute();
    if (random() % 5 == 0) request += CloseStatement(name);
    if (random() % 8 == 0) request += Query("select 1");
    if (random() % 8 == 0) request += Flush();
    return request;
  };
  switch (random() % 9) {
    case 0:
      return Query(pick(kSql));
    case 1:
      return Query(pick(kSql) + "; " + pick(kSql));
    case 2:
      return Query("deallocate " + pick(kNames));
    case 3:
      return Query("copy in") + CopyData(random() % 3 == 0 ? "bad" : "row") + CopyDone();
    case 4:
      return random() % 3 == 0 ? Query(random() % 2 == 0 ? "deallocate all" : "discard all")
                               : FunctionCall();
    default: {
      std::string request = extended();
      while (random() % 2 == 0) request += (random() % 3 == 0 ? Sync() : "") + extended();
      return request + Sync();
    }
  }
}

struct Player {
  FakeClient client;
  std::vector<std::string> requests;
  std::string wanted{};
  std::string left{};  // of the request that is being sent
  std::string got{};
  std::size_t next = 0;
};

// What a server of its own would say.
std::string AnswersWithoutPooler(const std::vector<std::string>& requests) {
  FakeBackend backend;
  for (const std::string& request : requests) backend.Take(request);
  return Describe(backend.TakeAnswers());
}

std::vector<std::string> RandomRequests(std::mt19937& random) {
  std::vector<std::string> requests;
  for (std::size_t n = 1 + random() % 8; n > 0; --n) requests.push_back(RandomRequest(random));
  // An open transaction would keep others waiting.
  requests.push_back(Sync() + Query("rollback"));
  return requests;
}

void Play(std::mt19937& random, House& house, std::vector<Player>& players) {
  bool busy = true;
  while (busy) {
    busy = false;
    for (Player& player : players) {
      if (player.left.empty() && player.next < player.requests.size()) {
        player.left = player.requests[player.next++];
      }
      if (player.left.empty()) continue;
      busy = true;
      const std::size_t part = 1 + random() % player.left.size();
      player.left.erase(0, player.client.Send(player.left.substr(0, part)));
      if (random() % 2 == 0) house.TurnOnce();
      player.got += player.client.Receive();
    }
  }
  for (int i = 0; i < 60; ++i) house.Settle();
  for (Player& player : players) player.got += player.client.Receive();
}

TEST(RandomSessionTest, SeesWhatItWouldSeeWithoutAPooler) {
  for (unsigned seed = 0; seed < 150 && !testing::Test::HasFailure(); ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::mt19937 random(seed);
    House house([&](config::Settings& settings) {
      settings.default_pool_size = 1 + static_cast<int>(random() % 2);
      settings.max_prepared_statements = 1 + static_cast<int>(random() % 3);
    });
    std::vector<Player> players;
    for (std::size_t n = 1 + random() % 3; n > 0; --n) {
      players.push_back({house.Connect(), RandomRequests(random)});
      players.back().wanted = AnswersWithoutPooler(players.back().requests);
    }
    if (random() % 2 == 0 && !house.server->connections.empty()) {
      house.connection(0).SendInPieces(1 + random() % 40);
    }

    Play(random, house, players);

    for (const Player& player : players) EXPECT_EQ(Describe(player.got), player.wanted);
    EXPECT_EQ(house.pool().counters().servers_active.value(), 0);
    EXPECT_EQ(house.pool().counters().clients_waiting.value(), 0);
    EXPECT_LE(house.server->open(), 2u);
  }
}

}  // namespace
}  // namespace pgvalet::session
