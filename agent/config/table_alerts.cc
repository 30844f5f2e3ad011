// Settings of alerts (docs/alerts.md): thresholds, and how long they must be passed.
#include "config/table_row.h"

namespace pgvalet::config {
namespace {

using S = Settings;

Table PoolRows() {
  constexpr std::string_view kGroup = "Alerts";
  return {
      Row<&S::alert_on_after>(
          kGroup, "alert_on_after", Seconds(), kReload,
          "How long a threshold must be reached, at every snapshot, before an alert begins."),
      Row<&S::alert_off_after>(
          kGroup, "alert_off_after", Seconds(), kReload,
          "How long a value must be well below its threshold before the alert ends."),
      Row<&S::alert_utilization_percent>(
          kGroup, "alert_utilization_percent", Integer(0, 100), kReload,
          "Leased server connections, in percent of the pool size; 0: off."),
      Row<&S::alert_waiting_clients>(
          kGroup, "alert_waiting_clients", Count(0), kReload,
          "Clients of a pool that wait for a server connection; 0: off."),
      Row<&S::alert_wait_time>(
          kGroup, "alert_wait_time", Seconds(), kReload,
          "Wait for a server connection, the longest now or the 99th percentile; 0: off."),
      Row<&S::alert_query_wait_timeouts>(
          kGroup, "alert_query_wait_timeouts", Count(0), kReload,
          "Clients of a pool refused by query_wait_timeout in the last minute; 0: off."),
      Row<&S::alert_failed_connections>(
          kGroup, "alert_failed_connections", Count(0), kReload,
          "Server connections of a pool that could not be opened in the last minute; 0: off."),
      Row<&S::alert_server_down>(kGroup, "alert_server_down", Boolean(), kReload,
                                 "Alert when no server connection of a database can be opened."),
      Row<&S::alert_pin_age>(
          kGroup, "alert_pin_age", Seconds(), kReload,
          "How long a client holds a server connection between transactions; 0: off."),
      Row<&S::alert_pinned_percent>(kGroup, "alert_pinned_percent", Integer(0, 100), kReload,
                                    "Server connections that clients hold between transactions, in "
                                    "percent of the pool size; 0: off."),
  };
}

Table AgentAndServerRows() {
  constexpr std::string_view kGroup = "Alerts";
  return {
      Row<&S::alert_listening_losses>(kGroup, "alert_listening_losses", Count(0), kReload,
                                      "Listening connections that were lost or could not be opened "
                                      "in the last minute; 0: off."),
      Row<&S::alert_clients_percent>(kGroup, "alert_clients_percent", Integer(0, 100), kReload,
                                     "Clients, in percent of max_client_conn; 0: off."),
      Row<&S::alert_refused_clients>(kGroup, "alert_refused_clients", Count(0), kReload,
                                     "Client connections refused in the last minute; 0: off."),
      Row<&S::alert_login_failures>(kGroup, "alert_login_failures", Count(0), kReload,
                                    "Client logins that failed in the last minute; 0: off."),
      Row<&S::alert_open_files_percent>(
          kGroup, "alert_open_files_percent", Integer(0, 100), kReload,
          "Open file descriptors, in percent of their limit; 0: off."),
      Row<&S::alert_core_busy_percent>(kGroup, "alert_core_busy_percent", Integer(0, 100), kReload,
                                       "Busy share of a core, in percent of its time; 0: off."),
      Row<&S::alert_paused_after>(
          kGroup, "alert_paused_after", Seconds(), kReload,
          "How long a database, or all of them, stays paused, killed or disabled; 0: off."),
      Row<&S::alert_server_connections_percent>(
          kGroup, "alert_server_connections_percent", Integer(0, 100), kReload,
          "Connections of the server, in percent of those that ordinary roles may have; 0: off."),
      Row<&S::alert_idle_in_transaction>(
          kGroup, "alert_idle_in_transaction", Seconds(), kReload,
          "How long a session of the server waits inside a transaction; 0: off."),
      Row<&S::alert_extension>(kGroup, "alert_extension", Boolean(), kReload,
                               "Alert when the extension cannot be read."),
      Row<&S::alert_advice>(kGroup, "alert_advice", Boolean(), kReload,
                            "Findings of the extension's view pgvalet.advice are alerts."),
  };
}

}  // namespace

void AddAlerts(Table& table) {
  for (const Table& rows : {PoolRows(), AgentAndServerRows()}) {
    table.insert(table.end(), rows.begin(), rows.end());
  }
}

}  // namespace pgvalet::config
