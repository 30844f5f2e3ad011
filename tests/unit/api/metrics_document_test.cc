// docs/metrics.md against what the code exposes, both ways.
#include <gtest/gtest.h>

#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "api/metric_families.h"
#include "example_snapshot.h"
#include "pgvalet/v1/stats.pb.h"

namespace pgvalet::api {
namespace {

using Names = std::set<std::string>;

// Columns of the document's tables.
enum Column : std::size_t { kMeaning, kUnit, kKind, kCounted, kSql, kProto, kPrometheus, kColumns };

std::string ReadRepositoryFile(const std::string& path) {
  std::ifstream file(std::string(PGVALET_REPOSITORY) + "/" + path);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<std::string> Cells(const std::string& row) {
  std::vector<std::string> cells;
  std::stringstream rest(row.substr(1));
  for (std::string cell; std::getline(rest, cell, '|');) cells.push_back(cell);
  return cells;
}

// Everything between backquotes in one column of all tables.
Names Documented(Column column) {
  static const std::regex quoted("`([^`]+)`");
  Names names;
  std::istringstream lines(ReadRepositoryFile("docs/metrics.md"));
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with('|')) continue;
    const std::vector<std::string> cells = Cells(line);
    if (cells.size() != kColumns) {
      ADD_FAILURE() << "a row with " << cells.size() << " columns: " << line;
      continue;
    }
    const std::string& cell = cells[column];
    for (std::sregex_iterator it(cell.begin(), cell.end(), quoted), end; it != end; ++it) {
      names.insert((*it)[1]);
    }
  }
  return names;
}

// Names in `a` that are not in `b`, one per line.
std::string Missing(const Names& a, const Names& b) {
  std::string missing;
  for (const std::string& name : a) {
    if (!b.contains(name)) missing += name + "\n";
  }
  return missing;
}

void AddFields(const google::protobuf::FileDescriptor& file, Names& names) {
  for (int i = 0; i < file.message_type_count(); ++i) {
    const auto* message = file.message_type(i);
    // What is asked, not what is told.
    if (message->name().ends_with("Request") || message->name().ends_with("Filter")) continue;
    for (int j = 0; j < message->field_count(); ++j) {
      names.insert(message->name() + "." + message->field(j)->name());
    }
  }
}

// Of the service Stats.
Names ProtoFields() {
  Names names;
  const auto* file = v1::Snapshot::descriptor()->file();
  AddFields(*file, names);
  for (int i = 0; i < file->dependency_count(); ++i) {
    if (file->dependency(i)->package() == "pgvalet.v1") AddFields(*file->dependency(i), names);
  }
  return names;
}

Names PrometheusFamilies() {
  Names names;
  for (const auto& family : MetricFamilies(*ExampleSnapshot())) names.insert(family.name);
  return names;
}

// "view.column" of every commented column in the extension's script; the three usage views,
// which differ in one column, as "usage_by_*.column".
Names SqlColumns() {
  static const std::regex comment(R"(COMMENT ON COLUMN pgvalet\.(\w+)\.(\w+))");
  const std::string script = ReadRepositoryFile("sql/pgvalet--1.0.sql");
  Names names;
  for (std::sregex_iterator it(script.begin(), script.end(), comment), end; it != end; ++it) {
    const std::string view = (*it)[1];
    const bool is_usage =
        view.starts_with("usage_by_") && !std::string((*it)[2]).ends_with("_name");
    names.insert((is_usage ? "usage_by_*" : view) + "." + std::string((*it)[2]));
  }
  return names;
}

TEST(MetricsDocumentTest, NamesEveryProtoField) {
  EXPECT_EQ(Missing(ProtoFields(), Documented(kProto)), "");
}

TEST(MetricsDocumentTest, NamesNoProtoFieldThatIsNotThere) {
  EXPECT_EQ(Missing(Documented(kProto), ProtoFields()), "");
}

TEST(MetricsDocumentTest, NamesEveryPrometheusFamily) {
  EXPECT_EQ(Missing(PrometheusFamilies(), Documented(kPrometheus)), "");
}

TEST(MetricsDocumentTest, NamesNoPrometheusFamilyThatIsNotThere) {
  EXPECT_EQ(Missing(Documented(kPrometheus), PrometheusFamilies()), "");
}

TEST(MetricsDocumentTest, NamesEverySqlColumn) {
  EXPECT_EQ(Missing(SqlColumns(), Documented(kSql)), "");
}

TEST(MetricsDocumentTest, NamesNoSqlColumnThatIsNotThere) {
  EXPECT_EQ(Missing(Documented(kSql), SqlColumns()), "");
}

}  // namespace
}  // namespace pgvalet::api
