// Bodies of messages: error fields, and every field a reader can take.  The first byte says in
// which order fields are taken.
#include <string>

#include "fuzz_input.h"
#include "wire/body_reader.h"
#include "wire/error_fields.h"
#include "wire/message_builder.h"

using namespace pgvalet::wire;

namespace {

bool LiesIn(std::string_view part, Bytes whole) {
  return part.empty() || (part.data() >= AsText(whole).data() &&
                          part.data() + part.size() <= AsText(whole).data() + whole.size());
}

void TakeAll(Bytes body, unsigned order) {
  BodyReader reader(body);
  bool was_ok = true;
  while (!reader.at_end()) {
    const std::size_t before = reader.rest().size();
    switch (order % 5) {
      case 0:
        reader.TakeByte();
        break;
      case 1:
        reader.TakeU16();
        break;
      case 2:
        reader.TakeU32();
        break;
      case 3:
        Require(LiesIn(reader.TakeString(), body));
        break;
      default:
        Require(LiesIn(AsText(reader.TakeBytes(reader.TakeU16())), body));
        break;
    }
    order = order / 5 + 7 * order;
    Require(reader.rest().size() < before);
    Require(was_ok || !reader.ok());
    was_ok = reader.ok();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const Bytes body(data + 1, size - 1);
  const ErrorFields fields = ParseErrorFields(body);
  for (std::string_view field :
       {fields.severity, fields.sqlstate, fields.message, fields.detail, fields.hint}) {
    Require(LiesIn(field, body));
  }
  // What is read is written and read again as the same.
  const std::string severity(fields.severity);
  std::string out;
  AppendErrorResponse(
      out, {severity.c_str(), fields.sqlstate, fields.message, fields.detail, fields.hint});
  const ErrorFields again = ParseErrorFields(AsBytes(out).subspan(kHeaderBytes));
  Require(again.severity == fields.severity && again.sqlstate == fields.sqlstate &&
          again.message == fields.message && again.detail == fields.detail &&
          again.hint == fields.hint);
  TakeAll(body, data[0]);
  return 0;
}
