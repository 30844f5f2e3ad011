// A strict reader of Prometheus' text format 0.0.4, as the format's description has it.
#pragma once

#include <map>
#include <string>
#include <vector>

namespace pgvalet::api {

using LabelMap = std::map<std::string, std::string>;

struct PageFamily {
  std::string help;
  std::string type;  // "counter", "gauge", "histogram"
  // By name of the sample (histograms have three), then labels.
  std::map<std::string, std::map<LabelMap, double>> samples;
};

// What is wrong with the page, empty when nothing; then `families` holds what it says.
//
// Demanded beyond the grammar: HELP and TYPE before the samples, each family once and in one
// piece, no sample twice, counters end in _total, buckets cumulative with +Inf equal to _count.
std::string ReadPage(const std::string& text, std::map<std::string, PageFamily>& families);

}  // namespace pgvalet::api
