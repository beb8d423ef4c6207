#include "audit/sleep_operand.h"

#include "audit/seconds.h"
#include "base/text.h"

namespace shutdown_auditor::audit {
namespace {

using Kind = SleepOperand::Kind;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::int64_t unit_ms(char suffix) {
  switch (suffix) {
    case 's': return 1000;
    case 'm': return 60'000;
    case 'h': return 3'600'000;
    case 'd': return 86'400'000;
    default: return 0;
  }
}

// What strtold reads beyond plain decimals: an exponent, hexadecimal.
bool only_gnu_reads(std::string_view text) {
  bool digit = false;
  for (const char c : text) {
    digit = digit || is_digit(c);
    const bool known = is_digit(c) || c == '.' || c == '-' || c == '+' || (c >= 'a' && c <= 'f') ||
                       (c >= 'A' && c <= 'F') || c == 'x' || c == 'X' || c == 'p' || c == 'P';
    if (!known) return false;
  }
  const bool hex = text.size() > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
  const std::size_t exponent = text.find_first_of("eE");
  const bool decimal_exponent = exponent != std::string_view::npos && exponent > 0 && exponent + 1 < text.size() &&
                                is_digit(text.front()) && is_digit(text.back());
  return digit && (hex || decimal_exponent || text.front() == '+');
}

}  // namespace

SleepOperand parse_sleep_operand(std::string_view text) {
  const std::string lower = base::to_lower(text);
  if (lower == "infinity" || lower == "inf") return {Kind::kInfinite, kEndless};

  std::string_view digits = text;
  std::int64_t unit = 1000;
  if (!digits.empty() && unit_ms(digits.back()) != 0) {
    unit = unit_ms(digits.back());
    digits.remove_suffix(1);
  }
  std::size_t i = 0;
  std::int64_t whole = 0;
  for (; i < digits.size() && is_digit(digits[i]); ++i) {
    whole = saturating_add(saturating_multiply(whole, 10), digits[i] - '0');
  }
  bool any = i > 0;
  // Nine digits of a fraction are exact for every unit; what follows can only round up.
  std::int64_t fraction = 0;
  std::int64_t scale = 1;
  bool rest = false;
  if (i < digits.size() && digits[i] == '.') {
    for (++i; i < digits.size() && is_digit(digits[i]); ++i) {
      any = true;
      if (scale < 1'000'000'000) {
        fraction = fraction * 10 + (digits[i] - '0');
        scale *= 10;
      } else {
        rest = rest || digits[i] != '0';
      }
    }
  }
  if (!any || i != digits.size()) return {only_gnu_reads(text) ? Kind::kDisputed : Kind::kInvalid, 0};
  const std::int64_t product = fraction * unit;  // below 1e9 * 8.64e7
  std::int64_t ms = saturating_add(saturating_multiply(whole, unit), product / scale);
  if (product % scale != 0 || rest) ms = saturating_add(ms, 1);
  return {Kind::kTime, ms};
}

}  // namespace shutdown_auditor::audit
