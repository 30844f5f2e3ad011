// Agent: settings that change while it runs.
#include <string>
#include <utility>

#include "base/log.h"
#include "config/load.h"
#include "config/table.h"
#include "daemon/agent.h"
#include "pool/policy.h"

namespace pgvalet::daemon {

Result<Done> Agent::Reload() {
  const std::lock_guard lock(reload_mutex_);
  Result<Done> applied = LoadAndApply(command_line_, {});
  if (applied) set_since_.clear();
  if (applied) {
    TellEvent("settings_reloaded", "settings were read again");
  } else {
    TellEvent("reload_refused", std::string("settings stay as they are: ") + applied.error().what);
  }
  return applied;
}

Result<Done> Agent::Set(const std::string& key, const std::string& value) {
  const config::Setting<config::Settings>* setting =
      config::FindSetting(config::SettingsTable(), key);
  if (setting == nullptr) {
    return Error{ErrorCode::kNotFound, "there is no such setting", 0, key, "42704"};
  }
  if (setting->needs_restart) {
    return Error{ErrorCode::kInvalidSetting, "this setting needs a restart to change", 0, key,
                 "55P02"};
  }
  const std::lock_guard lock(reload_mutex_);
  config::CommandLine with = command_line_;
  with.overrides.insert(with.overrides.end(), set_since_.begin(), set_since_.end());
  with.overrides.emplace_back(key, value);
  Result<Done> applied = LoadAndApply(with, settings()->resized_pools);
  if (!applied)
    return Error{ErrorCode::kInvalidSetting, "the value cannot be used", 0, applied.error().detail,
                 "22023"};
  set_since_.emplace_back(key, value);
  TellEvent("setting_changed", key + " was set until the next reload");
  return applied;
}

Result<int> Agent::ResizePool(const pool::PoolKey& key, int pool_size) {
  const std::lock_guard lock(reload_mutex_);
  const config::SettingsPtr before = settings();
  if (before->FindDatabase(key.database) == nullptr) {
    return Error{ErrorCode::kNotFound, "no such database", 0, key.database, "3D000"};
  }
  auto next = std::make_shared<config::Settings>(*before);
  if (key.user.empty()) {  // it was said of every pool: sizes of single ones are past
    std::erase_if(next->resized_pools,
                  [&](const auto& resized) { return resized.first.first == key.database; });
  }
  next->resized_pools[{key.database, key.user}] = pool_size;
  {
    const std::lock_guard settings_lock(settings_mutex_);
    settings_ = next;
  }
  TellCores(next);
  return pool::PolicyFor(*before, key, pool_shared_.agent_name).pool_size;
}

Result<Done> Agent::LoadAndApply(const config::CommandLine& command_line,
                                 const PoolSizes& resized) {
  const config::SettingsPtr before = settings();
  Result<config::Loaded> loaded = config::Load(command_line, environment_);
  if (!loaded) {
    log::error("reload refused, the settings stay as they are: {}\n{}", loaded.error().what,
               loaded.error().detail);
    return loaded.error();
  }
  for (const std::string& warning : loaded->warnings) log::warn("{}", warning);
  for (const std::string& key : config::NeedRestart(*before, *loaded->settings)) {
    log::warn("setting {} needs a restart to change", key);
  }
  loaded->settings = config::KeepRestartSettings(*before, *loaded->settings);
  auto effective =
      std::make_shared<config::Settings>(*config::KeepRestartSettings(*before, *loaded->settings));
  effective->resized_pools = resized;
  const config::SettingsPtr next = std::move(effective);
  Result<auth::UserDirectoryPtr> users = LoadUsers(*next);
  if (!users) {
    log::error("reload refused, the settings stay as they are: {}", users.error().ToString());
    return users.error();
  }
  if (Result<Done> access = LoadAccess(*next); !access) {
    log::error("reload refused, the settings stay as they are: {}", access.error().ToString());
    return access.error();
  }
  if (LogOptionsOf(*next, is_quiet_) != LogOptionsOf(*before, is_quiet_) ||
      !next->logfile.empty()) {
    if (Result<Done> log = StartLog(LogOptionsOf(*next, is_quiet_)); !log) {
      log::error("{}", log.error().ToString());
    }
  }
  {
    const std::lock_guard lock(settings_mutex_);
    settings_ = next;
    users_ = std::move(*users);
    sources_ = std::move(loaded->sources);
  }
  Apply(next);
  return Done{};
}

Result<Done> Agent::LoadAccess(const config::Settings& settings) {
  Result<Done> loaded = tls_.Load({.cert_file = settings.api_tls_cert_file,
                                   .key_file = settings.api_tls_key_file,
                                   .ca_file = settings.api_tls_ca_file});
  return loaded ? tokens_.Load(settings.token_file) : loaded;
}

void Agent::Apply(const config::SettingsPtr& next) {
  max_clients_ = next->max_client_conn;
  settings_loaded_at_ = stats::WallNow().time_since_epoch().count();
  session_shared_.learned.ForgetAnswers();
  session_shared_.accepted_settings.Clear();
  TellCores(next);
  notifications_->SetSettings(next);
  adviser_.SetSettings(next);
  publisher_->SetInterval(next->snapshot_interval);
  sampler_->UpdateSettings(next);
  inquiry_->UpdateSettings(*next);
  log::info("settings reloaded");
}

void Agent::TellCores(const config::SettingsPtr& next) {
  for (auto& core : cores_) {
    Core* target = core.get();
    target->Post([target, next, users = users()] { target->sessions().SetSettings(next, users); });
  }
}

}  // namespace pgvalet::daemon
