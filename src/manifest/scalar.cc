#include "manifest/scalar.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <string>

namespace shutdown_auditor::manifest {
namespace {

template <std::size_t N>
bool is_any(std::string_view text, const std::array<std::string_view, N>& words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

constexpr std::array<std::string_view, 11> kTrue = {"y",    "Y",    "yes", "Yes", "YES", "true",
                                                    "True", "TRUE", "on",  "On",  "ON"};
constexpr std::array<std::string_view, 11> kFalse = {"n",     "N",     "no",  "No",  "NO", "false",
                                                     "False", "FALSE", "off", "Off", "OFF"};
constexpr std::array<std::string_view, 4> kNull = {"~", "null", "Null", "NULL"};  // and nothing at all
constexpr std::array<std::string_view, 3> kNan = {".nan", ".NaN", ".NAN"};
constexpr std::array<std::string_view, 3> kInfinity = {".inf", ".Inf", ".INF"};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// [-+]? ( .digits | digits [.digits] ) [ e [-+] digits ]
bool looks_like_float(std::string_view text) {
  const auto skip_digits = [&] {
    const std::size_t before = text.size();
    while (!text.empty() && is_digit(text.front())) text.remove_prefix(1);
    return before != text.size();
  };
  const auto skip_sign = [&] {
    if (!text.empty() && (text.front() == '-' || text.front() == '+')) text.remove_prefix(1);
  };
  skip_sign();
  const bool whole = skip_digits();
  bool fraction = false;
  if (!text.empty() && text.front() == '.') {
    text.remove_prefix(1);
    fraction = skip_digits();
  }
  if (!whole && !fraction) return false;
  if (!text.empty() && (text.front() == 'e' || text.front() == 'E')) {
    text.remove_prefix(1);
    skip_sign();
    if (!skip_digits()) return false;
  }
  return text.empty();
}

std::optional<double> to_double(std::string_view text) {
  if (!text.empty() && text.front() == '+') text.remove_prefix(1);
  double value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end != text.data() + text.size() || code == std::errc::invalid_argument) return std::nullopt;
  // from_chars leaves the value alone when it is out of range, and ParseFloat then fails: the text is a string.
  if (code != std::errc()) return std::nullopt;
  return value;
}

// As strconv.ParseInt with base 0 and, beyond 64 bits, big.Int.
std::optional<Scalar> to_integer(std::string_view text) {
  bool negative = false;
  if (text.front() == '-' || text.front() == '+') {
    negative = text.front() == '-';
    text.remove_prefix(1);
  }
  int base = 10;
  if (text.size() > 1 && text.front() == '0') {
    const char kind = text[1] >= 'A' && text[1] <= 'Z' ? static_cast<char>(text[1] - 'A' + 'a') : text[1];
    base = kind == 'x' ? 16 : kind == 'b' ? 2 : 8;
    text.remove_prefix(base != 8 || kind == 'o' ? 2 : 1);
  }
  if (text.empty() || text.front() == '-' || text.front() == '+') return std::nullopt;
  std::uint64_t magnitude = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), magnitude, base);
  if (end != text.data() + text.size() || code == std::errc::invalid_argument) return std::nullopt;
  constexpr auto kLimit = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  if (code == std::errc() && magnitude <= kLimit) {
    const auto value = static_cast<std::int64_t>(magnitude);
    return negative ? -value : value;
  }
  if (code == std::errc() && negative && magnitude == kLimit + 1) return std::numeric_limits<std::int64_t>::min();
  // Too big for any integer field; how big exactly does not matter to anyone who gets it.
  const double huge = code == std::errc() ? static_cast<double>(magnitude) : std::numeric_limits<double>::max();
  return negative ? -huge : huge;
}

}  // namespace

Scalar resolve_plain(std::string_view text) {
  if (text.empty()) return NullScalar{};
  const char first = text.front();
  const bool number_like = is_digit(first) || first == '-' || first == '+' || first == '.';
  if (!number_like) {
    constexpr std::size_t kLongestWord = 5;  // "false"
    constexpr std::string_view kFirstOfWords = "~nNyYtTfFoO";
    if (text.size() > kLongestWord || kFirstOfWords.find(first) == std::string_view::npos) return StringScalar{};
    if (is_any(text, kNull)) return NullScalar{};
    if (is_any(text, kTrue)) return true;
    if (is_any(text, kFalse)) return false;
    return StringScalar{};
  }
  const bool is_signed = first == '-' || first == '+';
  if (is_any(text, kNan)) return std::numeric_limits<double>::quiet_NaN();
  if (is_any(is_signed ? text.substr(1) : text, kInfinity)) {
    const double infinity = std::numeric_limits<double>::infinity();
    return first == '-' ? -infinity : infinity;
  }
  if (first == '.') {
    const std::optional<double> value = looks_like_float(text) ? to_double(text) : std::nullopt;
    return value ? Scalar(*value) : Scalar(StringScalar{});
  }
  std::string digits;
  if (text.find('_') != std::string_view::npos) {
    std::remove_copy(text.begin(), text.end(), std::back_inserter(digits), '_');
    text = digits;
  }
  if (std::optional<Scalar> integer = to_integer(text)) return *integer;
  if (looks_like_float(text)) {
    if (std::optional<double> value = to_double(text)) return *value;
  }
  return StringScalar{};
}

std::optional<Scalar> resolve_tagged(std::string_view text, std::string_view tag, bool plain) {
  constexpr std::string_view kCore = "tag:yaml.org,2002:";
  if (tag.empty()) return plain ? resolve_plain(text) : Scalar(StringScalar{});
  if (tag.substr(0, kCore.size()) != kCore) return StringScalar{};
  const std::string_view name = tag.substr(kCore.size());
  const Scalar value = resolve_plain(text);
  if (name == "null" && std::holds_alternative<NullScalar>(value)) return value;
  if (name == "bool" && std::holds_alternative<bool>(value)) return value;
  if (name == "int" && std::holds_alternative<std::int64_t>(value)) return value;
  if (name == "float") {
    if (const auto* integer = std::get_if<std::int64_t>(&value)) return static_cast<double>(*integer);
    if (std::holds_alternative<double>(value)) return value;
  }
  if (name == "null" || name == "bool" || name == "int" || name == "float") return std::nullopt;
  return StringScalar{};
}

}  // namespace shutdown_auditor::manifest
