#include "wire/row_shape.h"

#include <string_view>

#include "wire/body_reader.h"

namespace pgvalet::wire {
namespace {

// FNV-1a, http://www.isthe.com/chongo/tech/comp/fnv/
class Hash {
 public:
  void Add(std::uint8_t byte) { value_ = (value_ ^ byte) * 0x100000001b3; }
  void Add(std::string_view text) {
    for (const char c : text) Add(static_cast<std::uint8_t>(c));
    Add(std::uint8_t{0});
  }
  void Add(std::uint32_t number) {
    for (int shift = 0; shift < 32; shift += 8) Add(static_cast<std::uint8_t>(number >> shift));
  }
  std::uint64_t value() const { return value_; }

 private:
  std::uint64_t value_ = 0xcbf29ce484222325;
};

}  // namespace

RowShape ShapeOf(Bytes row_description) {
  BodyReader reader(row_description);
  const int columns = reader.TakeU16();
  Hash hash;
  for (int i = 0; i < columns && reader.ok(); ++i) {
    hash.Add(reader.TakeString());
    reader.TakeBytes(6);  // the column's table and place in it
    hash.Add(reader.TakeU32());
    reader.TakeU16();  // the type's size
    hash.Add(reader.TakeU32());
    reader.TakeU16();  // the format
  }
  if (!reader.ok() || !reader.at_end()) return kUnknownShape;
  return hash.value() > kNoRows ? hash.value() : kNoRows + 1;
}

}  // namespace pgvalet::wire
