// GrpcServer: pgvalet.v1.Stats and Control, server reflection and the standard health service.
//
// Owned by the daemon.  Statistics come from snapshots: it reads the hub on a thread of its own, so
// neither many nor slow watchers reach the publisher or a core.  What is done to the agent is a
// call (api/calls.h).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "api/calls.h"
#include "api/event_feed.h"
#include "api/tls.h"
#include "api/tokens.h"
#include "base/result.h"
#include "query/door.h"
#include "stats/hub.h"

namespace pgvalet::api {

struct GrpcServerOptions {
  std::string listen;               // setting grpc_listen; empty: off
  std::size_t max_watchers = 4000;  // calls of WatchSnapshots at a time
  // Snapshots a watcher may be behind before it is dropped.  At one snapshot per second it has
  // this many seconds to go on reading.
  int max_lag = 8;
  std::size_t max_followers = 1000;  // calls of FollowEvents at a time
  // Both, or there are no services Control and Events.
  Calls* calls = nullptr;
  const Tokens* tokens = nullptr;
  const Tls* tls = nullptr;  // of TCP; null: never
  EventFeed events{};        // no log: there is no service Events
  // Where clients of our own come in; no directory: there is no service Query.
  query::Door query_door{};
};

class GrpcServer {
 public:
  // All of it outlives the server.
  GrpcServer(const stats::SnapshotHub& hub, GrpcServerOptions options);
  ~GrpcServer();

  // Listens and serves; does nothing when off.  kInvalidSetting: the address cannot be read.
  // kIo: it cannot be listened on (detail says where).
  // REQUIRES: not started before.
  Result<Done> Start();

  // Ends all streams with UNAVAILABLE and returns when no call is left.  May be called again.
  void Stop();

  // The port that is listened on; 0 when off or on a Unix socket.
  int port() const;

  // Streams open now.
  std::size_t watchers() const;

  // How many snapshots were turned into bytes since Start().
  std::uint64_t serializations() const;

 private:
  class Impl;  // keeps gRPC's headers out of everybody else's
  std::unique_ptr<Impl> impl_;
};

}  // namespace pgvalet::api
