#include "auth/user_directory.h"

#include <openssl/crypto.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <utility>

#include "base/log.h"

namespace pgvalet::auth {
namespace {

constexpr std::string_view kBlanks = " \t\r\v\f";

void SkipBlanks(std::string_view& line) {
  line.remove_prefix(std::min(line.find_first_not_of(kBlanks), line.size()));
}

// Moves the quoted text that `line` begins with into `text`; a quote inside is written twice.
// False when the line does not begin with a quote or does not close it.
bool TakeQuoted(std::string_view& line, std::string& text) {
  if (!line.starts_with('"')) return false;
  text.reserve(line.size());  // it may be a password: no copies left behind by growing
  for (std::size_t i = 1; i < line.size(); ++i) {
    if (line[i] == '"') {
      if (i + 1 == line.size() || line[i + 1] != '"') {
        line.remove_prefix(i + 1);
        return true;
      }
      ++i;
    }
    text += line[i];
  }
  return false;
}

void Wipe(std::string& text) { OPENSSL_cleanse(text.data(), text.size()); }

Error Mistake(const char* what, std::string_view file, std::size_t line) {
  return Error{ErrorCode::kInvalidSetting, what, 0,
               std::string(file) + ", line " + std::to_string(line)};
}

struct UserLine {
  std::string name;
  Secret secret;
};

Result<UserLine> ParseLine(std::string_view line, std::string_view file, std::size_t number) {
  UserLine user;
  if (!TakeQuoted(line, user.name)) {
    return Mistake("expected a user name in double quotes", file, number);
  }
  if (user.name.empty()) return Mistake("user name is empty", file, number);
  if (user.name.size() > UserDirectory::kMaxNameBytes) {
    return Mistake("user name is longer than 127 bytes", file, number);
  }
  if (user.name.find('\0') != std::string::npos) {
    return Mistake("user name contains a zero byte", file, number);
  }
  SkipBlanks(line);
  std::string text;
  const bool quoted = TakeQuoted(line, text);
  Result<Secret> secret = Secret::Parse(text);
  Wipe(text);
  if (!quoted) return Mistake("expected a password in double quotes", file, number);
  if (!secret) return Mistake(secret.error().what, file, number);
  user.secret = *std::move(secret);
  return user;
}

}  // namespace

Result<UserDirectoryPtr> UserDirectory::Parse(std::string_view text, std::string_view file) {
  auto directory = std::make_shared<UserDirectory>();
  for (std::size_t number = 1; !text.empty(); ++number) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    SkipBlanks(line);
    if (line.empty() || line[0] == ';' || line[0] == '#') continue;
    Result<UserLine> user = ParseLine(line, file, number);
    if (!user) return user.error();
    const auto [entry, is_new] =
        directory->users_.insert_or_assign(user->name, std::move(user->secret));
    if (!is_new) directory->repeated_.push_back(entry->first);
  }
  return UserDirectoryPtr(std::move(directory));
}

Result<UserDirectoryPtr> UserDirectory::Load(const std::string& path) {
  struct stat about {};
  if (stat(path.c_str(), &about) != 0) {
    return Error{ErrorCode::kIo, "auth_file cannot be read", errno, path};
  }
  if (!S_ISREG(about.st_mode) || static_cast<std::size_t>(about.st_size) > kMaxFileBytes) {
    return Error{ErrorCode::kIo, "auth_file is not a plain file of at most 64 MiB", 0, path};
  }
  std::ifstream file(path, std::ios::binary);
  std::string text(static_cast<std::size_t>(about.st_size), '\0');
  if (!file.read(text.data(), about.st_size)) {
    return Error{ErrorCode::kIo, "auth_file cannot be read", errno, path};
  }
  if ((about.st_mode & S_IROTH) != 0) {
    log::warn("auth_file is readable by everyone on this machine: file={}", path);
  }
  Result<UserDirectoryPtr> directory = Parse(text, path);
  Wipe(text);
  if (directory) {
    for (const std::string& name : (*directory)->repeated()) {
      log::warn("auth_file names a user twice, the last line counts: file={} user={}", path, name);
    }
  }
  return directory;
}

const Secret* UserDirectory::Find(std::string_view user) const {
  const auto known = users_.find(user);
  return known == users_.end() ? nullptr : &known->second;
}

std::shared_ptr<const Secret> FindSecret(const UserDirectoryPtr& directory, std::string_view user) {
  const Secret* secret = directory ? directory->Find(user) : nullptr;
  return secret == nullptr ? nullptr : std::shared_ptr<const Secret>(directory, secret);
}

}  // namespace pgvalet::auth
