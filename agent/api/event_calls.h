// The unary calls of pgvalet.v1.Events.
#pragma once

#include "api/calls.h"
#include "api/event_feed.h"

namespace pgvalet::api {

// The feed's log outlives the calls.
void AddEventCalls(Calls& calls, const EventFeed& feed);

}  // namespace pgvalet::api
