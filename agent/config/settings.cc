#include "config/settings.h"

namespace pgvalet::config {

const char* WithoutExtensionName(WithoutExtension choice) {
  switch (choice) {
    case WithoutExtension::kPin:
      return "pin";
    case WithoutExtension::kWarn:
      return "warn";
    case WithoutExtension::kIgnore:
      return "ignore";
  }
  return "";
}

const char* PoolModeName(PoolMode mode) {
  switch (mode) {
    case PoolMode::kSession:
      return "session";
    case PoolMode::kTransaction:
      return "transaction";
    case PoolMode::kStatement:
      return "statement";
  }
  return "unknown";
}

const char* AuthTypeName(AuthType type) {
  switch (type) {
    case AuthType::kTrust:
      return "trust";
    case AuthType::kPlain:
      return "plain";
    case AuthType::kMd5:
      return "md5";
    case AuthType::kScramSha256:
      return "scram-sha-256";
  }
  return "unknown";
}

const DatabaseSettings* Settings::FindDatabase(std::string_view name) const {
  auto entry = databases.find(name);
  if (entry == databases.end()) entry = databases.find(std::string_view("*"));
  return entry == databases.end() ? nullptr : &entry->second;
}

const UserSettings* Settings::FindUser(std::string_view name) const {
  const auto entry = users.find(name);
  return entry == users.end() ? nullptr : &entry->second;
}

}  // namespace pgvalet::config
