#include "session/login_settings.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "io/channel.h"
#include "pool/server_restore.h"
#include "session/context.h"
#include "session/lease_wait.h"
#include "wire/options.h"

namespace pgvalet::session {
namespace {

constexpr std::string_view kApplicationName = "application_name";
// As the server cuts it (NAMEDATALEN - 1).
constexpr std::size_t kMaxApplicationName = 63;

bool IsIgnored(const config::Settings& settings, const std::string& lower_name) {
  return std::any_of(
      settings.ignore_startup_parameters.begin(), settings.ignore_startup_parameters.end(),
      [&](const std::string& ignored) { return wire::LowerCase(ignored) == lower_name; });
}

// As PostgreSQL does: what is not printable ASCII becomes a question mark.
std::string CleanApplicationName(std::string_view name) {
  std::string clean(name.substr(0, kMaxApplicationName));
  for (char& c : clean) {
    if (c < 32 || c > 126) c = '?';
  }
  return clean;
}

// Any server accepts it, and clients differ in it: it is not worth a question to a server.
wire::StateRef Without(SessionContext& context, const wire::StateRef& settings,
                       std::string_view lower_name) {
  if (settings->Find(lower_name) == nullptr) return settings;
  wire::SettingList values = settings->startup;
  std::erase_if(values, [&](const auto& pair) { return pair.first == lower_name; });
  return context.states().FromStartup(std::move(values));
}

io::Task<Result<wire::StateRef>> AskServer(SessionContext& context, pool::Pool& pool,
                                           wire::StateRef asked) {
  Result<pool::Lease> lease = co_await LeaseWait(pool, asked);
  if (!lease) co_return lease.error();
  pool::ServerConnection& server = **lease;
  io::Channel channel(context.loop(), pool.policy().ServerDeadline(context.loop().now()));
  channel.Use(*server.stream);
  // From a clean start, so that what the server reports are these settings and no others.
  wire::StateStore& states = context.states();
  Result<pool::QueryOutcome> clean = co_await pool::Restore(channel, server, states, states.none());
  if (!clean) co_return clean.error();
  Result<pool::QueryOutcome> outcome = co_await pool::Restore(channel, server, states, asked);
  if (!outcome) {
    // Refused as a whole: the server carries nothing of it.
    const bool usable = outcome.error().code == ErrorCode::kServer && !server.HasExtension();
    if (usable) lease->Release();
    co_return outcome.error();
  }
  wire::SettingList values = asked->startup;
  for (const auto& [name, value] : outcome->parameters) {
    const std::string lower = wire::LowerCase(name);
    for (auto& pair : values) {
      if (pair.first == lower) pair.second = value;
    }
  }
  wire::StateRef spelled = states.FromStartup(std::move(values));
  if (!server.HasExtension()) server.carried = spelled;
  lease->Release();
  co_return spelled;
}

}  // namespace

Result<wire::StateRef> SettingsOf(SessionContext& context, const wire::StartupPacket& startup,
                                  std::string_view peer) {
  const config::Settings& settings = *context.settings();
  std::vector<std::pair<std::string, std::string>> values;
  for (const auto& [name, value] : startup.parameters) {
    if (name == "user" || name == "database") continue;
    if (name != "options") {
      // Only what drivers send unasked; what stands in options somebody has written there.
      std::string lower = wire::LowerCase(name);
      if (!IsIgnored(settings, lower)) values.emplace_back(std::move(lower), value);
      continue;
    }
    Result<std::vector<std::pair<std::string, std::string>>> options = wire::ParseOptions(value);
    if (!options) return options.error();
    for (auto& [key, text] : *options) values.emplace_back(wire::LowerCase(key), std::move(text));
  }
  for (auto& [name, value] : values) {
    if (name == "replication" && value != "false" && value != "off" && value != "no" &&
        value != "0") {
      return Error{ErrorCode::kProtocol,
                   "replication connections are not pooled: connect to the server directly",
                   0,
                   {},
                   "0A000"};
    }
    if (name.starts_with("pgvalet.")) {
      return Error{ErrorCode::kProtocol,
                   "settings that begin with pgvalet. belong to the agent",
                   0,
                   {},
                   "42501"};
    }
    if (name == kApplicationName) value = CleanApplicationName(value);
  }
  std::erase_if(values, [](const auto& pair) { return pair.first == "replication"; });
  if (settings.application_name_add_host) {
    std::string name = "app";
    for (const auto& pair : values) {
      if (pair.first == kApplicationName && !pair.second.empty()) name = pair.second;
    }
    const std::string suffix = " - " + std::string(peer);
    values.emplace_back(
        kApplicationName,
        name.substr(0, kMaxApplicationName - std::min(suffix.size(), kMaxApplicationName)) +
            suffix);
  }
  return context.states().FromStartup(std::move(values));
}

io::Task<Result<wire::StateRef>> AcceptSettings(SessionContext& context, pool::Pool& pool,
                                                wire::StateRef asked) {
  const std::string* application = asked->Find(kApplicationName);
  const wire::StateRef core = Without(context, asked, kApplicationName);
  AcceptedSettings& accepted = context.shared().accepted_settings;
  wire::StateRef spelled = accepted.Find(pool.key(), core);
  const bool nothing_to_ask = core->startup.empty() && pool.group().welcome() != nullptr;
  if (!spelled && nothing_to_ask) spelled = core;
  if (!spelled) {
    Result<wire::StateRef> answer = co_await AskServer(context, pool, core);
    if (!answer) co_return answer.error();
    spelled = *answer;
    accepted.Add(pool.key(), core, spelled);
  }
  if (application == nullptr) co_return spelled;
  wire::SettingList values = spelled->startup;
  values.emplace_back(kApplicationName, *application);
  co_return context.states().FromStartup(std::move(values));
}

}  // namespace pgvalet::session
