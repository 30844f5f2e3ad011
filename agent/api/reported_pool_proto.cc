#include "api/reported_pool_proto.h"

#include "base/clean_text.h"

namespace pgvalet::api {

void FillProto(const stats::ReportedPool& pool, v1::ReportedPool& message) {
  message.set_application(pool.application);
  message.set_name(pool.name);
  message.set_instance(pool.instance);
  message.set_kind(pool.kind);
  message.set_target(pool.target);
  message.set_max_connections(pool.max_connections);
  message.set_in_use(pool.in_use);
  message.set_idle(pool.idle);
  message.set_waiting(pool.waiting);
  message.set_checkout_count(pool.checkout_count);
  message.set_timeout_count(pool.timeout_count);
  message.set_error_count(pool.error_count);
  message.set_wait_us(pool.wait_us);
}

stats::ReportedPool FromProto(const v1::ReportedPool& message) {
  return {.application = CleanText(message.application()),
          .name = CleanText(message.name()),
          .instance = CleanText(message.instance()),
          .kind = CleanText(message.kind()),
          .target = CleanText(message.target()),
          .max_connections = message.max_connections(),
          .in_use = message.in_use(),
          .idle = message.idle(),
          .waiting = message.waiting(),
          .checkout_count = message.checkout_count(),
          .timeout_count = message.timeout_count(),
          .error_count = message.error_count(),
          .wait_us = message.wait_us()};
}

}  // namespace pgvalet::api
