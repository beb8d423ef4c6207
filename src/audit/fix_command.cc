#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "audit/fix_ways.h"
#include "base/text.h"

namespace shutdown_auditor::audit {
namespace {

// Words that make the text behind the last separator something else than a program with its operands.
bool is_shell_word(std::string_view word) {
  constexpr std::array<std::string_view, 26> kWords{
      "if",   "then", "else", "elif", "fi",   "for",  "while", "until", "do",   "done",  "case", "esac", "{",
      "}",    "!",    "[",    "[[",   "exec", "exit", "cd",    "wait",  "trap", "export", "set", ".",    "source"};
  return std::find(kWords.begin(), kWords.end(), word) != kWords.end();
}

// The script with `exec` before its last command; nothing unless it is a plain chain of commands.
std::optional<std::string> with_exec(std::string_view script) {
  // Quotes may hide what looks like a separator, so scripts with both are left alone.
  const bool quotes = script.find_first_of("'\"\\") != std::string_view::npos;
  if (script.find_first_of("|<>()`#") != std::string_view::npos) return std::nullopt;
  const bool separators = script.find_first_of("&;\n") != std::string_view::npos;
  if (quotes && separators) return std::nullopt;
  std::string_view rest = script;
  while (!rest.empty() && (rest.back() == ' ' || rest.back() == '\n' || rest.back() == ';')) rest.remove_suffix(1);
  const std::size_t separator = rest.find_last_of("&;\n");
  std::size_t begin = separator == std::string_view::npos ? 0 : separator + 1;
  if (separator != std::string_view::npos && rest[separator] == '&' && (separator == 0 || rest[separator - 1] != '&')) {
    return std::nullopt;  // something runs in the background
  }
  begin = rest.find_first_not_of(' ', begin);
  if (begin == std::string_view::npos) return std::nullopt;
  for (const std::string_view word : base::split(rest, ' ')) {
    if (is_shell_word(word) && word != "cd" && word != "export" && word != "set") return std::nullopt;
  }
  const std::string_view last = rest.substr(begin);
  const std::string_view program = last.substr(0, last.find(' '));
  if (is_shell_word(program) || program.find_first_of("=$") != std::string_view::npos) return std::nullopt;
  return std::string(rest.substr(0, begin)) + "exec " + std::string(last);
}

}  // namespace

Ways ways_by_command(const Finding& finding, const objects::Workload& workload) {
  Ways found;
  found.none = "the script, or what starts it, is not a plain chain of commands in the manifest";
  const objects::Container& container = *container_named(workload, finding.container);
  for (const auto& [list, field] :
       {std::pair{&objects::Container::args, "args"}, {&objects::Container::command, "command"}}) {
    const std::vector<std::string>& words = container.*list;
    // sh -c SCRIPT; or SCRIPT alone in args behind a command that ends in -c.
    const bool inside = words.size() >= 2 && words[words.size() - 2] == "-c";
    const bool behind = list == &objects::Container::args && words.size() == 1 && !container.command.empty() &&
                        container.command.back() == "-c";
    if (!inside && !behind) continue;
    const std::optional<std::string> script = with_exec(words.back());
    if (!script) continue;
    Way way{workload, {}};
    (container_named(way.after, finding.container)->*list).back() = *script;
    way.reasons.push_back({finding.container, field,
                           fmt::format("{}: exec puts the program in the shell's place, so that it gets the stop signal",
                                       id_of(finding.check))});
    found.ways.push_back(std::move(way));
  }
  return found;
}

}  // namespace shutdown_auditor::audit
