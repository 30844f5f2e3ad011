#include "cli/commands/list_options.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "cli/screen/output.h"

namespace pgvalet::cli {

v1::SnapshotFilter ListOptions::filter() const {
  v1::SnapshotFilter filter;
  filter.set_database(database);
  filter.set_user(user);
  filter.set_application_name(application_name);
  return filter;
}

bool ListOptions::Wants(std::string_view of_database, std::string_view of_user,
                        std::string_view of_application) const {
  return (database.empty() || database == of_database) && (user.empty() || user == of_user) &&
         (application_name.empty() || application_name == of_application);
}

std::string KeyName(std::string key) {
  std::replace(key.begin(), key.end(), ' ', '-');
  return key;
}

std::shared_ptr<ListOptions> DeclareList(CLI::App& command, const SortedTable& example,
                                         const ListChoices& choices) {
  auto options = std::make_shared<ListOptions>();
  if (choices.has_names) {
    command.add_option("-d,--database", options->database, "only of this database")
        ->type_name("NAME");
    command.add_option("-u,--user", options->user, "only of this user")->type_name("NAME");
  }
  if (choices.has_application) {
    command.add_option("--application", options->application_name, "only of this application_name")
        ->type_name("NAME");
  }
  std::vector<std::string> keys;
  for (const std::string& key : example.keys()) keys.push_back(KeyName(key));
  command.add_option("--sort", options->sort, "order; all but the first: the largest first")
      ->type_name("KEY")
      ->check(CLI::IsMember(keys));
  command.add_option("--limit", options->limit, "at most so many rows")
      ->type_name("COUNT")
      ->check(CLI::Range(1, 1000000000).description(""));
  return options;
}

void PrintList(SortedTable table, const ListOptions& options, const std::string& nothing) {
  std::size_t key = 0;
  for (std::size_t i = 0; i < table.keys().size(); ++i) {
    if (KeyName(table.keys()[i]) == options.sort) key = i;
  }
  table.Sort(key);
  if (table.size() == 0) {
    Print(nothing + "\n");
    return;
  }
  const std::size_t rows =
      options.limit > 0 ? options.limit : std::numeric_limits<std::size_t>::max();
  Print(Render(table.table().Render(OutputWidth(), 0, rows), UseColour()));
}

}  // namespace pgvalet::cli
