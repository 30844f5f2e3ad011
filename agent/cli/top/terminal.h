// Terminal: ncurses as a screen of Lines and a source of Keys.
//
// At most one at a time, on the main thread.  The destructor gives the terminal back as
// it was; every way out of the live view passes it.
#pragma once

#include "base/result.h"
#include "cli/screen/line.h"
#include "cli/top/top_screen.h"
#include "cli/top/top_state.h"

namespace pgvalet::cli {

class Terminal {
 public:
  // Fails with kNotFound when the terminal (TERM) is not known.
  static Result<std::unique_ptr<Terminal>> Open(bool colour);
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  ScreenSize size() const;
  // To be called after SIGWINCH.
  void Resize();
  void Draw(const Lines& lines);
  // The next key; kNone when there is none.
  Key ReadKey();

 private:
  struct Handle;
  Terminal(std::unique_ptr<Handle> handle, bool colour);

  const std::unique_ptr<Handle> handle_;
  const bool colour_;
};

}  // namespace pgvalet::cli
