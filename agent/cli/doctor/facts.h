// Facts: what the agent said of itself, for the checks.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/settings.h"
#include "pgvalet/v1/control.pb.h"
#include "pgvalet/v1/stats.pb.h"

namespace pgvalet::cli::doctor {

struct Facts {
  v1::Snapshot snapshot;
  // Below: what an agent tells to those with a token only.
  std::optional<config::Settings> settings;
  std::vector<v1::Database> databases;
  std::vector<v1::Client> clients;
};

// The settings in force; what this program does not know, and secrets, are left out.
config::Settings SettingsOf(const v1::ListSettingsResponse& response);

// Can nobody on another machine reach what listens at `listen_addr`?
bool IsLoopback(const std::string& host);
bool IsLoopback(const std::vector<std::string>& hosts);

// "pool app/alice".
std::string NameOf(const v1::Pool& pool);

// "1 client", "2 clients".
std::string Quantity(std::int64_t count, const std::string& one);

}  // namespace pgvalet::cli::doctor
