#include "wire/session_report.h"

#include <iterator>

#include "wire/session_items.h"
#include "wire/session_state.h"

namespace pgvalet::wire {
namespace {

constexpr const char* kPinNames[] = {
    "temporary_objects", "advisory_locks",      "held_cursors",
    "random_seed",       "replication_origin",  "privileged_settings",
    "state_too_large",   "prepared_statements", "unknown"};
static_assert(std::size(kPinNames) == kPinReasons);

PinReason PinReasonOf(std::string_view name) {
  for (std::size_t i = 0; i < std::size(kPinNames); ++i) {
    if (name == kPinNames[i]) return static_cast<PinReason>(i);
  }
  return PinReason::kUnknown;  // of a newer extension: it pins all the same
}

}  // namespace

const char* PinReasonName(PinReason reason) { return kPinNames[static_cast<std::size_t>(reason)]; }

std::optional<SessionReport> SessionReport::Parse(std::string_view text) {
  SessionReport report;
  ItemReader reader(text);
  while (!reader.at_end()) {
    switch (reader.TakeLetter()) {
      case item::kVersion:
        report.version = reader.TakeField();
        break;
      case item::kState:
        report.state = reader.TakeField();
        break;
      case item::kPin: {
        const PinReason reason = PinReasonOf(reader.TakeField());
        report.pins.push_back({reason, reader.TakeNumber()});
        break;
      }
      case item::kChannel:
        report.channels.push_back(reader.TakeField());
        break;
      case item::kUnlistened:
        report.unlistened.push_back(reader.TakeField());
        break;
      case item::kSequences:
        if (const std::string_view state = reader.TakeField(); state.empty()) {
          report.sequences_gone = true;
        } else {
          report.sequences = state;
        }
        break;
      case item::kSequencesUsed:
        report.sequences_used = true;
        break;
      case item::kStatementsGone:
        report.statements_gone = true;
        break;
      case item::kNotified:
        report.notified = true;
        break;
      case item::kOutdated:
        report.outdated = reader.TakeNumber();
        break;
      case item::kRelations:
        report.relations = reader.TakeNumber();
        break;
      default:
        return std::nullopt;
    }
    if (!reader.ok()) return std::nullopt;
  }
  return report;
}

bool SaysStatementsGone(std::string_view value) {
  return value.size() == 1 && value[0] == item::kStatementsGone;
}

bool ChangesMeaning(std::string_view value) {
  ItemReader reader(value);
  while (!reader.at_end()) {
    if (reader.TakeLetter() != item::kOpenSetting) return true;
    if (IsReadByAnalysis(LowerCase(reader.TakeField())) || !reader.ok()) return true;
  }
  return false;
}

ReportAssembler::Part ReportAssembler::Add(std::string_view value) {
  if (whole_) text_.clear();
  whole_ = false;
  if (value.empty() || (value.front() != '+' && value.front() != '.') ||
      text_.size() + value.size() > kMaxBytes) {
    whole_ = true;
    text_.clear();
    return Part::kMalformed;
  }
  text_.append(value.substr(1));
  whole_ = value.front() == '.';
  return whole_ ? Part::kWhole : Part::kMore;
}

}  // namespace pgvalet::wire
