// JSON as all faces write it: the fields of the proto, 64-bit numbers as strings.
#pragma once

#include <google/protobuf/message.h>
#include <google/protobuf/repeated_field.h>

#include <string>
#include <string_view>

namespace pgvalet::cli {

// Indented, ended by a line feed; in one line when `is_compact`.
std::string ToJson(const google::protobuf::Message& message, bool is_compact = false);

// "<name>": [...], a member of an object.
template <typename Message>
std::string ListMember(std::string_view name,
                       const google::protobuf::RepeatedPtrField<Message>& messages) {
  std::string text = "\"" + std::string(name) + "\": [";
  for (const Message& message : messages) {
    text += text.back() == '[' ? "" : ",";
    text += "\n" + ToJson(message, true);
    text.pop_back();
  }
  return text + "]";
}

// {"<name>": [...]}: some messages out of a larger one.
template <typename Message>
std::string ListToJson(std::string_view name,
                       const google::protobuf::RepeatedPtrField<Message>& messages) {
  return "{" + ListMember(name, messages) + "}\n";
}

}  // namespace pgvalet::cli
