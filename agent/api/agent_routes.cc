#include "api/agent_routes.h"

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "api/metric_families.h"

namespace pgvalet::api {
namespace {

constexpr std::string_view kMetricsText = "text/plain; version=0.0.4; charset=utf-8";

// Why clients are not served; null when they are.
const char* WhyNotReady(const stats::SnapshotPtr& snapshot) {
  if (!snapshot) return "the agent has not made a snapshot yet";
  const stats::AgentStatus& status = snapshot->agent.status;
  switch (status.state) {
    case stats::AgentState::kStarting:
      return "the agent is starting";
    case stats::AgentState::kDraining:
      return "the agent is draining";
    case stats::AgentState::kRunning:
      return status.listening ? nullptr : "no client socket accepts connections";
  }
  return "the agent is in a state that is not known";
}

// The newest snapshot's page, made once however many scrape it.  Thread-safe.
class MetricsPage {
 public:
  explicit MetricsPage(const stats::SnapshotHub& hub) : hub_(hub) {}

  // Null before the first snapshot.
  std::shared_ptr<const std::string> Newest() {
    const std::lock_guard lock(mutex_);
    const stats::SnapshotPtr snapshot = hub_.Latest();
    if (snapshot && snapshot->sequence != sequence_) {
      text_ = std::make_shared<const std::string>(MetricsText(*snapshot));
      sequence_ = snapshot->sequence;
    }
    return text_;
  }

 private:
  const stats::SnapshotHub& hub_;
  std::mutex mutex_;  // protects all below
  std::uint64_t sequence_ = 0;
  std::shared_ptr<const std::string> text_;
};

HttpAnswer Metrics(MetricsPage& page) {
  const auto text = page.Newest();
  if (!text) return {503, "the agent has not made a snapshot yet\n", kPlainText};
  return {200, *text, kMetricsText};
}

HttpAnswer Readiness(const stats::SnapshotHub& hub) {
  const char* reason = WhyNotReady(hub.Latest());
  if (reason == nullptr) return {200, "ready\n", kPlainText};
  return {503, std::string("not ready: ") + reason + "\n", kPlainText};
}

}  // namespace

std::vector<HttpRoute> AgentRoutes(const stats::SnapshotHub& hub) {
  const auto page = std::make_shared<MetricsPage>(hub);
  return {
      {"GET", "/healthz", TokenRole::kNone,
       [](const HttpRequest&) {
         return HttpAnswer{200, "ok\n", kPlainText};
       }},
      {"GET", "/readyz", TokenRole::kNone, [&hub](const HttpRequest&) { return Readiness(hub); }},
      {"GET", "/metrics", TokenRole::kNone, [page](const HttpRequest&) { return Metrics(*page); }},
  };
}

}  // namespace pgvalet::api
