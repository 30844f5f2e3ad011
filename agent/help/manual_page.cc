#include "help/manual_page.h"

#include <algorithm>
#include <cctype>
#include <sstream>

namespace pgvalet::help {
namespace {

// Nothing of a text may be taken for a request or an escape; a hyphen is one that can be copied.
std::string Escaped(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '\\') {
      escaped += "\\e";
    } else if (c == '-') {
      escaped += "\\-";
    } else {
      escaped += c;
    }
  }
  return escaped;
}

// The same for a whole line.
std::string LineOf(const std::string& text) {
  const bool is_request = !text.empty() && (text[0] == '.' || text[0] == '\'');
  return (is_request ? "\\&" : "") + Escaped(text) + "\n";
}

std::string Upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

std::string ValueText(const Argument& argument) {
  if (argument.choices.empty()) return argument.value;
  std::string text;
  for (const std::string& choice : argument.choices) text += (text.empty() ? "" : "|") + choice;
  return text;
}

void PutArgument(const Argument& argument, std::string& page) {
  page += ".TP\n";
  std::string names;
  for (const std::string& name : argument.names) {
    names += (names.empty() ? "" : ", ") + ("\\fB" + Escaped(name) + "\\fR");
  }
  if (argument.takes_value() && !argument.is_positional)
    names += " \\fI" + Escaped(ValueText(argument)) + "\\fR";
  page += names + "\n";
  std::string text = argument.meaning;
  if (!text.empty() && !text.ends_with('.')) text += '.';
  if (!argument.default_value.empty()) text += "  Default: " + argument.default_value + ".";
  if (!argument.environment.empty()) text += "  Environment: " + argument.environment + ".";
  page += LineOf(text);
}

void PutArguments(const Command& command, std::string& page) {
  for (const bool is_positional : {true, false}) {
    for (const Argument& argument : command.arguments) {
      // Every command has it; the program's own stands for all.
      const bool is_help = argument.names.back() == "--help";
      if (argument.is_positional == is_positional && !is_help) PutArgument(argument, page);
    }
  }
}

std::string Usage(const std::string& name, const Command& command) {
  std::string usage = ".B " + Escaped(name) + "\n[\\fIOPTION\\fR ...]";
  for (const Argument& argument : command.arguments) {
    if (!argument.is_positional) continue;
    const std::string text = "\\fI" + Escaped(argument.names[0]) + "\\fR";
    usage += argument.is_required ? " " + text : " [" + text + "]";
  }
  return usage + (command.commands.empty() ? "" : " \\fICOMMAND\\fR") + "\n";
}

// Examples as they are written.
void PutVerbatim(const std::string& text, std::string& page) {
  page += ".PP\n.nf\n";
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) page += LineOf(line);
  page += ".fi\n";
}

// A paragraph "Examples: ..." becomes a section EXAMPLES.
void PutSections(const std::string& footer, std::string& page) {
  std::istringstream lines(footer);
  bool is_open = false;
  for (std::string line; std::getline(lines, line);) {
    const std::size_t colon = line.find(':');
    const bool is_title = colon != std::string::npos && !line.empty() && line[0] != ' ' &&
                          std::isupper(static_cast<unsigned char>(line[0])) != 0;
    if (is_title) {
      if (is_open) page += ".fi\n";
      page += ".SH " + Upper(line.substr(0, colon)) + "\n.nf\n";
      is_open = true;
      line = line.substr(std::min(line.size(), colon + 2));
      if (line.empty()) continue;
    }
    page += LineOf(line);
  }
  if (is_open) page += ".fi\n";
}

void PutCommand(const std::string& prefix, const Command& command, std::string& page) {
  const std::string name = prefix + " " + command.name;
  if (command.commands.empty() || !command.meaning.empty()) {
    page += ".SS " + Escaped(name.substr(name.find(' ') + 1)) + "\n";
    page += LineOf(command.meaning + ".");
    page += ".PP\n" + Usage(name, command);
    PutArguments(command, page);
    if (!command.footer.empty()) PutVerbatim(command.footer, page);
  }
  for (const Command& each : command.commands) PutCommand(name, each, page);
}

}  // namespace

std::string ManualPage(const Command& program, const ManualAbout& about) {
  const std::size_t colon = program.meaning.find(": ");
  const std::string what =
      colon == std::string::npos ? program.meaning : program.meaning.substr(colon + 2);
  std::string page = ".TH " + Upper(program.name) + " " + std::to_string(about.section) +
                     " \"\" \"pgvalet " + Escaped(about.version) + "\" \"pgvalet\"\n";
  page += ".SH NAME\n" + Escaped(program.name) + " \\- " + Escaped(what) + "\n";
  page += ".SH SYNOPSIS\n" + Usage(program.name, program);
  page += ".SH OPTIONS\n";
  PutArguments(program, page);
  if (!program.commands.empty()) {
    page += ".SH COMMANDS\n";
    for (const Command& command : program.commands) PutCommand(program.name, command, page);
  }
  PutSections(program.footer, page);
  if (!about.see_also.empty()) page += ".SH SEE ALSO\n" + LineOf(about.see_also);
  return page;
}

}  // namespace pgvalet::help
