#include "wire/error_fields.h"

#include "wire/body_reader.h"

namespace pgvalet::wire {

ErrorFields ParseErrorFields(Bytes body) {
  ErrorFields fields;
  BodyReader reader(body);
  while (const std::uint8_t field = reader.TakeByte()) {
    const std::string_view text = reader.TakeString();
    if (!reader.ok()) break;
    switch (field) {
      case 'S':
        if (fields.severity.empty()) fields.severity = text;
        break;
      case 'V':
        fields.severity = text;
        break;  // the untranslated one wins
      case 'C':
        fields.sqlstate = text;
        break;
      case 'M':
        fields.message = text;
        break;
      case 'D':
        fields.detail = text;
        break;
      case 'H':
        fields.hint = text;
        break;
      case 'R':
        fields.routine = text;
        break;
      default:
        break;
    }
  }
  return fields;
}

}  // namespace pgvalet::wire
