#include "console/admin_console.h"

#include <memory>

#include "base/log.h"
#include "console/command.h"
#include "console/command_text.h"
#include "console/show.h"
#include "wire/message_builder.h"

namespace pgvalet::console {
namespace {

// Commands at a time; each may wait, so each has a thread.
constexpr std::size_t kMaxCommands = 64;

}  // namespace

AdminConsole::AdminConsole(control::Door& door, const stats::SnapshotHub& hub,
                           const stats::EventLog& events)
    : door_(door),
      periods_(
          hub, [&door] { return door.Settings().settings->stats_period; },
          [&door](const Period& period) {
            if (door.Settings().settings->log_stats) log::info("{}", StatsLine(period));
          }),
      events_(events),
      threads_(kMaxCommands, 0) {}

void AdminConsole::Stop() {
  stopping_.request_stop();
  threads_.Finish();
  periods_.Stop();
}

std::vector<std::pair<std::string, std::string>> AdminConsole::Parameters() const {
  return {{"server_version", door_.Settings().settings->pgbouncer_version + "/bouncer"},
          {"client_encoding", "UTF8"},
          {"server_encoding", "UTF8"},
          {"DateStyle", "ISO"},
          {"TimeZone", "GMT"},
          {"standard_conforming_strings", "on"},
          {"is_superuser", "on"}};
}

void AdminConsole::Execute(session::ConsoleCaller caller, std::string sql, std::stop_token stop,
                           std::function<void(session::ConsoleAnswer)> done) {
  const bool is_taken =
      threads_.Run([this, caller = std::move(caller), sql = std::move(sql), stop = std::move(stop),
                    done] { done(Answer(caller, sql, stop)); });
  if (is_taken) return;
  session::ConsoleAnswer answer;
  AppendError(answer.messages,
              {ErrorCode::kLimit, "the console is busy with other commands", 0, {}, "53300"});
  wire::AppendReadyForQuery(answer.messages, wire::TxStatus::kIdle);
  done(std::move(answer));
}

session::ConsoleAnswer AdminConsole::Answer(const session::ConsoleCaller& caller,
                                            const std::string& sql, const std::stop_token& stop) {
  session::ConsoleAnswer answer;
  // Called off by the client who asked, or because we stop.
  std::stop_source either;
  const auto call_off = [&either] { either.request_stop(); };
  const std::stop_callback by_client(stop, call_off);
  const std::stop_callback by_us(stopping_.get_token(), call_off);
  const std::stop_token stop_token = either.get_token();
  const Scene scene{door_, periods_, events_, caller, stop_token};

  Result<std::vector<Words>> commands = SplitCommands(sql);
  if (!commands) {
    AppendError(answer.messages, commands.error());
  } else if (commands->empty()) {
    wire::AppendEmptyQueryResponse(answer.messages);
  } else {
    // What comes behind an error is not carried out, as in a database.
    for (const Words& words : *commands) {
      Result<console::Answer> result = console::Execute(words, scene);
      if (!result) {
        AppendError(answer.messages, result.error());
        break;
      }
      AppendAnswer(answer.messages, *result);
    }
  }
  wire::AppendReadyForQuery(answer.messages, wire::TxStatus::kIdle);
  return answer;
}

}  // namespace pgvalet::console
