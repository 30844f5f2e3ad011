// Moments of the wall clock in messages.
#pragma once

#include <google/protobuf/timestamp.pb.h>

#include <chrono>
#include <cstdint>

#include "stats/extension_sample.h"

namespace pgvalet::api {

// Sets the field that `field` makes; a moment that is not known (the epoch) stays absent.
template <typename Message>
void SetTime(stats::WallTime time, Message& message,
             google::protobuf::Timestamp* (Message::*field)()) {
  const std::int64_t us = time.time_since_epoch().count();
  if (us == 0) return;
  google::protobuf::Timestamp* timestamp = (message.*field)();
  const std::int64_t seconds =
      std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
  timestamp->set_seconds(seconds);
  timestamp->set_nanos(static_cast<std::int32_t>((us - seconds * 1'000'000) * 1000));
}

}  // namespace pgvalet::api
