// ReportedSession: what is known of the session of one server connection: said by the extension, or
// found out by a query where there is none (session/probe).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wire/session_report.h"

namespace pgvalet::pool {

class ReportedSession {
 public:
  // `key` is what the backend knows its agent by.
  explicit ReportedSession(std::string key) : key_(std::move(key)) {}

  // Takes the value of a message; gives the report when it is whole.  Its views are valid until the
  // next call.  A report that cannot be read says that the session cannot move.
  std::optional<wire::SessionReport> Take(std::string_view value);

  // The same, found out by ourselves.
  void Set(const wire::SessionReport& report);
  // As after DISCARD ALL.
  void Clear() { Set({}); }

  const std::string& key() const { return key_; }
  bool has_extension() const { return has_extension_; }
  const std::string& version() const { return version_; }
  const std::vector<wire::Pin>& pins() const { return pins_; }
  const std::vector<std::string>& channels() const { return channels_; }
  // New sessions begin with other settings: this one is not for others any more.
  bool outdated() const { return outdated_; }
  // The server's count of changed relations, as reported last.
  std::uint64_t relations() const { return relations_; }
  // Nothing but settings and statements, which can be restored elsewhere.
  bool CanMove() const { return pins_.empty() && channels_.empty(); }

 private:
  std::string key_;
  bool has_extension_ = false;
  bool outdated_ = false;
  std::uint64_t relations_ = 0;
  std::string version_;
  wire::ReportAssembler assembler_;
  std::vector<wire::Pin> pins_;
  std::vector<std::string> channels_;
};

}  // namespace pgvalet::pool
