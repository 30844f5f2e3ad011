// SessionReport: what the extension says about the session of a server connection, right before a
// ReadyForQuery.  The form: docs/decisions/0200-session-report.md.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgvalet::wire {

// The parameter under whose name reports come and restores go.
inline constexpr std::string_view kSessionParameter = "pgvalet.session";

// The parameter in which the extension says what holds for the open transaction alone.
inline constexpr std::string_view kTransactionParameter = "pgvalet.transaction";

// Why a session cannot move to another backend now.
enum class PinReason : std::uint8_t {
  kTemporaryObjects,
  kAdvisoryLocks,
  kHeldCursors,
  kRandomSeed,
  kReplicationOrigin,
  kPrivilegedSettings,
  kStateTooLarge,
  kPreparedStatements,  // by SQL, where there is no extension that says their texts
  kUnknown,             // a check failed, or a reason this agent does not know
};
inline constexpr int kPinReasons = static_cast<int>(PinReason::kUnknown) + 1;

// As the extension spells it ("temporary_objects").
const char* PinReasonName(PinReason reason);

struct Pin {
  PinReason reason = PinReason::kUnknown;
  std::uint64_t count = 0;  // of the objects: tables, locks, cursors
};

// Views point into the text that was parsed.
struct SessionReport {
  std::optional<std::string_view> version;  // first report only
  std::optional<std::string_view> state;    // nothing: as reported or restored last
  std::vector<Pin> pins;
  std::vector<std::string_view> channels;
  std::vector<std::string_view> unlistened;   // since the last report; "*": all
  bool sequences_gone = false;                // all of them, before those that follow
  std::optional<std::string_view> sequences;  // used since the last report
  bool sequences_used = false;
  bool statements_gone = false;
  bool notified = false;
  // New sessions begin with other settings; the count of such changes, 0 when it is only that the
  // configuration was read again.
  std::optional<std::uint64_t> outdated;
  // The count of changes of relations in the database, when it is another than before.
  std::optional<std::uint64_t> relations;

  // Nothing when `text` does not have the form.
  static std::optional<SessionReport> Parse(std::string_view text);
};

// Of a value of kTransactionParameter: are all statements gone, since the last ReadyForQuery?
bool SaysStatementsGone(std::string_view value);

// Of one that says something else: has the transaction changed what texts of statements mean to
// it, by a setting or an object?  Yes, when it cannot be read.
bool ChangesMeaning(std::string_view value);

// Puts a report together from the values of its messages.
class ReportAssembler {
 public:
  // Longer ones are not believed: the extension reports at most 256 KiB of state.
  static constexpr std::size_t kMaxBytes = 1024 * 1024;

  enum class Part : std::uint8_t { kMore, kWhole, kMalformed };

  Part Add(std::string_view value);
  // The report, after kWhole; gone with the next Add().
  std::string_view text() const { return text_; }

 private:
  std::string text_;
  bool whole_ = true;
};

}  // namespace pgvalet::wire
