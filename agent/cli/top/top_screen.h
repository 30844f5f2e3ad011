// The screen of `pgvalet top`; pure: what is known and chosen goes in, lines come out.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "cli/client/watched.h"
#include "cli/screen/line.h"
#include "cli/top/top_state.h"

namespace pgvalet::cli {

struct TopData {
  std::string address;         // where the agent is asked
  SnapshotPtr now;             // null: none yet
  SnapshotPtr before;          // an older reading of the extension, for rates; may be null
  ConnectionsPtr connections;  // the agent's lists; null: not asked for yet
  std::string problem;         // why there is no connection; empty: there is one
  std::string notice;          // what happened lately ("the agent was restarted"); may be empty
  std::int64_t age_us = 0;     // since `now` came
};

struct ScreenSize {
  int columns = 80;
  int rows = 24;
};

struct TopScreen {
  Lines lines;  // exactly ScreenSize.rows lines of exactly ScreenSize.columns
  Extent extent;
};

TopScreen DrawTop(const TopData& data, const TopState& state, const ScreenSize& size);

// The same without a screen: for pipes and files.
Lines PlainTop(const TopData& data, const TopState& state, int columns);

}  // namespace pgvalet::cli
