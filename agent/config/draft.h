// Settings while Load() puts them together: values, where they came from, mistakes.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "config/report.h"
#include "config/settings.h"

namespace pgvalet::config {

struct Draft {
  Settings settings;
  // Where a key was set; a key that nobody set has no entry.  Keys as in Loaded::sources.
  std::map<std::string, Place, std::less<>> places;
  Report report;

  bool IsSet(std::string_view key) const { return places.find(key) != places.end(); }
  Place PlaceOf(std::string_view key) const {
    const auto found = places.find(key);
    return found == places.end() ? Place{"default", 0} : found->second;
  }
};

}  // namespace pgvalet::config
