#include "api/json.h"

#include <google/protobuf/struct.pb.h>
#include <google/protobuf/util/json_util.h>

#include "base/clean_text.h"

namespace pgvalet::api {
namespace {

using google::protobuf::FieldDescriptor;

Error Malformed(std::string detail) {
  return {.code = ErrorCode::kProtocol,
          .what = "the request is malformed",
          .detail = std::move(detail)};
}

}  // namespace

std::string ToJson(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.preserve_proto_field_names = true;
  options.always_print_primitive_fields = true;
  std::string json;
  // Fails for messages with an Any of an unknown type only; there is none in the contract.
  (void)google::protobuf::util::MessageToJsonString(message, &json, options);
  json += '\n';
  return json;
}

Result<Done> FromJson(std::string_view json, google::protobuf::Message& message) {
  const auto status = google::protobuf::util::JsonStringToMessage(
      {json.data(), json.size()}, &message, google::protobuf::util::JsonParseOptions());
  if (!status.ok()) return Malformed(std::string(status.message()));
  return Done{};
}

Result<Done> FromParams(const std::multimap<std::string, std::string>& params,
                        google::protobuf::Message& message) {
  // By way of JSON, which takes numbers, durations and names of enums as texts.
  google::protobuf::Struct object;
  for (const auto& [name, value] : params) {
    const FieldDescriptor* field = message.GetDescriptor()->FindFieldByName(name);
    if (field == nullptr) return Malformed("there is no parameter \"" + name + "\" here");
    google::protobuf::Value& slot = (*object.mutable_fields())[name];
    if (field->is_repeated()) {
      slot.mutable_list_value()->add_values()->set_string_value(value);
    } else if (slot.kind_case() != google::protobuf::Value::KIND_NOT_SET) {
      return Malformed("\"" + name + "\" may be given once");
    } else {
      slot.set_string_value(value);
    }
  }
  return FromJson(ToJson(object), message);
}

void AppendJsonString(std::string_view text, std::string& json) {
  google::protobuf::Value value;
  value.set_string_value(CleanUtf8(text));
  std::string quoted;
  (void)google::protobuf::util::MessageToJsonString(value, &quoted);
  json += quoted;
}

}  // namespace pgvalet::api
