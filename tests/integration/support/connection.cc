#include "support/connection.h"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <stdexcept>

namespace pgvalet::integration {

namespace {

using ResultPtr = std::unique_ptr<PGresult, decltype(&PQclear)>;

ResultPtr Own(PGresult* result) { return {result, &PQclear}; }

void KeepNotice(void* keeper, const PGresult* notice) {
  const char* severity = PQresultErrorField(notice, PG_DIAG_SEVERITY_NONLOCALIZED);
  const char* text = PQresultErrorField(notice, PG_DIAG_MESSAGE_PRIMARY);
  static_cast<std::vector<std::string>*>(keeper)->push_back(
      std::string(severity != nullptr ? severity : "") + ": " + (text != nullptr ? text : ""));
}

}  // namespace

std::string Answer::value() const {
  if (!ok()) return sqlstate + " " + message;
  if (rows.empty() || rows[0].empty()) return "(none)";
  return rows[0][0].value_or("(null)");
}

Answer ToAnswer(const PGresult* result) {
  Answer answer;
  const ExecStatusType status = PQresultStatus(result);
  if (status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE || result == nullptr) {
    const char* sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char* message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    answer.sqlstate = sqlstate != nullptr ? sqlstate : "libpq";
    answer.message = message != nullptr ? message : PQresultErrorMessage(result);
    return answer;
  }
  answer.tag = PQcmdStatus(const_cast<PGresult*>(result));
  for (int row = 0; row < PQntuples(result); ++row) {
    auto& fields = answer.rows.emplace_back();
    for (int column = 0; column < PQnfields(result); ++column) {
      if (PQgetisnull(result, row, column) != 0) {
        fields.emplace_back();
      } else {
        fields.emplace_back(std::string(PQgetvalue(result, row, column),
                                        static_cast<size_t>(PQgetlength(result, row, column))));
      }
    }
  }
  return answer;
}

Connection::Connection(const std::string& conninfo)
    : notices_(std::make_unique<std::vector<std::string>>()),
      connection_(PQconnectdb((conninfo + " connect_timeout=30 gssencmode=disable").c_str()),
                  &PQfinish) {
  PQsetNoticeReceiver(raw(), &KeepNotice, notices_.get());
}

Answer Connection::Query(const std::string& sql) {
  // Not PQexec(): of the two errors of a session that is ended it returns the one
  // that libpq made itself.
  return Send(sql) ? Collect() : ToAnswer(nullptr);
}

void Connection::Must(const std::string& sql) {
  const Answer answer = Query(sql);
  if (!answer.ok())
    throw std::runtime_error(sql + ": " + answer.sqlstate + " " + answer.message + " " + error());
}

Answer Connection::QueryParams(const std::string& sql, const std::vector<std::string>& parameters) {
  std::vector<const char*> values;
  for (const std::string& parameter : parameters) values.push_back(parameter.c_str());
  return ToAnswer(Own(PQexecParams(raw(), sql.c_str(), static_cast<int>(values.size()), nullptr,
                                   values.data(), nullptr, nullptr, 0))
                      .get());
}

Answer Connection::Prepare(const std::string& name, const std::string& sql) {
  return ToAnswer(Own(PQprepare(raw(), name.c_str(), sql.c_str(), 0, nullptr)).get());
}

Answer Connection::Describe(const std::string& name) {
  return ToAnswer(Own(PQdescribePrepared(connection_.get(), name.c_str())).get());
}

Answer Connection::ExecutePrepared(const std::string& name,
                                   const std::vector<std::string>& parameters) {
  std::vector<const char*> values;
  for (const std::string& parameter : parameters) values.push_back(parameter.c_str());
  return ToAnswer(Own(PQexecPrepared(raw(), name.c_str(), static_cast<int>(values.size()),
                                     values.data(), nullptr, nullptr, 0))
                      .get());
}

bool Connection::Send(const std::string& sql) { return PQsendQuery(raw(), sql.c_str()) == 1; }

Answer Connection::Collect() {
  Answer answer;
  answer.sqlstate = "libpq";
  answer.message = PQerrorMessage(raw());
  bool failed = false;
  while (const ResultPtr result = Own(PQgetResult(raw()))) {
    // A lost connection adds an error of libpq's own behind the one that says why.
    if (!failed) answer = ToAnswer(result.get());
    failed = failed || !answer.ok();
  }
  return answer;
}

bool Connection::Cancel() {
  std::array<char, 256> message{};
  PGcancel* cancel = PQgetCancel(raw());
  const bool sent = PQcancel(cancel, message.data(), static_cast<int>(message.size())) == 1;
  PQfreeCancel(cancel);
  return sent;
}

void Connection::Kill() { shutdown(PQsocket(raw()), SHUT_RDWR); }

std::vector<std::string> Connection::Notifications() {
  std::vector<std::string> texts;
  while (PGnotify* notification = PQnotifies(connection_.get())) {
    texts.push_back(std::string(notification->relname) + ":" + notification->extra);
    PQfreemem(notification);
  }
  return texts;
}

std::string Connection::NextNotification() {
  while (true) {
    if (PGnotify* notification = PQnotifies(connection_.get())) {
      std::string text = std::string(notification->relname) + ":" + notification->extra;
      PQfreemem(notification);
      return text;
    }
    pollfd ready{PQsocket(connection_.get()), POLLIN, 0};
    if (ready.fd < 0) throw std::runtime_error("no connection to wait on: " + error());
    poll(&ready, 1, -1);
    if (PQconsumeInput(connection_.get()) == 0) throw std::runtime_error(error());
  }
}

}  // namespace pgvalet::integration
