#include "cli/screen/format.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <ctime>

namespace pgvalet::cli {
namespace {

// Three digits that say something: 1.23 is 1.2, 12.34 is 12.3, 123.4 is 123.
std::string Short(double value) {
  char text[32];
  std::snprintf(text, sizeof text, value < 99.95 ? "%.1f" : "%.0f", value);
  return text;
}

template <std::size_t N>
std::string Scaled(double value, double step, const std::array<const char*, N>& units) {
  std::size_t unit = 0;
  while (std::round(value) >= step && unit + 1 < N) {
    value /= step;
    ++unit;
  }
  return Short(value) + units[unit];
}

std::string TwoParts(std::int64_t big, const char* big_unit, std::int64_t small,
                     const char* small_unit) {
  char text[64];
  std::snprintf(text, sizeof text, "%lld%s%02lld%s", static_cast<long long>(big), big_unit,
                static_cast<long long>(small), small_unit);
  return text;
}

}  // namespace

std::string Count(std::int64_t count) {
  if (count > -100000 && count < 100000) return std::to_string(count);
  return Scaled(static_cast<double>(count) / 1000, 1000, std::array{"k", "M", "G", "T", "P"});
}

std::string Rate(double per_second) {
  if (!(per_second > 0)) return "0";
  if (per_second < 0.05) return "<0.1";
  return Scaled(per_second, 1000, std::array{"", "k", "M", "G"});
}

std::string Size(double bytes) {
  if (!(bytes > 0)) return "0";
  if (bytes < 1023.5) return std::to_string(std::llround(bytes)) + "B";
  return Scaled(bytes / 1024, 1024, std::array{"kB", "MB", "GB", "TB", "PB"});
}

std::string Elapsed(std::int64_t us) {
  if (us <= 0) return "0";
  if (us < 1000) return std::to_string(us) + "us";
  if (us < 1000000) return Short(static_cast<double>(us) / 1000) + "ms";
  if (us < 60000000) return Short(static_cast<double>(us) / 1000000) + "s";
  const std::int64_t seconds = us / 1000000;
  if (seconds < 3600) return TwoParts(seconds / 60, "m", seconds % 60, "s");
  if (seconds < 86400) return TwoParts(seconds / 3600, "h", seconds / 60 % 60, "m");
  return TwoParts(seconds / 86400, "d", seconds / 3600 % 24, "h");
}

std::string Percent(double share) {
  if (!(share > 0)) return "0%";
  if (share < 0.005) return "<1%";
  return std::to_string(std::llround(std::min(share, 99.99) * 100)) + "%";
}

Line Bar(double share, int width) {
  const int inside = std::max(width - 2, 0);
  const double full = std::isfinite(share) ? std::clamp(share, 0.0, 1.0) : 0.0;
  // Anything at all shows: an empty bar means nothing is used.
  const int filled = static_cast<int>(std::ceil(full * inside - 1e-9));
  const Style style = full >= 0.9 ? Style::kBad : full >= 0.7 ? Style::kWarning : Style::kGood;
  Line bar("[");
  bar.Add(std::string(static_cast<std::size_t>(filled), '|'), style);
  bar.Add(std::string(static_cast<std::size_t>(inside - filled), ' '));
  return bar.Add("]");
}

std::string Moment(const google::protobuf::Timestamp& time) {
  const std::time_t seconds = static_cast<std::time_t>(time.seconds());
  std::tm parts{};
  char text[64] = "";
  if (gmtime_r(&seconds, &parts) != nullptr)
    std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &parts);
  return text;
}

std::int64_t Microseconds(const google::protobuf::Timestamp& time) {
  return time.seconds() * 1000000 + time.nanos() / 1000;
}

std::int64_t Between(const google::protobuf::Timestamp& earlier,
                     const google::protobuf::Timestamp& later) {
  if (Microseconds(earlier) == 0 || Microseconds(later) == 0) return 0;
  return std::max<std::int64_t>(Microseconds(later) - Microseconds(earlier), 0);
}

}  // namespace pgvalet::cli
