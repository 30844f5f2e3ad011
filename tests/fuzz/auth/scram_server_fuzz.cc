// Messages of a client to our SCRAM: the body of SASLInitialResponse, then those of SASLResponse,
// one per line.
#include "auth/scram_server.h"
#include "fuzz_input.h"

using namespace pgvalet::auth;

namespace {

void Play(std::string_view messages, ScramServer::Doom doom) {
  ScramServer server(PencilVerifier(), doom, "servernonce");
  auto answer = server.OnInitialResponse(TakeLine(messages));
  for (int step = 0; step < 3 && answer && !server.done(); ++step) {
    answer = server.OnResponse(TakeLine(messages));
  }
  Require(answer.has_value() || !server.done());
  if (!server.done()) return;
  Require(doom == ScramServer::Doom::kNo);
  Require(server.keys().BelongTo(*PencilVerifier()));
  Require(!server.OnResponse("c=biws").has_value());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Play(Input(data, size), ScramServer::Doom::kNo);
  Play(Input(data, size), ScramServer::Doom::kYes);
  return 0;
}
