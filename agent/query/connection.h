// Connection: a client of our own agent, for somebody who has no driver.
//
// libpq in pipeline mode, never blocking but for its caller.  Owner: one call, one thread at a
// time.  The destructor closes it.
#pragma once

#include <libpq-fe.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "base/wakeup.h"
#include "pgvalet/v1/query.pb.h"
#include "query/door.h"

namespace pgvalet::query {

// Who gets the answers to statements.  False: no more is wanted.
class Answers {
 public:
  virtual ~Answers() = default;
  virtual bool OnPart(int index, v1::ExecuteResponse& part) = 0;
  virtual bool OnError(int index, const v1::PostgresError& error) = 0;
};

// What is one transaction.
enum class Unit : std::uint8_t {
  kEach,  // every statement; after an error the next ones run
  kAll,   // all of them; after an error none runs
};

class Connection {
 public:
  // `stop` outlives the connection: once signalled, what runs is cancelled, and nothing runs any
  // more.
  explicit Connection(const Wakeup& stop) : stop_(stop) {}

  // Logs in.  kServer: refused, and error() says how; kAborted; kIo: the agent is not there.
  Result<Done> Open(const Door& door, const v1::Login& login);

  // Sends all statements at once, and passes on what comes back.  An error of a statement is no
  // error here.  kAborted: `stop`, or an answer that nobody wanted; kIo: the connection is lost;
  // kServer: COPY with the client, and error() says so.
  // REQUIRES: Open() worked, and no Run() failed.
  Result<Done> Run(const std::vector<const v1::Statement*>& statements, Unit unit,
                   Answers& answers);

  // What was said when Open() or Run() failed with kServer.
  const v1::PostgresError& error() const { return error_; }

 private:
  struct Closer {
    void operator()(PGconn* connection) const { PQfinish(connection); }
  };
  struct ResultDeleter {
    void operator()(PGresult* result) const { PQclear(result); }
  };
  using ResultPtr = std::unique_ptr<PGresult, ResultDeleter>;
  class Reader;

  Result<Done> LogIn();
  Result<Done> Send(const v1::Statement& statement);
  // The next result; null at the end of one statement's.
  Result<ResultPtr> NextResult(const Wakeup& stop, Time deadline);
  // Ends what runs on the server, so that its connection can be used by others.
  void Cancel();
  // Why the login failed.
  Error Refused();
  Error Lost() const;

  const Wakeup& stop_;
  std::vector<v1::Notice> notices_;  // since they were passed on last; libpq knows its address
  v1::PostgresError error_;
  std::unique_ptr<PGconn, Closer> connection_;
};

}  // namespace pgvalet::query
