// TextMeaning: can a text that a client prepares now mean something else to it than to others who
// have the same settings and see the same catalog?
//
// So it is while a transaction is open that has changed settings or objects: the server says so
// with its ReadyForQuery (docs/decisions/0200-session-report.md).  And so it may be behind requests
// that are not answered yet.
#pragma once

#include <string_view>

#include "session/statement_text.h"

namespace pgvalet::session {

class TextMeaning {
 public:
  // ---- what the client sends ----

  void OnBind(std::string_view portal, std::string_view sql) {
    bound_is_harmless_ = portal.empty() && ControlsTransaction(sql);
  }
  // `portal` is empty if it is the unnamed one.
  void OnExecute(bool is_unnamed) { unsure_ = unsure_ || !is_unnamed || !bound_is_harmless_; }
  // A simple query or a function call.
  void OnQuery() { unsure_ = true; }

  // ---- what the server says ----

  void OnChanged() { changed_ = true; }
  // ReadyForQuery; nothing is outstanding behind it, and a transaction is open or not.
  void OnReady(bool all_answered, bool in_transaction) {
    if (!in_transaction) changed_ = false;
    if (all_answered) unsure_ = false;
  }

  bool IsItsOwn() const { return changed_ || unsure_; }

 private:
  bool bound_is_harmless_ = false;
  bool unsure_ = false;   // what was sent may change it
  bool changed_ = false;  // in the transaction that is open
};

}  // namespace pgvalet::session
