#include "sampler/target.h"

#include <gtest/gtest.h>

namespace pgvalet::sampler {
namespace {

using namespace std::chrono_literals;

struct TargetTest : testing::Test {
  config::DatabaseSettings& Add(const std::string& name, const std::string& host) {
    config::DatabaseSettings& entry = settings.databases[name];
    entry.name = name;
    entry.hosts = {{host, 5432}};
    return entry;
  }
  config::Settings settings;
};

TEST_F(TargetTest, TakesTheFirstNamedDatabase) {
  Add("*", "fallback");
  Add("shop", "shophost").dbname = "shop_live";
  Add("zoo", "zoohost");

  const Target target = TargetOf(settings, nullptr);

  EXPECT_EQ(target.dbname, "shop_live");
  ASSERT_EQ(target.addresses.size(), 1u);
  EXPECT_EQ(target.addresses[0].host, "shophost");
}

TEST_F(TargetTest, TakesPostgresWhenThereIsOnlyTheFallback) {
  Add("*", "fallback");

  const Target target = TargetOf(settings, nullptr);

  EXPECT_EQ(target.dbname, "postgres");
  EXPECT_EQ(target.addresses[0].host, "fallback");
}

TEST_F(TargetTest, AnEmptyConfigurationLeavesTheServerToLibpq) {
  const Target target = TargetOf(settings, nullptr);

  EXPECT_EQ(target.dbname, "postgres");
  EXPECT_TRUE(target.addresses.empty());
  EXPECT_EQ(target.user, "");
}

TEST_F(TargetTest, TheSettingWinsAndFindsItsServerByServerSideName) {
  Add("a", "ahost");
  Add("shop", "shophost").dbname = "shop_live";
  settings.sampler_dbname = "shop_live";

  const Target target = TargetOf(settings, nullptr);

  EXPECT_EQ(target.dbname, "shop_live");
  EXPECT_EQ(target.addresses[0].host, "shophost");
}

TEST_F(TargetTest, ADatabaseThatNoEntryNamesIsLookedForAtTheFallback) {
  Add("*", "fallback");
  Add("a", "ahost");
  settings.sampler_dbname = "monitoring";

  const Target target = TargetOf(settings, nullptr);

  EXPECT_EQ(target.dbname, "monitoring");
  EXPECT_EQ(target.addresses[0].host, "fallback");
}

TEST_F(TargetTest, PassesEveryHostOn) {
  Add("a", "one").hosts = {{"one", 5432}, {"two", 5433}};

  const Target target = TargetOf(settings, nullptr);

  const std::vector<Address> wanted = {{"one", 5432}, {"two", 5433}};
  EXPECT_EQ(target.addresses, wanted);
}

TEST_F(TargetTest, TheUserIsTheSettingElseAuthUserElseTheUserOfTheEntry) {
  config::DatabaseSettings& entry = Add("a", "ahost");
  entry.user = "owner";
  EXPECT_EQ(TargetOf(settings, nullptr).user, "owner");
  settings.auth_user = "global_auth";
  EXPECT_EQ(TargetOf(settings, nullptr).user, "global_auth");
  entry.auth_user = "entry_auth";
  EXPECT_EQ(TargetOf(settings, nullptr).user, "entry_auth");
  settings.sampler_user = "watcher";
  EXPECT_EQ(TargetOf(settings, nullptr).user, "watcher");
}

TEST_F(TargetTest, ThePasswordOfAnotherUserIsNotUsed) {
  config::DatabaseSettings& entry = Add("a", "ahost");
  entry.user = "owner";
  entry.password = "owners";
  settings.sampler_user = "watcher";

  EXPECT_EQ(TargetOf(settings, nullptr).password, "");

  settings.sampler_user = "owner";
  EXPECT_EQ(TargetOf(settings, nullptr).password, "owners");
}

TEST_F(TargetTest, ThePasswordComesFromAuthFileWhenNoSettingHasOne) {
  Add("a", "ahost");
  settings.sampler_user = "watcher";
  const PasswordLookup lookup = [](std::string_view user) { return std::string(user) + "-secret"; };

  EXPECT_EQ(TargetOf(settings, lookup).password, "watcher-secret");
  settings.sampler_password = "given";
  EXPECT_EQ(TargetOf(settings, lookup).password, "given");
}

TEST_F(TargetTest, PausesAreNeverShorterThanTheInterval) {
  settings.sampler_interval = 60s;
  settings.server_login_retry = 15s;
  settings.server_connect_timeout = Duration::zero();

  const Target target = TargetOf(settings, nullptr);

  EXPECT_EQ(target.longest_pause, 60s);
  EXPECT_GT(target.connect_timeout, Duration::zero());
}

}  // namespace
}  // namespace pgvalet::sampler
