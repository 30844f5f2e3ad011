// One event as a line; pure.
#pragma once

#include "cli/screen/line.h"
#include "pgvalet/v1/events.pb.h"

namespace pgvalet::cli {

// "2026-11-21 08:15:30 UTC  #12  client_pinned  shop/web  what happened".
Line EventLine(const v1::Event& event);

}  // namespace pgvalet::cli
