// The commands of the console.
#pragma once

#include <stop_token>

#include "base/result.h"
#include "console/answer.h"
#include "console/command_text.h"
#include "console/period.h"
#include "control/door.h"
#include "session/console.h"
#include "stats/event_log.h"

namespace pgvalet::console {

// What a command works with.
struct Scene {
  control::Door& door;
  const Periods& periods;
  const stats::EventLog& events;
  const session::ConsoleCaller& caller;
  const std::stop_token& stop;
};

// Carries out one command; may block until `scene.stop` is requested.
// REQUIRES: words is not empty.
Result<Answer> Execute(const Words& words, const Scene& scene);

// "SHOW what", what in capitals.  kNotFound: there is nothing of this name.
Result<Answer> Show(const std::string& what, const Scene& scene);

// The text of SHOW HELP.
const char* HelpText();

}  // namespace pgvalet::console
