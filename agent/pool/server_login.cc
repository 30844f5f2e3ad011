#include "pool/server_login.h"

#include <utility>

#include "auth/crypto.h"
#include "pool/server_query.h"
#include "wire/body_reader.h"
#include "wire/error_fields.h"
#include "wire/message_builder.h"

namespace pgvalet::pool {
namespace {

// Longest message a server may send while we log in.
constexpr std::uint32_t kMaxLoginMessageBytes = 64 * 1024;

// 128 bits: who does not know them cannot speak to the extension in the agent's name.
constexpr std::size_t kKeyBytes = 16;

void TakeReportPart(std::string_view value, LoggedIn& result) {
  const std::optional<wire::SessionReport> report = result.reported->Take(value);
  if (report && report->state) result.state = *report->state;
}

Result<Done> TakeParameter(wire::Bytes body, LoggedIn& result, Welcome& welcome) {
  wire::BodyReader reader(body);
  const std::string_view name = reader.TakeString();
  const std::string_view value = reader.TakeString();
  if (!reader.ok())
    return Error{ErrorCode::kProtocol, "the server sent a malformed ParameterStatus"};
  if (name == wire::kSessionParameter) {
    TakeReportPart(value, result);
  } else if (!name.starts_with("pgvalet.")) {
    welcome.parameters.emplace_back(name, value);
  }
  return Done{};
}

Result<Done> TakeKey(wire::Bytes body, LoggedIn& result) {
  wire::BodyReader reader(body);
  result.backend_pid = reader.TakeU32();
  result.cancel_secret = wire::AsText(reader.rest());
  if (!reader.ok())
    return Error{ErrorCode::kProtocol, "the server sent a malformed BackendKeyData"};
  return Done{};
}

// After the startup packet: authentication, parameters, ReadyForQuery.
io::Task<Result<Done>> Converse(io::Channel& channel, auth::ServerAuth& login, LoggedIn& result,
                                Welcome& welcome) {
  bool authenticated = false;
  while (true) {
    Result<io::ChannelMessage> message = co_await channel.NextMessage(kMaxLoginMessageBytes);
    if (!message) co_return message.error();
    Result<Done> taken = Done{};
    switch (message->type) {
      case wire::server::kAuthentication: {
        if (message->body.size() > auth::kMaxServerMessageBytes) {
          co_return Error{ErrorCode::kProtocol,
                          "the server sent too long an authentication message"};
        }
        Result<auth::ServerStep> step = login.OnAuthentication(wire::AsText(message->body));
        if (!step) co_return step.error();
        authenticated = step->ok;
        if (!step->reply.empty()) {
          std::string out;
          wire::AppendMessage(out, wire::client::kPassword, wire::AsBytes(step->reply.view()));
          taken = channel.Send(out);
        }
        break;
      }
      case wire::server::kErrorResponse:
        co_return ServerError(message->body);
      case wire::server::kParameterStatus:
        taken = TakeParameter(message->body, result, welcome);
        break;
      case wire::server::kBackendKeyData:
        taken = TakeKey(message->body, result);
        break;
      case wire::server::kNoticeResponse:
      case wire::server::kNegotiateProtocolVersion:
        break;
      case wire::server::kReadyForQuery:
        if (!authenticated) {
          co_return Error{ErrorCode::kProtocol, "the server is ready before it knows who we are"};
        }
        co_return Done{};
      default:
        co_return Error{ErrorCode::kProtocol, "the server sent an unexpected message at login"};
    }
    if (!taken) co_return taken.error();
  }
}

io::Task<Result<Done>> ConnectTo(io::Loop& loop, io::Channel& channel, const io::Address& address,
                                 LoggedIn& result) {
  Result<int> fd = io::Stream::Connect(address);
  if (!fd)
    co_return Error{ErrorCode::kIo, "cannot connect to server", fd.error().os_errno,
                    address.ToString()};
  result.stream = std::make_unique<io::Stream>(loop, *fd, channel, /*connecting=*/true);
  channel.Use(*result.stream);
  if (Result<Done> connected = co_await channel.Drained(); !connected) {
    co_return Error{connected.error().code, "cannot connect to server: timed out", 0,
                    address.ToString()};
  }
  if (const int failure = result.stream->ConnectResult(); failure != 0) {
    co_return Error{ErrorCode::kIo, "cannot connect to server", failure, address.ToString()};
  }
  result.address = address;
  co_return Done{};
}

io::Task<Result<LoggedIn>> LogInAt(io::Loop& loop, io::Channel& channel, const io::Address& address,
                                   const LoginTarget& target) {
  LoggedIn result;
  if (Result<Done> connected = co_await ConnectTo(loop, channel, address, result); !connected) {
    co_return connected.error();
  }
  std::vector<std::pair<std::string, std::string>> parameters = {{"user", target.user},
                                                                 {"database", target.dbname}};
  parameters.insert(parameters.end(), target.startup.begin(), target.startup.end());
  Result<std::string> key = auth::RandomBytes(kKeyBytes);
  if (!key) co_return key.error();
  result.reported = std::make_unique<ReportedSession>(auth::ToBase64(*key));
  parameters.emplace_back("pgvalet.agent_key", result.reported->key());
  std::string packet;
  wire::AppendStartup(packet, parameters);
  if (Result<Done> sent = channel.Send(packet); !sent) co_return sent.error();

  auth::ServerAuth login(target.credentials);
  auto welcome = std::make_shared<Welcome>();
  if (Result<Done> talked = co_await Converse(channel, login, result, *welcome); !talked) {
    co_return talked.error();
  }
  if (!target.connect_query.empty()) {
    Result<QueryOutcome> ran = co_await RunQuery(channel, target.connect_query);
    if (!ran) co_return ran.error();
    for (const auto& [name, value] : ran->parameters) {
      if (name == wire::kSessionParameter) TakeReportPart(value, result);
    }
  }
  result.welcome = std::move(welcome);
  result.learned_keys = login.learned_keys();
  co_return std::move(result);
}

}  // namespace

io::Task<Result<LoggedIn>> LogIn(io::Loop& loop, io::Resolver& resolver, io::Channel& channel,
                                 LoginTarget target) {
  Error last{ErrorCode::kNotFound, "the database has no host to connect to"};
  for (const config::HostPort& host : target.hosts) {
    Result<io::Addresses> addresses = co_await resolver.Resolve(loop, host.host, host.port);
    if (!addresses) {
      last = addresses.error();
      continue;
    }
    for (const io::Address& address : *addresses) {
      Result<LoggedIn> result = co_await LogInAt(loop, channel, address, target);
      if (result) co_return std::move(result);
      last = result.error();
      if (last.code == ErrorCode::kTimeout || !WorthRetrying(last)) co_return last;
    }
  }
  co_return last;
}

bool WorthRetrying(const Error& error) {
  switch (error.code) {
    case ErrorCode::kServer:
      // cannot_connect_now, admin_shutdown, crash_shutdown, too_many_connections
      return error.sqlstate == "57P03" || error.sqlstate == "57P01" || error.sqlstate == "57P02" ||
             error.sqlstate == "53300";
    case ErrorCode::kAuth:
      return false;
    default:
      return true;
  }
}

}  // namespace pgvalet::pool
