// Format: numbers as people read them, in at most seven columns.
#pragma once

#include <google/protobuf/timestamp.pb.h>

#include <cstdint>
#include <string>

#include "cli/screen/line.h"

namespace pgvalet::cli {

// 0, 99999, 123k, 12.3M, 1.2G, ...
std::string Count(std::int64_t count);

// Per second: 0, 0.4, 12.3, 456, 12.3k.
std::string Rate(double per_second);

// 0, 512B, 1.2kB, 34MB, ...; steps of 1024, as PostgreSQL counts.
std::string Size(double bytes);

// 0, 850us, 1.2ms, 340ms, 2.5s, 3m10s, 2h05m, 3d04h.
std::string Elapsed(std::int64_t us);

// "12%"; "<1%" for what is more than nothing.
std::string Percent(double share);

// "[|||||     ]", `width` columns in all, filled to `share` (0..1); coloured by how full it is.
Line Bar(double share, int width);

// Microseconds from `earlier` to `later`; 0 when one is missing or they are the wrong way round.
std::int64_t Between(const google::protobuf::Timestamp& earlier,
                     const google::protobuf::Timestamp& later);
// "2026-11-21 08:15:30 UTC".
std::string Moment(const google::protobuf::Timestamp& time);

std::int64_t Microseconds(const google::protobuf::Timestamp& time);

}  // namespace pgvalet::cli
