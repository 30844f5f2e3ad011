// Reports of the extension, and descriptions of rows: from a server, which the agent trusts with
// queries and not with its memory.  The first byte says where a report is cut into messages.
#include <string>

#include "fuzz_input.h"
#include "wire/row_shape.h"
#include "wire/sequence_values.h"
#include "wire/session_items.h"
#include "wire/session_report.h"
#include "wire/session_state.h"

using namespace pgvalet::wire;

namespace {

bool LiesIn(std::string_view part, std::string_view whole) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

void TakeApart(std::string_view text) {
  const auto report = SessionReport::Parse(text);
  if (!report) return;
  for (const std::string_view channel : report->channels) Require(LiesIn(channel, text));
  for (const std::string_view channel : report->unlistened) Require(LiesIn(channel, text));
  Require(!report->state || LiesIn(*report->state, text));
  Require(!report->sequences || LiesIn(*report->sequences, text));
  Require(!report->version || LiesIn(*report->version, text));
}

// A state that can be read is kept byte by byte, and is one object however often it is said.
void Keep(std::string_view text) {
  StateStore states;
  const auto state = states.FromReport(text);
  if (!state) return;
  Require((*state)->text == text);
  Require(*states.FromReport(text) == *state);
  const StateRef changed = states.With(*state, "work_mem", "1");
  Require(*changed->Find("work_mem") == "1");
  Require(states.FromReport(changed->text).has_value());
  const std::string sql = RestoreSql(**state, *changed);
  Require(!sql.empty() || changed == *state || *(*state)->Find("work_mem") == "1");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Bytes body(data + 1, size - 1);
  const std::string_view text = AsText(body);
  TakeApart(text);
  Keep(text);
  Require(ChangesMeaning(text) || text.empty() || text[0] == item::kOpenSetting);
  const std::string merged = MergeSequences({}, text);
  Require(MergeSequences({}, merged) == merged && MergeSequences(merged, merged) == merged);
  Require(ShapeOf(body) == ShapeOf(body));

  ReportAssembler assembler;
  const std::size_t cut = text.empty() ? 0 : data[0] % text.size();
  const auto first = assembler.Add("+" + std::string(text.substr(0, cut)));
  Require(first == ReportAssembler::Part::kMore);
  Require(assembler.Add("." + std::string(text.substr(cut))) == ReportAssembler::Part::kWhole);
  Require(assembler.text() == text);
  assembler.Add(text);
  return 0;
}
