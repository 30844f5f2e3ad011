// PoolPolicy: the settings that hold for one pool, looked up once.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "config/settings.h"

namespace pgvalet::pool {

// A pool's name: the database as clients ask for it, and the user who logs in to the server.
struct PoolKey {
  std::string database;
  std::string user;
  auto operator<=>(const PoolKey&) const = default;
};

// Of each setting the most particular one: user, then database, then global; before them a size
// that an administrator has given to the pool.
struct PoolPolicy {
  config::PoolMode mode{};
  int pool_size = 0;
  int min_pool_size = 0;
  int reserve_pool_size = 0;
  Duration reserve_pool_timeout{0};
  int max_db_connections = 0;
  int max_user_connections = 0;
  bool server_round_robin = false;
  int max_prepared_statements = 0;  // per server connection
  int max_pinned = 0;               // clients that hold a connection between transactions
  config::PinLimitAction pin_limit_action{};
  Duration pin_warn_after{0};
  config::WithoutExtension without_extension{};

  Duration query_wait_timeout{0};
  Duration server_lifetime{0};
  Duration server_idle_timeout{0};
  Duration server_connect_timeout{0};
  // For a login to the server, or a query of ours there, that begins now.
  Time ServerDeadline(Time now) const;
  Duration server_login_retry{0};
  Duration server_check_delay{0};
  std::string server_check_query;
  std::string server_reset_query;
  bool reset_always = false;

  // Of the clients.
  Duration client_idle_timeout{0};
  Duration idle_transaction_timeout{0};
  Duration query_timeout{0};
  Duration transaction_timeout{0};

  // Where server connections go.
  std::vector<config::HostPort> hosts;
  std::string dbname;
  std::string connect_query;
  std::vector<std::pair<std::string, std::string>> startup;  // besides user and database
};

// REQUIRES: settings.FindDatabase(key.database) is not null.
// `agent_name` goes to the server as pgvalet.agent, by which the extension knows our connections.
PoolPolicy PolicyFor(const config::Settings& settings, const PoolKey& key,
                     const std::string& agent_name);

}  // namespace pgvalet::pool
