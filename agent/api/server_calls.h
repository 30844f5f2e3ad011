// The calls of pgvalet.v1.Stats that ask the server what its extension keeps, over the door.
#pragma once

#include "api/calls.h"
#include "control/door.h"

namespace pgvalet::api {

// `door` outlives the calls.
void AddServerCalls(Calls& calls, control::Door& door);

}  // namespace pgvalet::api
