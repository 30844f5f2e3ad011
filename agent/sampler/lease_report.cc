#include "sampler/lease_report.h"

#include <array>
#include <chrono>
#include <string_view>
#include <utility>

namespace pgvalet::sampler {
namespace {

// The literal of an array, element by element.
class ArrayText {
 public:
  void Add(const std::string& plain) {
    if (text_.size() > 1) text_ += ',';
    text_ += plain;
  }
  void AddQuoted(std::string_view name) {
    std::string quoted = "\"";
    for (const char c : name) {
      if (c == '"' || c == '\\') quoted += '\\';
      quoted += c >= ' ' && c <= '~' ? c : '?';
    }
    Add(quoted + '"');
  }
  std::string Take() { return std::move(text_ += '}'); }

 private:
  std::string text_ = "{";
};

}  // namespace

std::string ServersOf(const Target& target) {
  std::string servers;
  for (const Address& address : target.addresses) {
    servers += (servers.empty() ? "" : ",") + address.host + ":" + std::to_string(address.port);
  }
  return servers;
}

Statement ReportStatement(const std::string& agent_name,
                          const std::vector<stats::LeasedClient>& leases, const Target& target,
                          Time now) {
  const std::string servers = ServersOf(target);
  std::array<ArrayText, 5> columns;
  for (const stats::LeasedClient& lease : leases) {
    if (lease.servers != servers) continue;
    const bool is_unix = lease.client_addr.empty();
    columns[0].Add(std::to_string(lease.server_pid));
    columns[1].AddQuoted(lease.client_addr);
    columns[2].Add(is_unix ? "-1" : std::to_string(lease.client_port));
    columns[3].AddQuoted(lease.application_name);
    columns[4].Add(std::to_string(Since(lease.since, now).count()));
  }
  Statement report{"pgvalet_report",
                   "SELECT pgvalet.report_clients($1::text, $2::int4[], $3::text[], $4::int4[], "
                   "$5::text[], $6::int8[])",
                   {agent_name}};
  for (ArrayText& column : columns) report.values.push_back(column.Take());
  return report;
}

}  // namespace pgvalet::sampler
