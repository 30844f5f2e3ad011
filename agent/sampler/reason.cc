#include "sampler/reason.h"

#include <string_view>

namespace pgvalet::sampler {
namespace {

std::string Quoted(const std::string& name) { return "\"" + name + "\""; }

std::string Server(const Target& target) {
  if (target.addresses.empty()) return "the default server";
  const Address& first = target.addresses.front();
  std::string text = first.host + ":" + std::to_string(first.port);
  if (target.addresses.size() > 1)
    text += " and " + std::to_string(target.addresses.size() - 1) + " more";
  return text;
}

std::string Role(const Target& target) {
  return target.user.empty() ? "the sampler's role" : "role " + Quoted(target.user);
}

}  // namespace

std::string CannotConnect(const Error& error, const Target& target) {
  if (error.code == ErrorCode::kTimeout)
    return "cannot connect to database " + Quoted(target.dbname) + " at " + Server(target) +
           ": no answer in time";
  return "cannot connect: " + (error.detail.empty() ? error.ToString() : error.detail);
}

std::string NotInstalled(const Target& target) {
  return "extension pgvalet is not installed in database " + Quoted(target.dbname) +
         ": run CREATE EXTENSION pgvalet there";
}

std::string CannotRead(const Error& error, const Target& target) {
  if (error.code == ErrorCode::kTimeout)
    return "database " + Quoted(target.dbname) + " at " + Server(target) +
           " does not answer the sampler";
  if (error.code != ErrorCode::kServer) return "cannot read the views: " + error.ToString();

  const std::string_view sqlstate = error.sqlstate;
  if (sqlstate == "55000") return "extension pgvalet is not preloaded: " + error.detail;
  if (sqlstate == "42501")
    return Role(target) + " may not read the views of pgvalet: GRANT pg_monitor TO it (" +
           error.detail + ")";
  if (sqlstate.substr(0, 2) == "42" || sqlstate == "3F000")
    return "the extension's views are not the ones this agent knows: " + error.detail;
  if (sqlstate == "57014" || sqlstate == "55P03")
    return "reading the views takes too long: " + error.detail;
  return "cannot read the views: " + error.detail;
}

}  // namespace pgvalet::sampler
