// A watch: snapshots one after the other, a second apart, and what an Adviser says of each.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "advice/adviser.h"

namespace pgvalet::advice {

inline stats::PinSnapshot PinOf(std::string database, std::string user, std::int64_t age_us) {
  stats::PinSnapshot pin;
  pin.client.database = std::move(database);
  pin.client.user = std::move(user);
  pin.age_us = age_us;
  return pin;
}

inline stats::BackendRow BackendOf(int pid, std::string state, stats::WallTime state_since) {
  stats::BackendRow row;
  row.pid = pid;
  row.state = std::move(state);
  row.state_since = state_since;
  return row;
}

struct Watch : testing::Test {
  static constexpr Duration kSecond = std::chrono::seconds(1);

  Watch() {
    settings.alert_on_after = 3 * kSecond;
    settings.alert_off_after = 10 * kSecond;
    snapshot.time = stats::WallTime{std::chrono::seconds(1'700'000'000)};
    snapshot.steady_time = Time{std::chrono::seconds(1000)};
    snapshot.agent.status.state = stats::AgentState::kRunning;
    snapshot.agent.status.listening = true;
    snapshot.agent.status.max_clients = 1000;
    snapshot.pools.resize(1);
    snapshot.pools[0].database = "app";
    snapshot.pools[0].user = "alice";
    snapshot.pools[0].pool_mode = "transaction";
    snapshot.pools[0].now.pool_size = 20;
    sample.reason = "not read yet";
    sample.summary.max_connections = 100;
    sample.summary.reserved_connections = 3;
  }

  // The snapshot of one second later.
  void Next() {
    if (!adviser) adviser = std::make_unique<Adviser>(Share());
    ++snapshot.sequence;
    snapshot.time += kSecond;
    snapshot.steady_time += kSecond;
    if (sample.available) sample.sampled_at = snapshot.time;
    snapshot.extension = std::make_shared<const stats::ExtensionSample>(sample);
    snapshot.alerts = adviser->Judge(snapshot);
  }
  void Pass(int seconds) {
    for (int i = 0; i < seconds; ++i) Next();
  }

  // The settings as they are now are in force from the next snapshot on.
  void Reload() { adviser->SetSettings(Share()); }

  std::shared_ptr<const config::Settings> Share() const {
    return std::make_shared<const config::Settings>(settings);
  }

  // The alert of this name (and component, if given), or null.
  const stats::Alert* Find(const std::string& name, const std::string& component = "") const {
    for (const stats::Alert& alert : snapshot.alerts) {
      if (alert.name == name && (component.empty() || alert.component == component)) return &alert;
    }
    return nullptr;
  }
  bool Has(const std::string& name) const { return Find(name) != nullptr; }

  stats::PoolSnapshot& pool() { return snapshot.pools[0]; }
  stats::AgentHealth& agent() { return snapshot.agent; }

  config::Settings settings;
  stats::Snapshot snapshot;
  stats::ExtensionSample sample;
  std::unique_ptr<Adviser> adviser;
};

}  // namespace pgvalet::advice
