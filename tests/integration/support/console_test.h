// ConsoleTest: an agent with administrators, and one of them at its console.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "support/agent_process.h"
#include "support/connection.h"

namespace pgvalet::integration {

inline AgentConfig WithConsole() {
  AgentConfig config;
  config.Set("admin_users", "[\"admin\"]").Set("stats_users", "[\"viewer\"]");
  return config;
}

class ConsoleTest : public testing::Test {
 protected:
  // "name:oid,..." of the columns, as sent.
  static std::string ColumnsOf(PGconn* connection, const std::string& sql) {
    PGresult* result = PQexec(connection, sql.c_str());
    std::string columns;
    for (int i = 0; i < PQnfields(result); ++i) {
      columns += (i > 0 ? "," : "") + std::string(PQfname(result, i)) + ":" +
                 std::to_string(PQftype(result, i));
    }
    PQclear(result);
    return columns;
  }

  // The field of this column in the row whose first field is `row`.
  static std::string FieldOf(Connection& from, const std::string& sql, const std::string& row,
                             const std::string& column) {
    PGresult* result = PQexec(from.raw(), sql.c_str());
    std::string found = "(none)";
    const int at = PQfnumber(result, column.c_str());
    for (int i = 0; i < PQntuples(result) && at >= 0; ++i) {
      if (PQgetvalue(result, i, 0) == row) found = PQgetvalue(result, i, at);
    }
    PQclear(result);
    return found;
  }
  std::string Field(const std::string& sql, const std::string& row, const std::string& column) {
    return FieldOf(console, sql, row, column);
  }

  // The id of the only client of database app.
  std::string OnlyClient() {
    const Answer clients = console.Query("SHOW CLIENTS");
    std::string id;
    for (const auto& row : clients.rows) {
      if (*row[2] == "app") id = *row.back();
    }
    return id;
  }

  AgentProcess agent{WithConsole()};
  Connection console{agent.To("admin", "pgbouncer")};
};

}  // namespace pgvalet::integration
