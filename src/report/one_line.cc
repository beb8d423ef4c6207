#include "report/one_line.h"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "report/character.h"

namespace shutdown_auditor::report {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

bool is_plain(char c) { return c >= 0x20 && c < 0x7F; }

constexpr std::uint64_t each_byte(std::uint64_t value) { return 0x0101010101010101U * value; }

// Eight bytes at a time: whether all of them are is_plain(). Adding 1 sets the top bit of DEL; taking 0x20 away borrows from
// the top bit of the first byte below it, once that bit is set in none.
bool are_plain(std::uint64_t bytes) {
  const std::uint64_t top = each_byte(0x80);
  return ((bytes | (bytes + each_byte(1)) | (bytes - each_byte(0x20))) & top) == 0;
}

std::size_t plain_size(std::string_view text) {
  std::size_t size = 0;
  for (std::uint64_t bytes = 0; text.size() - size >= sizeof bytes; size += sizeof bytes) {
    std::memcpy(&bytes, text.data() + size, sizeof bytes);
    if (!are_plain(bytes)) {
      break;
    }
  }
  while (size < text.size() && is_plain(text[size])) {
    ++size;
  }
  return size;
}

// As much of the start of `text` as fits into `width` columns, at least one character.
std::size_t bytes_in(std::string_view text, std::size_t width) {
  std::size_t bytes = 0;
  std::size_t used = 0;
  while (bytes < text.size()) {
    const Character character = first_character(text.substr(bytes));
    used += character.code < 0 ? 1 : width_of(character.code);
    if (used > width && bytes > 0) {
      break;
    }
    bytes += character.bytes.size();
  }
  return bytes;
}

}  // namespace

std::string_view one_line(std::string_view text, std::string& room) {
  if (plain_size(text) == text.size()) {
    return text;
  }
  room = one_line(text);
  return room;
}

std::string one_line(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const std::size_t plain = plain_size(text);
    out += text.substr(0, plain);
    text.remove_prefix(plain);
    if (text.empty()) {
      break;
    }
    const Character character = first_character(text);
    out += character.code < 0 ? kReplacement : is_hidden(character.code) ? std::string_view(" ") : character.bytes;
    text.remove_prefix(character.bytes.size());
  }
  return out;
}

std::size_t columns(std::string_view utf8) {
  std::size_t count = 0;
  while (!utf8.empty()) {
    const std::size_t plain = plain_size(utf8);
    count += plain;
    utf8.remove_prefix(plain);
    if (utf8.empty()) {
      break;
    }
    const Character character = first_character(utf8);
    count += character.code < 0 ? 1 : width_of(character.code);
    utf8.remove_prefix(character.bytes.size());
  }
  return count;
}

std::vector<std::string> wrapped(std::string_view text, std::size_t width) {
  width = std::max<std::size_t>(width, 1);
  std::vector<std::string> lines(1);
  std::size_t used = 0;
  while (!text.empty()) {
    std::string_view word = text.substr(0, std::min(text.find(' '), text.size()));
    text.remove_prefix(std::min(word.size() + 1, text.size()));
    if (word.empty()) {
      continue;
    }
    std::size_t needs = columns(word);
    if (!lines.back().empty() && used + 1 + needs <= width) {
      lines.back().append(" ").append(word);
      used += 1 + needs;
      continue;
    }
    if (!lines.back().empty()) {
      lines.emplace_back();
    }
    while (needs > width) {
      const std::size_t part = bytes_in(word, width);
      if (part == word.size()) {
        break;
      }
      lines.back() = word.substr(0, part);
      needs -= columns(lines.back());
      lines.emplace_back();
      word.remove_prefix(part);
    }
    lines.back() = word;
    used = needs;
  }
  return lines;
}

}  // namespace shutdown_auditor::report
