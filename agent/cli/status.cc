#include "cli/status.h"

#include <google/protobuf/util/json_util.h>

#include <cstdio>

#include "cli/client.h"
#include "cli/output.h"
#include "cli/status_page.h"
#include "cli/summary_lines.h"

namespace pgvalet::cli {
namespace {

std::string ToJson(const v1::Snapshot& snapshot) {
  google::protobuf::util::JsonPrintOptions print;
  print.add_whitespace = true;
  print.always_print_primitive_fields = true;
  print.preserve_proto_field_names = true;
  std::string json;
  if (!google::protobuf::util::MessageToJsonString(snapshot, &json, print).ok()) return "{}\n";
  return json;
}

}  // namespace

int RunStatus(const Options& options) {
  Result<v1::Snapshot> snapshot =
      GetSnapshot(OpenChannel(options.address), options.token, options.timeout);
  if (!snapshot) {
    std::fputs(UnreachableText(options.address, snapshot.error()).c_str(), stderr);
    return kUnreachable;
  }
  const std::string text =
      options.json ? ToJson(*snapshot)
                   : Render(StatusPage(*snapshot, options.address, OutputWidth()), UseColour());
  Print(text);
  return Healthy(*snapshot) ? kOk : kUnhealthy;
}

}  // namespace pgvalet::cli
