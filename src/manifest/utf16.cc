#include "manifest/utf16.h"

#include <cstdint>

namespace shutdown_auditor::manifest {
namespace {

constexpr std::string_view kLittleEnd = "\xFF\xFE";
constexpr std::string_view kBigEnd = "\xFE\xFF";

void append_utf8(std::string& out, std::uint32_t point) {
  const auto add = [&out](std::uint32_t byte) { out.push_back(static_cast<char>(static_cast<unsigned char>(byte))); };
  if (point < 0x80) {
    add(point);
  } else if (point < 0x800) {
    add(0xC0U | (point >> 6U));
    add(0x80U | (point & 0x3FU));
  } else if (point < 0x10000) {
    add(0xE0U | (point >> 12U));
    add(0x80U | ((point >> 6U) & 0x3FU));
    add(0x80U | (point & 0x3FU));
  } else {
    add(0xF0U | (point >> 18U));
    add(0x80U | ((point >> 12U) & 0x3FU));
    add(0x80U | ((point >> 6U) & 0x3FU));
    add(0x80U | (point & 0x3FU));
  }
}

}  // namespace

bool is_utf16(std::string_view text) { return text.starts_with(kLittleEnd) || text.starts_with(kBigEnd); }

std::optional<std::string> utf8_of_utf16(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  const std::size_t high = text.starts_with(kBigEnd) ? 0 : 1;
  const auto unit_at = [&](std::size_t at) -> std::uint32_t {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(text[at + high])) << 8U |
           static_cast<unsigned char>(text[at + 1 - high]);
  };
  std::string out;
  out.reserve(text.size() / 2);
  for (std::size_t at = 2; at < text.size(); at += 2) {
    std::uint32_t point = unit_at(at);
    if (point >= 0xD800 && point < 0xE000) {
      const std::uint32_t low = point < 0xDC00 && at + 2 < text.size() ? unit_at(at + 2) : 0;
      if (low < 0xDC00 || low >= 0xE000) return std::nullopt;
      point = 0x10000 + ((point - 0xD800) << 10U) + (low - 0xDC00);
      at += 2;
    }
    append_utf8(out, point);
  }
  return out;
}

}  // namespace shutdown_auditor::manifest
