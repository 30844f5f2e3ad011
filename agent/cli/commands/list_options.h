// What the commands that list something have in common: what is listed, in which order.
#pragma once

#include <CLI/CLI.hpp>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "cli/command.h"
#include "cli/screen/sorted_table.h"
#include "pgvalet/v1/stats.pb.h"

namespace pgvalet::cli {

struct ListOptions {
  std::string database;  // empty: every one
  std::string user;
  std::string application_name;
  std::string sort;       // a key of the table, words joined by '-'; empty: by name
  std::size_t limit = 0;  // rows; 0: all

  // The three names, for the agent to look at.
  v1::SnapshotFilter filter() const;
  // Whether a row of these is wanted.
  bool Wants(std::string_view of_database, std::string_view of_user,
             std::string_view of_application) const;
};

// What can be chosen by name.
struct ListChoices {
  bool has_names = true;        // --database, --user
  bool has_application = true;  // --application
};

// Declares the options on `command`; the keys to sort by are those of `example`.
std::shared_ptr<ListOptions> DeclareList(CLI::App& command, const SortedTable& example,
                                         const ListChoices& choices = {});

// Prints the rows that were asked for; where there are none, `nothing`.
void PrintList(SortedTable table, const ListOptions& options, const std::string& nothing);

// "clients waiting" as it is written on the command line: clients-waiting.
std::string KeyName(std::string key);

}  // namespace pgvalet::cli
