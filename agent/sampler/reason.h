// Reasons: why there is no sample, as a sentence a user can act on.
//
// Pure.  The sentences go into ExtensionSample::reason, from there to gRPC, the console
// and the log; they never contain a password.
#pragma once

#include <string>

#include "base/error.h"
#include "sampler/target.h"

namespace pgvalet::sampler {

// There was no connection to be had.
std::string CannotConnect(const Error& error, const Target& target);

// The database has no extension pgvalet.
std::string NotInstalled(const Target& target);

// The extension is there, but reading it failed.
std::string CannotRead(const Error& error, const Target& target);

}  // namespace pgvalet::sampler
