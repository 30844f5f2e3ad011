#include "session/listening.h"

#include <algorithm>
#include <utility>

#include "notify/sql.h"

namespace pgvalet::session {
namespace {

// Between two attempts to move the same channels.
constexpr Duration kRetryInterval = std::chrono::seconds(30);

template <typename Names, typename Name>
bool Has(const Names& names, const Name& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

Listening::Listening(notify::Directory& directory, io::Loop& loop, ListeningHost& host,
                     pool::PoolKey key)
    : loop_(loop), host_(host), subscriber_(directory, loop, *this, std::move(key)) {}

bool Listening::IsOnHub(const std::string& channel) const {
  return channel == marker_channel_ || subscriber_.channels().contains(channel);
}

std::string Listening::NextCommand(const std::vector<std::string>& on_lease) {
  if (step_ == Step::kRefused) {
    if (refused_.empty()) refused_ = on_lease;
    // It may work for what is there now; or now.
    const bool retry = Since(since_, loop_.now()) >= kRetryInterval;
    if (retry || refused_ != on_lease) step_ = Step::kNone;
  }
  switch (step_) {
    case Step::kNone: {
      std::vector<std::string> missing;
      std::copy_if(on_lease.begin(), on_lease.end(), std::back_inserter(missing),
                   [this](const std::string& channel) { return !IsOnHub(channel); });
      since_ = loop_.now();
      if (!missing.empty()) {
        step_ = Step::kAsked;
        marked_before_ = Has(on_lease, marker_channel_);
        asked_ = missing;
        subscriber_.Subscribe(std::move(missing));
        return {};
      }
      step_ = Step::kUnlistening;
      command_under_way_ = true;
      return "UNLISTEN *";
    }
    case Step::kSubscribed:
      command_under_way_ = true;
      return notify::ListenSql(marker_channel_);
    case Step::kRefused:
    case Step::kAsked:
    case Step::kMarking:
    case Step::kUnlistening:
      break;
  }
  return {};
}

void Listening::Refuse() {
  subscriber_.CallOff();
  step_ = Step::kRefused;
  since_ = loop_.now();
  refused_.clear();
}

void Listening::CallOff() {
  if (needs_quiet() && !command_under_way_ && subscriber_.CallOff()) Refuse();
}

void Listening::OnOwnReady() {
  if (!command_under_way_) return;
  command_under_way_ = false;
  if (step_ == Step::kUnlistening) step_ = Step::kNone;
  if (step_ != Step::kSubscribed) return;
  step_ = Step::kMarking;
  subscriber_.Mark();
}

bool Listening::needs_quiet() const {
  return command_under_way_ || step_ == Step::kSubscribed || step_ == Step::kMarking ||
         (step_ == Step::kAsked && marked_before_);
}

bool Listening::PassLeaseNotification(wire::Bytes body) {
  const auto fields = notify::ParseNotification(body);
  return !fields || subscriber_.PassLeaseNotification(fields->channel, fields->payload);
}

void Listening::Unlisten(const std::vector<std::string_view>& channels,
                         const std::vector<std::string_view>& on_lease) {
  std::vector<std::string> gone;
  const auto add = [&](const auto& names) {
    for (const auto& name : names) {
      if (!Has(on_lease, name)) gone.emplace_back(name);
    }
  };
  if (Has(channels, std::string_view("*"))) {
    add(subscriber_.channels());
    add(asked_);
  } else {
    add(channels);
  }
  subscriber_.Unsubscribe(gone);
}

std::string Listening::ListenCommands(const std::vector<std::string>& on_lease) const {
  std::string commands;
  for (const std::string& channel : subscriber_.channels()) {
    if (Has(on_lease, channel)) continue;
    commands += notify::ListenSql(channel) + ";";
  }
  return commands;
}

void Listening::AwaitNotifications() {
  if (is_late()) return;
  barrier_is_out_ = awaiting_ = true;
  awaiting_since_ = loop_.now();
  subscriber_.Barrier();
}

void Listening::OnEvent(const notify::Event& event) {
  if (const auto* notification = std::get_if<notify::Notification>(&event)) {
    return host_.OnNotification(*notification);
  }
  if (std::holds_alternative<notify::BarrierPassed>(event)) {
    barrier_is_out_ = false;
    if (!awaiting_) return;  // the wait was given up
    awaiting_ = false;
    return host_.OnNotificationsComplete();
  }
  if (const auto* lost = std::get_if<notify::Lost>(&event)) {
    return host_.OnListeningLost(lost->error);
  }
  if (const auto* subscribed = std::get_if<notify::Subscribed>(&event)) {
    marker_channel_ = subscribed->marker_channel;
    step_ = Step::kSubscribed;
    since_ = loop_.now();
  } else if (std::holds_alternative<notify::Marked>(event)) {
    step_ = Step::kNone;
  } else {
    Refuse();
  }
  host_.OnChannelStep();
}

}  // namespace pgvalet::session
