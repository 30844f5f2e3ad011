#include "config/load.h"

#include "loading.h"

namespace pgvalet::config {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

TEST(LoadTest, ReadsTopLevelKeysOfEveryKind) {
  const Loaded loaded = Loading()
                            .File(Complete("listen_addr = [\"127.0.0.1\", \"::1\"]\n"
                                           "listen_port = 7000\n"
                                           "unix_socket_mode = \"0700\"\n"
                                           "pool_mode = \"session\"\n"
                                           "auth_type = \"password\"\n"
                                           "server_round_robin = 1\n"
                                           "query_wait_timeout = \"500ms\"\n"
                                           "max_packet_size = \"1MB\"\n"
                                           "grpc_listen = \"off\"\n"))
                            .Good();

  const Settings& settings = *loaded.settings;
  EXPECT_THAT(settings.listen_addr, ElementsAre("127.0.0.1", "::1"));
  EXPECT_EQ(settings.listen_port, 7000);
  EXPECT_EQ(settings.unix_socket_mode, 0700U);
  EXPECT_EQ(settings.pool_mode, PoolMode::kSession);
  EXPECT_EQ(settings.auth_type, AuthType::kPlain);
  EXPECT_TRUE(settings.server_round_robin);
  EXPECT_EQ(settings.query_wait_timeout, milliseconds(500));
  EXPECT_EQ(settings.max_packet_size, 1048576U);
  EXPECT_EQ(settings.grpc_listen, "");
  EXPECT_THAT(loaded.warnings, IsEmpty());
}

TEST(LoadTest, ReadsADatabaseFromAConnectionStringWithPgBouncersKeys) {
  const Loaded loaded = Loading()
                            .File(
                                "auth_file = 'users.txt'\n"
                                "[databases]\n"
                                "app = \"host=db1,db2 port=5433 dbname=real user=u "
                                "password='p w' pool_size=5 reserve_pool=2 min_pool_size=1 "
                                "pool_mode=statement auth_user=a "
                                "connect_query='SET x = ''y'''\"\n")
                            .Good();

  const DatabaseSettings& app = loaded.settings->databases.at("app");
  ASSERT_EQ(app.hosts.size(), 2U);
  EXPECT_EQ(app.hosts[1].host, "db2");
  EXPECT_EQ(app.hosts[1].port, 5433);
  EXPECT_EQ(app.dbname, "real");
  EXPECT_EQ(app.user, "u");
  EXPECT_EQ(app.password, "p w");
  EXPECT_EQ(app.pool_size, 5);
  EXPECT_EQ(app.reserve_pool_size, 2);
  EXPECT_EQ(app.min_pool_size, 1);
  EXPECT_EQ(app.pool_mode, PoolMode::kStatement);
  EXPECT_EQ(app.auth_user, "a");
  EXPECT_EQ(app.connect_query, "SET x = 'y'");
}

TEST(LoadTest, ReadsADatabaseFromAnInlineTableASectionAndAUri) {
  const Loaded loaded = Loading()
                            .File(
                                "auth_file = 'users.txt'\n"
                                "[databases]\n"
                                "a = { host = [\"h1\", \"h2\"], port = [1, 2], pool_size = 3 }\n"
                                "b = 'postgres://u:p@h3:3/real?pool_size=4'\n"
                                "c = ''\n"
                                "'*' = 'hostaddr=10.0.0.1 host=name'\n"
                                "[databases.'d.e']\n"
                                "host = 'h4'\n"
                                "server_lifetime = '1h'\n")
                            .Good();

  const auto& databases = loaded.settings->databases;
  EXPECT_EQ(databases.at("a").hosts[1].port, 2);
  EXPECT_EQ(databases.at("a").pool_size, 3);
  EXPECT_EQ(databases.at("b").dbname, "real");
  EXPECT_EQ(databases.at("b").pool_size, 4);
  EXPECT_EQ(databases.at("c").hosts[0].host, "/var/run/postgresql");
  EXPECT_EQ(databases.at("c").hosts[0].port, 5432);
  EXPECT_EQ(databases.at("d.e").server_lifetime, seconds(3600));
  EXPECT_EQ(databases.at("*").hosts[0].host, "10.0.0.1");
  EXPECT_EQ(loaded.settings->FindDatabase("unknown"), &databases.at("*"));
  EXPECT_EQ(loaded.settings->FindDatabase("a"), &databases.at("a"));
}

TEST(LoadTest, ReadsUsersFromTextAndTables) {
  const Loaded loaded = Loading()
                            .File(Complete("") +
                                  "[users]\n"
                                  "bob = 'pool_mode=session max_user_connections=4'\n"
                                  "eve = { query_timeout = 0.5, pool_size = 2 }\n")
                            .Good();

  EXPECT_EQ(loaded.settings->FindUser("bob")->pool_mode, PoolMode::kSession);
  EXPECT_EQ(loaded.settings->FindUser("bob")->max_user_connections, 4);
  EXPECT_EQ(loaded.settings->FindUser("eve")->query_timeout, milliseconds(500));
  EXPECT_EQ(loaded.settings->FindUser("eve")->pool_size, 2);
  EXPECT_EQ(loaded.settings->FindUser("ann"), nullptr);
}

TEST(LoadTest, CommandLineWinsOverEnvironmentOverFileOverDefault) {
  Loading loading;
  loading.File(Complete("listen_port = 1\nlisten_backlog = 1\ncores = 1"))
      .Variable("PGVALET_LISTEN_PORT", "2")
      .Variable("PGVALET_LISTEN_BACKLOG", "2")
      .Set("listen_port", "3");

  const Loaded loaded = loading.Good();

  EXPECT_EQ(loaded.settings->listen_port, 3);
  EXPECT_EQ(loaded.settings->listen_backlog, 2);
  EXPECT_EQ(loaded.settings->cores, 1);
  EXPECT_EQ(loaded.settings->default_pool_size, 20);
  EXPECT_EQ(loaded.sources.at("listen_port"), "command line");
  EXPECT_EQ(loaded.sources.at("listen_backlog"), "environment PGVALET_LISTEN_BACKLOG");
  EXPECT_EQ(loading.WithoutFolder(loaded.sources.at("cores")), "pgvalet.toml:3");
  EXPECT_EQ(loaded.sources.at("default_pool_size"), "default");
  EXPECT_EQ(loading.WithoutFolder(loaded.sources.at("databases.app")), "pgvalet.toml:6");
}

TEST(LoadTest, SetReplacesADatabaseAndAUser) {
  const Loaded loaded = Loading()
                            .File(kComplete)
                            .Set("databases.app", "host=other")
                            .Set("users.bob", "pool_size=1")
                            .Good();

  EXPECT_EQ(loaded.settings->databases.at("app").hosts[0].host, "other");
  EXPECT_EQ(loaded.settings->users.at("bob").pool_size, 1);
}

TEST(LoadTest, TakesTheFileFromTheEnvironment) {
  Loading loading;
  loading.Variable("PGVALET_CONFIG", loading.folder.Write("other.toml", Complete("cores = 5")));

  EXPECT_EQ(loading.Good().settings->cores, 5);
}

TEST(LoadTest, ReadsAValueFromTheFileThatAVariableNames) {
  Loading loading;
  const std::string path = loading.folder.Write("secret", "hunter2\n");
  loading.File(kComplete).Variable("PGVALET_SAMPLER_PASSWORD_FILE", path);

  const Loaded loaded = loading.Good();

  EXPECT_EQ(loaded.settings->sampler_password, "hunter2");
  EXPECT_EQ(loaded.sources.at("sampler_password"), "environment PGVALET_SAMPLER_PASSWORD_FILE");
}

TEST(LoadTest, ASettingWhoseNameEndsInFileIsNotASecretFile) {
  const Loaded loaded =
      Loading().File(kComplete).Variable("PGVALET_AUTH_FILE", "/no/such/file").Good();

  EXPECT_EQ(loaded.settings->auth_file, "/no/such/file");
}

TEST(LoadTest, RefusesASecretFileThatIsMissingEmptyOrSaidTwice) {
  Loading loading;
  const std::string empty = loading.folder.Write("empty", "\n");
  loading.File(kComplete)
      .Variable("PGVALET_SAMPLER_PASSWORD_FILE", "/no/such/file")
      .Variable("PGVALET_SAMPLER_USER_FILE", empty)
      .Variable("PGVALET_PIDFILE", "a")
      .Variable("PGVALET_PIDFILE_FILE", "b");

  const std::string mistakes = loading.Mistakes();

  EXPECT_THAT(mistakes, HasSubstr("environment PGVALET_SAMPLER_PASSWORD_FILE: cannot read file: "
                                  "/no/such/file: No such file or directory"));
  EXPECT_THAT(mistakes, HasSubstr("environment PGVALET_SAMPLER_USER_FILE: file empty is empty"));
  EXPECT_THAT(mistakes, HasSubstr("environment PGVALET_PIDFILE: PGVALET_PIDFILE_FILE is set too"));
}

TEST(LoadTest, ReadsADatabasesPasswordFromAFile) {
  Loading loading;
  const std::string path = loading.folder.Write("secret", "hunter2");

  const Loaded loaded =
      loading
          .File("auth_file = 'u'\n[databases]\na = \"user=u password_file=" + path +
                "\"\nb = { user = 'u', password_file = '" + path + "' }\n")
          .Good();

  EXPECT_EQ(loaded.settings->databases.at("a").password, "hunter2");
  EXPECT_EQ(loaded.settings->databases.at("b").password, "hunter2");
}

TEST(LoadTest, ReportsEveryMistakeWithFileLineKeyAndWhatWasExpected) {
  const std::string mistakes = Loading()
                                   .File(
                                       "listen_port = 70000\n"
                                       "pool_mode = \"sometimes\"\n"
                                       "auth_file = 'u'\n"
                                       "lisen_addr = 'x'\n"
                                       "[databases]\n"
                                       "app = \"host=a port=x pool_sise=3\"\n"
                                       "oops = 3\n"
                                       "[users.bob]\n"
                                       "query_timeout = \"soon\"\n"
                                       "[pgbouncer]\n"
                                       "a = 1\n")
                                   .Variable("PGVALET_CORES", "many")
                                   .Set("listen_backlog", "-1")
                                   .Set("nonsense_key_of_mine", "1")
                                   .Mistakes();

  EXPECT_EQ(
      mistakes,
      "pgvalet.toml:1: listen_port: expected whole number, 1 to 65535, not 70000\n"
      "pgvalet.toml:2: pool_mode: expected one of session, transaction, statement, not "
      "\"sometimes\"\n"
      "pgvalet.toml:4: lisen_addr: unknown key (did you mean listen_addr?)\n"
      "pgvalet.toml:6: databases.app: pool_sise: unknown key (did you mean pool_size?)\n"
      "pgvalet.toml:6: databases.app: port: expected whole number, 1 to 65535\n"
      "pgvalet.toml:7: databases.oops: expected \"key=value key=value\" or a table { key = value "
      "}\n"
      "pgvalet.toml:9: users.bob: query_timeout: expected seconds or text such as \"500ms\", "
      "\"2s\", \"5min\", 0 to 1000000000, not \"soon\"\n"
      "pgvalet.toml:10: pgbouncer: unknown section; its keys stand at the top of the file, above "
      "the first [section]\n"
      "environment PGVALET_CORES: cores: expected whole number, 0 to 1024, not \"many\"\n"
      "command line: listen_backlog: expected whole number, 1 to 65535, not \"-1\"\n"
      "command line: nonsense_key_of_mine: unknown key");
}

TEST(LoadTest, SaysWhereTheFileIsNotToml) {
  EXPECT_THAT(Loading().File("cores = 1\nlisten_port = = 2\n").Mistakes(),
              HasSubstr("pgvalet.toml:2: not TOML: "));
  EXPECT_THAT(Loading().File("cores = 1\ncores = 2\n").Mistakes(),
              HasSubstr("pgvalet.toml:2: not TOML: "));
}

TEST(LoadTest, SaysThatTheFileCannotBeRead) {
  Loading missing;
  missing.command_line.config_file = "/no/such/pgvalet.toml";
  Loading folder;
  folder.command_line.config_file = "/tmp";

  EXPECT_THAT(missing.Mistakes(), HasSubstr("cannot read file: /no/such/pgvalet.toml: No such "
                                            "file or directory"));
  EXPECT_THAT(folder.Mistakes(), HasSubstr("cannot read file: /tmp: Is a directory"));
}

TEST(LoadTest, PointsOutASettingThatFellIntoASection) {
  EXPECT_THAT(Loading().File("[databases]\napp = ''\npool_mode = 'session'\n").Mistakes(),
              HasSubstr("pgvalet.toml:3: databases.pool_mode: expected key=value pairs (a value "
                        "with blanks in single quotes), wrong at character 1; is this the setting "
                        "pool_mode? It must stand above the first [section]"));
}

TEST(LoadTest, RefusesPortsThatDoNotMatchTheHosts) {
  EXPECT_THAT(Loading().File("auth_file='u'\n[databases]\na = 'host=h,i,j port=1,2'\n").Mistakes(),
              HasSubstr("databases.a: port: expected one port, or one for each host"));
}

TEST(LoadTest, AnEmptyPortOrHostInAListIsTheDefault) {
  const Loaded loaded = Loading()
                            .File(
                                "auth_file='u'\n[databases]\n"
                                "a = 'postgres://h:1,i/db'\n"
                                "b = 'host=h,,j port=1,,3'\n"
                                "c = \"host='' port=''\"\n")
                            .Good();

  const auto& databases = loaded.settings->databases;
  EXPECT_EQ(databases.at("a").hosts[1].port, 5432);
  EXPECT_EQ(databases.at("b").hosts[1].host, "/var/run/postgresql");
  EXPECT_EQ(databases.at("b").hosts[1].port, 5432);
  EXPECT_EQ(databases.at("b").hosts[2].port, 3);
  EXPECT_EQ(databases.at("c").hosts.size(), 1U);
}

TEST(LoadTest, RefusesAnAddressThatIsNoText) {
  const std::string mistakes = Loading()
                                   .File(
                                       "auth_file='u'\n[databases]\n"
                                       "a = { host = true }\n"
                                       "b = { port = 0.5 }\n"
                                       "c = { password_file = 3 }\n"
                                       "d = { port = 'x' }\n")
                                   .Mistakes();

  EXPECT_EQ(mistakes,
            "pgvalet.toml:3: databases.a: host: expected list, or text with commas\n"
            "pgvalet.toml:4: databases.b: port: expected list, or text with commas\n"
            "pgvalet.toml:5: databases.c: password: expected text\n"
            "pgvalet.toml:6: databases.d: port: expected whole number, 1 to 65535");
}

TEST(LoadTest, NeverShowsAPasswordInAMistakeOrWarning) {
  const std::string mistakes = Loading()
                                   .File(
                                       "sampler_password = 4711\n"
                                       "[databases]\n"
                                       "a = { host = 'h', password = 4711 }\n"
                                       "b = 'password=hunter2 sslmode=require'\n"
                                       "c = 'postgres://u:hunter2@h:x/db'\n")
                                   .Mistakes();

  EXPECT_THAT(mistakes, Not(HasSubstr("4711")));
  EXPECT_THAT(mistakes, Not(HasSubstr("hunter2")));
  EXPECT_THAT(mistakes, HasSubstr("databases.a: password: expected text"));
}

TEST(LoadTest, WarnsOfPgBouncersKeysThatAreNotThereYet) {
  const std::string warnings = Loading()
                                   .File(Complete("verbose = 1\nresolv_conf = 'x'\n"
                                                  "client_tls_sslmode = 'prefer'") +
                                         "[users]\nbob = 'max_user_client_connections=3'\n")
                                   .Set("databases.b", "host=h connect_timeout=3 sslmode=prefer")
                                   .Warnings();

  EXPECT_EQ(warnings,
            "pgvalet.toml:1: verbose: ignored: 1 is log_level debug, 2 and more is trace\n"
            "pgvalet.toml:2: resolv_conf: ignored: names are resolved by the operating system, "
            "which has its own cache and rules\n"
            "pgvalet.toml:3: client_tls_sslmode: ignored: there is no TLS yet: disable, allow and "
            "prefer go on without it, what requires it is refused\n"
            "pgvalet.toml:8: users.bob: max_user_client_connections: ignored: clients of one "
            "database or user are not counted apart; max_client_conn holds for all of them\n"
            "command line: databases.b: connect_timeout: not supported yet, ignored; use "
            "server_connect_timeout\n"
            "command line: databases.b: sslmode: not supported yet, ignored\n");
}

TEST(LoadTest, RefusesToIgnoreWhatWouldHaveProtectedSomebody) {
  const std::vector<std::pair<std::string, std::string>> settings = {
      {"client_tls_sslmode", "require"},
      {"server_tls_sslmode", "verify-full"},
      {"auth_hba_file", "hba.conf"},
      {"disable_pqexec", "1"},
      {"databases.x", "host=h sslmode=require"},
      {"databases.x", "host=h target_session_attrs=read-write"},
      {"databases.x", "postgres://h/db?ssl=true"},
  };
  for (const auto& [key, value] : settings) {
    EXPECT_THAT(Loading().File(kComplete).Set(key, value).Mistakes(),
                HasSubstr("cannot be ignored"))
        << key << "=" << value;
  }
}

TEST(LoadTest, WarnsOfAVariableThatIsNoSetting) {
  const std::string warnings = Loading()
                                   .File(kComplete)
                                   .Variable("PGVALET_LISTEN_PROT", "1")
                                   .Variable("PGVALET_PORT_6543_TCP", "tcp://10.0.0.1:6543")
                                   .Variable("PGVALET_SERVICE_HOST", "10.0.0.1")
                                   .Variable("PGVALET_TOKEN", "of the command pgvalet")
                                   .Variable("PGVALET_TLS_CA_FILE", "/etc/ca.crt")
                                   .Warnings();

  EXPECT_EQ(warnings,
            "environment PGVALET_LISTEN_PROT: no setting has this name, ignored (did you mean "
            "PGVALET_LISTEN_PORT?)\n");
}

TEST(LoadTest, TakesOnlyItsOwnVariables) {
  const char* environ[] = {"PATH=/bin", "PGVALET_CORES=3", "PGVALET_BROKEN", "PGVALET_A=b=c",
                           nullptr};

  const Environment environment = ReadEnvironment(environ);

  EXPECT_THAT(environment,
              ElementsAre(testing::Pair("PGVALET_A", "b=c"), testing::Pair("PGVALET_CORES", "3")));
}

TEST(LoadTest, TellsWhatAReloadCannotApply) {
  const Loaded before = Loading().File(Complete("listen_port = 1\npool_mode = 'session'")).Good();
  const Loaded now = Loading().File(Complete("listen_port = 2\ncores = 3")).Good();

  EXPECT_THAT(NeedRestart(*before.settings, *now.settings), ElementsAre("cores", "listen_port"));
  EXPECT_THAT(NeedRestart(*now.settings, *now.settings), IsEmpty());

  const SettingsPtr effective = KeepRestartSettings(*before.settings, *now.settings);
  EXPECT_EQ(effective->listen_port, 1);
  EXPECT_EQ(effective->cores, 0);
  EXPECT_EQ(effective->pool_mode, PoolMode::kTransaction);
}

}  // namespace
}  // namespace pgvalet::config
