#include "session/login_settings.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "io/channel.h"
#include "pool/server_query.h"
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
wire::SettingsRef Without(SessionContext& context, const wire::SettingsRef& settings,
                          std::string_view lower_name) {
  if (settings->Find(lower_name) == nullptr) return settings;
  auto values = settings->values;
  std::erase_if(values, [&](const auto& pair) { return pair.first == lower_name; });
  return context.settings_store().Intern(std::move(values));
}

io::Task<Result<wire::SettingsRef>> AskServer(SessionContext& context, pool::Pool& pool,
                                              wire::SettingsRef asked) {
  Result<pool::Lease> lease = co_await LeaseWait(pool, asked);
  if (!lease) co_return lease.error();
  pool::ServerConnection& server = **lease;
  io::Channel channel(context.loop(), context.loop().now() + pool.policy().server_connect_timeout);
  channel.Use(*server.stream);
  // From a clean start, so that what the server reports are these settings and no others.
  wire::SettingsStore& store = context.settings_store();
  const std::string reset = wire::RestoreSql(*server.settings, *store.none());
  if (!reset.empty()) {
    if (Result<pool::QueryOutcome> clean = co_await pool::RunQuery(channel, reset); !clean) {
      co_return clean.error();
    }
    server.settings = store.none();
  }
  auto values = asked->values;
  const std::string sql = wire::RestoreSql(*store.none(), *asked);
  if (!sql.empty()) {
    Result<pool::QueryOutcome> outcome = co_await pool::RunQuery(channel, sql);
    if (!outcome) {
      // Refused as a whole, so the server carries nothing of it.
      if (outcome.error().code == ErrorCode::kServer) lease->Release();
      co_return outcome.error();
    }
    for (const auto& [name, value] : outcome->parameters) {
      const std::string lower = wire::LowerCase(name);
      for (auto& pair : values) {
        if (pair.first == lower) pair.second = value;
      }
    }
  }
  wire::SettingsRef spelled = store.Intern(std::move(values));
  server.settings = spelled;
  lease->Release();
  co_return spelled;
}

}  // namespace

Result<wire::SettingsRef> SettingsOf(SessionContext& context, const wire::StartupPacket& startup,
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
  return context.settings_store().Intern(std::move(values));
}

io::Task<Result<wire::SettingsRef>> AcceptSettings(SessionContext& context, pool::Pool& pool,
                                                   wire::SettingsRef asked) {
  const std::string* application = asked->Find(kApplicationName);
  const wire::SettingsRef core = Without(context, asked, kApplicationName);
  AcceptedSettings& accepted = context.shared().accepted_settings;
  wire::SettingsRef spelled = accepted.Find(pool.key(), core);
  const bool nothing_to_ask = core->values.empty() && pool.group().welcome() != nullptr;
  if (!spelled && nothing_to_ask) spelled = core;
  if (!spelled) {
    Result<wire::SettingsRef> answer = co_await AskServer(context, pool, core);
    if (!answer) co_return answer.error();
    spelled = *answer;
    accepted.Add(pool.key(), core, spelled);
  }
  if (application == nullptr) co_return spelled;
  co_return context.settings_store().With(spelled, kApplicationName, *application);
}

}  // namespace pgvalet::session
