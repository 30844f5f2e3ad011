#include "help/completion.h"

#include <algorithm>
#include <vector>

namespace pgvalet::help {
namespace {

std::string Joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

// A command, and those it stands in: their options may stand behind it, too.
using Lineage = std::vector<const Command*>;

// Everything that may stand in a command: its commands, known values, and options.
std::string WordsOf(const Lineage& lineage) {
  const Command& command = *lineage.back();
  std::vector<std::string> words;
  for (const Command& each : command.commands) words.push_back(each.name);
  for (const Argument& argument : command.arguments) {
    if (!argument.is_positional) continue;
    words.insert(words.end(), argument.choices.begin(), argument.choices.end());
  }
  for (const Command* owner : lineage) {
    for (const Argument& argument : owner->arguments) {
      if (argument.is_positional) continue;
      for (const std::string& name : argument.names) {
        if (std::find(words.begin(), words.end(), name) == words.end()) words.push_back(name);
      }
    }
  }
  return Joined(words);
}

// Bash takes a list of words line by line: names of files may have spaces.
std::string BashReply(const std::string& what) {
  return "mapfile -t COMPREPLY < <(compgen " + what + " -- \"$word\")";
}

// What may stand behind an option: files, known values, or nothing that we know of.
void PutBashValues(const Command& owner, const std::string& path, std::string& text) {
  for (const Argument& argument : owner.arguments) {
    if (argument.is_positional || !argument.takes_value()) continue;
    std::string patterns;
    for (const std::string& name : argument.names)
      patterns.append(patterns.empty() ? "'" : "|'").append(path).append(" ").append(name) += "'";
    const std::string what = argument.takes_file() ? "-f" : "-W '" + Joined(argument.choices) + "'";
    text += "    " + patterns + ")\n      " + BashReply(what) + "\n      return ;;\n";
  }
}

void PutBash(Lineage lineage, const std::string& path, std::string& values, std::string& words) {
  const Command& command = *lineage.back();
  for (const Command* owner : lineage) PutBashValues(*owner, path, values);
  const bool takes_file =
      std::any_of(command.arguments.begin(), command.arguments.end(),
                  [](const Argument& each) { return each.is_positional && each.takes_file(); });
  words += "    '" + path + "') words='" + WordsOf(lineage) + "'" +
           (takes_file ? "; files=1" : "") + " ;;\n";
  for (const Command& each : command.commands) {
    lineage.push_back(&each);
    PutBash(lineage, path + "/" + each.name, values, words);
    lineage.pop_back();
  }
}

// All names of commands, with the path of the command they stand in: "/kill client".
void PutPaths(const Command& command, const std::string& path, std::vector<std::string>& paths) {
  for (const Command& each : command.commands) {
    paths.push_back("'" + path + " " + each.name + "'");
    PutPaths(each, path + "/" + each.name, paths);
  }
}

// In single quotes, and inside the brackets of a specification.
std::string ZshText(const std::string& text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '\'') {
      escaped += "'\\''";
    } else if (c == '[' || c == ']' || c == ':' || c == '\\') {
      escaped += std::string("\\") + c;
    } else {
      escaped += c;
    }
  }
  return escaped;
}

std::string ZshValues(const Argument& argument) {
  if (argument.takes_file()) return "_files";
  if (argument.choices.empty()) return "";
  return "(" + Joined(argument.choices) + ")";
}

void PutZshArguments(const Command& command, const std::string& indent, std::string& text) {
  for (const Argument& argument : command.arguments) {
    if (argument.is_positional) continue;
    for (const std::string& name : argument.names) {
      text.append(indent).append("'").append(name).append("[");
      text.append(ZshText(argument.meaning)).append("]");
      if (argument.takes_value()) text += ":" + ZshText(argument.value) + ":" + ZshValues(argument);
      text += "' \\\n";
    }
  }
}

void PutZshPositionals(const Command& command, const std::string& indent, std::string& text) {
  int place = 0;
  for (const Argument& argument : command.arguments) {
    if (!argument.is_positional) continue;
    text += indent + "'" + std::to_string(++place) + (argument.is_required ? ":" : "::") +
            ZshText(argument.names[0]) + ":" + ZshValues(argument) + "' \\\n";
  }
}

std::string FunctionName(const std::string& path) {
  std::string name = path;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

void PutZsh(Lineage lineage, const std::string& path, std::string& text) {
  const Command& command = *lineage.back();
  const std::string common = "    $_" + FunctionName(lineage.front()->name) + "_common";
  text += FunctionName(path) + "() {\n";
  std::string arguments;
  for (std::size_t i = 1; i < lineage.size(); ++i) PutZshArguments(*lineage[i], "    ", arguments);
  if (command.commands.empty()) {
    text += "  _arguments -s \\\n" + arguments;
    PutZshPositionals(command, "    ", text);
    text += common + "\n}\n\n";
    return;
  }
  text += "  local state\n  local -a line commands\n  commands=(\n";
  for (const Command& each : command.commands)
    text += "    '" + ZshText(each.name) + ":" + ZshText(each.meaning) + "'\n";
  text += "  )\n  _arguments -C \\\n" + arguments + common +
          " \\\n    '1:command:->command' '*::argument:->argument'\n";
  text += "  case $state in\n    command) _describe command commands ;;\n";
  text += "    argument)\n      case $words[1] in\n";
  for (const Command& each : command.commands) {
    text += "        " + each.name + ") " + FunctionName(path + "_" + each.name) + " ;;\n";
  }
  text += "      esac ;;\n  esac\n}\n\n";
  for (const Command& each : command.commands) {
    lineage.push_back(&each);
    PutZsh(lineage, path + "_" + each.name, text);
    lineage.pop_back();
  }
}

}  // namespace

std::string BashCompletion(const Command& program) {
  std::string values, words, pattern;
  PutBash({&program}, "", values, words);
  std::vector<std::string> paths;
  PutPaths(program, "", paths);
  for (const std::string& path : paths) pattern += (pattern.empty() ? "" : "|") + path;
  const std::string function = "_" + FunctionName(program.name);
  std::string text = "# Completion of " + program.name + " for bash; made by: " + program.name +
                     " completion bash\n" + function + "() {\n";
  text += R"(  local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
  local path='' words='' files='' i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$path ${COMP_WORDS[i]}" in
      )";
  text += pattern + R"() path+=/${COMP_WORDS[i]} ;;
    esac
  done
  case "$path $before" in
)";
  text +=
      values + "  esac\n  case \"$path\" in\n" + words + "  esac\n  " + BashReply("-W \"$words\"");
  text += R"(
  if [[ $files && $word != -* ]]; then
    mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$word")
  fi
}
)";
  return text + "complete -o filenames -F " + function + " " + program.name + "\n";
}

std::string ZshCompletion(const Command& program) {
  const std::string name = FunctionName(program.name);
  std::string text = "#compdef " + program.name + "\n# Made by: " + program.name +
                     " completion zsh\n\ntypeset -ga _" + name + "_common\n_" + name +
                     "_common=(\n";
  std::string common;
  PutZshArguments(program, "  ", common);
  for (std::size_t at = 0; (at = common.find(" \\\n", at)) != std::string::npos;)
    common.erase(at, 2);
  text += common + ")\n\n";
  PutZsh({&program}, "_" + name, text);
  return text + "_" + name + " \"$@\"\n";
}

}  // namespace pgvalet::help
