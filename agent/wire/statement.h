// Prepared statements that clients share.
//
// A client's Parse of a named statement becomes a Statement, one for each distinct text, parameter
// types and context in the process; on a server connection it has a name of ours.  A server
// connection knows which of them it holds (ServerStatements, least recently used goes first); a
// client session knows what its own names mean (ClientStatements).
#pragma once

#include <atomic>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/text_map.h"
#include "wire/row_shape.h"

namespace pgvalet::wire {

struct Statement {
  std::uint64_t id;
  std::string server_name;  // the same on every server connection
  std::string key;          // context, zero, tail
  std::string_view tail;    // of the Parse body after its name: query, zero, parameter types
  std::uint64_t epoch = 0;  // of the catalog, when it was prepared first; 0: of none
  bool is_private = false;  // one client's
  mutable std::atomic<RowShape> shape = kUnknownShape;  // as clients were told; set once
};
using StatementPtr = std::shared_ptr<const Statement>;

// All statements of the process.  Thread-safe; asked only when a client parses a named statement.
// A statement lives as long as anybody holds it.
class StatementStore {
 public:
  // The statement with this text and types, made if it is new.  `context`: what else decides about
  // what the text means, so that clients share a statement only if it means the same to them.
  // `epoch` is part of it.
  StatementPtr Intern(std::string_view tail, std::string_view context = {},
                      std::uint64_t epoch = 0);
  // A statement that nobody else is given.
  StatementPtr MakePrivate(std::string_view tail, std::uint64_t epoch);
  // Of the shared ones.
  std::size_t size() const;

 private:
  Statement* New(std::string key, std::size_t tail_at, std::uint64_t epoch);

  // Outlives the statements, which the store may not.
  struct Shelf {
    mutable std::mutex mutex;  // protects all below
    std::uint64_t next_id = 1;
    std::unordered_map<std::string_view, std::weak_ptr<const Statement>> by_key;
  };
  std::shared_ptr<Shelf> shelf_ = std::make_shared<Shelf>();
};

// What a client's statement names mean.  Empty costs one pointer.
class ClientStatements {
 public:
  // Null when the client has no such statement.
  const StatementPtr* Find(std::string_view name) const;
  void Set(std::string_view name, StatementPtr statement);
  void Erase(std::string_view name);
  void Clear() { map_.reset(); }
  std::size_t size() const { return map_ ? map_->size() : 0; }

 private:
  std::unique_ptr<TextMap<StatementPtr>> map_;
};

// Which statements a server connection holds.
class ServerStatements {
 public:
  bool Holds(const Statement& statement) const { return places_.contains(statement.id); }
  // Holds it, and if so marks it as used just now.
  bool Touch(const Statement& statement);
  void Add(StatementPtr statement);
  void Remove(const Statement& statement);
  void Clear();
  std::size_t size() const { return places_.size(); }
  // The one not used for longest.  REQUIRES: size() > 0.
  const StatementPtr& Oldest() const { return used_.front(); }

 private:
  std::list<StatementPtr> used_;  // least recently used first
  std::unordered_map<std::uint64_t, std::list<StatementPtr>::iterator> places_;
};

}  // namespace pgvalet::wire
