// SessionContext: what an administrator asks of the clients of this core.
#include <algorithm>

#include "session/context.h"

namespace pgvalet::session {

void SessionContext::Describe(Time now, std::vector<control::ClientInfo>& clients) const {
  clients.reserve(clients.size() + client_count());
  for (const SessionList* list : {&login_, &idle_, &waiting_, &active_}) {
    for (const ClientSession& session : *list) clients.push_back(session.Describe(now));
  }
}

void SessionContext::SetSuspended(bool suspended) {
  suspended_ = suspended;
  if (suspended) return;
  // What came meanwhile is told once only: everybody has to look.
  for (SessionList* list : {&idle_, &waiting_, &active_}) {
    for (ClientSession& session : *list) {
      if (!session.is_console()) loop_.Defer(session);
    }
  }
}

bool SessionContext::HasUnflushed() const {
  for (const SessionList* list : {&idle_, &waiting_, &active_}) {
    for (const ClientSession& session : *list) {
      if (!session.is_console() && !session.IsFlushed()) return true;
    }
  }
  return false;
}

void SessionContext::EndUnflushed(const char* reason) {
  for (SessionList* list : {&idle_, &waiting_, &active_}) {
    for (auto it = list->begin(); it != list->end();) {
      ClientSession& session = *it++;
      if (!session.is_console() && !session.IsFlushed()) session.End(reason);
    }
  }
}

bool SessionContext::KillClient(std::uint64_t id, const char* reason) {
  for (SessionList* list : {&login_, &idle_, &waiting_, &active_}) {
    for (ClientSession& session : *list) {
      if (session.id() != id) continue;
      session.Kill("57P01", reason);
      return true;
    }
  }
  return false;
}

void SessionContext::KillClients(const std::string& database, const char* reason) {
  for (SessionList* list : {&idle_, &waiting_, &active_}) {
    for (auto it = list->begin(); it != list->end();) {
      ClientSession& session = *it++;
      if (session.is_console()) continue;
      if (database.empty() || session.database() == database) session.Kill("57P01", reason);
    }
  }
}

// Who has not named a database yet finds it disabled.
bool SessionContext::IsClientOf(const ClientSession& session, const std::string& database) {
  if (session.is_console() || session.database().empty()) return false;
  return database.empty() || session.database() == database;
}

void SessionContext::Drain(const std::string& database) {
  for (SessionList* list : {&login_, &idle_, &waiting_, &active_}) {
    for (auto it = list->begin(); it != list->end();) {
      ClientSession& session = *it++;
      if (IsClientOf(session, database)) session.FinishSoon(Leaving::kDrain);
    }
  }
}

std::size_t SessionContext::CountClients(const std::string& database) const {
  std::size_t count = 0;
  for (const SessionList* list : {&login_, &idle_, &waiting_, &active_, &closing_}) {
    count += static_cast<std::size_t>(
        std::count_if(list->begin(), list->end(),
                      [&](const ClientSession& session) { return IsClientOf(session, database); }));
  }
  return count;
}

bool SessionContext::CancelServer(std::uint32_t pid) {
  for (ClientSession& session : active_) {
    if (session.server_pid() != pid) continue;
    session.CancelQuery();
    return true;
  }
  return false;
}

}  // namespace pgvalet::session
