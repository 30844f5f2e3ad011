// Assets: the files of the dashboard, part of the program.
//
// Made by   web/embed.cmake, from css/, js/ and index.html beside it, when the agent is built.
// Read by   api/web_routes.  Thread-safe; they live as long as the program.
#pragma once

#include <span>
#include <string_view>

namespace pgvalet::web {

struct Asset {
  std::string_view path;  // relative to web/, such as "js/main.js"
  std::string_view bytes;
  std::string_view digest;  // of the bytes, hexadecimal
};

std::span<const Asset> Assets();

}  // namespace pgvalet::web
