#include "cli/views/event_line.h"

#include <string>

#include "cli/screen/format.h"
#include "cli/screen/text.h"

namespace pgvalet::cli {
namespace {

// What it is about, as far as that is known.
std::string About(const v1::Event& event) {
  std::string text = event.database();
  if (!event.user().empty()) text += "/" + event.user();
  if (!event.application_name().empty()) text += " " + event.application_name();
  if (!event.client().empty()) text += " from " + event.client();
  if (event.server_pid() != 0) text += " backend " + std::to_string(event.server_pid());
  return text;
}

}  // namespace

Line EventLine(const v1::Event& event) {
  Line line(Moment(event.at()), Style::kDim);
  line.Add("  #" + std::to_string(event.sequence()) + "  ");
  line.Add(Printable(event.kind()), Style::kBold);
  const std::string about = About(event);
  if (!about.empty()) line.Add("  " + Printable(about));
  line.Add("  " + Printable(event.message()));
  if (!event.rule().empty()) line.Add("  [" + Printable(event.rule()) + "]", Style::kDim);
  if (event.is_dry_run()) line.Add("  (dry run)", Style::kDim);
  if (event.left_out_count() > 0)
    line.Add("  (" + Count(event.left_out_count()) + " more like it left out)", Style::kDim);
  if (event.lost_before_count() > 0)
    line.Add("  (" + Count(event.lost_before_count()) + " lost before)", Style::kWarning);
  return line;
}

}  // namespace pgvalet::cli
