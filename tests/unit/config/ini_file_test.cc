#include "config/ini_file.h"

#include <map>

#include "config/table.h"
#include "loading.h"

namespace pgvalet::config {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// Text and what it includes, read.
struct Ini {
  std::map<std::string, std::string> files;
  Report report;

  FileContents Read(std::string_view text) {
    return ReadIni(
        text, "a.ini",
        [this](const std::string& path) -> Result<std::string> {
          const auto found = files.find(path);
          if (found != files.end()) return found->second;
          return Error{ErrorCode::kIo, "cannot read file", ENOENT, path};
        },
        report);
  }
  // "key=value" of all keys, in order.
  static std::vector<std::string> Keys(const std::vector<WrittenKey>& keys) {
    std::vector<std::string> shown;
    for (const WrittenKey& key : keys) {
      shown.push_back(key.key + "=" + std::get<std::string>(key.value));
    }
    return shown;
  }
  static std::vector<std::string> Keys(const WrittenEntry& entry) {
    return Keys(std::get<std::vector<WrittenKey>>(entry.content));
  }
};

// ---- lines ----

TEST(IniFileTest, TakesKeysWithBlanksAroundAndLeavesCommentsOut) {
  Ini ini;
  const FileContents contents = ini.Read(
      "; comment\n# comment\n\n  [pgbouncer]  \r\n\tlisten_port =  7000 \r\n"
      "logfile=a ; b # c\npidfile=");

  EXPECT_THAT(ini.report.Mistakes(), IsEmpty());
  EXPECT_THAT(Ini::Keys(contents.settings),
              ElementsAre("listen_port=7000", "logfile=a ; b # c", "pidfile="));
  EXPECT_EQ(contents.settings[0].place.ToString(), "a.ini:5");
}

TEST(IniFileTest, LineGoesOnBehindTheNameOfASection) {
  Ini ini;
  const FileContents contents = ini.Read("[databases] app=host=h\n[pgbouncer] ; comment\nuser=u");

  ASSERT_EQ(contents.databases.size(), 1U);
  EXPECT_THAT(Ini::Keys(contents.databases[0]), ElementsAre("host=h"));
  EXPECT_THAT(Ini::Keys(contents.settings), ElementsAre("user=u"));
}

TEST(IniFileTest, ReadsPairsOfADatabaseAsPgBouncerDoes) {
  Ini ini;
  const FileContents contents = ini.Read(
      "[databases]\n"
      "a = host=h port = 5 dbname='my ''db''' password=a\\b'c\n"
      "b.c-d*=connect_query='select 1; -- x = y # z'\n"
      "\"a \"\"b\" = user=u\n"
      "* =\n");

  EXPECT_THAT(ini.report.Mistakes(), IsEmpty());
  ASSERT_EQ(contents.databases.size(), 4U);
  EXPECT_THAT(Ini::Keys(contents.databases[0]),
              ElementsAre("host=h", "port=5", "dbname=my 'db'", "password=a\\b'c"));
  EXPECT_EQ(contents.databases[1].name, "b.c-d*");
  EXPECT_THAT(Ini::Keys(contents.databases[1]),
              ElementsAre("connect_query=select 1; -- x = y # z"));
  EXPECT_EQ(contents.databases[2].name, "a \"b");
  EXPECT_EQ(contents.databases[3].name, "*");
  EXPECT_THAT(Ini::Keys(contents.databases[3]), IsEmpty());
}

TEST(IniFileTest, TellsEveryLineThatCannotBeReadAndNoPassword) {
  Ini ini;
  ini.Read(
      "x=1\n[databases]\napp host=hunter2\napp = password=hunter2 'x\n"
      "b = postgres://u:hunter2@h/db\nc = user='u'password=hunter2\n[pgbouncer\n[other]\nk=v\n"
      "%include\n%foo x\n");

  const std::vector<std::string> mistakes = ini.report.Mistakes();
  std::vector<std::string> places;
  for (const std::string& mistake : mistakes) {
    EXPECT_THAT(mistake, Not(HasSubstr("hunter2")));
    places.push_back(mistake.substr(0, mistake.find(':', 6)));
  }
  EXPECT_THAT(places, ElementsAre("a.ini:1", "a.ini:3", "a.ini:4", "a.ini:5", "a.ini:6", "a.ini:7",
                                  "a.ini:8", "a.ini:10", "a.ini:11"));
}

// ---- sections and files ----

TEST(IniFileTest, SectionGoesOnBehindAnIncludedFileAsInPgBouncer) {
  Ini ini;
  ini.files["more.ini"] = "c = host=c\n[users]\n";
  const FileContents contents =
      ini.Read("[databases]\na = host=a\n%include  more.ini \nbob = pool_mode=session\n");

  EXPECT_THAT(ini.report.Mistakes(), IsEmpty());
  ASSERT_EQ(contents.databases.size(), 2U);
  EXPECT_EQ(contents.databases[1].place.ToString(), "more.ini:1");
  ASSERT_EQ(contents.users.size(), 1U);
  EXPECT_EQ(contents.users[0].name, "bob");
}

TEST(IniFileTest, FileThatIncludesItselfIsAMistakeAndNoEndlessLoop) {
  Ini ini;
  ini.files["a.ini"] = "%include a.ini\n%include a.ini\n";
  ini.Read(ini.files["a.ini"]);

  EXPECT_THAT(ini.report.Mistakes(), Not(IsEmpty()));
}

TEST(IniFileTest, MissingIncludedFileIsNamed) {
  Ini ini;
  ini.Read("[pgbouncer]\n%include /nowhere.ini\n");

  EXPECT_THAT(ini.report.Mistakes(), ElementsAre(HasSubstr("a.ini:2: %include: ")));
  EXPECT_THAT(ini.report.Mistakes()[0], HasSubstr("/nowhere.ini"));
}

TEST(IniFileTest, SecondSectionPgbouncerForgetsTheFirstAsInPgBouncerAndSaysSo) {
  Ini ini;
  const FileContents contents = ini.Read(
      "[pgbouncer]\npool_mode=transaction\n[pgvalet]\ncores=2\n[pgbouncer]\nlisten_port=7000\n");

  EXPECT_THAT(Ini::Keys(contents.settings), ElementsAre("cores=2", "listen_port=7000"));
  EXPECT_THAT(ini.report.Warnings(), ElementsAre(HasSubstr("(pool_mode)")));
}

TEST(IniFileTest, OurOwnKeysStandInASectionOfTheirOwn) {
  Ini ini;
  ini.Read("[pgbouncer]\ncores=2\n[pgvalet]\npool_mode=session\n");

  EXPECT_THAT(ini.report.Mistakes(),
              ElementsAre(HasSubstr("a.ini:2: cores: expected in a section [pgvalet]"),
                          HasSubstr("a.ini:4: pool_mode: expected in [pgbouncer]")));
}

// ---- settings ----

constexpr std::string_view kSmall =
    "[databases]\napp = host=db1\n[pgbouncer]\nauth_file = users.txt\n";

TEST(PgBouncerFileTest, DefaultsAreThoseOfPgBouncerAndSayWhereTheyComeFrom) {
  Loading loading;
  loading.command_line.pgbouncer_file = loading.folder.Write("any.conf", kSmall);
  const Loaded loaded = loading.Good();

  const Settings& settings = *loaded.settings;
  EXPECT_EQ(settings.listen_port, 6432);
  EXPECT_EQ(settings.pool_mode, PoolMode::kSession);
  EXPECT_EQ(settings.auth_type, AuthType::kMd5);
  EXPECT_EQ(settings.max_client_conn, 100);
  EXPECT_THAT(settings.listen_addr, IsEmpty());
  EXPECT_EQ(settings.http_listen, "");
  EXPECT_FALSE(settings.trust_unknown_users);
  EXPECT_EQ(loaded.sources.at("listen_port"), "PgBouncer's default");
  EXPECT_EQ(loaded.sources.at("auth_file"), loading.folder.path() + "/any.conf:4");
}

TEST(PgBouncerFileTest, DefaultsOfATomlFileStayOurs) {
  const Loaded loaded = Loading().File(kComplete).Good();

  EXPECT_EQ(loaded.settings->listen_port, 6543);
  EXPECT_EQ(DefaultsOf(*loaded.settings).listen_port, 6543);
}

TEST(PgBouncerFileTest, DefaultsOfASettingAreReadableByItsRule) {
  Settings settings;
  settings.pgbouncer_defaults = true;
  const Settings defaults = DefaultsOf(settings);

  EXPECT_EQ(defaults.listen_port, 6432);
  EXPECT_EQ(defaults.log_format, LogFormat::kPgBouncer);
  EXPECT_TRUE(defaults.log_stats);
  EXPECT_EQ(defaults.syslog_ident, "pgbouncer");
  EXPECT_EQ(defaults.sampler_interval, Duration::zero());
  EXPECT_EQ(defaults.listen_backlog, 128);
}

TEST(PgBouncerFileTest, CommandLineAndEnvironmentWinAsOverEveryFile) {
  Loading loading;
  loading.Ini(std::string(kSmall) + "default_pool_size=3\npool_mode=statement\n");
  loading.Set("default_pool_size", "4").Variable("PGVALET_POOL_MODE", "session");
  const Loaded loaded = loading.Good();

  EXPECT_EQ(loaded.settings->default_pool_size, 4);
  EXPECT_EQ(loaded.settings->pool_mode, PoolMode::kSession);
}

TEST(PgBouncerFileTest, ValuesWithAnotherSpellingMeanTheSame) {
  const Loaded loaded = Loading()
                            .Ini(std::string(kSmall) +
                                 "verbose=1\nserver_check_query=<empty>\nquery_timeout=0.25\n"
                                 "pool_mode=Transaction\nmax_packet_size=4096\nlog_stats=0\n")
                            .Good();

  EXPECT_EQ(loaded.settings->log_level, "debug");
  EXPECT_EQ(loaded.settings->server_check_query, ";");
  EXPECT_EQ(loaded.settings->query_timeout, std::chrono::milliseconds(250));
  EXPECT_EQ(loaded.settings->pool_mode, PoolMode::kTransaction);
  EXPECT_FALSE(loaded.settings->log_stats);
}

TEST(PgBouncerFileTest, DatabaseWithoutHostIsBehindTheSocketInUnixSocketDir) {
  const Loaded loaded = Loading()
                            .Ini(
                                "[databases]\na = dbname=b\n[pgbouncer]\nauth_file=u\n"
                                "unix_socket_dir=/run/x\n")
                            .Good();

  EXPECT_EQ(loaded.settings->databases.at("a").hosts.at(0).host, "/run/x");
}

TEST(PgBouncerFileTest, AuthTypeAnyIsTrustWhereEveryDatabaseHasAUser) {
  const Loaded loaded =
      Loading().Ini("[databases]\na = host=h user=u\n[pgbouncer]\nauth_type=any\n").Good();

  EXPECT_EQ(loaded.settings->auth_type, AuthType::kTrust);
  EXPECT_TRUE(loaded.settings->trust_unknown_users);
}

TEST(PgBouncerFileTest, AuthTypeAnyIsRefusedWhereNamesOfClientsWouldDecide) {
  const std::string mistakes =
      Loading().Ini("[databases]\na = host=h\n[pgbouncer]\nauth_type=any\n").Mistakes();

  EXPECT_THAT(mistakes, HasSubstr("databases.a: expected a user"));
}

TEST(PgBouncerFileTest, WhatCannotBeIgnoredIsRefusedWithEveryOtherMistake) {
  Loading loading;
  loading.Ini(
      "[databases]\napp = host=h nokey=1 sslmode=require\n[pgbouncer]\nauth_type=hba\n"
      "client_tls_sslmode=require\nlisten_prt=1\ndefault_pool_size=x\nauth_file=u\n"
      "disable_pqexec=1\n");
  const std::string mistakes = loading.Mistakes();

  for (const char* expected :
       {"pgbouncer.ini:2: databases.app: nokey: unknown key",
        "databases.app: sslmode: not supported",
        "pgbouncer.ini:4: auth_type: the login method hba is not there",
        "pgbouncer.ini:5: client_tls_sslmode: cannot be ignored",
        "pgbouncer.ini:6: listen_prt: unknown key (did you mean listen_port?)",
        "pgbouncer.ini:7: default_pool_size: expected whole number",
        "pgbouncer.ini:9: disable_pqexec: cannot be ignored"}) {
    EXPECT_THAT(mistakes, HasSubstr(expected));
  }
}

TEST(PgBouncerFileTest, KeysWithoutEffectAreOneLineEachThatSaysWhy) {
  Loading loading;
  loading.Ini(std::string(kSmall) +
              "pkt_buf=8192\nclient_tls_sslmode=disable\n[peers]\n1=host=x\n");

  EXPECT_EQ(loading.Warnings(),
            "pgbouncer.ini:5: pkt_buf: ignored: buffers are shared and sized by themselves\n"
            "pgbouncer.ini:7: peers: ignored: one process uses all cores, and finds the session of "
            "every cancel request itself\n");
}

TEST(PgBouncerFileTest, PoolSmallerThanItsMinimumIsAWarningForPgBouncerStartsWithIt) {
  Loading loading;
  loading.Ini(std::string(kSmall) + "default_pool_size=1\nmin_pool_size=2\n");

  EXPECT_THAT(loading.Warnings(), HasSubstr("min_pool_size: expected at most"));
}

TEST(PgBouncerFileTest, FileWithoutDatabasesStartsAsPgBouncerDoes) {
  Loading loading;
  loading.Ini("[databases]\n[users]\n[pgbouncer]\nauth_type = md5\n");

  EXPECT_THAT(loading.Warnings(), HasSubstr("databases: nothing to connect to"));
}

}  // namespace
}  // namespace pgvalet::config
