// Metric families of the agent itself and its cores.
#include "api/metric_builder.h"

namespace pgvalet::api {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

void AddAgentState(Families& families, const stats::AgentStatus& status) {
  MetricFamily& family = AddFamily(families, "pgvalet_agent_state",
                                   "1 for the state the agent is in, else 0.", MetricType::Gauge);
  for (const auto state :
       {stats::AgentState::kStarting, stats::AgentState::kRunning, stats::AgentState::kDraining}) {
    AddValue(family, {{"state", stats::AgentStateName(state)}}, status.state == state ? 1 : 0);
  }
  AddGauge(families, "pgvalet_agent_listening", "1 when a client socket accepts connections.",
           status.listening ? 1 : 0);
}

void AddAgentProcess(Families& families, const stats::ProcessUsage& process) {
  AddGauge(families, "pgvalet_agent_resident_memory_bytes", "Memory of the agent in RAM.",
           process.resident_bytes);
  AddGauge(families, "pgvalet_agent_open_fds", "Open file descriptors of the agent.",
           process.open_fds);
  AddGauge(families, "pgvalet_agent_max_fds", "Most file descriptors the agent may open.",
           process.max_fds);
  MetricFamily& cpu = AddFamily(families, "pgvalet_agent_cpu_seconds_total",
                                "CPU time of the agent since its start.", MetricType::Counter);
  AddValue(cpu, {{"mode", "user"}}, Seconds(process.cpu_user_us));
  AddValue(cpu, {{"mode", "system"}}, Seconds(process.cpu_system_us));
}

void AddListening(Families& families, const stats::ListeningStatus& channels) {
  AddGauge(families, "pgvalet_listening_clients",
           "Clients whose channels are on a connection that listens for all.", channels.clients);
  AddGauge(families, "pgvalet_listening_channels", "Distinct channels they listen to.",
           channels.channels);
  AddGauge(families, "pgvalet_listening_connections", "Server connections that listen for all.",
           channels.connections);
  AddCounter(families, "pgvalet_listening_connects_total",
             "Logins of listening connections that worked.", channels.connects);
  AddCounter(families, "pgvalet_listening_connect_failures_total",
             "Logins of listening connections that did not work.", channels.connect_failures);
  AddCounter(families, "pgvalet_listening_connections_lost_total",
             "Listening connections that ended while clients needed them.",
             channels.connections_lost);
  AddCounter(families, "pgvalet_listening_clients_lost_total",
             "Clients ended because notifications may have been missed.", channels.clients_lost);
  AddCounter(families, "pgvalet_notifications_received_total",
             "Notifications received for at least one client.", channels.notifications);
  AddCounter(families, "pgvalet_notifications_delivered_total",
             "Notifications passed on, one for each client.", channels.deliveries);
}

void AddCores(Families& families, const std::vector<stats::CoreSnapshot>& cores) {
  MetricFamily clients{
      "pgvalet_core_clients", "Clients connected to this core.", MetricType::Gauge, {}};
  MetricFamily wakeups{
      "pgvalet_core_loop_wakeups_total", "Returns of the core's poller.", MetricType::Counter, {}};
  MetricFamily busy{
      "pgvalet_core_busy_seconds_total", "CPU time of the core's thread.", MetricType::Counter, {}};
  for (const stats::CoreSnapshot& core : cores) {
    const Labels labels{{"core", std::to_string(core.core)}};
    AddValue(clients, labels, static_cast<double>(core.clients));
    AddValue(wakeups, labels, static_cast<double>(core.loop_wakeups));
    AddValue(busy, labels, Seconds(core.busy_us));
  }
  for (MetricFamily* family : {&clients, &wakeups, &busy}) families.push_back(std::move(*family));
}

}  // namespace

void AddAgentFamilies(Families& families, const stats::Snapshot& snapshot) {
  const stats::AgentHealth& agent = snapshot.agent;
  AddCounter(families, "pgvalet_snapshots_total", "Snapshots made since the agent started.",
             snapshot.sequence);
  AddGauge(families, "pgvalet_snapshot_timestamp_seconds",
           "When the numbers of this page were read, Unix time.", Seconds(snapshot.time));
  AddGauge(families, "pgvalet_snapshot_interval_seconds", "Setting snapshot_interval.",
           Seconds(snapshot.interval.count()));
  AddGauge(families, "pgvalet_agent_info", "1; the version is a label.", 1,
           {{"version", agent.status.version}});
  AddAgentState(families, agent.status);
  AddGauge(families, "pgvalet_agent_start_time_seconds", "Start of the agent, Unix time.",
           Seconds(agent.status.started_at));
  AddGauge(families, "pgvalet_agent_settings_loaded_timestamp_seconds",
           "Last time settings were loaded without error, Unix time.",
           Seconds(agent.status.settings_loaded_at));
  AddGauge(families, "pgvalet_agent_clients", "Clients connected, also those logging in.",
           agent.clients);
  AddGauge(families, "pgvalet_agent_clients_logging_in", "Clients still logging in.",
           agent.clients_logging_in);
  AddGauge(families, "pgvalet_agent_max_clients", "Setting max_client_conn.",
           agent.status.max_clients);
  AddCounter(families, "pgvalet_agent_accepted_total", "Client connections accepted.",
             agent.accepted);
  AddCounter(families, "pgvalet_agent_login_failures_total", "Client logins that failed.",
             agent.login_failures);
  AddCounter(families, "pgvalet_agent_refused_total",
             "Client connections refused: over max_client_conn, or while stopping.", agent.refused);
  AddCounter(families, "pgvalet_agent_cancel_requests_total", "Cancel requests received.",
             agent.cancel_requests);
  AddGauge(families, "pgvalet_agent_buffers_in_use", "Network buffers in use.",
           agent.buffers_in_use);
  AddGauge(families, "pgvalet_agent_buffer_bytes", "Memory of network buffers.",
           agent.buffer_bytes);
  AddAgentProcess(families, agent.process);
  AddListening(families, agent.status.channels);
  AddCores(families, agent.cores);
}

}  // namespace pgvalet::api
