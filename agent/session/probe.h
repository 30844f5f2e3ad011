// Finding out by a query what a session carries, on servers without the extension.
//
// The extension knows; here we ask after every transaction that may have made session state, told
// by its command tags and by words of its text.  What a function does inside of a plain SELECT
// stays hidden unless its name says so: that is what the extension is for.
#pragma once

#include <string>
#include <string_view>

#include "wire/protocol.h"
#include "wire/session_state.h"

namespace pgvalet::session {

// A statement with this tag may leave something on the session.
bool TagMayTie(std::string_view tag);
// A statement with this text may, whatever its tag.
bool TextMayTie(std::string_view sql);

// One simple query; every row is a letter and two texts.
const std::string& ProbeSql();

// Puts the rows of a probe together, as the report that the extension would send.
class ProbeResult {
 public:
  // False when the row does not have the form.
  bool TakeRow(wire::Bytes body);
  // `brought` is what the client brought at startup: set here by SET, it is no change of its own.
  std::string Report(const wire::SettingList& brought) const;
  // False after a RESET: the server is back at its own defaults.
  bool HasAll(const wire::SettingList& brought) const;
  // The state as the server has it, whoever wanted it so.
  std::string Actual() const;

 private:
  wire::SettingList settings_;
  std::string ties_;  // items of a report
};

}  // namespace pgvalet::session
