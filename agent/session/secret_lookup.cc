#include "session/secret_lookup.h"

#include <utility>
#include <vector>

#include "base/log.h"
#include "io/channel.h"
#include "pool/server_restore.h"
#include "session/context.h"
#include "session/lease_wait.h"
#include "wire/message_builder.h"

namespace pgvalet::session {
namespace {

using SecretPtr = std::shared_ptr<const auth::Secret>;

// An answer of auth_query is good for this long: a storm of logins asks once.
constexpr Duration kAnswerAge = std::chrono::seconds(1);

const std::string& First(const std::string& narrow, const std::string& wide) {
  return narrow.empty() ? wide : narrow;
}

// The rows of auth_query: name and secret of one user, or nothing.
Result<SecretPtr> SecretOf(const pool::QueryOutcome& outcome) {
  if (outcome.rows.empty()) return SecretPtr();
  if (outcome.rows.size() > 1 || outcome.rows[0].size() < 2) {
    return Error{ErrorCode::kInvalidSetting,
                 "auth_query must return one row of user name and secret"};
  }
  if (!outcome.rows[0][1]) return SecretPtr();  // no password, or past VALID UNTIL
  Result<auth::Secret> secret = auth::Secret::Parse(*outcome.rows[0][1]);
  if (!secret) return secret.error();
  return std::make_shared<const auth::Secret>(std::move(*secret));
}

io::Task<Result<SecretPtr>> Ask(SessionContext& context, pool::Pool& pool, std::string query,
                                std::string user) {
  Result<pool::Lease> lease = co_await LeaseWait(pool, context.states().none());
  if (!lease) co_return lease.error();
  pool::ServerConnection& server = **lease;
  io::Channel channel(context.loop(), pool.policy().ServerDeadline(context.loop().now()));
  channel.Use(*server.stream);
  // What a client has set (search_path!) must not decide what our query means.
  wire::StateStore& states = context.states();
  Result<pool::QueryOutcome> clean = co_await pool::Restore(channel, server, states, states.none());
  if (!clean) co_return clean.error();
  std::string messages;
  wire::AppendQueryWithParameters(messages, query, {user});
  Result<pool::QueryOutcome> outcome = co_await pool::RunMessages(channel, std::move(messages));
  if (!outcome) co_return outcome.error();
  if (outcome->status == 'I') lease->Release();
  co_return SecretOf(*outcome);
}

}  // namespace

SecretPtr KnownSecret(const SessionContext& context, const std::string& user) {
  if (SecretPtr listed = auth::FindSecret(context.users(), user)) return listed;
  const auto& inline_users = context.settings()->inline_users;
  const auto found = inline_users.find(user);
  if (found == inline_users.end()) return nullptr;
  Result<auth::Secret> secret = auth::Secret::Parse(found->second);
  return secret ? std::make_shared<const auth::Secret>(std::move(*secret)) : nullptr;
}

io::Task<Result<SecretPtr>> LookUpSecret(SessionContext& context,
                                         const config::DatabaseSettings& database,
                                         std::string database_name, std::string user) {
  if (SecretPtr known = KnownSecret(context, user)) co_return known;
  const config::SettingsPtr settings = context.settings();
  const std::string auth_user = First(database.auth_user, settings->auth_user);
  if (auth_user.empty() || auth_user == user) co_return SecretPtr();

  auth::LearnedSecrets& learned = context.shared().learned;
  if (SecretPtr fresh = learned.Find({database_name, user}, context.loop().now(), kAnswerAge)) {
    co_return fresh;
  }
  const std::string auth_dbname =
      First(First(database.auth_dbname, settings->auth_dbname), database_name);
  pool::Pool* pool = context.pools().Find({auth_dbname, auth_user});
  if (pool == nullptr) {
    co_return Error{ErrorCode::kInvalidSetting, "auth_dbname is not a database of [databases]", 0,
                    auth_dbname};
  }
  auth::ServerCredentials credentials{auth_user, KnownSecret(context, auth_user), nullptr};
  if (credentials.secret)
    credentials.keys = learned.FindKeys({auth_dbname, auth_user}, *credentials.secret);
  pool->group().SetCredentials(std::move(credentials));
  const std::string query = First(database.auth_query, settings->auth_query);
  Result<SecretPtr> secret = co_await Ask(context, *pool, query, user);
  if (secret && *secret) learned.Learn({database_name, user}, *secret, context.loop().now());
  co_return std::move(secret);
}

}  // namespace pgvalet::session
