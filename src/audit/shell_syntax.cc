#include "audit/shell_syntax.h"

#include <algorithm>
#include <array>

namespace shutdown_auditor::audit {

bool ShellRedirection::harmless() const {
  static constexpr std::array<std::string_view, 8> kTargets{"/dev/null",    "/dev/stdout",  "/dev/stderr",     "/dev/fd/1",
                                                            "/proc/1/fd/1", "/proc/1/fd/2", "/proc/self/fd/1", "/dev/fd/2"};
  if (op.starts_with("<<")) return true;
  if (!target.literal()) return false;
  if (op == ">&" || op == "<&") return target.value == "1" || target.value == "2" || target.value == "-";
  return std::find(kTargets.begin(), kTargets.end(), target.value) != kTargets.end();
}

std::span<const ShellToken> ShellScript::words_of(const ShellNode& node) const {
  return std::span(words).subspan(node.first_word, node.words);
}

std::span<const ShellRedirection> ShellScript::redirections_of(const ShellNode& node) const {
  return std::span(redirections).subspan(node.first_redirection, node.redirections);
}

std::span<const ShellToken> ShellScript::command_of(const ShellNode& node) const {
  return words_of(node).subspan(node.assignments);
}

bool is_shell_assignment(std::string_view text) {
  std::size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0) return false;
  if (text[equals - 1] == '+') --equals;
  const std::string_view name = text.substr(0, equals);
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  return !name.empty() && letter(name.front()) &&
         std::all_of(name.begin(), name.end(), [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

}  // namespace shutdown_auditor::audit
