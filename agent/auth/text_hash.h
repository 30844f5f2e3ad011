// Hash for maps keyed by std::string and asked with std::string_view.
#pragma once

#include <cstddef>
#include <functional>
#include <string_view>

namespace pgvalet::auth {

struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const noexcept {
    return std::hash<std::string_view>{}(text);
  }
};

}  // namespace pgvalet::auth
