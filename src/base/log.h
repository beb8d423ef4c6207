#pragma once

#include <functional>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace shutdown_auditor::base {

enum class LogLevel { kDebug, kInfo, kWarn, kError };

// One key and its value, already text. `number` tells a JSON writer to leave the quotes away.
struct LogField {
  std::string_view key;
  std::string value;
  bool number = false;

  LogField(std::string_view k, std::string v) : key(k), value(std::move(v)) {}
  LogField(std::string_view k, std::string_view v) : key(k), value(v) {}
  LogField(std::string_view k, const char* v) : key(k), value(v) {}
  LogField(std::string_view k, bool v) : key(k), value(v ? "true" : "false"), number(true) {}
  template <class T>
    requires(std::is_arithmetic_v<T> && !std::is_same_v<T, bool>)
  LogField(std::string_view k, T v) : key(k), value(std::to_string(v)), number(true) {}
};

// Where log lines go. Called from any thread, possibly several at once; must not throw and must not block for long.
using LogSink = std::function<void(LogLevel, std::string_view logger, std::string_view message,
                                   const LogField* fields, std::size_t field_count)>;

// Installs the sink of the process and the lowest level that reaches it. Without one, lines are dropped. Call it before
// other threads run, or not at all.
void set_log_sink(LogSink sink, LogLevel lowest);
void set_log_level(LogLevel lowest);

// A named source of structured log lines: a constant message and variable fields, one line each. Never pass a secret.
// Safe from any thread.
class Logger {
 public:
  explicit constexpr Logger(std::string_view name) : name_(name) {}

  using Fields = std::initializer_list<LogField>;
  void debug(std::string_view message, Fields fields = {}) const { write(LogLevel::kDebug, message, fields); }
  void info(std::string_view message, Fields fields = {}) const { write(LogLevel::kInfo, message, fields); }
  void warn(std::string_view message, Fields fields = {}) const { write(LogLevel::kWarn, message, fields); }
  void error(std::string_view message, Fields fields = {}) const { write(LogLevel::kError, message, fields); }
  void log(LogLevel level, std::string_view message, Fields fields = {}) const { write(level, message, fields); }

 private:
  void write(LogLevel level, std::string_view message, Fields fields) const;
  std::string_view name_;  // a literal: one per module or class
};

}  // namespace shutdown_auditor::base
