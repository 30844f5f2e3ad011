// What a program takes on its command line, as plain values: read once from the parser that --help
// comes from, so that manual page and completions say the same.
#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace pgvalet::help {

// An option, or what stands without one.
struct Argument {
  std::vector<std::string> names;  // "-a", "--address"; of what stands without one "DATABASE"
  bool is_positional = false;
  bool is_required = false;
  std::string value;                 // what it takes: "HOST:PORT"; empty: nothing
  std::vector<std::string> choices;  // all values there are; empty: any
  std::string meaning;
  std::string default_value;  // empty: none is said
  std::string environment;    // variable that has the same effect; empty: none

  bool takes_value() const { return !value.empty() || !choices.empty(); }
  // Its value is the name of a file.
  bool takes_file() const { return value == "FILE"; }
};

struct Command {
  std::string name;
  std::string meaning;
  std::vector<Argument> arguments;
  std::vector<Command> commands;
  std::string footer;  // examples and the like
};

// The program with all its commands.
Command Describe(const CLI::App& program);

}  // namespace pgvalet::help
