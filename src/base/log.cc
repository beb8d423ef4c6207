#include "base/log.h"

#include <atomic>

namespace shutdown_auditor::base {
namespace {

LogSink& sink() {
  static LogSink installed;
  return installed;
}
std::atomic<LogLevel> lowest_level{LogLevel::kInfo};
std::atomic<bool> installed{false};

}  // namespace

void set_log_sink(LogSink new_sink, LogLevel lowest) {
  sink() = std::move(new_sink);
  lowest_level = lowest;
  installed = static_cast<bool>(sink());
}

void set_log_level(LogLevel lowest) { lowest_level = lowest; }

void Logger::write(LogLevel level, std::string_view message, Fields fields) const {
  if (installed && level >= lowest_level) {
    sink()(level, name_, message, fields.begin(), fields.size());
  }
}

}  // namespace shutdown_auditor::base
