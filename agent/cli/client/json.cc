#include "cli/client/json.h"

#include <google/protobuf/util/json_util.h>

namespace pgvalet::cli {

std::string ToJson(const google::protobuf::Message& message, bool is_compact) {
  google::protobuf::util::JsonPrintOptions print;
  print.add_whitespace = !is_compact;
  print.always_print_primitive_fields = true;
  print.preserve_proto_field_names = true;
  std::string json;
  if (!google::protobuf::util::MessageToJsonString(message, &json, print).ok()) json = "{}";
  if (json.empty() || json.back() != '\n') json += '\n';
  return json;
}

}  // namespace pgvalet::cli
