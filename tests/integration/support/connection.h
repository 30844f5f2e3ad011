// A libpq connection, through the agent or past it, that reads well in tests.
//
// Owner: one test, one thread at a time.  The destructor closes it.
#pragma once

#include <libpq-fe.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace pgvalet::integration {

// What a statement came to.  sqlstate is empty when it succeeded; an error the
// server did not send (a broken connection) has "libpq" there.
struct Answer {
  std::string sqlstate;
  std::string message;
  std::string tag;  // "INSERT 0 1"
  std::vector<std::vector<std::optional<std::string>>> rows;

  bool ok() const { return sqlstate.empty(); }
  // First field; "(none)" without a row, "(null)" for NULL, the error when it failed.
  std::string value() const;
};

Answer ToAnswer(const PGresult* result);

class Connection {
 public:
  // Connects at once; ok() and error() say how that went.
  explicit Connection(const std::string& conninfo);

  bool ok() const { return PQstatus(connection_.get()) == CONNECTION_OK; }
  // What libpq says went wrong last.
  std::string error() const { return PQerrorMessage(connection_.get()); }
  PGconn* raw() const { return connection_.get(); }

  // Simple protocol, not for COPY: the first error, else the last result.
  Answer Query(const std::string& sql);
  // First field of the first row, see Answer::value().
  std::string Value(const std::string& sql) { return Query(sql).value(); }
  // Throws std::runtime_error when the statement fails.
  void Must(const std::string& sql);
  // Extended protocol, unnamed statement, text parameters.
  Answer QueryParams(const std::string& sql, const std::vector<std::string>& parameters);
  Answer Prepare(const std::string& name, const std::string& sql);
  Answer Describe(const std::string& name);
  Answer ExecutePrepared(const std::string& name, const std::vector<std::string>& parameters = {});
  // Sends a query and does not wait; Collect() waits for its end and returns the
  // first error, else the last result.
  bool Send(const std::string& sql);
  Answer Collect();
  // Asks the server to cancel what runs here, as psql's Ctrl-C does.
  bool Cancel();
  // Drops the TCP connection without a Terminate message.
  void Kill();

  // "channel:payload" of the next notification; waits for it.  Throws std::runtime_error when the
  // connection ends instead.
  std::string NextNotification();
  // Of those that libpq has read so far.
  std::vector<std::string> Notifications();

  // Messages of severity NOTICE and WARNING so far, "SEVERITY: text".
  const std::vector<std::string>& notices() const { return *notices_; }

 private:
  std::unique_ptr<std::vector<std::string>> notices_;  // libpq holds its address
  std::unique_ptr<PGconn, decltype(&PQfinish)> connection_;
};

}  // namespace pgvalet::integration
