// Postgres: one libpq connection with a deadline for every wait.
//
// For one thread at a time; the destructor closes it.  Passwords come from where libpq takes them,
// and are in no text of this class.
#pragma once

#include <libpq-fe.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace pgvalet::cli {

struct ConnectionDeleter {
  void operator()(PGconn* connection) const { PQfinish(connection); }
};
using ConnectionPtr = std::unique_ptr<PGconn, ConnectionDeleter>;

struct ResultDeleter {
  void operator()(PGresult* result) const { PQclear(result); }
};
using ResultPtr = std::unique_ptr<PGresult, ResultDeleter>;

// Parameters of a connection, as libpq takes them.
struct ConnectionParameters {
  std::vector<std::string> keywords;
  std::vector<std::string> values;
};

// A URI or "key=value ..." taken apart.  kInvalidSetting: it is neither; what was written is not
// repeated, for it may hold a password.
Result<ConnectionParameters> ParseConninfo(const std::string& conninfo);

// The same with the address of its host in it, so that the name is looked up once; unchanged where
// there are several hosts, a socket, or nothing is found.
ConnectionParameters WithAddress(ConnectionParameters parameters);

// Begins to connect; never null but out of memory.  Errors then carry their SQLSTATE (SaidBy).
ConnectionPtr StartConnection(const ConnectionParameters& parameters);

// What libpq says went wrong with a connection that was started by StartConnection(): kServer with
// sqlstate, or kIo.  `detail` is one line, without where it was connected to.
Error SaidBy(std::string_view message);

// Waits until the socket can be read or written, as PQconnectPoll() asks.  kTimeout.
Result<Done> WaitFor(const PGconn* connection, bool for_writing, Time deadline);

class Postgres {
 public:
  // Connects and logs in.  kTimeout; kIo; kServer with SQLSTATE, where the server said no.
  static Result<Postgres> Open(const ConnectionParameters& parameters, Duration timeout);

  // Rows as text, NULL as "".  Any number of statements; rows of the last.
  using Rows = std::vector<std::vector<std::string>>;
  Result<Rows> Query(const std::string& sql, Duration timeout);

  const PGconn* raw() const { return connection_.get(); }

 private:
  explicit Postgres(ConnectionPtr connection) : connection_(std::move(connection)) {}

  ConnectionPtr connection_;
};

}  // namespace pgvalet::cli
