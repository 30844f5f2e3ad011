#include "prometheus_page.h"

#include <cmath>
#include <cstdlib>
#include <regex>
#include <sstream>

namespace pgvalet::api {
namespace {

class PageReader {
 public:
  explicit PageReader(std::map<std::string, PageFamily>& families) : families_(families) {}

  std::string Read(const std::string& text) {
    if (text.empty() || text.back() != '\n') return "the last line does not end";
    std::istringstream lines(text);
    for (std::string line; std::getline(lines, line);) {
      const std::string wrong = line.starts_with("# ") ? ReadComment(line) : ReadSample(line);
      if (!wrong.empty()) return wrong + ": " + line;
    }
    for (const auto& [name, family] : families_) {
      const std::string wrong = CheckFamily(name, family);
      if (!wrong.empty()) return wrong + ": " + name;
    }
    return "";
  }

 private:
  std::string ReadComment(const std::string& line) {
    static const std::regex form("# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) (.+)");
    std::smatch match;
    if (!std::regex_match(line, match, form)) return "neither HELP nor TYPE";
    const std::string name = match[2];
    if (match[1] == "HELP") {
      if (families_.contains(name)) return "family comes twice";
      families_[name].help = match[3];
      current_ = name;
      return "";
    }
    if (name != current_ || !families_[name].samples.empty()) return "TYPE in the wrong place";
    families_[name].type = match[3];
    return "";
  }

  std::string ReadSample(const std::string& line) {
    static const std::regex form(R"(([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(.*)\})? (\S+))");
    std::smatch match;
    if (!std::regex_match(line, match, form)) return "not a sample";
    const std::string name = match[1];
    if (!BelongsToCurrent(name)) return "sample outside its family";
    LabelMap labels;
    const std::string wrong = ReadLabels(match[3], labels);
    if (!wrong.empty()) return wrong;
    double value = 0;
    if (!ReadValue(match[4], value)) return "not a number";
    if (!families_[current_].samples[name].emplace(labels, value).second) return "sample twice";
    return "";
  }

  bool BelongsToCurrent(const std::string& name) {
    if (name == current_) return families_[current_].type != "histogram";
    return families_[current_].type == "histogram" &&
           (name == current_ + "_bucket" || name == current_ + "_sum" ||
            name == current_ + "_count");
  }

  static std::string ReadLabels(const std::string& text, LabelMap& labels) {
    static const std::regex form(R"re(([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|$))re");
    std::size_t at = 0;
    while (at < text.size()) {
      std::smatch match;
      const std::string rest = text.substr(at);
      if (!std::regex_search(rest, match, form, std::regex_constants::match_continuous)) {
        return "labels cannot be read";
      }
      if (!labels.emplace(match[1], match[2]).second) return "label twice";
      at += static_cast<std::size_t>(match.length());
    }
    return "";
  }

  static bool ReadValue(const std::string& text, double& value) {
    char* end = nullptr;
    value = std::strtod(text.c_str(), &end);
    return end == text.c_str() + text.size() && !std::isnan(value);
  }

  static std::string CheckFamily(const std::string& name, const PageFamily& family) {
    if (family.help.empty() || family.samples.empty()) return "no help or no sample";
    if (family.type == "counter") return name.ends_with("_total") ? "" : "counter without _total";
    if (family.type == "gauge") return name.ends_with("_total") ? "gauge with _total" : "";
    return family.type == "histogram" ? CheckHistogram(name, family) : "type not known";
  }

  static std::string CheckHistogram(const std::string& name, const PageFamily& family) {
    std::map<LabelMap, std::map<double, double>> buckets;
    for (const auto& [all_labels, value] : family.samples.at(name + "_bucket")) {
      LabelMap labels = all_labels;
      double bound = 0;
      if (!ReadValue(labels["le"], bound)) return "bucket without bound";
      labels.erase("le");
      buckets[labels][bound] = value;
    }
    for (const auto& [labels, bounds] : buckets) {
      double before = 0;
      for (const auto& [bound, count] : bounds) {
        if (count < before) return "buckets are not cumulative";
        before = count;
      }
      if (!std::isinf(bounds.rbegin()->first)) return "no +Inf bucket";
      if (family.samples.at(name + "_count").at(labels) != before) return "_count is not +Inf";
      if (!family.samples.at(name + "_sum").contains(labels)) return "no _sum";
    }
    return "";
  }

  std::map<std::string, PageFamily>& families_;
  std::string current_;
};

}  // namespace

std::string ReadPage(const std::string& text, std::map<std::string, PageFamily>& families) {
  return PageReader(families).Read(text);
}

}  // namespace pgvalet::api
