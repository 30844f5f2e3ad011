#include "config/login.h"

#include "loading.h"

namespace pgvalet::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::Pair;

TEST(LoginTest, AUriIsADatabaseAndAFallbackOnTheSameServer) {
  const Loaded loaded = Loading().Uri("postgres://u:p@h:5433/db?pool_size=3").Good();

  const DatabaseSettings* named = loaded.settings->FindDatabase("db");
  ASSERT_NE(named, nullptr);
  EXPECT_EQ(named->name, "db");
  EXPECT_EQ(named->dbname, "db");
  EXPECT_EQ(named->hosts[0].host, "h");
  EXPECT_EQ(named->hosts[0].port, 5433);
  EXPECT_EQ(named->user, "u");
  EXPECT_EQ(named->pool_size, 3);
  const DatabaseSettings* other = loaded.settings->FindDatabase("other");
  ASSERT_NE(other, nullptr);
  EXPECT_EQ(other->name, "*");
  EXPECT_EQ(other->dbname, "");
  EXPECT_EQ(other->user, "u");
  EXPECT_EQ(loaded.sources.at("databases.db"), "command line");
}

TEST(LoginTest, AUriWithoutDatabaseNamesTheUsersOwn) {
  const Loaded loaded = Loading().Uri("postgres://u:p@h").Good();

  EXPECT_EQ(loaded.settings->databases.at("u").dbname, "u");
}

TEST(LoginTest, AUriWithPasswordLetsItsUserInByThatPassword) {
  const Loaded loaded = Loading().Uri("postgres://u:p@h/db").Set("listen_addr", "*").Good();

  EXPECT_EQ(loaded.settings->auth_type, AuthType::kScramSha256);
  EXPECT_THAT(loaded.settings->inline_users, ElementsAre(Pair("u", "p")));
  EXPECT_EQ(loaded.settings->databases.at("db").password, "p");
  EXPECT_EQ(loaded.settings->databases.at("*").password, "p");
  EXPECT_THAT(loaded.warnings, IsEmpty());
}

TEST(LoginTest, ThePasswordMayComeFromTheEnvironmentOrAFile) {
  Loading loading;
  const std::string path = loading.folder.Write("secret", "hunter2\n");
  loading.Variable("PGVALET_DATABASE_URL", "postgres://u@h/db")
      .Variable("PGVALET_DATABASE_PASSWORD_FILE", path)
      .Variable("PGVALET_LISTEN_ADDR", "*");

  const Loaded loaded = loading.Good();

  EXPECT_EQ(loaded.settings->databases.at("db").password, "hunter2");
  EXPECT_THAT(loaded.settings->inline_users, ElementsAre(Pair("u", "hunter2")));
  EXPECT_EQ(loaded.settings->auth_type, AuthType::kScramSha256);
  EXPECT_EQ(loaded.sources.at("databases.db"), "environment PGVALET_DATABASE_URL");
  EXPECT_EQ(loaded.sources.at("inline_users.u"), "environment PGVALET_DATABASE_PASSWORD_FILE");
}

TEST(LoginTest, TheUriOfTheCommandLineAndItsPasswordWin) {
  const Loaded loaded = Loading()
                            .Uri("postgres://a:inside@h/one")
                            .Variable("PGVALET_DATABASE_URL", "postgres://b@h/two")
                            .Variable("PGVALET_DATABASE_PASSWORD", "outside")
                            .Good();

  EXPECT_EQ(loaded.settings->databases.at("one").password, "inside");
  EXPECT_FALSE(loaded.settings->databases.contains("two"));
}

TEST(LoginTest, AnEmptyPasswordVariableIsAMistakeAndNoOpenDoor) {
  EXPECT_THAT(Loading()
                  .Uri("postgres://u@127.0.0.1/db")
                  .Variable("PGVALET_DATABASE_PASSWORD", "")
                  .Mistakes(),
              HasSubstr("environment PGVALET_DATABASE_PASSWORD: expected a password"));
}

