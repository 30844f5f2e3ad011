#include "advice/rules.h"

namespace pgvalet::advice {

const std::vector<Rule>& Rules() {
  static const std::vector<Rule> rules = {
      {"pool_utilization", "alert_utilization_percent"},
      {"pool_waiters", "alert_waiting_clients"},
      {"pool_wait_time", "alert_wait_time"},
      {"pool_query_wait_timeouts", "alert_query_wait_timeouts"},
      {"pool_failed_connections", "alert_failed_connections"},
      {"server_down", "alert_server_down"},
      {"pool_long_pins", "alert_pin_age"},
      {"pool_pinned", "alert_pinned_percent"},
      {"listening_lost", "alert_listening_losses"},
      {"clients_near_limit", "alert_clients_percent"},
      {"clients_refused", "alert_refused_clients"},
      {"login_failures", "alert_login_failures"},
      {"open_files", "alert_open_files_percent"},
      {"core_busy", "alert_core_busy_percent"},
      {"paused", "alert_paused_after"},
      {"server_connections", "alert_server_connections_percent"},
      {"idle_in_transaction", "alert_idle_in_transaction"},
      {"extension_unreadable", "alert_extension"},
      {"more_alerts", "alert_on_after"},
  };
  return rules;
}

const std::vector<const char*>& AdviceRules() {
  // connection_limit is not here: server_connections is the same with a threshold of ours.
  static const std::vector<const char*> rules = {
      "backend_memory",      "connection_budget", "connection_churn",
      "idle_in_transaction", "io_budget",         "leak",
      "login_failures",      "names_lost",        "no_limit",
      "old_snapshot",        "policy_names",      "policy_not_in_force",
      "pool_missing",        "query_ids_off",     "repetition",
      "rollbacks",           "tracking_off",      "work_mem",
  };
  return rules;
}

}  // namespace pgvalet::advice
