#include "sampler/resolve.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>

#include <mutex>
#include <optional>
#include <system_error>
#include <thread>

#include "base/wait.h"

namespace pgvalet::sampler {
namespace {

bool IsSocketDirectory(const std::string& host) {
  return host.empty() || host[0] == '/' || host[0] == '@';
}

std::vector<std::string> AddressesOf(const std::string& host, std::string* problem) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int failed = getaddrinfo(host.c_str(), nullptr, &hints, &found);
  std::vector<std::string> addresses;
  if (failed != 0) {
    *problem = gai_strerror(failed);
    return addresses;
  }
  for (const addrinfo* a = found; a != nullptr; a = a->ai_next) {
    char text[NI_MAXHOST];
    if (getnameinfo(a->ai_addr, a->ai_addrlen, text, sizeof text, nullptr, 0, NI_NUMERICHOST) == 0)
      addresses.emplace_back(text);
  }
  freeaddrinfo(found);
  if (addresses.empty()) *problem = "no address";
  return addresses;
}

}  // namespace

struct Resolver::Lookup {
  explicit Lookup(std::string name) : host(std::move(name)) {}
  const std::string host;
  Wakeup done;       // signalled after the answer is in
  std::mutex mutex;  // protects all below
  std::vector<std::string> addresses;
  std::string problem;
};

bool NeedsLookup(const std::string& host) {
  if (IsSocketDirectory(host)) return false;
  unsigned char address[sizeof(in6_addr)];
  return inet_pton(AF_INET, host.c_str(), address) != 1 &&
         inet_pton(AF_INET6, host.c_str(), address) != 1;
}

Result<std::vector<std::string>> Resolver::LookUp(const std::string& host, const Wakeup& abort,
                                                  Time deadline) {
  if (!running_ || running_->host != host) {
    running_ = std::make_shared<Lookup>(host);
    try {
      std::thread([lookup = running_] {
        std::string problem;
        std::vector<std::string> addresses = AddressesOf(lookup->host, &problem);
        {
          std::lock_guard lock(lookup->mutex);
          lookup->addresses = std::move(addresses);
          lookup->problem = std::move(problem);
        }
        lookup->done.Signal();
      }).detach();
    } catch (const std::system_error&) {
      running_.reset();
      return Error{ErrorCode::kLimit, "no thread for a name look-up"};
    }
  }

  Result<Done> waited = WaitFor(running_->done.fd(), POLLIN, abort, deadline);
  if (!waited) return waited.error();
  const std::shared_ptr<Lookup> lookup = std::move(running_);
  running_.reset();
  std::lock_guard lock(lookup->mutex);
  if (lookup->addresses.empty())
    return Error{ErrorCode::kNotFound, "cannot find the host's address", 0,
                 host + ": " + lookup->problem};
  return lookup->addresses;
}

Result<std::vector<ResolvedAddress>> Resolver::Resolve(const std::vector<Address>& addresses,
                                                       const Wakeup& abort, Time deadline) {
  std::vector<ResolvedAddress> all;
  std::optional<Error> problem;
  for (const Address& address : addresses) {
    if (!NeedsLookup(address.host)) {
      all.push_back({address.host, IsSocketDirectory(address.host) ? std::string() : address.host,
                     address.port});
      continue;
    }
    Result<std::vector<std::string>> found = LookUp(address.host, abort, deadline);
    if (!found) {
      if (found.error().code != ErrorCode::kNotFound) return found.error();
      problem = found.error();
      continue;
    }
    for (const std::string& hostaddr : *found)
      all.push_back({address.host, hostaddr, address.port});
  }
  if (all.empty() && problem) return *problem;
  return all;
}

}  // namespace pgvalet::sampler
