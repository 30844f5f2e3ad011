#include "cli/top/top_state.h"

#include <algorithm>
#include <utility>

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

Chosen OfUsage(UsageBy by, const RowSubject& row) {
  switch (by) {
    case UsageBy::kRole:
      return {Chosen::Kind::kRole, "", row.user};
    case UsageBy::kDatabase:
      return {Chosen::Kind::kDatabase, "", row.database};
    case UsageBy::kApplication:
      break;
  }
  return {Chosen::Kind::kApplication, "", row.application_name};
}

void GoTo(TopState& state, View view, Chosen chosen) {
  state.back.push_back({state.view, state.chosen});
  state.view = view;
  state.chosen = std::move(chosen);
  state.first[state.view_index()] = 0;
  state.selected[state.view_index()] = 0;
}

void Enter(TopState& state, const Extent& extent) {
  if (extent.rows == 0) return;
  const RowSubject& row = extent.selected;
  switch (state.view) {
    case View::kPools:
      return GoTo(state, View::kClients, {Chosen::Kind::kPool, row.database, row.user});
    case View::kUsage:
      return GoTo(state, View::kBackends, OfUsage(state.usage_by, row));
    case View::kClients:
    case View::kBackends:
    case View::kPins:
      if (row.server_pid == 0) return;
      state.server_pid = row.server_pid;
      return GoTo(state, View::kBackend, state.chosen);
    case View::kBackend:
      return;
  }
}

void GoBack(TopState& state) {
  if (state.back.empty()) return;
  state.view = state.back.back().view;
  state.chosen = std::move(state.back.back().chosen);
  state.back.pop_back();
}

// By its number: what was chosen stays where it makes sense there.
void Show(TopState& state, View view) {
  const bool is_list = view == View::kClients || view == View::kBackends || view == View::kPins;
  if (state.chosen.kind != Chosen::Kind::kPool || !is_list) {
    state.chosen = {};
    state.back.clear();
  }
  state.view = view;
}

void Move(TopState& state, Key key, const Extent& extent) {
  std::size_t& selected = state.selected[state.view_index()];
  const std::size_t last = Minus(extent.rows, 1);
  selected = std::min(selected, last);
  switch (key) {
    case Key::kUp:
      selected = Minus(selected, 1);
      break;
    case Key::kDown:
      selected = std::min(selected + 1, last);
      break;
    case Key::kPageUp:
      selected = Minus(selected, extent.page);
      break;
    case Key::kPageDown:
      selected = std::min(selected + extent.page, last);
      break;
    case Key::kHome:
      selected = 0;
      break;
    case Key::kEnd:
      selected = last;
      break;
    default:
      break;
  }
  std::size_t& first = state.first[state.view_index()];
  first = ClampFirst(first, selected, extent);
}

}  // namespace

bool TopState::needs_connections() const {
  return view == View::kClients || view == View::kBackend || chosen.kind == Chosen::Kind::kPool;
}

std::size_t ClampFirst(std::size_t first, std::size_t selected, const Extent& extent) {
  const std::size_t least = Minus(selected + 1, extent.page);
  return std::min(std::clamp(first, least, std::max(least, selected)),
                  Minus(extent.rows, extent.page));
}

TopState Apply(TopState state, Key key, const Extent& extent) {
  const std::size_t view = state.view_index();
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
      state.sort[view] = (state.sort[view] + 1) % std::max<std::size_t>(extent.sort_keys, 1);
      break;
    case Key::kReverse:
      state.reversed[view] = !state.reversed[view];
      break;
    case Key::kPools:
      Show(state, View::kPools);
      break;
    case Key::kClients:
      Show(state, View::kClients);
      break;
    case Key::kBackends:
      Show(state, View::kBackends);
      break;
    case Key::kUsage:
      if (state.view == View::kUsage) state.usage_by = Next(state.usage_by);
      Show(state, View::kUsage);
      break;
    case Key::kPins:
      Show(state, View::kPins);
      break;
    case Key::kEnter:
      Enter(state, extent);
      break;
    case Key::kBack:
      GoBack(state);
      break;
    default:
      Move(state, key, extent);
      break;
  }
  return state;
}

}  // namespace pgvalet::cli
