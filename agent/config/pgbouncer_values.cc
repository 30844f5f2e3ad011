#include "config/pgbouncer_values.h"

#include <algorithm>
#include <charconv>
#include <string>
#include <utility>
#include <variant>

#include "config/settings.h"

namespace pgvalet::config {
namespace {

const WrittenKey* FindKey(const std::vector<WrittenKey>& keys, std::string_view name) {
  // The last one counts.
  const auto found = std::find_if(keys.rbegin(), keys.rend(),
                                  [&](const WrittenKey& key) { return key.key == name; });
  return found == keys.rend() ? nullptr : &*found;
}

bool HasUser(const WrittenEntry& database) {
  return FindKey(std::get<std::vector<WrittenKey>>(database.content), "user") != nullptr;
}

// A number of steps to the words of log_level.  What is no number is left for its mistake.
void TranslateVerbose(WrittenKey& written) {
  const std::string& text = std::get<std::string>(written.value);
  int level = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), level);
  written.key = "log_level";
  if (!text.empty() && (error != std::errc() || end != text.data() + text.size())) return;
  written.value = std::string(level >= 2 ? "trace" : level == 1 ? "debug" : "info");
}

// True: the value is one of ours, or a mistake to be found with the others.
bool TranslateAuthType(WrittenKey& written, const std::vector<WrittenEntry>& databases,
                       Report& report) {
  const std::string type = std::get<std::string>(written.value);
  for (const std::string_view missing : {"cert", "hba", "ldap", "pam", "peer"}) {
    if (type != missing) continue;
    report.Mistake(written.place, written.key,
                   "the login method " + type +
                       " is not there; expected one of any, trust, plain, md5, scram-sha-256");
    return false;
  }
  if (type != "any") return true;
  written.value = std::string("trust");
  for (const WrittenEntry& database : databases) {
    if (HasUser(database)) continue;
    report.Mistake(database.place, database.shown,
                   "expected a user: with auth_type any the names of clients mean nothing");
  }
  return true;
}

}  // namespace

void TranslateSettings(FileContents& contents, Report& report) {
  std::vector<WrittenKey> translated;
  for (WrittenKey& written : contents.settings) {
    const bool is_any = written.key == "auth_type" && written.value == Written(std::string("any"));
    if (written.key == "verbose") TranslateVerbose(written);
    if (written.key == "server_check_query" && written.value == Written(std::string("<empty>"))) {
      written.value = std::string(";");
    }
    if (written.key == "auth_type" && !TranslateAuthType(written, contents.databases, report)) {
      continue;
    }
    if (is_any) translated.push_back({"trust_unknown_users", std::string("true"), written.place});
    translated.push_back(std::move(written));
  }
  contents.settings = std::move(translated);
}

void TranslateDatabases(FileContents& contents) {
  const WrittenKey* written = FindKey(contents.settings, "unix_socket_dir");
  const Written directory =
      written != nullptr ? written->value : Written(Settings().unix_socket_dir);
  for (WrittenEntry& database : contents.databases) {
    auto& keys = std::get<std::vector<WrittenKey>>(database.content);
    if (FindKey(keys, "host") == nullptr) keys.push_back({"host", directory, database.place});
  }
}

}  // namespace pgvalet::config
