#include "console/answer.h"

#include "wire/message_builder.h"

namespace pgvalet::console {

wire::Field Number(std::int64_t value) { return std::to_string(value); }
wire::Field Number(std::uint64_t value) { return std::to_string(value); }

void AppendError(std::string& out, const Error& error) {
  std::string text = error.what;
  if (!error.detail.empty()) text += ": " + error.detail;
  // PgBouncer's own code for everything that it has no better one for.
  wire::AppendErrorResponse(
      out, {"ERROR", error.sqlstate.empty() ? std::string_view("08P01") : error.sqlstate, text});
}

void AppendAnswer(std::string& out, const Answer& answer) {
  if (!answer.notice.empty()) {
    wire::AppendNoticeResponse(out, {"NOTICE", "00000", answer.notice});
  }
  if (!answer.table.columns.empty()) {
    wire::AppendRowDescription(out, answer.table.columns);
    for (const auto& row : answer.table.rows) wire::AppendDataRow(out, row);
  }
  wire::AppendCommandComplete(out, answer.tag);
}

}  // namespace pgvalet::console
