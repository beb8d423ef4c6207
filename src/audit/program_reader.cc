#include <algorithm>
#include <array>

#include "audit/command_state.h"
#include "audit/excerpt.h"
#include "audit/sleep_operand.h"
#include "audit/words.h"
#include "base/text.h"

namespace shutdown_auditor::audit {
namespace {

constexpr std::array<std::string_view, 6> kShells{"sh", "bash", "ash", "dash", "zsh", "ksh"};
// Never fail, unless their output cannot be written.
constexpr std::array<std::string_view, 4> kAlwaysSucceed{"echo", "printf", "true", ":"};
// Work on files or the process table and are over at once; with a pipe as input, together with what fills it.
constexpr std::array<std::string_view, 58> kInstant{
    "[", "awk", "basename", "cat", "cd", "chmod", "chown", "cp", "cut", "date", "dirname", "egrep", "env", "expr",
    "grep", "hash", "head", "hostname", "id", "jq", "let", "ln", "ls", "mkdir", "mktemp", "mv", "netstat", "nproc",
    "pgrep", "pidof", "printenv", "ps", "pwd", "readlink", "realpath", "rm", "rmdir", "sed", "seq", "sort", "ss",
    "stat", "tail", "tee", "test", "touch", "tr", "truncate", "type", "ulimit", "umask", "uname", "uniq", "unlink",
    "wc", "which", "whoami", "xargs"};
constexpr std::array<std::string_view, 18> kBuiltIns{
    ":", "cd", "eval", "exit", "export", "hash", "let", "local", "readonly", "return", "set", "shift", "trap", "type",
    "ulimit", "umask", "unset", "wait"};

RunTime read_sleep(CommandWords operands, CommandState& state) {
  if (operands.empty()) {
    state.note_mistake("sleep without a duration ends at once with an error");
    return RunTime::failing();
  }
  RunTime run;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    const CommandWord& word = operands[i];
    if (i == 0 && word.is("--")) {  // busybox takes it for an operand
      run.can_fail = run.may_trip = true;
      continue;
    }
    if (!word.likely) {
      run = in_sequence(run, state.not_known("the duration of sleep, " + state.shown(word.value) +
                                             ", is not known: " + word.why));
      continue;
    }
    const SleepOperand operand = parse_sleep_operand(word.value);
    if (operand.kind == SleepOperand::Kind::kInvalid && word.certain) {
      state.note_mistake("sleep refuses its operand " + state.shown_operand(word.value) + " and ends at once");
      return RunTime::failing();
    }
    if (!word.certain || operand.kind == SleepOperand::Kind::kInvalid) {
      const bool usable = operand.kind == SleepOperand::Kind::kTime;
      run = in_sequence(run, state.not_known("sleep takes " + env_excerpt(word.value) + " unless set elsewhere: " +
                                                 word.why, usable ? std::optional(operand.ms) : std::nullopt));
      run.can_fail = run.may_trip = false;
    } else if (operand.kind == SleepOperand::Kind::kDisputed) {
      run = in_sequence(run, state.not_known("some images' sleep refuses the operand " + state.shown_operand(word.value)));
    } else if (operand.kind == SleepOperand::Kind::kInfinite) {
      state.endless_reason = "sleep infinity does not end by itself";
      return run.min > 0 || run.max > 0 ? in_sequence(run, RunTime::forever()) : RunTime::forever();
    } else {
      const bool may_fail = run.can_fail;
      run = in_sequence(run, RunTime::exactly(operand.ms));
      run.can_fail = run.may_trip = may_fail;
    }
  }
  if (!operands.empty() && operands[0].is("--")) run.min = 0;
  return run;
}

// timeout [-s SIG] [-k D] D command
RunTime read_timeout(CommandWords operands, CommandState& state, bool in_shell) {
  std::int64_t extra = 0;
  bool long_option = false;
  std::size_t i = 0;
  for (; i < operands.size() && operands[i].certain && operands[i].value.size() > 1 && operands[i].value[0] == '-'; ++i) {
    const std::string_view value = operands[i].value;
    if (value == "--") {
      ++i;
      break;
    }
    long_option = long_option || value.starts_with("--");
    std::string_view after;
    if (value == "-k" || value == "--kill-after") {
      if (i + 1 < operands.size()) after = operands[++i].value;
    } else if (value.starts_with("-k")) {
      after = value.substr(2);
    } else if (value.starts_with("--kill-after=")) {
      after = value.substr(13);
    } else if (value == "-s" || value == "--signal" || value == "-t") {
      if (value == "-t") break;  // the old form of busybox: -t D
      ++i;
    }
    if (after.empty()) continue;
    const SleepOperand operand = parse_sleep_operand(after);
    extra = operand.kind == SleepOperand::Kind::kTime ? operand.ms : kEndless;
  }
  if (i < operands.size() && operands[i].is("-t")) ++i;
  if (i + 1 >= operands.size()) {
    state.note_mistake("timeout without a command ends at once with an error");
    return RunTime::failing();
  }
  const CommandWord& limit = operands[i];
  const CommandWords command = operands.subspan(i + 1);
  const SleepOperand operand = parse_sleep_operand(limit.value);
  RunTime run = as_process(read_command_words(command, state, in_shell));
  if (!limit.certain) {
    run.min = 0;
    run.never_ends = false;
    run.nominal.reset();
    run.passed_certainly = run.passed_normally = run.passed_possibly = true;
    if (run.max == kEndless) state.not_known("the limit of timeout is not known: " + limit.why);
    return run;
  }
  if (operand.kind == SleepOperand::Kind::kInvalid) {
    state.note_mistake("timeout refuses its limit " + state.shown_operand(limit.value) + " and ends at once");
    return RunTime::failing();
  }
  // 0: GNU sets no limit, busybox ends the command at once.
  if (operand.kind != SleepOperand::Kind::kTime || operand.ms == 0) {
    run.min = 0;
    return run;
  }
  RunTime cut = RunTime::within(run.never_ends ? operand.ms : std::min(run.min, operand.ms), std::nullopt,
                                std::min(run.max, saturating_add(operand.ms, extra)));
  if (run.never_ends) {
    cut.nominal = operand.ms;
  } else if (run.nominal) {
    cut.nominal = std::min(*run.nominal, operand.ms);
  }
  const bool cut_for_certain = run.never_ends || run.min > operand.ms;
  cut.can_succeed = run.can_succeed && !cut_for_certain;
  cut.can_fail = run.can_fail || run.max > operand.ms || long_option;
  cut.may_trip = cut.can_fail;
  cut.endless = false;
  // busybox refuses long options.
  if (long_option && state.flavor != ShellFlavor::kDash && state.flavor != ShellFlavor::kBash) cut.min = 0;
  return cut;
}

// sh [options] [--] …
RunTime read_shell(CommandWords words, CommandState& state) {
  const std::string shell(words.front().value);
  bool exit_on_error = false;
  bool has_script = false;
  std::size_t i = 1;
  for (; i < words.size(); ++i) {
    const std::string_view value = words[i].value;
    if (!words[i].certain) {
      return state.not_known("the options of " + state.shown(shell, 40) + " are not known: " + words[i].why);
    }
    if (value == "--" || value == "-") {
      ++i;
      break;
    }
    if (value.size() < 2 || (value[0] != '-' && value[0] != '+')) break;
    if (value == "--login" || value == "--norc" || value == "--noprofile" || value == "--posix") continue;
    if (value.find_first_not_of("abcefhiklmoptuvxEC", 1) != std::string_view::npos) {
      return state.not_known("the option " + state.shown(value, 40) + " of " + state.shown(shell, 40) + " is not known");
    }
    has_script = has_script || value.find('c') != std::string_view::npos;
    if (value.find('e') != std::string_view::npos) exit_on_error = value[0] == '-';
    if (value.find('o') != std::string_view::npos && ++i < words.size() && words[i].value == "errexit") exit_on_error = true;
  }
  if (!has_script) {
    if (i >= words.size()) return state.not_known(state.shown(shell, 40) + " reads its commands from elsewhere");
    return state.not_known("the script file " + state.shown(words[i].value) + " is in the image, not in the manifest");
  }
  if (i >= words.size()) {
    state.note_mistake(state.shown(shell, 40) + " -c without a script");
    return RunTime::failing();
  }
  if (!words[i].certain) return state.not_known("the script is not in the manifest: " + words[i].why);

  const std::string_view script = base::trim(words[i].value);
  const bool one_word = !script.empty() && script.find_first_of(" \t\n;&|<>()$`'\"/") == std::string_view::npos;
  if (one_word && i + 1 < words.size()) {
    state.note_mistake(state.shown(shell, 40) + " -c runs only its first word, " + state.shown(script, 40) +
                       ": the words after it do not reach it");
    return RunTime::failing();
  }
  const LazyFlavor outer = state.flavor;
  state.flavor = LazyFlavor(state.container, shell);
  RunTime run = read_script(words[i].value, words.subspan(i + 1), exit_on_error, state);
  state.flavor = outer;
  return run;
}

// Words behind the options of a wrapper; `with_value` are those that take the next word.
CommandWords behind_options(CommandWords words, std::string_view with_value) {
  while (!words.empty() && words.front().certain && words.front().value.size() > 1 && words.front().value[0] == '-') {
    const std::string value = words.front().value;
    words = words.subspan(1);
    if (value == "--") break;
    if (value.size() == 2 && with_value.find(value[1]) != std::string_view::npos && !words.empty()) words = words.subspan(1);
  }
  return words;
}

// Programs that do nothing but run another one. Empty: none of them, or no program follows.
CommandWords unwrapped(std::string_view name, CommandWords rest) {
  if (name == "busybox" || name == "toybox") return rest;
  if (name == "nice") return behind_options(rest, "n");
  if (name == "ionice") return behind_options(rest, "cnp");
  if (name == "nohup" || name == "time" || name == "command" || name == "builtin") return behind_options(rest, "fo");
  if (name == "stdbuf") return behind_options(rest, "ioe");
  if (name == "setpriv" || name == "sudo") return behind_options(rest, "ugh");
  if ((name == "gosu" || name == "su-exec") && !rest.empty()) return rest.subspan(1);
  if (name == "env") {
    rest = behind_options(rest, "uC");
    const auto assigns = [](const CommandWord& word) { return word.certain && word.value.find('=') != std::string::npos; };
    while (!rest.empty() && assigns(rest.front())) rest = rest.subspan(1);
    return rest;
  }
  return {};
}

RunTime read_instant(std::string_view name, CommandWords rest, CommandState& state) {
  if (name == "pgrep" || name == "pidof" || name == "ps" || name == "ss" || name == "netstat") state.watches = true;
  if (name == "test" || name == "[") {
    for (const CommandWord& word : rest) {
      if (word.value.ends_with(".pid") || word.value.starts_with("/proc/")) state.watches = true;
    }
  }
  if (name == "tail") {
    for (const CommandWord& word : rest) {
      if (!word.is("-f") && !word.is("-F") && !word.is("--follow")) continue;
      state.endless_reason = "tail -f does not end by itself";
      return RunTime::forever();
    }
  }
  if (name == "xargs") {
    const CommandWords program = behind_options(rest, "nIPLds");
    if (!program.empty()) {
      RunTime run = read_command_words(program, state, false);
      run.min = 0;
      run.never_ends = false;
      if (run.max > 0 && run.max != kEndless) state.not_known("how often xargs runs its command is not known");
      if (run.max > 0) run.max = kEndless;
      run.passed_certainly = run.passed_normally = run.passed_possibly = true;
      return run;
    }
  }
  RunTime run = RunTime::instant(true);
  run.polls = true;
  return run;
}

RunTime read_named(std::string_view name, CommandWords words, CommandState& state, bool in_shell) {
  const CommandWords rest = words.subspan(1);
  if (name == "sleep") return read_sleep(rest, state);
  if (is_one_of(name, kShells)) return read_shell(words, state);
  if (name == "timeout") return read_timeout(rest, state, false);
  if (const CommandWords inner = unwrapped(name, rest); !inner.empty()) {
    return read_command_words(inner, state, in_shell && (name == "time" || name == "command" || name == "builtin"));
  }
  if (!in_shell && is_one_of(words.front().value, kBuiltIns)) {
    state.note_mistake(state.shown(name) + " is part of a shell, there is no such program");
    return RunTime::failing();
  }
  if (is_one_of(name, kAlwaysSucceed)) return RunTime::instant();
  if (name == "false") return RunTime::failing();
  if (is_one_of(name, kInstant)) return read_instant(name, rest, state);
  if (const auto run = read_signal_command(words, state, in_shell)) return *run;
  if (const auto run = read_known_command(words, state)) return *run;
  if (const auto run = read_interpreter(words, state)) return *run;
  if (name.ends_with(".sh")) {
    return state.not_known("the script file " + state.shown(words.front().value) +
                           " is in the image, not in the manifest");
  }
  return state.not_known("how long " + state.shown(name) + " takes is not known");
}

}  // namespace

RunTime read_command_words(CommandWords words, CommandState& state, bool in_shell) {
  if (!state.charge(1 + words.size())) return RunTime::unknown();
  if (state.depth >= CommandState::kMaxDepth) return state.not_known("commands nested more than 120 deep");
  const CommandWord& first = words.front();
  if (!first.certain) return state.not_known("the command " + state.shown(first.value) + " is not known: " + first.why);
  if (in_shell && first.value.find(' ') != std::string::npos) {
    state.note_mistake(state.shown(first.value) + " is one word: there is no program of that name");
    return RunTime::failing();
  }
  ++state.depth;
  const bool signalled = state.signalled;
  RunTime run = read_named(base_name(first.value), words, state, in_shell);
  if (signalled) {
    run.min = 0;
    if (run.never_ends) {
      run.never_ends = false;
      run.passed_certainly = run.passed_possibly = true;
    }
  }
  --state.depth;
  return run;
}

}  // namespace shutdown_auditor::audit
