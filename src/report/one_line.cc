#include "report/one_line.h"

#include "base/text.h"

namespace shutdown_auditor::report {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

// Bytes of the character that starts here, 0 when no well-formed one does.
std::size_t character_size(std::string_view rest) {
  for (std::size_t size = 1; size <= 4 && size <= rest.size(); ++size) {
    if (base::is_utf8(rest.substr(0, size))) {
      return size;
    }
  }
  return 0;
}

bool changes_the_display(std::string_view character) {
  if (character.size() == 1) {
    const auto byte = static_cast<unsigned char>(character[0]);
    return byte < 0x20 || byte == 0x7F;
  }
  const auto last = static_cast<unsigned char>(character.back());
  if (character.size() == 2) {
    return character[0] == '\xC2' && last < 0xA0;  // U+0080-U+009F
  }
  if (character.size() != 3 || character[0] != '\xE2') {
    return false;
  }
  // U+2028-U+202E line separators and overrides, U+2066-U+2069 isolates.
  return (character[1] == '\x80' && last >= 0xA8 && last <= 0xAE) ||
         (character[1] == '\x81' && last >= 0xA6 && last <= 0xA9);
}

}  // namespace

std::string one_line(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t size = character_size(text);
    const std::string_view character = text.substr(0, size == 0 ? 1 : size);
    if (size == 0) {
      out += kReplacement;
    } else if (changes_the_display(character)) {
      out += ' ';
    } else {
      out += character;
    }
    text.remove_prefix(character.size());
  }
  return out;
}

std::size_t columns(std::string_view utf8) {
  std::size_t count = 0;
  for (const char c : utf8) {
    count += (static_cast<unsigned char>(c) & 0xC0U) != 0x80U ? 1U : 0U;
  }
  return count;
}

}  // namespace shutdown_auditor::report
