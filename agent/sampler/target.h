// Target: where, as whom and how often the sampler reads the extension.
//
// A pure function of the settings, made at start and at every reload; the sampler
// reconnects only when the new one differs from the old one.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "config/settings.h"

namespace pgvalet::sampler {

struct Address {
  std::string host;  // name, address or socket directory; as in config::HostPort
  std::uint16_t port = 5432;
  bool operator==(const Address&) const = default;
};

struct Target {
  std::vector<Address> addresses;  // tried in order; empty: libpq's own default
  std::string dbname;              // on the server; never empty
  std::string user;                // empty: libpq's own default, the operating system's user
  std::string password;            // empty: none, or from libpq's password file
  Duration interval{0};            // zero: the extension is not read
  Duration connect_timeout{0};     // for one attempt; never zero
  Duration longest_pause{0};       // between two attempts to connect; never shorter than interval
  bool operator==(const Target&) const = default;
};

// The plain-text password that auth_file holds for a role; empty when it holds none.
using PasswordLookup = std::function<std::string(std::string_view user)>;

// Database  sampler_dbname, at the address of the [databases] entry that leads to it.  When that
//           setting is empty: the first entry by name that is not "*"; when there is none,
//           "postgres" at the address of "*".
// User      sampler_user, else auth_user of that entry, else the global auth_user, else the
//           entry's own user.
// Password  sampler_password, else the entry's where it is meant for that user, else what
//           `lookup` knows.  `lookup` may be null.
Target TargetOf(const config::Settings& settings, const PasswordLookup& lookup);

}  // namespace pgvalet::sampler
