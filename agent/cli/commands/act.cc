#include "cli/commands/act.h"

#include <unistd.h>

#include <cstdio>
#include <iostream>
#include <utility>

#include "cli/screen/text.h"

namespace pgvalet::cli {

bool Confirm(const std::string& question, bool is_sure) {
  if (is_sure || isatty(STDIN_FILENO) != 1) return true;
  std::fprintf(stderr, "%s [y/N] ", question.c_str());
  std::string answer;
  std::getline(std::cin, answer);
  const bool is_yes = answer == "y" || answer == "Y" || answer == "yes";
  if (!is_yes) std::fputs("pgvalet: nothing was done\n", stderr);
  return is_yes;
}

Countdown::Countdown(const Common& common, std::string database, std::string on_leave)
    : common_(common),
      database_(std::move(database)),
      on_leave_(std::move(on_leave)),
      is_seen_(isatty(STDERR_FILENO) == 1) {}

Countdown::~Countdown() {
  if (is_shown_) std::fputs("\r\033[K", stderr);
}

void Countdown::Show() {
  ++seconds_;
  if (!is_seen_) return;
  v1::SnapshotFilter filter;
  filter.set_database(database_);
  filter.mutable_fields()->add_paths("pools");
  const Result<v1::Snapshot> snapshot = GetSnapshot(common_, filter);
  if (!snapshot) return;
  std::int64_t clients = 0, in_use = 0;
  for (const v1::Pool& pool : snapshot->pools()) {
    clients +=
        pool.now().clients_active() + pool.now().clients_waiting() + pool.now().clients_idle();
    in_use += pool.now().servers_active();
  }
  std::fprintf(stderr, "\r\033[K%lld server connections in use, %lld clients, %d s; Ctrl-C %s",
               static_cast<long long>(in_use), static_cast<long long>(clients), seconds_,
               on_leave_.c_str());
  is_shown_ = true;
}

int Tell(const Common& common, const google::protobuf::Message& answer, const std::string& text) {
  Print(common.json ? ToJson(answer) : Printable(text) + "\n");
  return kOk;
}

}  // namespace pgvalet::cli
