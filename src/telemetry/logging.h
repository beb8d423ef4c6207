#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/log.h"

namespace shutdown_auditor::telemetry {

enum class LogFormat : std::uint8_t { kJson, kText };

// "debug", "info", "warn", "error"; "json", "text"; nullopt for anything else.
std::optional<base::LogLevel> parse_log_level(std::string_view text);
std::optional<LogFormat> parse_log_format(std::string_view text);

struct LogOptions {
  LogFormat format = LogFormat::kJson;
  base::LogLevel level = base::LogLevel::kInfo;
  // Lines with the same logger and message beyond this many in `repeat_window` are left out; the next one that is
  // written has a field `suppressed` with their number. 0: no limit. Errors count like the rest.
  std::uint32_t repeat_limit = 100;
  base::Duration repeat_window = std::chrono::seconds(10);
};

// Takes finished lines without the line break, one call at a time.
using LineWriter = std::function<void(base::LogLevel, const std::string& line)>;

// A sink that formats and thins out lines. JSON: one object with ts (RFC 3339, microseconds), level, logger, msg and the
// fields, anything escaped that needs it and invalid UTF-8 replaced. Text: `2026-11-22T18:17:03.000120Z INFO logger:
// message key=value`, values quoted when they hold anything but plain characters, so that a value cannot forge a line.
// Keeps a reference to `clock`. Safe from any thread.
base::LogSink make_log_sink(const LogOptions& options, base::Clock& clock, LineWriter write);

// Sends the log of the process to stderr. Before other threads start.
void install_logging(const LogOptions& options, base::Clock& clock);

}  // namespace shutdown_auditor::telemetry
