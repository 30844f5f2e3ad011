// Who may log in when a connection URI is all there is.
//
// The rule and its reasons: docs/decisions/0140-login-without-a-file.md.
#pragma once

#include <string>
#include <string_view>

#include "config/draft.h"

namespace pgvalet::config {

struct ConnectionUri {
  std::string text;
  Place place;
  std::string password;  // used when the URI has none itself; empty: none
  Place password_place;
};

// Turns the URI into an entry of [databases], the "*" fallback and the login of its
// user.  Call after every other source has been read.
void ApplyUri(const ConnectionUri& uri, Draft& draft);

// Whether only programs on this machine can reach this listen address.
bool IsLoopback(std::string_view address);

}  // namespace pgvalet::config
