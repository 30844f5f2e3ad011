// TopState: what the user of `pgvalet top` has chosen; changed by keys only, pure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "cli/screen/sorted_table.h"
#include "cli/views/server_tables.h"

namespace pgvalet::cli {

enum class View : std::uint8_t { kPools, kClients, kBackends, kUsage, kPins, kBackend };
constexpr std::size_t kViewCount = 6;

// What a key means; terminal.cc makes these from what the keyboard sends.
enum class Key : std::uint8_t {
  kNone,
  kQuit,
  kPause,
  kSort,
  kReverse,
  kPools,
  kClients,
  kBackends,
  kUsage,
  kPins,
  kEnter,
  kBack,
  kUp,
  kDown,
  kPageUp,
  kPageDown,
  kHome,
  kEnd,
};

// What clients and backends are shown of.
struct Chosen {
  enum class Kind : std::uint8_t { kAll, kPool, kRole, kDatabase, kApplication };
  Kind kind = Kind::kAll;
  std::string database{};  // of a pool
  std::string name{};      // of a pool its user, else of what kind says
  bool operator==(const Chosen&) const = default;
};

// Where one can go back to.
struct Place {
  View view = View::kPools;
  Chosen chosen{};
};

struct TopState {
  View view = View::kPools;
  Chosen chosen{};
  std::int64_t server_pid = 0;  // of View::kBackend
  UsageBy usage_by = UsageBy::kRole;
  bool paused = false;
  bool quit = false;
  std::array<std::size_t, kViewCount> sort{};      // per view: index of the sort key
  std::array<bool, kViewCount> reversed{};         // the smallest first
  std::array<std::size_t, kViewCount> first{};     // per view: the row at the top
  std::array<std::size_t, kViewCount> selected{};  // per view: the row that kEnter goes into
  std::vector<Place> back;                         // the newest last

  std::size_t view_index() const { return static_cast<std::size_t>(view); }
  // Lists of the agent's connections are shown, or needed for what is.
  bool needs_connections() const;
};

// How much there is to see, at the moment a key is pressed.
struct Extent {
  std::size_t rows = 0;       // of the table
  std::size_t page = 1;       // rows that fit the screen
  std::size_t sort_keys = 1;  // of the view
  RowSubject selected{};      // what the selected row is about
};

// The state after a key.  kUsage pressed again goes on to the next grouping.
TopState Apply(TopState state, Key key, const Extent& extent);

// The first row to show so that the selected one is seen, and no line stays empty while there are
// rows above.
std::size_t ClampFirst(std::size_t first, std::size_t selected, const Extent& extent);

}  // namespace pgvalet::cli
