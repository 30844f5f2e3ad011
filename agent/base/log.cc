#include "base/log.h"

#include <spdlog/async.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <memory>
#include <string>

namespace pgvalet {

Result<Done> StartLog(std::string_view level, std::string_view file) {
  try {
    if (!spdlog::thread_pool()) spdlog::init_thread_pool(8192, 1);
    spdlog::sink_ptr sink;
    if (file.empty()) {
      sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    } else {
      sink = std::make_shared<spdlog::sinks::basic_file_sink_mt>(std::string(file));
    }
    auto logger = std::make_shared<spdlog::async_logger>(
        "pgvaletd", sink, spdlog::thread_pool(), spdlog::async_overflow_policy::overrun_oldest);
    logger->set_pattern("%Y-%m-%d %H:%M:%S.%e %z [%P] %l: %v");
    logger->set_level(spdlog::level::from_str(std::string(level)));
    logger->flush_on(spdlog::level::info);
    spdlog::set_default_logger(logger);
    return Done{};
  } catch (const spdlog::spdlog_ex& failure) {
    return Error{ErrorCode::kIo, "cannot open the log file", 0, failure.what()};
  }
}

void StopLog() {
  // What the log's thread writes to outlives that thread.
  const std::shared_ptr<spdlog::logger> logger = spdlog::default_logger();
  spdlog::shutdown();
}

}  // namespace pgvalet
