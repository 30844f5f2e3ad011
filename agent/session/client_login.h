// ClientLogin: from the first byte of a client to its first ReadyForQuery, as one coroutine.
//
// Owned by its session until the login is over; destroying it ends the login wherever it waits.
#pragma once

#include <memory>
#include <string>

#include "auth/client_auth.h"
#include "base/result.h"
#include "io/channel.h"
#include "io/task.h"
#include "pool/group.h"
#include "wire/session_state.h"
#include "wire/startup.h"

namespace pgvalet::session {

class ClientSession;
class SessionContext;

class ClientLogin {
 public:
  explicit ClientLogin(ClientSession& session);
  void Start();

  // What the client says it is; empty before it has.
  const std::string& database() const { return database_; }
  const std::string& user() const { return user_; }

 private:
  // The whole login; on failure the client has been told and the session is ending.
  io::Task<Done> Run();
  // Up to a startup packet; kAborted after a cancel request.
  io::Task<Result<wire::StartupPacket>> Negotiate();
  io::Task<Result<Done>> LogIn(wire::StartupPacket startup);
  io::Task<Result<Done>> LogInToPool(wire::StartupPacket startup);
  io::Task<Result<Done>> Authenticate(const config::DatabaseSettings& database);
  // The exchange of messages that shows the client to know secret_.
  io::Task<Result<Done>> Prove(config::AuthType type);
  Result<Done> CheckLimits() const;
  void ForwardCancel(const wire::StartupPacket& request);
  void UseCredentials(const config::DatabaseSettings& database, pool::PoolGroup& group);
  void SendWelcome(const pool::Welcome& welcome, const wire::SessionState& settings);
  void Refuse(const Error& error);

  // console_login.cc
  io::Task<Result<Done>> LogInToConsole();
  bool IsOwner() const;

  ClientSession& session_;
  SessionContext& context_;
  io::Channel channel_;
  std::string database_;
  std::string user_;
  std::shared_ptr<const auth::Secret> secret_;
  std::shared_ptr<const auth::ScramKeys> keys_;
  bool is_for_console_ = false;
  bool is_admin_ = false;  // of the console
  io::Task<Done> task_;
};

}  // namespace pgvalet::session
