// What the text of a statement tells before the server has seen it.
//
// Hints only, where to be careful: what is wrongly taken for careful costs a message, never more.
#pragma once

#include <string>
#include <string_view>

namespace pgvalet::session {

// The name in "DEALLOCATE [PREPARE] name", as the server would read it; empty when `sql` is
// anything else.
std::string DeallocatedName(std::string_view sql);

// BEGIN, COMMIT, SAVEPOINT and their like: no setting, no object comes of them.
bool ControlsTransaction(std::string_view sql);

// DEALLOCATE or DISCARD: names of statements may be gone behind it.
bool MayDropStatements(std::string_view sql);
// One of them anywhere among several commands.
bool HasDropOfStatements(std::string_view sql);

// Has it a word such as 'now' or 'today', which as a constant is the time at which it was prepared?
bool NamesMoment(std::string_view sql);

// Is `word`, in lower case, anywhere in `text`, in whichever case?
bool ContainsWord(std::string_view text, std::string_view word);

}  // namespace pgvalet::session
