// TopState: what the user of `pgvalet top` has chosen; changed by keys only, pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "cli/views/server_tables.h"

namespace pgvalet::cli {

enum class View : std::uint8_t { kPools, kBackends, kUsage };

// What a key means; terminal.cc makes these from what the keyboard sends.
enum class Key : std::uint8_t {
  kNone,
  kQuit,
  kPause,
  kSort,
  kPools,
  kBackends,
  kUsage,
  kUp,
  kDown,
  kPageUp,
  kPageDown,
  kHome,
  kEnd,
};

struct TopState {
  View view = View::kPools;
  UsageBy usage_by = UsageBy::kRole;
  bool paused = false;
  bool quit = false;
  std::array<std::size_t, 3> sort{};   // per view: index of the sort key
  std::array<std::size_t, 3> first{};  // per view: the row at the top

  std::size_t view_index() const { return static_cast<std::size_t>(view); }
};

// How much there is to see, at the moment a key is pressed.
struct Extent {
  std::size_t rows = 0;       // of the table
  std::size_t page = 1;       // rows that fit the screen
  std::size_t sort_keys = 1;  // of the view
};

// The state after a key.  kUsage pressed again goes on to the next grouping.
TopState Apply(TopState state, Key key, const Extent& extent);

// The first row to show so that no line stays empty while there are rows above.
std::size_t ClampFirst(std::size_t first, const Extent& extent);

}  // namespace pgvalet::cli
