#include "wire/statement.h"

#include <utility>

namespace pgvalet::wire {

// REQUIRES: shelf_->mutex is held.
Statement* StatementStore::New(std::string key, std::size_t tail_at, std::uint64_t epoch) {
  const std::uint64_t id = shelf_->next_id++;
  auto* made = new Statement{id, "PGVALET_" + std::to_string(id), std::move(key), {}, epoch};
  made->tail = std::string_view(made->key).substr(tail_at);
  return made;
}

StatementPtr StatementStore::MakePrivate(std::string_view tail, std::uint64_t epoch) {
  std::string text(tail);
  const std::lock_guard lock(shelf_->mutex);
  Statement* made = New(std::move(text), 0, epoch);
  made->is_private = true;
  return StatementPtr(made);
}

StatementPtr StatementStore::Intern(std::string_view tail, std::string_view context,
                                    std::uint64_t epoch) {
  std::string key(context);
  key.push_back('\0');
  key.append(tail);
  const std::lock_guard lock(shelf_->mutex);
  if (const auto found = shelf_->by_key.find(key); found != shelf_->by_key.end()) {
    if (StatementPtr alive = found->second.lock()) return alive;
    // Its last holder is on the way into the deleter below; the key points into that
    // statement, so it has to go before a new one takes its place.
    shelf_->by_key.erase(found);
  }
  auto* made = New(std::move(key), context.size() + 1, epoch);
  StatementPtr statement(made, [shelf = shelf_](const Statement* dying) {
    {
      const std::lock_guard inner(shelf->mutex);
      const auto entry = shelf->by_key.find(dying->key);
      if (entry != shelf->by_key.end() && entry->second.expired()) shelf->by_key.erase(entry);
    }
    delete dying;
  });
  shelf_->by_key.emplace(statement->key, statement);
  return statement;
}

std::size_t StatementStore::size() const {
  const std::lock_guard lock(shelf_->mutex);
  return shelf_->by_key.size();
}

const StatementPtr* ClientStatements::Find(std::string_view name) const {
  if (!map_) return nullptr;
  const auto found = map_->find(name);
  return found == map_->end() ? nullptr : &found->second;
}

void ClientStatements::Set(std::string_view name, StatementPtr statement) {
  if (!map_) map_ = std::make_unique<TextMap<StatementPtr>>();
  map_->insert_or_assign(std::string(name), std::move(statement));
}

void ClientStatements::Erase(std::string_view name) {
  if (!map_) return;
  if (const auto found = map_->find(name); found != map_->end()) map_->erase(found);
  if (map_->empty()) map_.reset();
}

bool ServerStatements::Touch(const Statement& statement) {
  const auto found = places_.find(statement.id);
  if (found == places_.end()) return false;
  used_.splice(used_.end(), used_, found->second);
  return true;
}

void ServerStatements::Add(StatementPtr statement) {
  if (Touch(*statement)) return;
  const std::uint64_t id = statement->id;
  used_.push_back(std::move(statement));
  places_.emplace(id, std::prev(used_.end()));
}

void ServerStatements::Remove(const Statement& statement) {
  const auto found = places_.find(statement.id);
  if (found == places_.end()) return;
  used_.erase(found->second);
  places_.erase(found);
}

void ServerStatements::Clear() {
  places_.clear();
  used_.clear();
}

}  // namespace pgvalet::wire
