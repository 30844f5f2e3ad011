#include "cli/doctor/postgres_steps.h"

#include <fmt/format.h>

#include <cstdlib>
#include <vector>

#include "cli/client/postgres.h"
#include "cli/doctor/net_probe.h"
#include "cli/screen/format.h"

namespace pgvalet::cli::doctor {
namespace {

constexpr const char* kPoolPort = "6543";

std::string TextOf(const Error& error) {
  std::string text = error.detail.empty() ? error.what : error.detail;
  return error.sqlstate.empty() ? text : text + " (" + error.sqlstate + ")";
}

Target OfSocket(const std::string& directory, const std::string& port) {
  return {"", "", directory + "/.s.PGSQL." + port};
}

std::string Of(const ConnectionParameters& parameters, const std::string& keyword) {
  for (std::size_t i = 0; i < parameters.keywords.size(); ++i) {
    if (parameters.keywords[i] == keyword) return parameters.values[i];
  }
  return "";
}

// The first host of a connection string.
Target FirstOf(const ConnectionParameters& parameters) {
  const auto first = [](const std::string& list) { return list.substr(0, list.find(',')); };
  std::string host = first(Of(parameters, "hostaddr"));
  if (host.empty()) host = first(Of(parameters, "host"));
  std::string port = first(Of(parameters, "port"));
  if (port.empty()) port = "5432";
  if (host.empty()) host = "/var/run/postgresql";
  return host.front() == '/' ? OfSocket(host, port) : Target{host, port, ""};
}

// Where clients find the pool.
struct Place {
  Target target;
  bool is_known = false;   // else it is a guess
  bool is_remote = false;  // the agent is elsewhere, and listens only there
};

Place PlaceOf(const Common& common, const Facts* facts) {
  const Target grpc = TargetOf(common.address);
  const bool is_here = !grpc.path.empty() || IsLoopback(grpc.host);
  const std::string host = grpc.path.empty() ? grpc.host : "localhost";
  if (facts == nullptr || !facts->settings) return {{host, kPoolPort, ""}};
  const config::Settings& settings = *facts->settings;
  const std::string port = std::to_string(settings.listen_port);
  if (settings.listen_addr.empty())
    return {OfSocket(settings.unix_socket_dir, port), true, !is_here};
  if (!is_here) return {{host, port, ""}, true, IsLoopback(settings.listen_addr)};
  const std::string& first = settings.listen_addr.front();
  const bool is_all = first == "*" || first == "0.0.0.0" || first == "::";
  return {{is_all ? "localhost" : first, port, ""}, true};
}

// Is there a pool at all?  Asked before anybody logs in.
bool AskPort(const Common& common, const Place& place, Findings& findings) {
  const std::string where = place.target.text();
  if (place.is_remote) {
    Add(findings, "pool_port", Verdict::kWarning,
        "the agent takes clients of its own machine alone (listen_addr)",
        "set listen_addr to the addresses that clients use, and restart");
    return false;
  }
  const Result<Done> answer = AskForPostgres(place.target, common.timeout);
  if (answer) {
    Add(findings, "pool_port", Verdict::kOk, "PostgreSQL's protocol is spoken at " + where);
    return true;
  }
  if (place.is_known) {
    Add(findings, "pool_port", Verdict::kProblem, where + ": " + TextOf(answer.error()),
        "look whether the agent runs and listens there (listen_addr, listen_port), and no firewall "
        "stands between");
  } else {
    Add(findings, "pool_port", Verdict::kWarning, where + ": " + TextOf(answer.error()),
        "that was a guess: name the pool with --agent-uri");
  }
  return false;
}

std::string AdviceOnLogin(const Error& error) {
  const std::string& state = error.sqlstate;
  if (state == "28P01" || state == "28000" ||
      error.detail.find("no password supplied") != std::string::npos)
    return "give libpq the right password (connection string, PGPASSWORD, ~/.pgpass), and look "
           "whether auth_file or auth_query has the user";
  if (state == "3D000") return "name a database that there is: [databases] of the agent, or \"*\"";
  if (state == "53300")
    return "raise the limit that the message names: max_client_conn, max_connections, or that of "
           "the role";
  if (error.code == ErrorCode::kTimeout)
    return "look whether the database is paused, and whether the server behind it answers";
  return "the agent's log says more";
}

// As a user whose pool is there already: a guess could make a pool that nobody wants.
void AskWhatLogin(const Common& common, const Target& target, const Facts* facts,
                  Findings& findings) {
  if (facts == nullptr || facts->snapshot.pools().empty()) {
    Add(findings, "pool_login", Verdict::kSkipped,
        "nobody has logged in whose login could be asked about; --agent-uri tries one");
    return;
  }
  const v1::Pool& pool = facts->snapshot.pools(0);
  const std::string who = fmt::format("{} at {}", pool.user(), pool.database());
  const Result<std::string> method =
      AskForLogin(target, pool.user(), pool.database(), common.timeout);
  if (method) {
    Add(findings, "pool_login", Verdict::kOk,
        fmt::format("{} would log in by {}; --agent-uri tries it", who, *method));
    return;
  }
  const bool is_late = method.error().code == ErrorCode::kTimeout;
  Add(findings, "pool_login", Verdict::kWarning,
      fmt::format("a login as {} {}: {}", who, is_late ? "hangs" : "is refused before it begins",
                  TextOf(method.error())),
      AdviceOnLogin(method.error()));
}

// "alice at app".
std::string Who(const Postgres& connection) {
  const char* user = PQuser(connection.raw());
  const char* database = PQdb(connection.raw());
  return fmt::format("{} at {}", user != nullptr ? user : "", database != nullptr ? database : "");
}

void LogInToPool(const Common& common, const ConnectionParameters& parameters, Findings& findings) {
  const Time start = Clock::now();
  Result<Postgres> connection = Postgres::Open(parameters, common.timeout);
  if (!connection) {
    Add(findings, "pool_login", Verdict::kProblem, "no login: " + TextOf(connection.error()),
        AdviceOnLogin(connection.error()));
    return;
  }
  const Time logged_in = Clock::now();
  const auto rows = connection->Query("SHOW server_version", common.timeout);
  if (!rows) {
    Add(findings, "pool_login", Verdict::kProblem,
        "logged in as " + Who(*connection) +
            ", but no query comes through: " + TextOf(rows.error()),
        AdviceOnLogin(rows.error()));
    return;
  }
  Add(findings, "pool_login", Verdict::kOk,
      fmt::format("logged in as {} in {}, a query took {}", Who(*connection),
                  Elapsed(Since(start, logged_in).count()),
                  Elapsed(Since(logged_in, Clock::now()).count())));
}

// The extension as the server itself has it.
Finding CheckServerExtension(const std::string& preloaded, const std::string& created,
                             const std::string& available, const std::string& database) {
  if (available.empty())
    return {"server_extension", Verdict::kWarning, "the server has no files of pgvalet",
            "install the package of the extension for this version of PostgreSQL"};
  const bool hidden = preloaded == "?";
  if (!hidden && preloaded.find("pgvalet") == std::string::npos)
    return {"server_extension", Verdict::kWarning, "shared_preload_libraries has no pgvalet",
            "add it in postgresql.conf, and restart PostgreSQL"};
  if (created.empty())
    return {"server_extension", Verdict::kWarning, "pgvalet is not created in database " + database,
            "CREATE EXTENSION pgvalet there, if that is the database of sampler_dbname"};
  if (created != available)
    return {"server_extension", Verdict::kWarning,
            fmt::format("pgvalet {} is created, {} is installed", created, available),
            "ALTER EXTENSION pgvalet UPDATE"};
  return {"server_extension", Verdict::kOk,
          fmt::format("pgvalet {} is created in database {}{}", created, database,
                      hidden ? "" : " and preloaded")};
}

// Reserved connections: the second setting is there from PostgreSQL 16 on.  Which libraries are
// preloaded only some roles may see.
constexpr const char* kAskServer =
    "SELECT current_setting('server_version'), current_setting('max_connections'),"
    " current_setting('superuser_reserved_connections')::int"
    "   + coalesce(current_setting('reserved_connections', true)::int, 0),"
    " coalesce((SELECT setting FROM pg_catalog.pg_settings"
    "   WHERE name = 'shared_preload_libraries'), '?'),"
    " (SELECT extversion FROM pg_catalog.pg_extension WHERE extname = 'pgvalet'),"
    " (SELECT default_version FROM pg_catalog.pg_available_extensions WHERE name = 'pgvalet'),"
    " current_database()";

}  // namespace

void AskPool(const Common& common, const std::string& agent_uri, const Facts* facts,
             Findings& findings) {
  if (agent_uri.empty()) {
    const Place place = PlaceOf(common, facts);
    if (AskPort(common, place, findings))
      AskWhatLogin(common, place.target, facts, findings);
    else
      Add(findings, "pool_login", Verdict::kSkipped, "the pool does not answer");
    return;
  }
  const Result<ConnectionParameters> parameters = ParseConninfo(agent_uri);
  if (!parameters) {
    Add(findings, "pool_port", Verdict::kProblem, "--agent-uri cannot be read",
        parameters.error().detail);
    Add(findings, "pool_login", Verdict::kSkipped, "there is nowhere to log in");
    return;
  }
  if (AskPort(common, {FirstOf(*parameters), true, false}, findings))
    LogInToPool(common, *parameters, findings);
  else
    Add(findings, "pool_login", Verdict::kSkipped, "the pool does not answer");
}

std::optional<ServerLimits> AskServer(const Common& common, const std::string& server_uri,
                                      Findings& findings) {
  if (server_uri.empty()) return {};
  const Result<ConnectionParameters> parameters = ParseConninfo(server_uri);
  if (!parameters) {
    Add(findings, "server_login", Verdict::kProblem, "--server-uri cannot be read",
        parameters.error().detail);
    Add(findings, "server_extension", Verdict::kSkipped, "there is nowhere to log in");
    return {};
  }
  const Time start = Clock::now();
  Result<Postgres> connection = Postgres::Open(*parameters, common.timeout);
  const auto rows = connection ? connection->Query(kAskServer, common.timeout)
                               : Result<Postgres::Rows>(connection.error());
  if (!rows || rows->empty()) {
    const Error error = rows ? Error{ErrorCode::kProtocol, "no row came"} : rows.error();
    const bool is_login = error.sqlstate.rfind("28", 0) == 0;
    Add(findings, "server_login", Verdict::kProblem, "no login: " + TextOf(error),
        is_login ? "give libpq the right password, and look at the server's pg_hba.conf"
                 : "look whether PostgreSQL runs there, at its listen_addresses and its log");
    Add(findings, "server_extension", Verdict::kSkipped, "the server does not answer");
    return {};
  }
  const std::vector<std::string>& row = rows->front();
  Add(findings, "server_login", Verdict::kOk,
      fmt::format("PostgreSQL {}, logged in as {} in {}", row[0], Who(*connection),
                  Elapsed(Since(start, Clock::now()).count())));
  findings.push_back(CheckServerExtension(row[3], row[4], row[5], row[6]));
  return ServerLimits{std::atoll(row[1].c_str()), std::atoll(row[2].c_str())};
}

}  // namespace pgvalet::cli::doctor
