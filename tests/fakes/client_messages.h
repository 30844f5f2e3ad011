// Messages of a client, and answers of a server as short text.
#pragma once

#include <string>
#include <string_view>

#include "wire/protocol.h"

namespace pgvalet::fakes {

std::string Query(std::string_view sql);
std::string Parse(std::string_view name, std::string_view sql);
// Without parameters, unnamed portal; `padding` bytes of one parameter when it is not zero.
std::string Bind(std::string_view name, std::size_t padding = 0);
std::string DescribeStatement(std::string_view name);
std::string DescribePortal();
std::string Execute();
std::string CloseStatement(std::string_view name);
std::string Sync();
std::string Flush();
std::string FunctionCall();
std::string CopyData(std::string_view data);
std::string CopyDone();
std::string CopyFail();
std::string Terminate();
std::string Startup(std::string_view user, std::string_view database,
                    std::string_view options = {});

// Types of whole messages in a row, as "TDCZ".
std::string Types(std::string_view messages);
// The same with what matters of each: "E:42601", "C:SELECT 1", "Z:I", "S:name=value", "1".
// Separated by spaces.
std::string Describe(std::string_view messages);

}  // namespace pgvalet::fakes
