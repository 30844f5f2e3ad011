#include "cli/common_options.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <utility>

namespace pgvalet::cli {
namespace {

// gRPC takes host:port, [v6]:port and unix:path; a port left out would be 443.
std::string CheckAddress(const std::string& address) {
  if (address.rfind("unix:", 0) == 0) return address.size() > 5 ? "" : "a path must follow unix:";
  const std::size_t colon = address.rfind(':');
  const std::string port = colon == std::string::npos ? "" : address.substr(colon + 1);
  const bool digits =
      !port.empty() && port.size() <= 5 &&
      std::all_of(port.begin(), port.end(), [](char c) { return c >= '0' && c <= '9'; });
  const bool bare_v6 =
      colon != std::string::npos && address[0] != '[' && address.find(':') != colon;
  if (!digits || colon == 0 || bare_v6 || std::stoi(port) < 1 || std::stoi(port) > 65535)
    return "expected host:port (an IPv6 address in brackets) or unix:path, got \"" + address + "\"";
  return "";
}

// What comes of the token: out of its file, or (empty: no file) of the environment; nothing when
// the file cannot be used.
std::optional<std::string> TokenOf(const std::string& path) {
  if (path.empty()) {
    const char* given = std::getenv("PGVALET_TOKEN");
    return given != nullptr ? given : "";
  }
  std::ifstream file(path);
  std::string token, more;
  if (!(file >> token)) return std::nullopt;
  // A line of the agent's own file: the role, then the token.
  if (file >> more && (token == "read" || token == "control")) token = more;
  return token;
}

void DeclareTls(CLI::App& app, TlsOptions& tls) {
  app.add_flag("--tls", tls.required, "encrypt, and check the agent's certificate")
      ->group("Connection");
  app.add_option("--tls-ca-file", tls.ca_file,
                 "authorities the agent's certificate may be of, instead of the system's")
      ->envname("PGVALET_TLS_CA_FILE")
      ->type_name("FILE")
      ->group("Connection");
  CLI::Option* certificate =
      app.add_option("--tls-cert-file", tls.cert_file, "certificate to show to the agent")
          ->type_name("FILE")
          ->group("Connection");
  app.add_option("--tls-key-file", tls.key_file, "key of that certificate")
      ->type_name("FILE")
      ->needs(certificate)
      ->group("Connection");
}

}  // namespace

void DeclareCommon(CLI::App& app, CommonOptions& options) {
  app.add_option("-a,--address", options.common.address, "where the agent answers")
      ->envname("PGVALET_ADDRESS")
      ->type_name("HOST:PORT")
      ->check(CLI::Validator(CheckAddress, ""))
      ->capture_default_str()
      ->group("Connection");
  app.add_option("--token-file", options.token_file,
                 "file with a token of the agent, or a line of the agent's token_file")
      ->envname("PGVALET_TOKEN_FILE")
      ->type_name("FILE")
      ->group("Connection");
  DeclareTls(app, options.common.tls);
  app.add_option("--timeout", options.timeout_s, "seconds to wait for the agent")
      ->type_name("SECONDS")
      ->check(CLI::Range(0.01, 3600.0).description(""))
      ->capture_default_str()
      ->group("Connection");
  app.add_flag("--json", options.common.json, "print JSON, for programs")->group("Output");
}

Result<Common> Complete(const CommonOptions& options) {
  Common common = options.common;
  std::optional<std::string> token = TokenOf(options.token_file);
  if (!token) {
    return Error{ErrorCode::kNotFound, "cannot read a file", 0,
                 "no token can be read from " + options.token_file};
  }
  common.token = std::move(*token);
  common.timeout = FromSeconds(options.timeout_s);
  return common;
}

Duration FromSeconds(double seconds) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

}  // namespace pgvalet::cli
