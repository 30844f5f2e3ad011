#include "config/cross_check.h"

#include "loading.h"

namespace pgvalet::config {
namespace {

using testing::HasSubstr;

struct Case {
  std::string top;
  std::string databases;
  std::string expected;
};

std::string FileOf(const Case& each) {
  return each.top + "\n[databases]\napp = 'host=h'\n" + each.databases + "\n";
}

TEST(CrossCheckTest, RefusesWhatCannotWork) {
  const std::vector<Case> cases = {
      {"auth_file='u'\nmin_pool_size=30", "",
       "pgvalet.toml:2: min_pool_size: expected at most default_pool_size (20), not 30"},
      {"auth_file='u'", "b='pool_size=2 min_pool_size=3'",
       "databases.b: expected min_pool_size (3) to be at most pool_size (2)"},
      {"auth_file='u'\nmin_pool_size=5", "b='pool_size=2'",
       "databases.b: expected min_pool_size (5) to be at most pool_size (2)"},
      {"auth_file='u'\nlisten_addr=''\nunix_socket_dir=''", "",
       "listen_addr: nobody can connect: unix_socket_dir is empty too"},
      {"auth_file='u'\ngrpc_listen='h:1'\nhttp_listen='h:1'", "",
       "grpc_listen: expected another address than http_listen"},
      {"auth_file='u'", "pgbouncer=''", "databases.pgbouncer: expected another name"},
      {"auth_file='u'", "b='host=127.0.0.1 port=6543'",
       "databases.b: host and port are those of pgvalet itself (listen_port 6543)"},
      {"auth_file='u'\nauth_dbname='x'", "",
       "auth_dbname: expected the name of an entry of [databases]"},
      {"auth_file='u'", "b='auth_dbname=x'",
       "databases.b: auth_dbname: expected the name of an entry of [databases]"},
      {"", "", "auth_type: nobody could log in with scram-sha-256: set auth_file"},
      {"auth_type='md5'", "", "auth_type: nobody could log in with md5"},
  };
  for (const Case& each : cases) {
    EXPECT_THAT(Loading().File(FileOf(each)).Mistakes(), HasSubstr(each.expected));
  }
}

TEST(CrossCheckTest, WarnsOfWhatIsProbablyNotMeant) {
  const std::vector<Case> cases = {
      {"auth_file='u'\nauth_query='select 1'", "",
       "pgvalet.toml:2: auth_query: never runs: auth_user is not set"},
      {"auth_file='u'", "b={auth_query='select 1'}",
       "databases.b: auth_query never runs: auth_user is not set"},
      {"auth_type='trust'\nlisten_addr='*'", "", "auth_type: trust: whoever reaches listen_addr"},
      {"auth_file='u'\nreserve_pool_size=1\nreserve_pool_timeout=0", "",
       "reserve_pool_size: never used: reserve_pool_timeout is 0"},
      {"auth_file='u'\nmax_db_connections=5", "",
       "default_pool_size: never reached: max_db_connections is 5"},
  };
  for (const Case& each : cases) {
    EXPECT_THAT(Loading().File(FileOf(each)).Warnings(), HasSubstr(each.expected));
  }
}

TEST(CrossCheckTest, IsSilentWhereNothingIsWrong) {
  const std::vector<Case> cases = {
      {"auth_user='a'\nauth_query='select 1'", "", ""},
      {"", "b='auth_user=a'", ""},
      {"auth_type='trust'", "", ""},
      {"auth_file='u'\nauth_dbname='app'", "b='auth_dbname=app'", ""},
      {"auth_file='u'", "b='host=127.0.0.1 port=5432'", ""},
      {"auth_file='u'\nlisten_addr='10.0.0.1'", "b='host=127.0.0.1 port=6543'", ""},
  };
  for (const Case& each : cases) EXPECT_EQ(Loading().File(FileOf(each)).Warnings(), "");
}

TEST(CrossCheckTest, SaysHowToStartWhenNothingIsGiven) {
  EXPECT_EQ(Loading().Mistakes(),
            "databases: nothing to connect to; give a URI (pgvaletd postgres://user@host/db) or a "
            "file with [databases] (pgvaletd --config pgvalet.toml)");
}

}  // namespace
}  // namespace pgvalet::config