TEST(LoginTest, WithoutPasswordLocalProgramsComeInAsThatUserOnly) {
  const Loaded loaded = Loading().Uri("postgres://u@db.example.org/db").Good();

  EXPECT_EQ(loaded.settings->auth_type, AuthType::kTrust);
  EXPECT_THAT(loaded.settings->inline_users, ElementsAre(Pair("u", "")));
  EXPECT_EQ(loaded.sources.at("auth_type"), "default for a URI without a password");
  ASSERT_EQ(loaded.warnings.size(), 1U);
  EXPECT_THAT(loaded.warnings[0], HasSubstr("every program on this machine can log in as u"));
}

TEST(LoginTest, WithoutPasswordNothingWiderIsOpenedUnasked) {
  for (const std::string address : {"*", "0.0.0.0", "::", "10.0.0.1", "localhost,host.lan"}) {
    EXPECT_THAT(Loading().Uri("postgres://u@h/db").Set("listen_addr", address).Mistakes(),
                HasSubstr("auth_type: nobody could log in: u has no password, and listen_addr "
                          "reaches beyond this machine"))
        << address;
  }
  for (const std::string uri : {"postgres://u@/db", "postgres://u@%2Ftmp/db",
                                "postgres://u@h,%2Ftmp/db", "postgres:///db?user=u"}) {
    EXPECT_THAT(Loading().Uri(uri).Mistakes(),
                HasSubstr("auth_type: nobody could log in: u has no password, and a server behind "
                          "a Unix socket may know the agent by its operating system user"))
        << uri;
  }
}

TEST(LoginTest, WithoutUserAndPasswordItAsksForALogin) {
  EXPECT_THAT(Loading().Uri("postgres://h/db").Mistakes(),
              HasSubstr("auth_type: nobody could log in with scram-sha-256"));
}

TEST(LoginTest, TrustThatWasAskedForIsGivenWithAWarning) {
  const Loaded loaded =
      Loading().Uri("postgres://u@/db").Set("auth_type", "trust").Set("listen_addr", "*").Good();

  EXPECT_THAT(loaded.settings->inline_users, ElementsAre(Pair("u", "")));
  ASSERT_EQ(loaded.warnings.size(), 1U);
  EXPECT_THAT(loaded.warnings[0], HasSubstr("without a password"));
}

TEST(LoginTest, ALoginThatWasSaidIsLeftAlone) {
  for (const auto& [key, value] : std::vector<std::pair<std::string, std::string>>{
           {"auth_file", "users.txt"}, {"auth_user", "lookup"}}) {
    const Loaded loaded =
        Loading().Uri("postgres://u@h/db").Set(key, value).Set("listen_addr", "*").Good();

    EXPECT_EQ(loaded.settings->auth_type, AuthType::kScramSha256);
    EXPECT_THAT(loaded.settings->inline_users, IsEmpty());
    EXPECT_THAT(loaded.warnings, IsEmpty());
  }
}

TEST(LoginTest, AUriNextToAFileReplacesItsDatabaseAndKeepsTheFallback) {
  const Loaded loaded = Loading()
                            .File(
                                "auth_file = 'u'\n[databases]\n"
                                "db = 'host=old'\n'*' = 'host=rest'\nx = 'host=x'\n")
                            .Uri("postgres://u:p@new/db")
                            .Good();

  EXPECT_EQ(loaded.settings->databases.at("db").hosts[0].host, "new");
  EXPECT_EQ(loaded.settings->databases.at("*").hosts[0].host, "rest");
  EXPECT_EQ(loaded.settings->databases.at("x").hosts[0].host, "x");
}

TEST(LoginTest, AWrongUriIsReportedWithoutItsPassword) {
  const std::string mistakes = Loading().Uri("postgres://u:hunter2/x@h/db").Mistakes();

  EXPECT_THAT(mistakes, HasSubstr("command line: port: expected whole number"));
  EXPECT_THAT(mistakes, HasSubstr("%40"));
  EXPECT_THAT(mistakes, Not(HasSubstr("hunter2")));
}

TEST(LoginTest, KnowsLoopbackAddresses) {
  for (const char* address : {"localhost", "127.0.0.1", "127.8.8.8", "::1"}) {
    EXPECT_TRUE(IsLoopback(address)) << address;
  }
  for (const char* address :
       {"", "*", "0.0.0.0", "::", "10.0.0.1", "127.evil.example", "127.1", "localhost.evil"}) {
    EXPECT_FALSE(IsLoopback(address)) << address;
  }
}

}  // namespace
}  // namespace pgvalet::config
