// The calls of pgvalet.v1.Control, over the door.
#pragma once

#include "api/calls.h"
#include "control/door.h"

namespace pgvalet::api {

// `door` outlives the calls.
void AddControlCalls(Calls& calls, control::Door& door);

}  // namespace pgvalet::api
