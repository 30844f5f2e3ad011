#include "cli/top/top_state.h"

#include <algorithm>

namespace pgvalet::cli {
namespace {

UsageBy Next(UsageBy by) {
  switch (by) {
    case UsageBy::kRole:
      return UsageBy::kDatabase;
    case UsageBy::kDatabase:
      return UsageBy::kApplication;
    case UsageBy::kApplication:
      break;
  }
  return UsageBy::kRole;
}

std::size_t Minus(std::size_t from, std::size_t by) { return from > by ? from - by : 0; }

}  // namespace

std::size_t ClampFirst(std::size_t first, const Extent& extent) {
  return std::min(first, Minus(extent.rows, extent.page));
}

TopState Apply(TopState state, Key key, const Extent& extent) {
  std::size_t& sort = state.sort[state.view_index()];
  std::size_t& first = state.first[state.view_index()];
  first = ClampFirst(first, extent);
  switch (key) {
    case Key::kNone:
      break;
    case Key::kQuit:
      state.quit = true;
      break;
    case Key::kPause:
      state.paused = !state.paused;
      break;
    case Key::kSort:
      sort = (sort + 1) % std::max<std::size_t>(extent.sort_keys, 1);
      break;
    case Key::kPools:
      state.view = View::kPools;
      break;
    case Key::kBackends:
      state.view = View::kBackends;
      break;
    case Key::kUsage:
      if (state.view == View::kUsage) state.usage_by = Next(state.usage_by);
      state.view = View::kUsage;
      break;
    case Key::kUp:
      first = Minus(first, 1);
      break;
    case Key::kDown:
      first = ClampFirst(first + 1, extent);
      break;
    case Key::kPageUp:
      first = Minus(first, extent.page);
      break;
    case Key::kPageDown:
      first = ClampFirst(first + extent.page, extent);
      break;
    case Key::kHome:
      first = 0;
      break;
    case Key::kEnd:
      first = ClampFirst(extent.rows, extent);
      break;
  }
  return state;
}

}  // namespace pgvalet::cli
