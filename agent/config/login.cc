#include "config/login.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>

#include "config/entry.h"

namespace pgvalet::config {
namespace {

constexpr std::string_view kHowToLogIn =
    "give its password (PGVALET_DATABASE_PASSWORD_FILE, PGVALET_DATABASE_PASSWORD or in the URI), "
    "name the users (auth_file, or auth_user with auth_query), or let everybody in who can "
    "connect: --set auth_type=trust";

bool IsUnixSocket(const HostPort& address) {
  return address.host.starts_with('/') || address.host.starts_with('@');
}

void AddInlineUser(const std::string& user, const std::string& secret, const Place& place,
                   Draft& draft) {
  draft.settings.inline_users[user] = secret;
  draft.places[fmt::format("inline_users.{}", user)] = place;
}

// Without a password and without any word about login.  A server reached over TCP that
// asks this machine for no password gives our local clients nothing they could not have
// without us; anything wider has to be said.
void LetLocalClientsIn(const DatabaseSettings& database, const Place& place, Draft& draft) {
  Settings& settings = draft.settings;
  const bool over_socket = std::any_of(database.hosts.begin(), database.hosts.end(), IsUnixSocket);
  const bool local_only =
      std::all_of(settings.listen_addr.begin(), settings.listen_addr.end(), IsLoopback);
  if (over_socket) {
    draft.report.Mistake(place, "auth_type",
                         fmt::format("nobody could log in: {} has no password, and a server "
                                     "behind a Unix socket may know the agent by its operating "
                                     "system user; {}",
                                     database.user, kHowToLogIn));
    return;
  }
  if (!local_only) {
    draft.report.Mistake(place, "auth_type",
                         fmt::format("nobody could log in: {} has no password, and listen_addr "
                                     "reaches beyond this machine; {}",
                                     database.user, kHowToLogIn));
    return;
  }
  settings.auth_type = AuthType::kTrust;
  draft.places["auth_type"] = {"default for a URI without a password", 0};
  AddInlineUser(database.user, "", place, draft);
  draft.report.Warning(place, "auth_type",
                       fmt::format("trust, since the URI has no password: every program on this "
                                   "machine can log in as {}, and nobody else",
                                   database.user));
}

void DecideLogin(const DatabaseSettings& database, const Place& place, Draft& draft) {
  if (database.user.empty()) return;  // CrossCheck() asks whether anybody can log in
  if (!database.password.empty()) {
    AddInlineUser(database.user, database.password, place, draft);
    return;
  }
  const bool said =
      draft.IsSet("auth_type") || draft.IsSet("auth_file") || draft.IsSet("auth_user");
  if (!said) {
    LetLocalClientsIn(database, place, draft);
  } else if (draft.settings.auth_type == AuthType::kTrust) {
    AddInlineUser(database.user, "", place, draft);
  }
}

}  // namespace

void ApplyUri(const ConnectionUri& uri, Draft& draft) {
  DatabaseSettings database = ReadDatabaseEntry(
      {.name = {}, .shown = {}, .place = uri.place, .content = uri.text}, draft.report);

  if (database.password.empty()) database.password = uri.password;
  const Place login_place = uri.password.empty() ? uri.place : uri.password_place;
  // libpq's rule for a URI that names no database.
  database.name = database.dbname.empty() ? database.user : database.dbname;
  if (!database.name.empty()) {
    if (database.dbname.empty()) database.dbname = database.name;
    draft.settings.databases[database.name] = database;
    draft.places[fmt::format("databases.{}", database.name)] = uri.place;
  }
  DatabaseSettings fallback = database;
  fallback.name.assign(1, '*');  // a literal trips a false -Wrestrict of g++ 12
  fallback.dbname.clear();
  if (draft.settings.databases.try_emplace("*", std::move(fallback)).second) {
    draft.places["databases.*"] = uri.place;
  }
  DecideLogin(database, login_place, draft);
}

bool IsLoopback(std::string_view address) {
  if (address == "localhost") return true;
  const std::string text(address);
  in_addr v4{};
  if (inet_pton(AF_INET, text.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  in6_addr v6{};
  return inet_pton(AF_INET6, text.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

}  // namespace pgvalet::config
