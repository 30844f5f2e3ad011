#include "api/event_proto.h"

#include <algorithm>

#include "api/proto_time.h"

namespace pgvalet::api {

void Fill(const stats::Event& event, v1::Event& message) {
  message.set_sequence(static_cast<std::int64_t>(event.sequence));
  SetTime(event.at, message, &v1::Event::mutable_at);
  message.set_source(event.source == stats::EventSource::kAgent ? v1::EVENT_SOURCE_AGENT
                                                                : v1::EVENT_SOURCE_EXTENSION);
  message.set_kind(event.kind);
  message.set_database(event.database);
  message.set_user(event.user);
  message.set_application_name(event.application_name);
  message.set_client(event.client);
  message.set_server_pid(event.server_pid);
  message.set_rule(event.rule);
  message.set_is_dry_run(event.is_dry_run);
  message.set_message(event.message);
  message.set_left_out_count(static_cast<std::int64_t>(event.left_out));
  message.set_lost_before_count(static_cast<std::int64_t>(event.lost_before));
}

bool Matches(const v1::EventFilter& filter, const stats::Event& event) {
  if (!filter.database().empty() && filter.database() != event.database) return false;
  if (!filter.user().empty() && filter.user() != event.user) return false;
  return filter.kinds().empty() || std::find(filter.kinds().begin(), filter.kinds().end(),
                                             event.kind) != filter.kinds().end();
}

}  // namespace pgvalet::api
