#include "base/time.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>

#include "base/text.h"

namespace shutdown_auditor::base {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;

class DigitReader {
 public:
  explicit DigitReader(std::string_view text) : text_(text) {}

  bool done() const { return at_ == text_.size(); }
  char peek() const { return done() ? '\0' : text_[at_]; }
  bool take(char c) {
    if (peek() != c) return false;
    ++at_;
    return true;
  }
  bool is_digit() const { return peek() >= '0' && peek() <= '9'; }
  std::optional<int> number(int digits) {
    int value = 0;
    for (int i = 0; i < digits; ++i) {
      if (!is_digit()) return std::nullopt;
      value = value * 10 + (text_[at_++] - '0');
    }
    return value;
  }
  // ".123456789" as microseconds; 0 when there is no fraction.
  std::optional<std::int64_t> fraction() {
    if (!take('.')) return 0;
    if (!is_digit()) return std::nullopt;
    std::int64_t micros = 0;
    std::int64_t scale = 100000;
    for (; is_digit(); ++at_, scale /= 10) micros += scale * (text_[at_] - '0');
    return micros;
  }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
};

std::optional<WallTime> read_rfc3339(std::string_view text) {
  DigitReader in(text);
  const auto year = in.number(4);
  if (!year || !in.take('-')) return std::nullopt;
  const auto month = in.number(2);
  if (!month || !in.take('-')) return std::nullopt;
  const auto day = in.number(2);
  if (!day || !(in.take('T') || in.take('t') || in.take(' '))) return std::nullopt;
  const auto hour = in.number(2);
  if (!hour || !in.take(':')) return std::nullopt;
  const auto minute = in.number(2);
  if (!minute || !in.take(':')) return std::nullopt;
  const auto second = in.number(2);
  const auto micros = in.fraction();
  if (!second || !micros) return std::nullopt;

  int offset_minutes = 0;
  if (!in.take('Z') && !in.take('z')) {
    const int sign = in.take('-') ? -1 : (in.take('+') ? 1 : 0);
    const auto hours = in.number(2);
    if (sign == 0 || !hours || !in.take(':')) return std::nullopt;
    const auto minutes = in.number(2);
    if (!minutes || *hours > 23 || *minutes > 59) return std::nullopt;
    offset_minutes = sign * (*hours * 60 + *minutes);
  }
  const std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!in.done() || !date.ok() || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  // WallTime counts nanoseconds and ends in 2262; a year 9999 that is meant as "never" must not wrap into the past.
  using Micros = std::chrono::sys_time<microseconds>;
  const Micros time = Micros(std::chrono::sys_days(date)) + std::chrono::hours(*hour) +
                      std::chrono::minutes(*minute - offset_minutes) + seconds(std::min(*second, 59)) +
                      microseconds(*micros);
  return WallTime(std::clamp(time, std::chrono::ceil<microseconds>(WallTime::min()),
                             std::chrono::floor<microseconds>(WallTime::max())));
}

struct CalendarTime {
  std::chrono::year_month_day date;
  std::int64_t micros_of_day;
};

CalendarTime calendar(WallTime time) {
  const auto micros = std::chrono::floor<microseconds>(time);
  const auto days = std::chrono::floor<std::chrono::days>(micros);
  return {std::chrono::year_month_day(days), (micros - days).count()};
}

std::string format_seconds(const CalendarTime& time) {
  const std::int64_t second = time.micros_of_day / 1000000;
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", static_cast<int>(time.date.year()),
                     static_cast<unsigned>(time.date.month()), static_cast<unsigned>(time.date.day()), second / 3600,
                     second / 60 % 60, second % 60);
}

std::optional<double> unit_nanoseconds(std::string_view unit) {
  if (unit == "ns") return 1.0;
  if (unit == "us" || unit == "µs" || unit == "μs") return 1e3;
  if (unit == "ms") return 1e6;
  if (unit == "s") return 1e9;
  if (unit == "m") return 60e9;
  if (unit == "h") return 3600e9;
  return std::nullopt;
}

}  // namespace

Result<WallTime> parse_rfc3339(std::string_view text) {
  if (const auto time = read_rfc3339(text)) return *time;
  return fail(ErrorKind::kInvalid, quoted(text) + " is not an RFC 3339 time such as 2026-01-31T12:00:00Z");
}

std::string format_rfc3339(WallTime time) { return format_seconds(calendar(time)) + "Z"; }

std::string format_rfc3339_micro(WallTime time) {
  const CalendarTime parts = calendar(time);
  return fmt::format("{}.{:06}Z", format_seconds(parts), parts.micros_of_day % 1000000);
}

Result<Duration> parse_duration(std::string_view text) {
  const auto invalid = [&] {
    return fail(ErrorKind::kInvalid, quoted(text) + " is not a duration such as 90s, 1h30m or 250ms");
  };
  std::string_view rest = text;
  const bool negative = !rest.empty() && rest.front() == '-';
  if (!rest.empty() && (rest.front() == '-' || rest.front() == '+')) rest.remove_prefix(1);
  if (rest == "0") return Duration::zero();
  if (rest.empty()) return invalid();
  double total = 0;
  while (!rest.empty()) {
    std::size_t length = rest.find_first_not_of("0123456789.");
    if (length == 0 || length == std::string_view::npos) return invalid();
    const std::string_view number = rest.substr(0, length);
    const std::size_t dot = number.find('.');
    if (number == "." || (dot != std::string_view::npos && number.find('.', dot + 1) != std::string_view::npos)) {
      return invalid();
    }
    rest.remove_prefix(length);
    length = std::min(rest.find_first_of("0123456789."), rest.size());
    const auto scale = unit_nanoseconds(rest.substr(0, length));
    if (!scale) return invalid();
    rest.remove_prefix(length);
    total += std::strtod(std::string(number).c_str(), nullptr) * *scale;
  }
  if (!(total < 9.2e18)) return fail(ErrorKind::kInvalid, quoted(text) + " is longer than 292 years");
  const auto nanoseconds = static_cast<std::int64_t>(std::llround(total));
  return Duration(negative ? -nanoseconds : nanoseconds);
}

std::string format_duration(Duration duration) {
  const std::int64_t total = duration.count();
  if (total == 0) return "0s";
  const bool negative = total < 0;
  // Unsigned, so that the most negative value has a magnitude too.
  const std::uint64_t ns = negative ? 0 - static_cast<std::uint64_t>(total) : static_cast<std::uint64_t>(total);
  const auto decimal = [](std::uint64_t value, std::uint64_t unit, std::size_t digits) {
    std::string number = std::to_string(value / unit);
    if (value % unit != 0) {
      number += fmt::format(".{:0{}}", value % unit, digits);
      number.erase(number.find_last_not_of('0') + 1);
    }
    return number;
  };
  std::string out = negative ? "-" : "";
  if (ns < 1000) return out + std::to_string(ns) + "ns";
  if (ns < 1000000) return out + decimal(ns, 1000, 3) + "µs";
  if (ns < 1000000000) return out + decimal(ns, 1000000, 6) + "ms";
  const std::uint64_t minutes = ns / 60000000000ULL;
  if (minutes >= 60) out += std::to_string(minutes / 60) + "h";
  if (minutes > 0) out += std::to_string(minutes % 60) + "m";
  return out + decimal(ns % 60000000000ULL, 1000000000, 9) + "s";
}

}  // namespace shutdown_auditor::base
