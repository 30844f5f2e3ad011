#include "console/command.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <optional>
#include <utility>

namespace pgvalet::console {
namespace {

std::string Upper(std::string_view text) {
  std::string upper(text);
  for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return upper;
}

Error Refused(const char* what, std::string detail = {}, std::string sqlstate = {}) {
  return Error{ErrorCode::kProtocol, what, 0, std::move(detail), std::move(sqlstate)};
}

Answer Tag(std::string tag) {
  Answer answer;
  answer.tag = std::move(tag);
  return answer;
}

Result<Answer> TagWhen(const Result<Done>& done, std::string tag) {
  if (!done) return done.error();
  return Tag(std::move(tag));
}

// What drivers set and ask for by themselves, as if this were a database.
struct FakedSetting {
  std::string_view name;  // in capitals
  const char* value;
};
constexpr FakedSetting kFaked[] = {
    {"CLIENT_ENCODING", "UTF8"},
    {"DEFAULT_TRANSACTION_ISOLATION", "read committed"},
    {"STANDARD_CONFORMING_STRINGS", "on"},
    {"DATESTYLE", "ISO"},
    {"TIMEZONE", "GMT"},
};

const FakedSetting* FindFaked(const std::string& upper) {
  const auto* found = std::find_if(std::begin(kFaked), std::end(kFaked),
                                   [&](const FakedSetting& one) { return one.name == upper; });
  return found == std::end(kFaked) ? nullptr : found;
}

Result<Answer> ShowCommand(const Words& words, const Scene& scene) {
  if (words.size() != 2) return Refused("use SHOW HELP to see what can be shown");
  const std::string what = Upper(words[1].text);
  if (const FakedSetting* faked = FindFaked(what)) {
    Answer answer;
    answer.table.columns = {{faked->name, wire::ColumnType::kText}};
    answer.table.rows = {{faked->value}};
    return answer;
  }
  return Show(what, scene);
}

// SET key = value, SET key TO value; the value is one word or quoted.
Result<Answer> SetCommand(const Words& words, const Scene& scene) {
  if (words.size() < 3) return Refused("use SET key = value");
  const bool has_sign = words[2].Is("=") || words[2].Is("TO");
  if (FindFaked(Upper(words[1].text)) != nullptr) {
    Answer answer = Tag("SET");
    answer.notice = "SET ignored";
    return answer;
  }
  if (words.size() != 4 || !has_sign) return Refused("use SET key = value");
  if (!scene.caller.is_admin) return Refused("admin access needed", {}, "42501");
  const std::string& key = words[1].text;
  return TagWhen(scene.door.Set(key, words[3].text), "SET " + key + "=" + words[3].text);
}

std::optional<std::uint64_t> NumberOf(const Word& word) {
  std::uint64_t number = 0;
  const char* end = word.text.data() + word.text.size();
  const auto [behind, error] = std::from_chars(word.text.data(), end, number);
  if (error != std::errc() || behind != end || word.text.empty()) return std::nullopt;
  return number;
}

Result<Answer> KillClient(const Words& words, const Scene& scene) {
  if (words.size() != 2) return Refused("use KILL_CLIENT id, with an id of SHOW CLIENTS");
  const std::optional<std::uint64_t> id = NumberOf(words[1]);
  if (!id) return Refused("this is no id of a client", words[1].text);
  return TagWhen(scene.door.KillClient(*id), "KILL_CLIENT");
}

Result<Answer> ShutDown(const Words& words, const Scene& scene) {
  control::Shutdown how = control::Shutdown::kImmediate;
  if (words.size() == 2 && words[1].Is("WAIT_FOR_SERVERS")) {
    how = control::Shutdown::kWaitForServers;
  } else if (words.size() == 2 && words[1].Is("WAIT_FOR_CLIENTS")) {
    how = control::Shutdown::kWaitForClients;
  } else if (words.size() != 1) {
    return Refused("use SHUTDOWN, SHUTDOWN WAIT_FOR_SERVERS or SHUTDOWN WAIT_FOR_CLIENTS");
  }
  scene.door.ShutDown(how);
  return Tag("SHUTDOWN");
}

Result<Answer> Suspend(const Words& words, const Scene& scene) {
  if (words.size() != 1) return Refused("SUSPEND takes nothing");
  return TagWhen(scene.door.Suspend(scene.stop), "SUSPEND");
}

Result<Answer> Reload(const Words& words, const Scene& scene) {
  if (words.size() != 1) return Refused("RELOAD takes nothing");
  Result<Done> done = scene.door.Reload();
  if (!done) return Refused("RELOAD failed", done.error().ToString(), "F0000");
  return Tag("RELOAD");
}

// A command about one database, or about all of them where the name may be left out.
struct DatabaseCommand {
  std::string_view name;
  bool needs_database;
  Result<Done> (*carry_out)(const std::string& database, const Scene& scene);
};

constexpr DatabaseCommand kDatabaseCommands[] = {
    {"PAUSE", false,
     [](const std::string& database, const Scene& scene) {
       return scene.door.Pause(database, scene.stop);
     }},
    {"RESUME", false,
     [](const std::string& database, const Scene& scene) { return scene.door.Resume(database); }},
    {"DISABLE", true,
     [](const std::string& database, const Scene& scene) { return scene.door.Disable(database); }},
    {"ENABLE", true,
     [](const std::string& database, const Scene& scene) { return scene.door.Enable(database); }},
    {"RECONNECT", false,
     [](const std::string& database, const Scene& scene) {
       return scene.door.Reconnect(database);
     }},
    {"KILL", false,
     [](const std::string& database, const Scene& scene) { return scene.door.Kill(database); }},
    {"WAIT_CLOSE", false,
     [](const std::string& database, const Scene& scene) {
       return scene.door.WaitClose(database, scene.stop);
     }},
};

Result<Answer> Run(const DatabaseCommand& command, const Words& words, const Scene& scene) {
  if (words.size() > 2) return Refused("one database at most", words[2].text);
  if (words.size() == 1 && command.needs_database) {
    return Refused("a database name is required", std::string(command.name));
  }
  const std::string database = words.size() == 2 ? words[1].text : std::string();
  if (session::IsConsoleDatabase(database)) {
    return Refused("this is not possible with the console's own database", database);
  }
  return TagWhen(command.carry_out(database, scene), std::string(command.name));
}

// Commands that only administrators may give; nothing when it is none of them.
std::optional<Result<Answer>> Administer(const Words& words, const Scene& scene) {
  using Command = Result<Answer> (*)(const Words&, const Scene&);
  constexpr std::pair<std::string_view, Command> kCommands[] = {{"KILL_CLIENT", &KillClient},
                                                                {"RELOAD", &Reload},
                                                                {"SHUTDOWN", &ShutDown},
                                                                {"SUSPEND", &Suspend}};
  const Error not_admin = Refused("admin access needed", {}, "42501");
  for (const DatabaseCommand& command : kDatabaseCommands) {
    if (!words[0].Is(command.name)) continue;
    return scene.caller.is_admin ? Run(command, words, scene) : Result<Answer>(not_admin);
  }
  for (const auto& [name, command] : kCommands) {
    if (!words[0].Is(name)) continue;
    return scene.caller.is_admin ? command(words, scene) : Result<Answer>(not_admin);
  }
  return std::nullopt;
}

}  // namespace

Result<Answer> Execute(const Words& words, const Scene& scene) {
  // Drivers and monitors that can only SELECT.
  if (words[0].Is("SHOW") || words[0].Is("SELECT")) return ShowCommand(words, scene);
  if (words[0].Is("SET")) return SetCommand(words, scene);
  if (std::optional<Result<Answer>> answer = Administer(words, scene)) return std::move(*answer);
  if (words[0].Is("BEGIN") || words[0].Is("START")) {
    return Refused("the console has no transactions", {}, "0A000");
  }
  return Refused("invalid command, use SHOW HELP", words[0].text, "42601");
}

}  // namespace pgvalet::console
