#include "base/log.h"

#include <spdlog/async.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/sinks/syslog_sink.h>
#include <syslog.h>

#include <atomic>
#include <memory>
#include <utility>
#include <vector>

namespace pgvalet {
namespace {

std::atomic<LogStyle> current_style{LogStyle::kPgvalet};

// "LOG", "WARNING": PgBouncer's names of levels.
class LevelName final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& line, const std::tm&,
              spdlog::memory_buf_t& out) override {
    const std::string_view name = NameOf(line.level);
    out.append(name.data(), name.data() + name.size());
  }
  std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<LevelName>();
  }

 private:
  static std::string_view NameOf(spdlog::level::level_enum level) {
    switch (level) {
      case spdlog::level::trace:
        return "NOISE";
      case spdlog::level::debug:
        return "DEBUG";
      case spdlog::level::warn:
        return "WARNING";
      case spdlog::level::err:
        return "ERROR";
      case spdlog::level::critical:
        return "FATAL";
      default:
        return "LOG";
    }
  }
};

// "UTC", "CET".
class ZoneName final : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg&, const std::tm& time,
              spdlog::memory_buf_t& out) override {
    const std::string_view name = time.tm_zone != nullptr ? time.tm_zone : "";
    out.append(name.data(), name.data() + name.size());
  }
  std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<ZoneName>();
  }
};

std::unique_ptr<spdlog::formatter> FormatterOf(LogStyle style) {
  auto formatter = std::make_unique<spdlog::pattern_formatter>();
  if (style == LogStyle::kPgvalet) {
    formatter->set_pattern("%Y-%m-%d %H:%M:%S.%e %z [%P] %l: %v");
    return formatter;
  }
  formatter->add_flag<LevelName>('*').add_flag<ZoneName>('~');
  formatter->set_pattern("%Y-%m-%d %H:%M:%S.%e %~ [%P] %* %v");
  return formatter;
}

int FacilityOf(std::string_view name) {
  constexpr std::pair<std::string_view, int> kFacilities[] = {
      {"auth", LOG_AUTH},     {"authpriv", LOG_AUTHPRIV}, {"user", LOG_USER},
      {"local0", LOG_LOCAL0}, {"local1", LOG_LOCAL1},     {"local2", LOG_LOCAL2},
      {"local3", LOG_LOCAL3}, {"local4", LOG_LOCAL4},     {"local5", LOG_LOCAL5},
      {"local6", LOG_LOCAL6}, {"local7", LOG_LOCAL7}};
  for (const auto& [known, facility] : kFacilities) {
    if (name == known) return facility;
  }
  return LOG_DAEMON;
}

std::vector<spdlog::sink_ptr> SinksOf(const LogOptions& options) {
  std::vector<spdlog::sink_ptr> sinks;
  const bool has_syslog = !options.syslog_ident.empty();
  if (!options.file.empty()) {
    sinks.push_back(std::make_shared<spdlog::sinks::basic_file_sink_mt>(options.file));
  }
  // PgBouncer's terminal sees every line, whoever else does.
  const bool is_alone = options.file.empty() && !has_syslog;
  if (!options.is_quiet && (is_alone || options.style == LogStyle::kPgBouncer)) {
    sinks.push_back(std::make_shared<spdlog::sinks::stderr_sink_mt>());
  }
  for (const spdlog::sink_ptr& sink : sinks) sink->set_formatter(FormatterOf(options.style));
  if (has_syslog) {
    // It has the time and the process itself.
    sinks.push_back(std::make_shared<spdlog::sinks::syslog_sink_mt>(
        options.syslog_ident, LOG_PID, FacilityOf(options.syslog_facility), false));
  }
  return sinks;
}

}  // namespace

Result<Done> StartLog(const LogOptions& options) {
  try {
    if (!spdlog::thread_pool()) spdlog::init_thread_pool(8192, 1);
    const std::vector<spdlog::sink_ptr> sinks = SinksOf(options);
    auto logger = std::make_shared<spdlog::async_logger>(
        "pgvaletd", sinks.begin(), sinks.end(), spdlog::thread_pool(),
        spdlog::async_overflow_policy::overrun_oldest);
    logger->set_level(spdlog::level::from_str(options.level));
    logger->flush_on(spdlog::level::info);
    spdlog::set_default_logger(logger);
    current_style = options.style;
    return Done{};
  } catch (const spdlog::spdlog_ex& failure) {
    return Error{ErrorCode::kIo, "cannot open the log file", 0, failure.what()};
  }
}

LogStyle CurrentLogStyle() { return current_style.load(std::memory_order_relaxed); }

void StopLog() {
  // What the log's thread writes to outlives that thread.
  const std::shared_ptr<spdlog::logger> logger = spdlog::default_logger();
  spdlog::shutdown();
}

}  // namespace pgvalet
