// The users of auth_file, as one immutable value.
//
// Made at start and by every reload; shared between threads as
// std::shared_ptr<const UserDirectory>, never changed after it is made.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "auth/secret.h"
#include "auth/text_hash.h"
#include "base/result.h"

namespace pgvalet::auth {

class UserDirectory {
 public:
  static constexpr std::size_t kMaxNameBytes = 127;           // as PgBouncer's
  static constexpr std::size_t kMaxFileBytes = 64 * 1 << 20;  // a mistake beyond this

  // Without users.
  UserDirectory() = default;

  // Reads PgBouncer's userlist format: lines of "user" "secret", a quote inside written twice,
  // what follows on the line ignored; lines that begin with ; or # and empty ones are skipped.
  // A name given twice counts as last given.
  // Error kInvalidSetting: detail says file and line; kIo: the file cannot be read.
  // Logs a warning for a file that everyone may read and for each name given twice.
  static Result<std::shared_ptr<const UserDirectory>> Load(const std::string& path);
  // The same from text; `file` is for messages.
  static Result<std::shared_ptr<const UserDirectory>> Parse(std::string_view text,
                                                            std::string_view file);

  // Null when there is no such user.  Lives as long as the directory.
  const Secret* Find(std::string_view user) const;

  std::size_t size() const { return users_.size(); }
  // Names that were given more than once, for the log.
  const std::vector<std::string>& repeated() const { return repeated_; }

 private:
  std::unordered_map<std::string, Secret, TextHash, std::equal_to<>> users_;
  std::vector<std::string> repeated_;
};

using UserDirectoryPtr = std::shared_ptr<const UserDirectory>;

// The secret of `user`, kept alive together with its directory; null when there is none.
std::shared_ptr<const Secret> FindSecret(const UserDirectoryPtr& directory, std::string_view user);

}  // namespace pgvalet::auth
