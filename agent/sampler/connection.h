// Connection: libpq, never blocking.
//
// One connection to PostgreSQL that belongs to one thread.  Every wait
// ends at a deadline or when `abort` is signalled; after any failure of Open() or a
// failure of Run() that left answers outstanding the connection is closed.
#pragma once

#include <libpq-fe.h>

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/wakeup.h"
#include "sampler/resolve.h"
#include "sampler/target.h"

namespace pgvalet::sampler {

struct ResultDeleter {
  void operator()(PGresult* result) const { PQclear(result); }
};
using ResultPtr = std::unique_ptr<PGresult, ResultDeleter>;

// A statement that is prepared once per connection, and the values of its parameters as text.
struct Statement {
  const char* name;
  std::string sql;
  std::vector<std::string> values = {};
};

class Connection {
 public:
  // `abort` must outlive the connection; `name` is what the server is told, and static.
  explicit Connection(const Wakeup& abort, const char* name = "pgvaletd sampler")
      : abort_(abort), name_(name) {}

  // Connects and logs in; read only, with a statement timeout and a name of its own.
  // REQUIRES: !open().
  Result<Done> Open(const Target& target, Time deadline);

  bool open() const { return connection_ != nullptr; }
  void Close();

  // Sends all statements in one batch, preparing those this connection has not seen,
  // and returns one result each, in binary format, in order.
  // Fails with kServer (sqlstate and the server's sentence) when a statement fails:
  // the connection stays open then; and with kTimeout, kAborted or kIo, which close it.
  // REQUIRES: open().
  Result<std::vector<ResultPtr>> Run(const std::vector<Statement>& statements, Time deadline);

 private:
  struct ConnectionDeleter {
    void operator()(PGconn* connection) const { PQfinish(connection); }
  };

  Result<Done> FinishLogin(Time deadline);
  Result<Done> Send(const std::vector<Statement>& statements);
  Result<Done> Flush(Time deadline);
  // The next result; null at the end of one statement's results.
  Result<ResultPtr> NextResult(Time deadline);
  Result<std::vector<ResultPtr>> Receive(const std::vector<Statement>& statements, Time deadline);
  Error IoError() const;

  const Wakeup& abort_;
  const char* const name_;
  Resolver resolver_;
  std::unique_ptr<PGconn, ConnectionDeleter> connection_;
  std::vector<std::string> prepared_;  // names the server knows
  std::vector<bool> preparing_;        // per statement of this batch: is it prepared in it?
};

// A message of libpq or of the server as one line of at most 400 characters, without
// libpq's indented guesses at what might be wrong.
std::string OneLine(std::string_view message);

}  // namespace pgvalet::sampler
