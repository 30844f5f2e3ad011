#include "cli/doctor/agent_steps.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "cli/client/client.h"
#include "cli/doctor/net_probe.h"
#include "pgvalet/v1/control.grpc.pb.h"

namespace pgvalet::cli::doctor {
namespace {

constexpr const char* kNameAnother =
    "name the agent's grpc_listen with --address or PGVALET_ADDRESS";

std::string TextOf(const Error& error) { return error.detail.empty() ? error.what : error.detail; }

bool Connects(const Common& common, const Target& target, Findings& findings) {
  const Result<std::string> addresses = Resolve(target);
  if (!addresses) {
    Add(findings, "address", Verdict::kProblem, common.address + ": " + TextOf(addresses.error()),
        kNameAnother);
    Add(findings, "connection", Verdict::kSkipped, "there is no address");
    return false;
  }
  Add(findings, "address", Verdict::kOk,
      *addresses == target.host || !target.path.empty() ? common.address
                                                        : common.address + " is " + *addresses);
  const Result<Socket> socket = Connect(target, common.timeout);
  if (socket) {
    Add(findings, "connection", Verdict::kOk, "somebody answers there");
    return true;
  }
  Add(findings, "connection", Verdict::kProblem, common.address + ": " + TextOf(socket.error()),
      "start pgvaletd, and look whether its grpc_listen is this address and no firewall stands "
      "between; or " +
          std::string(kNameAnother));
  return false;
}

// Somebody answers, but no gRPC comes of it.
Finding Explain(const Common& common, const Target& target, const Error& error) {
  const std::string said = TextOf(error);
  switch (WhatSpeaks(target, std::min<Duration>(common.timeout, std::chrono::seconds(3)))) {
    case Speaks::kTls:
      if (!common.tls.used())
        return {"grpc", Verdict::kProblem, "the agent speaks TLS, and this command does not",
                "add --tls, or --tls-ca-file with the authority of its certificate"};
      return {"grpc", Verdict::kProblem, "TLS does not come about: " + said,
              "--tls-ca-file names the authority of the agent's certificate, whose names must have "
              "the host of --address; --tls-cert-file where it asks for one of ours"};
    case Speaks::kHttp2:
      if (common.tls.used())
        return {"grpc", Verdict::kProblem, "the agent does not speak TLS, and this command does",
                "leave out --tls and its files (PGVALET_TLS_CA_FILE)"};
      return {"grpc", Verdict::kProblem, "gRPC answers, but not our call: " + said,
              "an agent that starts or stops has no snapshot; ask again, and look into its log"};
    case Speaks::kHttp1:
      return {"grpc", Verdict::kProblem, "a web server answers there",
              "that may be http_listen (6545): " + std::string(kNameAnother) + " (6544)"};
    case Speaks::kPostgres:
      return {"grpc", Verdict::kProblem, "PostgreSQL's protocol is spoken there, not gRPC",
              "that may be listen_port (6543): " + std::string(kNameAnother) + " (6544)"};
    case Speaks::kNothing:
    case Speaks::kOther:
      break;
  }
  return {"grpc", Verdict::kProblem, "what answers there is no gRPC: " + said, kNameAnother};
}

void NoteToken(const Common& common, const Error& error, Findings& findings) {
  Add(findings, "token", Verdict::kProblem,
      common.token.empty() ? "the agent asks for a token, and there is none"
                           : "the agent does not take this token: " + error.detail,
      "name a file with a line of the agent's token_file by --token-file or PGVALET_TOKEN_FILE; "
      "after a change of token_file the agent needs a reload");
}

// There is no client 0, so that nothing can happen but an answer.
bool MayControl(const Common& common) {
  const auto answer =
      Call<v1::Control>(common, &v1::Control::Stub::KillClient, v1::KillClientRequest());
  return answer || answer.error().code != ErrorCode::kAuth;
}

void AskWithToken(const Common& common, Facts& facts, Findings& findings) {
  const auto settings =
      Call<v1::Control>(common, &v1::Control::Stub::ListSettings, v1::ListSettingsRequest());
  if (!settings) {
    const bool closed = settings.error().detail.find("no token file") != std::string::npos;
    if (closed)
      Add(findings, "token", Verdict::kOk,
          "statistics need none; settings and lists are closed: the agent has no token_file");
    else
      NoteToken(common, settings.error(), findings);
    return;
  }
  facts.settings = SettingsOf(*settings);
  Add(findings, "token", Verdict::kOk,
      MayControl(common) ? "its role is control" : "its role is read");
  if (auto databases =
          Call<v1::Control>(common, &v1::Control::Stub::ListDatabases, v1::ListDatabasesRequest()))
    std::move(databases->databases().begin(), databases->databases().end(),
              std::back_inserter(facts.databases));
  if (auto clients =
          Call<v1::Control>(common, &v1::Control::Stub::ListClients, v1::ListClientsRequest()))
    std::move(clients->clients().begin(), clients->clients().end(),
              std::back_inserter(facts.clients));
}

}  // namespace

std::optional<Facts> AskAgent(const Common& common, Findings& findings) {
  const Target target = TargetOf(common.address);
  if (!Connects(common, target, findings)) {
    Add(findings, "grpc", Verdict::kSkipped, "nobody answers");
    Add(findings, "token", Verdict::kSkipped, "nobody answers");
    return {};
  }
  Facts facts;
  Result<v1::Snapshot> snapshot = GetSnapshot(common);
  if (!snapshot && snapshot.error().code == ErrorCode::kNotFound) {  // a file of TLS
    Add(findings, "grpc", Verdict::kProblem, TextOf(snapshot.error()),
        "look at --tls-ca-file, --tls-cert-file and --tls-key-file");
  } else if (!snapshot && snapshot.error().code != ErrorCode::kAuth) {
    findings.push_back(Explain(common, target, snapshot.error()));
  } else {
    Add(findings, "grpc", Verdict::kOk,
        common.tls.used() ? "the agent answers, by TLS" : "the agent answers, without TLS");
  }
  if (!snapshot && snapshot.error().code == ErrorCode::kAuth) {
    NoteToken(common, snapshot.error(), findings);
    return {};
  }
  if (!snapshot) {
    Add(findings, "token", Verdict::kSkipped, "gRPC does not answer");
    return {};
  }
  facts.snapshot = std::move(*snapshot);
  AskWithToken(common, facts, findings);
  return facts;
}

}  // namespace pgvalet::cli::doctor
