// Finding the secret of a user: the user directory first, then auth_query.
#pragma once

#include <memory>
#include <string>

#include "auth/secret.h"
#include "base/result.h"
#include "config/settings.h"
#include "io/task.h"

namespace pgvalet::session {

class SessionContext;

// Null: there is no such user.  An error: auth_query could not be asked.
io::Task<Result<std::shared_ptr<const auth::Secret>>> LookUpSecret(
    SessionContext& context, const config::DatabaseSettings& database, std::string database_name,
    std::string user);

// Only what is known without asking a server.
std::shared_ptr<const auth::Secret> KnownSecret(const SessionContext& context,
                                                const std::string& user);

}  // namespace pgvalet::session
