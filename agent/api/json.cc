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

// Sets what a parameter names: a field, or "field.field" for one of a message in it.
Result<Done> SetParam(const google::protobuf::Descriptor& type, const std::string& name,
                      const std::string& value, google::protobuf::Struct& object) {
  const std::size_t dot = name.find('.');
  const std::string first = name.substr(0, dot);
  const FieldDescriptor* field = type.FindFieldByName(first);
  if (field == nullptr) return Malformed("there is no parameter \"" + first + "\" here");
  google::protobuf::Value& slot = (*object.mutable_fields())[first];
  if (dot != std::string::npos) {
    if (field->message_type() == nullptr || slot.has_string_value()) {
      return Malformed("\"" + first + "\" has no parts");
    }
    return SetParam(*field->message_type(), name.substr(dot + 1), value,
                    *slot.mutable_struct_value());
  }
  if (field->is_repeated()) {
    slot.mutable_list_value()->add_values()->set_string_value(value);
  } else if (slot.kind_case() != google::protobuf::Value::KIND_NOT_SET) {
    return Malformed("\"" + name + "\" may be given once");
  } else {
    slot.set_string_value(value);
  }
  return Done{};
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
    Result<Done> is_set = SetParam(*message.GetDescriptor(), name, value, object);
    if (!is_set) return is_set;
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
