// Background: the process leaves the terminal, and who started it hears whether that went well.
//
// Used by main() alone, before any thread is made.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace pgvalet::daemon {

class Background {
 public:
  // Returns in the new process, which has a session of its own.  The old one waits until Ready()
  // and ends with status 0, or with 1 when the new one ends before.
  static Result<Background> Enter();
  Background() = default;
  Background(Background&& other) noexcept;
  Background& operator=(Background&& other) noexcept;
  ~Background();

  // The process is up: lets go of the terminal.  Without Enter() nothing happens.
  void Ready();

 private:
  int ready_fd_ = -1;
};

// Tells the service manager that started us (systemd's NOTIFY_SOCKET), if one did: "READY=1".
void NotifyManager(std::string_view state);

// Becomes this operating system user, with its groups, if we are root.  Fails when there is no such
// user, or when we are neither root nor that user.
Result<Done> BecomeUser(const std::string& name);

}  // namespace pgvalet::daemon
