// Console: what answers clients of the administration databases ("pgbouncer" and "pgvalet").
//
// Such a client logs in like any other, and then talks to us instead of a server.  The console
// itself lives on a higher floor (room console); sessions know only this.
#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgvalet::session {

// Who asks.
struct ConsoleCaller {
  std::string database;  // which of the two
  std::string user;
  bool is_admin = false;  // may change things; else only look
};

struct ConsoleAnswer {
  std::string messages;  // whole messages for the client, ReadyForQuery last unless it ends
  bool ends_session = false;
};

class Console {
 public:
  virtual ~Console() = default;

  // ParameterStatus messages of a login, in order.
  virtual std::vector<std::pair<std::string, std::string>> Parameters() const = 0;

  // Carries out one Query message.  Called on a core, returns at once; `done` is called once, on
  // any thread, also when `stop` is requested: then as soon as that is noticed.
  virtual void Execute(ConsoleCaller caller, std::string sql, std::stop_token stop,
                       std::function<void(ConsoleAnswer)> done) = 0;
};

// Whether this is a name of an administration database.
constexpr bool IsConsoleDatabase(std::string_view database) {
  return database == "pgbouncer" || database == "pgvalet";
}

}  // namespace pgvalet::session
