#include "audit/command.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "audit/command_state.h"
#include "audit/excerpt.h"
#include "audit/words.h"
#include "base/text.h"

namespace shutdown_auditor::audit {
namespace {

using Outcome = CommandReading::Outcome;

// $(NAME): Kubernetes expands it in a container's command, args and env, not in hooks and probes.
bool has_variable_reference(std::string_view text) {
  std::size_t begin = text.find("$(");
  while (begin != std::string_view::npos) {
    std::size_t end = begin + 2;
    const auto part_of_name = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
    };
    while (end < text.size() && part_of_name(text[end])) ++end;
    if (end > begin + 2 && end < text.size() && text[end] == ')') return true;
    begin = text.find("$(", end);
  }
  return false;
}

CommandReading broken(std::string reason) {
  CommandReading reading;
  reading.outcome = Outcome::kBroken;
  reading.can_succeed = false;
  reading.can_fail = true;
  reading.problems.push_back(reason);
  reading.reason = std::move(reason);
  return reading;
}

// A program name with blanks in it: a whole command line as one word.
bool is_line_as_word(const std::vector<std::string>& argv) {
  static constexpr std::array<std::string_view, 10> kUsual{"sleep", "sh",   "bash", "ash",  "dash",
                                                           "echo",  "true", "kill", "nginx", "curl"};
  const std::string_view program = argv.front();
  const std::size_t blank = program.find_first_of(" \t\n");
  if (blank == std::string_view::npos) return false;
  const std::string_view name = base_name(program.substr(0, blank));
  return argv.size() == 1 || std::find(kUsual.begin(), kUsual.end(), name) != kUsual.end();
}

// What was left in the background keeps the hook's output open; the kubelet may wait for that, or not.
RunTime with_left(RunTime run, const std::vector<CommandState::Left>& left) {
  for (const CommandState::Left& each : left) {
    const std::int64_t end = saturating_add(each.start, each.run.max);
    if (end <= run.max) continue;
    run.max = end;
    run.nominal.reset();
    run.endless = run.endless || each.run.endless;
  }
  return run;
}

}  // namespace

CommandReading read_command(const std::vector<std::string>& argv, const objects::Container* container) {
  if (argv.empty() || argv.front().empty()) return broken("the command is empty");
  if (is_line_as_word(argv)) {
    return broken(excerpt(argv.front()) +
                  " is one word: there is no program of that name, and no shell to split it");
  }
  // In a shell's words $( ) has a meaning of its own.
  const std::string_view name = base_name(argv.front());
  const bool shell = name == "busybox" || name.ends_with("sh") || name == "timeout" || name == "env" || name == "nice" ||
                     name == "nohup";
  std::vector<CommandWord> words;
  words.reserve(argv.size());
  for (const std::string& value : argv) {
    if (!shell && has_variable_reference(value)) {
      return broken(excerpt(value) + " is not expanded in lifecycle and probe commands");
    }
    words.push_back({value, true, true, {}});
  }

  CommandState state;
  state.container = container;
  const RunTime run = with_left(as_process(read_command_words(words, state, false)), state.left);
  CommandReading reading;
  reading.min_ms = run.min;
  reading.nominal_ms = run.nominal;
  reading.max_ms = run.max;
  reading.never_ends = run.never_ends;
  reading.can_succeed = run.can_succeed;
  reading.can_fail = run.can_fail;
  reading.starts_drain = state.starts_drain;
  reading.waits_for_drain = state.starts_drain && state.waits_for_drain;
  reading.signals = std::move(state.signals);
  reading.problems = std::move(state.problems);
  reading.steps = state.steps;
  if (!state.mistake.empty()) {
    reading.outcome = Outcome::kBroken;
    reading.reason = std::move(state.mistake);
  } else if (run.max == kEndless && run.endless) {
    reading.outcome = Outcome::kEndless;
    reading.reason = std::move(state.endless_reason);
  } else if (run.max == kEndless) {
    reading.outcome = Outcome::kUnknown;
    reading.reason = state.unknown_reason.empty() ? "its time is beyond every limit" : std::move(state.unknown_reason);
  }
  return reading;
}

}  // namespace shutdown_auditor::audit
