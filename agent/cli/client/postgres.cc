#include "cli/client/postgres.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "cli/client/wait_for.h"

namespace pgvalet::cli {
namespace {

std::string OneLine(std::string_view text) {
  text = text.substr(0, text.find('\n'));
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return std::string(text);
}

bool IsSqlstate(std::string_view text) {
  return text.size() == 5 && std::all_of(text.begin(), text.end(), [](unsigned char c) {
           return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z');
         });
}

const std::string* Find(const ConnectionParameters& parameters, std::string_view keyword) {
  for (std::size_t i = 0; i < parameters.keywords.size(); ++i) {
    if (parameters.keywords[i] == keyword && !parameters.values[i].empty())
      return &parameters.values[i];
  }
  return nullptr;
}

std::string AddressOf(const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), nullptr, &hints, &found) != 0 || found == nullptr) return "";
  char text[INET6_ADDRSTRLEN] = "";
  // Of several the first may not be the one that answers: then the name stays.
  const bool single = found->ai_next == nullptr;
  if (single)
    getnameinfo(found->ai_addr, found->ai_addrlen, text, sizeof text, nullptr, 0, NI_NUMERICHOST);
  freeaddrinfo(found);
  return text;
}

}  // namespace

Result<ConnectionParameters> ParseConninfo(const std::string& conninfo) {
  PQconninfoOption* options = PQconninfoParse(conninfo.c_str(), nullptr);
  if (options == nullptr)
    return Error{
        ErrorCode::kInvalidSetting, "not a connection string", 0,
        "expected postgresql://user@host:port/database or \"host=... user=... dbname=...\""};
  ConnectionParameters parameters;
  for (const PQconninfoOption* option = options; option->keyword != nullptr; ++option) {
    if (option->val == nullptr) continue;
    parameters.keywords.emplace_back(option->keyword);
    parameters.values.emplace_back(option->val);
  }
  PQconninfoFree(options);
  parameters.keywords.emplace_back("fallback_application_name");
  parameters.values.emplace_back("pgvalet");
  return parameters;
}

ConnectionParameters WithAddress(ConnectionParameters parameters) {
  const std::string* host = Find(parameters, "host");
  const bool plain = host != nullptr && host->find(',') == std::string::npos &&
                     host->front() != '/' && host->front() != '@';
  if (!plain || Find(parameters, "hostaddr") != nullptr) return parameters;
  std::string address = AddressOf(*host);
  if (address.empty()) return parameters;
  parameters.keywords.emplace_back("hostaddr");
  parameters.values.push_back(std::move(address));
  return parameters;
}

ConnectionPtr StartConnection(const ConnectionParameters& parameters) {
  std::vector<const char*> keywords, values;
  for (const std::string& keyword : parameters.keywords) keywords.push_back(keyword.c_str());
  for (const std::string& value : parameters.values) values.push_back(value.c_str());
  keywords.push_back(nullptr);
  values.push_back(nullptr);
  ConnectionPtr connection(PQconnectStartParams(keywords.data(), values.data(), 0));
  // The only way to the SQLSTATE of a login that failed: libpq puts it into the text.
  if (connection != nullptr) PQsetErrorVerbosity(connection.get(), PQERRORS_VERBOSE);
  return connection;
}

Error SaidBy(std::string_view message) {
  // "connection to server at "h" (1.2.3.4), port 5432 failed: FATAL:  53300: too many ..."
  constexpr std::string_view kFailed = " failed: ";
  const std::size_t failed = message.find(kFailed);
  if (message.rfind("connection to server ", 0) == 0 && failed != std::string_view::npos)
    message.remove_prefix(failed + kFailed.size());
  const std::size_t colon = message.find(":  ");
  if (colon != std::string_view::npos && message.size() > colon + 10 &&
      IsSqlstate(message.substr(colon + 3, 5)) && message.substr(colon + 8, 2) == ": ") {
    return Error{ErrorCode::kServer, "the server says no", 0, OneLine(message.substr(colon + 10)),
                 std::string(message.substr(colon + 3, 5))};
  }
  return Error{ErrorCode::kIo, "the connection failed", 0, OneLine(message)};
}

Result<Done> WaitFor(const PGconn* connection, bool for_writing, Time deadline) {
  return WaitFor(PQsocket(connection), static_cast<short>(for_writing ? POLLOUT : POLLIN),
                 deadline);
}

Result<Postgres> Postgres::Open(const ConnectionParameters& parameters, Duration timeout) {
  const Time deadline = Clock::now() + timeout;
  ConnectionPtr connection = StartConnection(parameters);
  if (connection == nullptr) return Error{ErrorCode::kLimit, "out of memory"};
  PostgresPollingStatusType next = PGRES_POLLING_WRITING;
  while (PQstatus(connection.get()) != CONNECTION_BAD && next != PGRES_POLLING_OK &&
         next != PGRES_POLLING_FAILED) {
    const Result<Done> ready = WaitFor(connection.get(), next == PGRES_POLLING_WRITING, deadline);
    if (!ready) return ready.error();
    next = PQconnectPoll(connection.get());
  }
  if (PQstatus(connection.get()) != CONNECTION_OK) return SaidBy(PQerrorMessage(connection.get()));
  return Postgres(std::move(connection));
}

Result<Postgres::Rows> Postgres::Query(const std::string& sql, Duration timeout) {
  const Time deadline = Clock::now() + timeout;
  PGconn* const connection = connection_.get();
  if (PQsendQuery(connection, sql.c_str()) == 0) return SaidBy(PQerrorMessage(connection));
  Rows rows;
  Error error{ErrorCode::kIo};
  bool failed = false;
  while (true) {
    while (PQisBusy(connection) != 0) {
      const Result<Done> ready = WaitFor(connection, false, deadline);
      if (!ready) return ready.error();
      if (PQconsumeInput(connection) == 0) return SaidBy(PQerrorMessage(connection));
    }
    const ResultPtr result(PQgetResult(connection));
    if (result == nullptr) break;
    const ExecStatusType status = PQresultStatus(result.get());
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK && !failed) {
      failed = true;
      error = SaidBy(PQresultErrorMessage(result.get()));
    }
    rows.clear();
    for (int i = 0; i < PQntuples(result.get()); ++i) {
      std::vector<std::string>& row = rows.emplace_back();
      for (int j = 0; j < PQnfields(result.get()); ++j)
        row.emplace_back(PQgetvalue(result.get(), i, j));
    }
  }
  if (failed) return error;
  return rows;
}

}  // namespace pgvalet::cli
