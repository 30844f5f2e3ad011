// Messages of the proto as JSON: protobuf's own mapping, with the names of fields as in the proto.
//
// So 64-bit numbers are strings, times RFC 3339 ("2026-11-21T08:15:30.123Z"), durations "1.5s",
// enums their names.  Numbers that are 0, empty texts and lists are written, absent messages are
// not.
#pragma once

#include <google/protobuf/message.h>

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"

namespace pgvalet::api {

std::string ToJson(const google::protobuf::Message& message);

// Fills an empty message.  kProtocol, with what is wrong, when `json` is no such message.
Result<Done> FromJson(std::string_view json, google::protobuf::Message& message);

// The same from the parameters of a URL, which set fields by their names; several of one name a
// repeated one, "filter.user" a field of the message in field "filter".
Result<Done> FromParams(const std::multimap<std::string, std::string>& params,
                        google::protobuf::Message& message);

// In quotes, and with everything escaped that JSON wants escaped.  Bytes that are not UTF-8 become
// the replacement character.
void AppendJsonString(std::string_view text, std::string& json);

}  // namespace pgvalet::api
