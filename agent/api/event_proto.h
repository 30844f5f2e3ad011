// Events as messages of pgvalet.v1.
#pragma once

#include "pgvalet/v1/events.pb.h"
#include "stats/event.h"

namespace pgvalet::api {

void Fill(const stats::Event& event, v1::Event& message);

bool Matches(const v1::EventFilter& filter, const stats::Event& event);

}  // namespace pgvalet::api
