// A query of our own on a server connection nobody else uses: login, checks, resets, auth_query.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "io/channel.h"

namespace pgvalet::pool {

struct QueryOutcome {
  std::vector<std::vector<std::optional<std::string>>> rows;    // at most kMaxRows
  std::vector<std::pair<std::string, std::string>> parameters;  // ParameterStatus that came along
  char status = 'I';                                            // of the last ReadyForQuery
};

// The error an ErrorResponse tells: kServer with the server's SQLSTATE and sentence.
Error ServerError(wire::Bytes body);

// Sends `sql` as a simple query and reads up to ReadyForQuery.  An ErrorResponse is the result
// (kServer), but only after ReadyForQuery was read, so the connection can be used again.
io::Task<Result<QueryOutcome>> RunQuery(io::Channel& channel, std::string sql);

// The same for messages already put together; they end with one Sync or Query.
io::Task<Result<QueryOutcome>> RunMessages(io::Channel& channel, std::string messages);

}  // namespace pgvalet::pool
