// Reads the fields of an ErrorResponse or NoticeResponse.
#pragma once

#include <string_view>

#include "wire/protocol.h"

namespace pgvalet::wire {

// Views into the message body; a field that is missing is empty (a server may leave out any).
struct ErrorFields {
  std::string_view severity;
  std::string_view sqlstate;
  std::string_view message;
  std::string_view detail;
  std::string_view hint;
  std::string_view routine;  // of the server's source
};

// Never fails: a malformed body yields the fields before the fault.
ErrorFields ParseErrorFields(Bytes body);

}  // namespace pgvalet::wire
