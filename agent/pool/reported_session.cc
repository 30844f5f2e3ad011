#include "pool/reported_session.h"

namespace pgvalet::pool {

std::optional<wire::SessionReport> ReportedSession::Take(std::string_view value) {
  using Part = wire::ReportAssembler::Part;
  const Part part = assembler_.Add(value);
  if (part == Part::kMore) return std::nullopt;
  has_extension_ = true;
  std::optional<wire::SessionReport> report;
  if (part == Part::kWhole) report = wire::SessionReport::Parse(assembler_.text());
  if (!report) {
    report.emplace();
    report->pins.push_back({wire::PinReason::kUnknown, 1});
  }
  if (report->version) version_ = *report->version;
  if (report->outdated) outdated_ = true;
  if (report->relations) relations_ = *report->relations;
  Set(*report);
  return report;
}

void ReportedSession::Set(const wire::SessionReport& report) {
  pins_ = report.pins;
  channels_.assign(report.channels.begin(), report.channels.end());
}

}  // namespace pgvalet::pool
