#include "telemetry/logging.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "base/text.h"
#include "base/time.h"

namespace shutdown_auditor::telemetry {
namespace {

// Messages are constants, so there are few; a bug that varies them must not eat memory.
constexpr std::size_t kMaxKnownMessages = 4096;
constexpr std::size_t kMaxValueBytes = 4096;

std::string_view level_text(base::LogLevel level) {
  switch (level) {
    case base::LogLevel::kDebug:
      return "debug";
    case base::LogLevel::kInfo:
      return "info";
    case base::LogLevel::kWarn:
      return "warn";
    case base::LogLevel::kError:
      return "error";
  }
  return "error";
}

spdlog::level::level_enum spdlog_level(base::LogLevel level) {
  switch (level) {
    case base::LogLevel::kDebug:
      return spdlog::level::debug;
    case base::LogLevel::kInfo:
      return spdlog::level::info;
    case base::LogLevel::kWarn:
      return spdlog::level::warn;
    case base::LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

// A JSON string, quotes included.
std::string json_string(std::string_view text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string clipped(const std::string& value) { return base::truncate_utf8(value, kMaxValueBytes); }

// true, false and what JSON allows as a number; std::to_string also makes "nan" and "inf".
bool is_json_literal(const base::LogField& field) {
  return field.number && field.value.find_first_of("ni") == std::string::npos;
}

std::string json_line(const std::string& time, base::LogLevel level, std::string_view logger, std::string_view message,
                      const base::LogField* fields, std::size_t count, std::uint64_t suppressed) {
  std::string out = "{\"ts\":\"" + time + "\",\"level\":\"" + std::string(level_text(level)) +
                    "\",\"logger\":" + json_string(logger) + ",\"msg\":" + json_string(message);
  for (const base::LogField* field = fields; field != fields + count; ++field) {
    out += "," + json_string(field->key) + ":" +
           (is_json_literal(*field) ? field->value : json_string(clipped(field->value)));
  }
  if (suppressed > 0) {
    out += ",\"suppressed\":" + std::to_string(suppressed);
  }
  return out + "}";
}

std::string text_value(const std::string& value) {
  const bool plain = !value.empty() && std::all_of(value.begin(), value.end(), [](char c) {
    return c > ' ' && c < 0x7F && c != '"' && c != '=' && c != '\\';
  });
  return plain ? clipped(value) : json_string(clipped(value));
}

std::string text_line(const std::string& time, base::LogLevel level, std::string_view logger, std::string_view message,
                      const base::LogField* fields, std::size_t count, std::uint64_t suppressed) {
  std::string name(level_text(level));
  std::transform(name.begin(), name.end(), name.begin(), [](char c) { return static_cast<char>(c - 'a' + 'A'); });
  name.resize(5, ' ');
  std::string out = time + " " + name + " " + std::string(logger) + ": " + std::string(message);
  for (const base::LogField* field = fields; field != fields + count; ++field) {
    out += " " + std::string(field->key) + "=" + text_value(field->value);
  }
  if (suppressed > 0) {
    out += " suppressed=" + std::to_string(suppressed);
  }
  return out;
}

class ThinningSink {
 public:
  ThinningSink(const LogOptions& options, base::Clock& clock, LineWriter write)
      : options_(options), clock_(clock), write_(std::move(write)) {}

  void line(base::LogLevel level, std::string_view logger, std::string_view message, const base::LogField* fields,
            std::size_t count) {
    const std::lock_guard lock(mutex_);
    std::uint64_t suppressed = 0;
    if (options_.repeat_limit > 0 && !admit(logger, message, suppressed)) {
      return;
    }
    const std::string time = base::format_rfc3339_micro(clock_.wall_now());
    write_(level, options_.format == LogFormat::kJson
                      ? json_line(time, level, logger, message, fields, count, suppressed)
                      : text_line(time, level, logger, message, fields, count, suppressed));
  }

 private:
  struct Repeats {
    base::SteadyTime window_start;
    std::uint32_t written = 0;
    std::uint64_t suppressed = 0;
  };

  // May this line be written? Then `suppressed` is how many like it were not, since the last one.
  bool admit(std::string_view logger, std::string_view message, std::uint64_t& suppressed) {
    const base::SteadyTime now = clock_.now();
    if (seen_.size() >= kMaxKnownMessages) {
      seen_.clear();
    }
    Repeats& repeats = seen_.try_emplace(std::string(logger) + '\0' + std::string(message), Repeats{now}).first->second;
    if (now - repeats.window_start >= options_.repeat_window) {
      repeats.window_start = now;
      repeats.written = 0;
    }
    if (repeats.written >= options_.repeat_limit) {
      ++repeats.suppressed;
      return false;
    }
    ++repeats.written;
    suppressed = std::exchange(repeats.suppressed, 0);
    return true;
  }

  const LogOptions options_;
  base::Clock& clock_;
  const LineWriter write_;
  std::mutex mutex_;
  std::unordered_map<std::string, Repeats> seen_;
};

}  // namespace

std::optional<base::LogLevel> parse_log_level(std::string_view text) {
  for (const base::LogLevel level :
       {base::LogLevel::kDebug, base::LogLevel::kInfo, base::LogLevel::kWarn, base::LogLevel::kError}) {
    if (text == level_text(level)) {
      return level;
    }
  }
  return std::nullopt;
}

std::optional<LogFormat> parse_log_format(std::string_view text) {
  if (text == "json") {
    return LogFormat::kJson;
  }
  if (text == "text") {
    return LogFormat::kText;
  }
  return std::nullopt;
}

base::LogSink make_log_sink(const LogOptions& options, base::Clock& clock, LineWriter write) {
  // std::function must be copyable, so the sink's state is shared between its copies.
  auto sink = std::make_shared<ThinningSink>(options, clock, std::move(write));
  return [sink](base::LogLevel level, std::string_view logger, std::string_view message, const base::LogField* fields,
                std::size_t count) { sink->line(level, logger, message, fields, count); };
}

void install_logging(const LogOptions& options, base::Clock& clock) {
  // Shared as spdlog wants it.
  auto logger = std::make_shared<spdlog::logger>("shutdown-auditor", std::make_shared<spdlog::sinks::stderr_sink_mt>());
  logger->set_pattern("%v");
  logger->set_level(spdlog::level::trace);
  logger->flush_on(spdlog::level::trace);
  // A full disk or a closed stderr must not end the process.
  logger->set_error_handler([](const std::string&) {});
  base::set_log_sink(make_log_sink(options, clock,
                                   [logger](base::LogLevel level, const std::string& line) {
                                     logger->log(spdlog_level(level), "{}", line);
                                   }),
                     options.level);
}

}  // namespace shutdown_auditor::telemetry
