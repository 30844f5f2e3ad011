// What no single key can tell: settings that contradict each other.
#pragma once

#include "config/draft.h"

namespace pgvalet::config {

// A mistake for what cannot work, a warning for what is probably not meant.
void CrossCheck(Draft& draft);

}  // namespace pgvalet::config
