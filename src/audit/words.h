#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

// What every reader of commands asks of a word.
namespace shutdown_auditor::audit {

// "/usr/bin/python3" -> "python3".
inline std::string_view base_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

template <std::size_t N>
bool is_one_of(std::string_view text, const std::array<std::string_view, N>& list) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

}  // namespace shutdown_auditor::audit
