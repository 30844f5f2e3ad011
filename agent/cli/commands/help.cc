// What the command says of itself to a shell and to man(1): completion, manual.
#include <memory>
#include <string>

#include "cli/commands/commands.h"
#include "cli/screen/output.h"
#include "help/completion.h"
#include "help/manual_page.h"

namespace pgvalet::cli {

void AddHelp(CLI::App& program, Action& action) {
  CLI::App* completion =
      program.add_subcommand("completion", "Print what makes a shell complete this command");
  const auto shell = std::make_shared<std::string>();
  completion->add_option("SHELL", *shell, "which shell")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh"}))
      ->option_text(" ");
  completion->footer(
      "Examples:\n"
      "  source <(pgvalet completion bash)\n"
      "  pgvalet completion zsh > ~/.zsh/functions/_pgvalet    # a folder of fpath");
  completion->callback([&action, &program, shell] {
    action = [&program, shell](const Common& /*common*/) {
      const help::Command described = help::Describe(program);
      Print(*shell == "bash" ? help::BashCompletion(described) : help::ZshCompletion(described));
      return static_cast<int>(kOk);
    };
  });

  CLI::App* manual = program.add_subcommand("manual", "Print the manual page, for man");
  manual->footer(
      "Examples:\n"
      "  pgvalet manual | man -l -");
  manual->callback([&action, &program] {
    action = [&program](const Common& /*common*/) {
      Print(
          help::ManualPage(help::Describe(program),
                           {.section = 1, .version = PGVALET_VERSION, .see_also = "pgvaletd(8)"}));
      return static_cast<int>(kOk);
    };
  });
}

}  // namespace pgvalet::cli
