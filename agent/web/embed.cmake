# Writes OUTPUT, C++ that holds each of FILES (relative to FOLDER) as bytes:
#   cmake -DFOLDER=... -DFILES=a;b -DOUTPUT=... -P embed.cmake
set(arrays)
set(rows)
set(number 0)
foreach(file IN LISTS FILES)
  file(READ "${FOLDER}/${file}" hex HEX)
  file(SHA256 "${FOLDER}/${file}" digest)
  string(SUBSTRING ${digest} 0 16 digest)
  string(LENGTH "${hex}" bytes)
  math(EXPR bytes "${bytes} / 2")
  # Lines of 32 bytes: some tools do not like one of 100 kB.
  string(REGEX REPLACE "(................................................................)" "\\1\n" hex "${hex}")
  string(REGEX REPLACE "([0-9a-f][0-9a-f])" "'\\\\x\\1'," hex "${hex}")
  string(APPEND arrays "constexpr char kFile${number}[] = {\n${hex}};\n")
  string(APPEND rows "    {\"${file}\", {kFile${number}, ${bytes}}, \"${digest}\"},\n")
  math(EXPR number "${number} + 1")
endforeach()
file(WRITE "${OUTPUT}.new" "// Made by embed.cmake.
#include \"web/assets.h\"

namespace pgvalet::web {
namespace {

${arrays}
constexpr Asset kAssets[] = {
${rows}};

}  // namespace

std::span<const Asset> Assets() { return kAssets; }

}  // namespace pgvalet::web
")
file(RENAME "${OUTPUT}.new" "${OUTPUT}")
