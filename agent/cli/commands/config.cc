#include <memory>
#include <string>
#include <utility>

#include "cli/client/client.h"
#include "cli/client/json.h"
#include "cli/commands/commands.h"
#include "cli/screen/output.h"
#include "cli/screen/table.h"
#include "pgvalet/v1/control.grpc.pb.h"

namespace pgvalet::cli {
namespace {

struct ConfigOptions {
  std::string part;      // of a name; empty: all
  bool changed = false;  // only what somebody set
  bool meaning = false;
};

// A value that nobody set is no news.
bool IsChanged(const v1::Setting& setting) { return setting.source() != "default"; }

std::string Shown(const std::string& value) { return value.empty() ? "-" : value; }

Table SettingsTable(const v1::ListSettingsResponse& settings) {
  Table table({{"SETTING"},
               {"VALUE", Align::kLeft, 10},
               {"FROM", Align::kLeft, 8},
               {"CHANGES"},
               {"DEFAULT", Align::kLeft, 8}});
  for (const v1::Setting& setting : settings.settings()) {
    const Style style = IsChanged(setting) ? Style::kBold : Style::kPlain;
    table.Add({{setting.key(), style},
               {Shown(setting.value()), style},
               setting.source(),
               setting.needs_restart() ? "at restart" : "at once",
               {Shown(setting.default_value()), Style::kDim}});
  }
  return table;
}

Lines MeaningLines(const v1::ListSettingsResponse& settings) {
  Lines lines;
  for (const v1::Setting& setting : settings.settings()) {
    lines.push_back(Line(Printable(setting.key()), Style::kBold)
                        .Add(" = " + Printable(Shown(setting.value())) + "  (" +
                             Printable(setting.source()) + ")"));
    lines.emplace_back("    " + Printable(setting.meaning()));
  }
  return lines;
}

int RunConfig(const Common& common, const ConfigOptions& options) {
  Result<v1::ListSettingsResponse> listed =
      Call<v1::Control>(common, &v1::Control::Stub::ListSettings, v1::ListSettingsRequest());
  if (!listed) return Complain(common, listed.error());
  v1::ListSettingsResponse settings;
  for (v1::Setting& setting : *listed->mutable_settings()) {
    const bool is_named = setting.key().find(options.part) != std::string::npos;
    if (is_named && (!options.changed || IsChanged(setting)))
      settings.add_settings()->Swap(&setting);
  }
  if (common.json) {
    Print(ListToJson("settings", settings.settings()));
    return kOk;
  }
  if (settings.settings().empty()) {
    Print(options.part.empty() ? "every setting has its default\n"
                               : "no such setting: " + Printable(options.part) + "\n");
    return options.part.empty() ? kOk : kNo;
  }
  Print(Render(
      options.meaning ? MeaningLines(settings) : SettingsTable(settings).Render(OutputWidth()),
      UseColour()));
  return kOk;
}

}  // namespace

void AddConfig(CLI::App& program, Action& action) {
  CLI::App* command =
      program.add_subcommand("config", "Settings of the agent in force, and where each came from");
  const auto options = std::make_shared<ConfigOptions>();
  command->add_option("NAME", options->part, "only settings with this in their name")
      ->option_text(" ");
  command->add_flag("--changed", options->changed, "only what somebody set");
  command->add_flag("--meaning", options->meaning, "say what each is for");
  command->footer(
      "Passwords are masked.\n"
      "Examples:\n"
      "  pgvalet config --changed\n"
      "  pgvalet config timeout --meaning");
  command->callback([&action, options] {
    action = [options](const Common& common) { return RunConfig(common, *options); };
  });
}

}  // namespace pgvalet::cli
