#include "audit/time_syntax.h"

#include <array>
#include <cmath>
#include <optional>
#include <span>

#include "audit/seconds.h"
#include "base/text.h"

namespace shutdown_auditor::audit {
namespace {

constexpr std::int64_t kSecond = 1000 * 1000 * 1000;  // nanoseconds
constexpr std::int64_t kMinute = 60 * kSecond;
constexpr std::int64_t kHour = 60 * kMinute;
constexpr std::int64_t kDay = 24 * kHour;
constexpr std::int64_t kMillisecond = 1000 * 1000;

struct Unit {
  std::string_view name;
  std::int64_t ns;
};
constexpr std::array kGoUnits{Unit{"ns", 1},       Unit{"us", 1000},      Unit{"\xC2\xB5s", 1000}, Unit{"\xCE\xBCs", 1000},
                              Unit{"ms", kMillisecond}, Unit{"s", kSecond}, Unit{"m", kMinute},      Unit{"h", kHour}};
constexpr std::array kSpringUnits{Unit{"ns", 1},      Unit{"us", 1000},   Unit{"ms", kMillisecond}, Unit{"s", kSecond},
                                  Unit{"m", kMinute}, Unit{"h", kHour},   Unit{"d", kDay}};
constexpr std::array kPlainUnits{Unit{"ms", kMillisecond}, Unit{"s", kSecond}, Unit{"m", kMinute}, Unit{"h", kHour},
                                 Unit{"d", kDay}};
constexpr std::array kDropwizardUnits{
    Unit{"ns", 1},           Unit{"nanosecond", 1},       Unit{"nanoseconds", 1},      Unit{"us", 1000},
    Unit{"microsecond", 1000}, Unit{"microseconds", 1000}, Unit{"ms", kMillisecond},    Unit{"millisecond", kMillisecond},
    Unit{"milliseconds", kMillisecond}, Unit{"s", kSecond}, Unit{"second", kSecond},    Unit{"seconds", kSecond},
    Unit{"m", kMinute},      Unit{"min", kMinute},        Unit{"mins", kMinute},       Unit{"minute", kMinute},
    Unit{"minutes", kMinute}, Unit{"h", kHour},           Unit{"hour", kHour},         Unit{"hours", kHour},
    Unit{"d", kDay},         Unit{"day", kDay},           Unit{"days", kDay}};
constexpr std::array kGranianUnits{Unit{"d", kDay}, Unit{"h", kHour}, Unit{"m", kMinute}, Unit{"s", kSecond}};
constexpr std::array kNginxUnits{Unit{"ms", kMillisecond}, Unit{"s", kSecond},    Unit{"m", kMinute},    Unit{"h", kHour},
                                 Unit{"d", kDay},          Unit{"w", 7 * kDay},   Unit{"M", 30 * kDay},  Unit{"y",
                                     365 * kDay}};
constexpr std::array kHaproxyUnits{Unit{"us", 1000},   Unit{"ms", kMillisecond}, Unit{"s", kSecond},
                                   Unit{"m", kMinute}, Unit{"h", kHour},         Unit{"d", kDay}};
constexpr std::array kPhpUnits{Unit{"s", kSecond}, Unit{"m", kMinute}, Unit{"h", kHour}, Unit{"d", kDay}};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Digits with at most nine decimals, as whole and billionths; saturates.
struct Number {
  std::int64_t whole = 0;
  std::int64_t billionths = 0;
  bool fraction = false;
};

// Takes a number off the front of `rest`; nothing when it does not start with one.
std::optional<Number> take_number(std::string_view& rest, bool fractions) {
  Number number;
  std::size_t at = 0;
  std::size_t digits = 0;
  for (; at < rest.size() && is_digit(rest[at]); ++at, ++digits) {
    number.whole = saturating_add(saturating_multiply(number.whole, 10), rest[at] - '0');
  }
  if (fractions && at < rest.size() && rest[at] == '.') {
    ++at;
    number.fraction = true;
    std::int64_t weight = kSecond / 10;
    for (; at < rest.size() && is_digit(rest[at]); ++at, ++digits, weight /= 10) {
      number.billionths += weight * (rest[at] - '0');
    }
  }
  if (digits == 0) return std::nullopt;
  rest.remove_prefix(at);
  return number;
}

// Only units up to a day come with a fraction, so that the product stays far below 2^63.
std::int64_t to_milliseconds(const Number& number, std::int64_t unit_ns) {
  if (unit_ns >= kMillisecond) {
    const std::int64_t unit_ms = unit_ns / kMillisecond;
    const std::int64_t part = (number.billionths * unit_ms + kSecond - 1) / kSecond;
    return saturating_add(saturating_multiply(number.whole, unit_ms), part);
  }
  const std::int64_t per_ms = kMillisecond / unit_ns;
  return saturating_add(number.whole / per_ms, number.whole % per_ms != 0 || number.billionths != 0 ? 1 : 0);
}

base::Unexpected<base::Error> refuse(std::string message) {
  return base::fail(base::ErrorKind::kInvalid, std::move(message));
}

const Unit* take_unit(std::string_view& rest, std::span<const Unit> units) {
  const Unit* best = nullptr;
  for (const Unit& unit : units) {
    if (rest.starts_with(unit.name) && (best == nullptr || unit.name.size() > best->name.size())) best = &unit;
  }
  if (best != nullptr) rest.remove_prefix(best->name.size());
  return best;
}

// Numbers with units, one after the other: "1h2m3.5s".
base::Result<WrittenTime> parse_sequence(std::string_view text, std::span<const Unit> units, bool fractions,
                                         bool descending) {
  WrittenTime time;
  std::string_view rest = text;
  std::int64_t last = kEndless;
  if (rest.empty()) return refuse("is empty");
  while (!rest.empty()) {
    const auto number = take_number(rest, fractions);
    if (!number) return refuse("is not a duration");
    const Unit* unit = take_unit(rest, units);
    if (unit == nullptr) return refuse(rest.empty() ? "has no unit" : "has an unknown unit");
    if (descending && unit->ns >= last) return refuse("has its units in the wrong order");
    last = unit->ns;
    time.ms = saturating_add(time.ms, to_milliseconds(*number, unit->ns));
  }
  return time;
}

base::Result<WrittenTime> parse_single(std::string_view text, std::span<const Unit> units) {
  std::string_view rest = text;
  const auto number = take_number(rest, false);
  if (!number) return refuse("is not a duration");
  const Unit* unit = take_unit(rest, units);
  if (unit == nullptr) return refuse(rest.empty() ? "has no unit" : "has an unknown unit");
  if (!rest.empty()) return refuse("has something after its unit");
  return WrittenTime{to_milliseconds(*number, unit->ns), {}};
}

std::optional<Number> bare_number(std::string_view text, bool fractions = false) {
  std::string_view rest = text;
  const auto number = take_number(rest, fractions);
  return number && rest.empty() ? number : std::nullopt;
}

// ISO-8601 as java.time.Duration reads it: PnDTnHnMn.nS, letters in either case.
base::Result<WrittenTime> parse_iso8601(std::string_view text) {
  std::string upper = base::to_lower(text);
  std::string_view rest = upper;
  if (!rest.starts_with('p')) return refuse("is not an ISO-8601 duration such as PT30S");
  rest.remove_prefix(1);
  WrittenTime time;
  bool in_time = false;
  bool any = false;
  std::int64_t last = kEndless;
  while (!rest.empty()) {
    if (!in_time && rest.front() == 't') {
      in_time = true;
      any = false;
      rest.remove_prefix(1);
      continue;
    }
    const auto number = take_number(rest, true);
    if (!number || rest.empty()) return refuse("is not an ISO-8601 duration such as PT30S");
    const char unit = rest.front();
    rest.remove_prefix(1);
    const std::int64_t ns = in_time ? (unit == 'h' ? kHour : unit == 'm' ? kMinute : unit == 's' ? kSecond : 0)
                                    : (unit == 'd' ? kDay : 0);
    if (ns == 0 || ns >= last || (number->fraction && ns != kSecond)) {
      return refuse("is not an ISO-8601 duration such as PT30S");
    }
    last = ns;
    any = true;
    time.ms = saturating_add(time.ms, to_milliseconds(*number, ns));
  }
  if (!any) return refuse("is not an ISO-8601 duration such as PT30S");
  return time;
}

bool looks_iso(std::string_view text) { return !text.empty() && (text.front() == 'P' || text.front() == 'p'); }

base::Result<WrittenTime> parse_go(std::string_view text) {
  if (text == "0") return WrittenTime{};
  return parse_sequence(text, kGoUnits, true, false);
}

base::Result<WrittenTime> parse_whole(std::string_view text, std::int64_t unit_ns, std::string_view what) {
  const auto number = bare_number(text);
  if (!number) return refuse("is not a whole number of " + std::string(what));
  return WrittenTime{to_milliseconds(*number, unit_ns), {}};
}

base::Result<WrittenTime> parse_spring(std::string_view text) {
  if (looks_iso(text)) return parse_iso8601(text);
  if (const auto number = bare_number(text)) {
    WrittenTime time{to_milliseconds(*number, kMillisecond), {}};
    if (time.ms != 0) {
      time.note = "has no unit and means milliseconds; for seconds write " + base::truncate_utf8(text, 32) + "s";
    }
    return time;
  }
  return parse_single(text, kSpringUnits);
}

base::Result<WrittenTime> parse_granian(std::string_view text) {
  auto time = bare_number(text) ? parse_whole(text, kSecond, "seconds") : parse_sequence(text, kGranianUnits, false, true);
  if (time && (time->ms < 1000 || time->ms > 1800 * 1000)) return refuse("is not between 1 s and 30 min");
  return time;
}

}  // namespace

base::Result<WrittenTime> parse_time(TimeSyntax syntax, std::string_view text) {
  text = base::trim(text);
  if (text.starts_with('+') && text.size() > 1) text.remove_prefix(1);
  if (text.empty()) return refuse("is empty");
  if (text.front() == '-') return refuse("is negative");
  switch (syntax) {
    case TimeSyntax::kIntSeconds: return parse_whole(text, kSecond, "seconds");
    case TimeSyntax::kIntMillis: return parse_whole(text, kMillisecond, "milliseconds");
    case TimeSyntax::kFloatSeconds: {
      const auto number = bare_number(text, true);
      if (!number) return refuse("is not a number of seconds");
      return WrittenTime{to_milliseconds(*number, kSecond), {}};
    }
    case TimeSyntax::kGo:
    case TimeSyntax::kProtobuf: return parse_go(text);
    case TimeSyntax::kGoOrSeconds:
      return bare_number(text) ? parse_whole(text, kSecond, "seconds") : parse_go(text);
    case TimeSyntax::kSpring: return parse_spring(text);
    case TimeSyntax::kQuarkus:
      if (looks_iso(text)) return parse_iso8601(text);
      return bare_number(text) ? parse_whole(text, kSecond, "seconds") : parse_single(text, kPlainUnits);
    case TimeSyntax::kMicronaut: return looks_iso(text) ? parse_iso8601(text) : parse_single(text, kPlainUnits);
    case TimeSyntax::kIso8601: return parse_iso8601(text);
    case TimeSyntax::kDropwizard: {
      std::string_view rest = text;
      const auto number = take_number(rest, false);
      const std::string_view unit = base::trim(rest);
      for (const Unit& each : kDropwizardUnits) {
        if (number && each.name == unit) return WrittenTime{to_milliseconds(*number, each.ns), {}};
      }
      return refuse(number && unit.empty() ? "has no unit" : "is not a duration such as 30s");
    }
    case TimeSyntax::kGranian: return parse_granian(text);
    case TimeSyntax::kNginx:
      return bare_number(text) ? parse_whole(text, kSecond, "seconds") : parse_sequence(text, kNginxUnits, false, true);
    case TimeSyntax::kHaproxy:
      return bare_number(text) ? parse_whole(text, kMillisecond, "milliseconds") : parse_single(text, kHaproxyUnits);
    case TimeSyntax::kPhpFpm: return bare_number(text) ? parse_whole(text, kSecond, "seconds") : parse_single(text,
        kPhpUnits);
  }
  return refuse("is not a duration");
}

}  // namespace shutdown_auditor::audit
