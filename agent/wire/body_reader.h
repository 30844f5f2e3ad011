// BodyReader: takes the fields of one message body in order.
//
// Every Take* fails softly: it returns an empty value and ok() turns false for good, so a
// caller reads all fields and asks ok() once.  Nothing is copied; results point into the body.
#pragma once

#include "wire/protocol.h"

namespace pgvalet::wire {

class BodyReader {
 public:
  explicit BodyReader(Bytes body) : rest_(body) {}

  bool ok() const { return ok_; }
  Bytes rest() const { return rest_; }
  bool at_end() const { return rest_.empty(); }

  std::uint8_t TakeByte() {
    const Bytes one = TakeBytes(1);
    return one.empty() ? std::uint8_t{0} : one[0];
  }

  std::uint16_t TakeU16() {
    const Bytes two = TakeBytes(2);
    return two.empty() ? std::uint16_t{0} : static_cast<std::uint16_t>(two[0] << 8 | two[1]);
  }

  std::uint32_t TakeU32() {
    const Bytes four = TakeBytes(4);
    return four.empty() ? 0 : LoadU32(four.data());
  }

  // A zero-terminated string, without its zero.
  std::string_view TakeString() {
    const void* zero = rest_.empty() ? nullptr : std::memchr(rest_.data(), 0, rest_.size());
    if (zero == nullptr) {
      Fail();
      return {};
    }
    const auto length =
        static_cast<std::size_t>(static_cast<const std::uint8_t*>(zero) - rest_.data());
    const std::string_view text = AsText(rest_.first(length));
    rest_ = rest_.subspan(length + 1);
    return text;
  }

  Bytes TakeBytes(std::size_t count) {
    if (count > rest_.size()) {
      Fail();
      return {};
    }
    const Bytes taken = rest_.first(count);
    rest_ = rest_.subspan(count);
    return taken;
  }

 private:
  void Fail() {
    ok_ = false;
    rest_ = {};
  }

  Bytes rest_;
  bool ok_ = true;
};

}  // namespace pgvalet::wire
