#include <CLI/CLI.hpp>

#include "help/program_help.h"

namespace pgvalet::help {
namespace {

// "NAME:{pools,clients}" is how the parser names a value of which all are known.
void PutValue(const std::string& type_name, Argument& argument) {
  const std::size_t open = type_name.find('{');
  const std::size_t close = type_name.rfind('}');
  if (open == std::string::npos || close == std::string::npos || close < open) {
    argument.value = type_name;
    return;
  }
  argument.value = type_name.substr(0, open);
  if (argument.value.ends_with(':')) argument.value.pop_back();
  std::string choice;
  for (const char c : type_name.substr(open + 1, close - open - 1) + ",") {
    if (c != ',') {
      choice += c;
    } else if (!choice.empty()) {
      argument.choices.push_back(std::move(choice));
      choice.clear();
    }
  }
}

Argument ArgumentOf(const CLI::Option& option) {
  Argument argument;
  argument.is_positional = option.get_positional();
  argument.is_required = option.get_required();
  argument.meaning = option.get_description();
  argument.default_value = option.get_default_str();
  argument.environment = option.get_envname();
  if (argument.is_positional) {
    argument.names.push_back(option.get_name(true));
  } else {
    for (const std::string& name : option.get_snames()) argument.names.push_back("-" + name);
    for (const std::string& name : option.get_lnames()) argument.names.push_back("--" + name);
  }
  const bool is_flag = option.get_type_size() == 0 || option.get_expected_max() == 0;
  if (!is_flag) PutValue(option.get_type_name(), argument);
  // What stands alone is named by its name.
  if (argument.is_positional && argument.names[0] == "FILE") argument.value = "FILE";
  return argument;
}

}  // namespace

Command Describe(const CLI::App& program) {
  Command command;
  command.name = program.get_name();
  command.meaning = program.get_description();
  command.footer = program.get_footer();
  for (const CLI::Option* option : program.get_options()) {
    command.arguments.push_back(ArgumentOf(*option));
  }
  for (const CLI::App* each : program.get_subcommands([](const CLI::App*) { return true; })) {
    command.commands.push_back(Describe(*each));
  }
  return command;
}

}  // namespace pgvalet::help
