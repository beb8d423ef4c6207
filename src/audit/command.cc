#include "audit/command.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string_view>

#include "audit/seconds.h"
#include "audit/shell_parser.h"
#include "audit/sleep_operand.h"
#include "base/text.h"

namespace shutdown_auditor::audit {
namespace {

using Outcome = CommandReading::Outcome;

// Scripts in scripts: each level needs another round of quoting, so real ones have one or two.
constexpr int kMaxNesting = 8;

template <std::size_t N>
bool is_one_of(std::string_view text, const std::array<std::string_view, N>& list) {
  return std::find(list.begin(), list.end(), text) != list.end();
}

constexpr std::array<std::string_view, 6> kShells{"sh", "bash", "ash", "dash", "zsh", "ksh"};
constexpr std::array<std::string_view, 6> kInstant{"echo", "printf", "true", "false", "test", "["};
constexpr std::array<std::string_view, 5> kBuiltIns{":", "exit", "set", "exec", "cd"};

std::string_view basename_of(std::string_view path) { return path.substr(path.rfind('/') + 1); }

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

CommandReading timed(std::int64_t ms, bool succeeds) {
  CommandReading reading;
  reading.min_ms = reading.nominal_ms = reading.max_ms = ms;
  reading.can_succeed = succeeds;
  reading.can_fail = !succeeds;
  return reading;
}
CommandReading unknown(std::string reason) {
  CommandReading reading;
  reading.outcome = Outcome::kUnknown;
  reading.reason = std::move(reason);
  return reading;
}
// Fails at once.
CommandReading broken(std::string reason) {
  CommandReading reading = timed(0, false);
  reading.outcome = Outcome::kBroken;
  reading.reason = std::move(reason);
  return reading;
}

constexpr std::string_view kNotExpanded = " is not expanded in lifecycle and probe commands";

// A word of a command: an argv element, or a word of a script.
struct Word {
  std::string_view value;
  bool literal = true;
  bool substitution = false;
  bool variable_reference = false;
};

CommandReading read_sleep(std::span<const Word> operands) {
  if (operands.empty()) return broken("sleep without a duration ends at once with an error");
  std::int64_t total = 0;
  std::optional<CommandReading> not_known;
  for (const Word& word : operands) {
    if (word.variable_reference) return broken(base::quoted(word.value, 60) + std::string(kNotExpanded));
    if (!word.literal) {
      not_known = unknown("the duration of sleep, " + base::quoted(word.value, 60) + ", is not in the manifest");
      continue;
    }
    const SleepOperand operand = parse_sleep_operand(word.value);
    if (operand.kind == SleepOperand::Kind::kInvalid) {
      return broken("sleep refuses its operand " + base::quoted(word.value, 60) + " and ends at once");
    }
    if (operand.kind == SleepOperand::Kind::kDisputed) {
      not_known = unknown("some images' sleep refuses the operand " + base::quoted(word.value, 60));
    }
    total = saturating_add(total, operand.ms);
  }
  return not_known ? *not_known : timed(total, true);
}

CommandReading read_words(std::span<const Word> words, bool in_shell, int nesting);

struct ShellOptions {
  bool exit_on_error = false;
  int nesting = 0;
};

// Walks a script's lists and adds up what certainly, normally and possibly runs.
class ScriptReader {
 public:
  ScriptReader(std::string_view script, ShellOptions options) : parser_(script), options_(options) {}

  CommandReading read() {
    ShellList list;
    CommandReading line_start = total_;
    while (parser_.next(list)) {
      run(list);
      if (stopped_ || !possible_) break;
      if (parser_.line_complete()) line_start = total_;
    }
    if (parser_.end() == ShellParser::End::kSyntaxError && possible_ && !stopped_) {
      // The shell refuses the line before it runs any of it.
      const bool reached = certain_;
      total_ = line_start;
      problem(reached ? Outcome::kBroken : Outcome::kUnknown, "syntax error in the script: " + parser_.what());
    } else if (parser_.end() == ShellParser::End::kUnsupported && possible_ && !stopped_) {
      problem(Outcome::kUnknown, parser_.what() + " in the script: how long it takes is not known");
    }
    total_.can_succeed = can_succeed_;
    total_.can_fail = can_fail_;
    return total_;
  }

 private:
  void problem(Outcome outcome, std::string reason) {
    if (outcome == Outcome::kUnknown) stopped_ = true;
    if (total_.outcome == Outcome::kBroken) return;  // the first certain mistake is what to repair
    total_.outcome = outcome;
    total_.reason = std::move(reason);
  }

  void run(const ShellList& list) {
    bool last_ran = true;
    for (const ShellList::Item& item : list.items) {
      bool certain = certain_;
      bool nominal = nominal_;
      bool skippable = false;
      if (item.joiner == ShellList::Joiner::kAnd) {
        last_ran = can_succeed_;
        certain = certain && !can_fail_;
        nominal = nominal && succeeds_;
        skippable = can_fail_;
      } else if (item.joiner == ShellList::Joiner::kOr) {
        last_ran = can_fail_;
        certain = certain && !can_succeed_;
        nominal = nominal && !succeeds_;
        skippable = can_succeed_;
      }
      if (!last_ran) continue;
      const CommandReading part = read_one(item.command);
      total_.min_ms = saturating_add(total_.min_ms, certain ? part.min_ms : 0);
      total_.nominal_ms = saturating_add(total_.nominal_ms, nominal ? part.nominal_ms : 0);
      total_.max_ms = saturating_add(total_.max_ms, part.max_ms);
      if (part.outcome != Outcome::kTimed) {
        problem(part.outcome == Outcome::kBroken && !certain ? Outcome::kUnknown : part.outcome, part.reason);
        if (stopped_) return;
      }
      const bool and_joined = item.joiner == ShellList::Joiner::kAnd;
      can_succeed_ = part.can_succeed || (skippable && !and_joined);
      can_fail_ = part.can_fail || (skippable && and_joined);
      if (!skippable || nominal) succeeds_ = part.can_succeed;
      if (ends_ || part.min_ms == kEndless) end_here(certain, nominal);
      if (!possible_) return;
    }
    // -e looks at the last command of a list only.
    if (options_.exit_on_error && last_ran && can_fail_) {
      nominal_ = nominal_ && succeeds_;
      certain_ = false;
      possible_ = can_succeed_;
    }
  }

  void end_here(bool certain, bool nominal) {
    ends_ = false;
    if (certain) possible_ = false;
    certain_ = false;
    nominal_ = nominal_ && !nominal;
  }

  CommandReading read_one(const ShellCommand& command) {
    if (!command.redirection.empty()) return unknown("the redirection " + base::quoted(command.redirection) + " may fail or block");
    if (command.assigns_substitution) return unknown("a command substitution in the script");
    if (command.words.empty()) return timed(0, true);
    std::vector<Word> words;
    words.reserve(command.words.size());
    for (const ShellToken& token : command.words) {
      words.push_back({token.literal() ? std::string_view(token.value) : token.text, token.literal(), token.substitution,
                       token.variable_reference});
    }
    std::span<const Word> rest(words);
    if (rest.front().literal && rest.front().value == "exec" && rest.size() > 1) {
      rest = rest.subspan(1);
      ends_ = true;
    }
    if (rest.front().literal && rest.front().value == "exit") {
      ends_ = true;
      if (rest.size() == 1) return timed(0, can_succeed_);
      if (!rest[1].literal) return unknown("the exit status is not in the manifest");
      return timed(0, rest[1].value == "0");
    }
    if (rest.front().literal && rest.front().value == "set") return read_set(rest.subspan(1));
    return read_words(rest, true, options_.nesting);
  }

  CommandReading read_set(std::span<const Word> options) {
    for (std::size_t i = 0; i < options.size(); ++i) {
      const std::string_view value = options[i].value;
      const bool flags = options[i].literal && value.size() > 1 && (value[0] == '-' || value[0] == '+') &&
                         value.find_first_not_of("euxvfo", 1) == std::string_view::npos;
      if (!flags) return unknown("set with operands in the script");
      if (value.find('e') != std::string_view::npos) options_.exit_on_error = value[0] == '-';
      if (value.find('o') != std::string_view::npos && ++i < options.size() && options[i].value == "errexit") {
        options_.exit_on_error = value[0] == '-';
      }
    }
    return timed(0, true);
  }

  ShellParser parser_;
  ShellOptions options_;
  CommandReading total_;
  bool stopped_ = false;
  // Is the current point reached: for certain, when all goes as usual, at all.
  bool certain_ = true;
  bool nominal_ = true;
  bool possible_ = true;
  bool ends_ = false;  // the command read last ends the script
  // The status of the command before.
  bool can_succeed_ = true;
  bool can_fail_ = false;
  bool succeeds_ = true;
};

// sh [options] [--] …
CommandReading read_shell(std::span<const Word> words, int nesting) {
  const std::string shell(words.front().value);
  ShellOptions options{false, nesting + 1};
  bool has_script = false;
  std::size_t i = 1;
  for (; i < words.size(); ++i) {
    const std::string_view value = words[i].value;
    if (!words[i].literal) return unknown("the options of " + base::quoted(shell, 40) + " are not in the manifest");
    if (value == "--" || value == "-") {
      ++i;
      break;
    }
    if (value.size() < 2 || value[0] != '-') break;
    if (value == "--login" || value == "--norc" || value == "--noprofile" || value == "--posix") continue;
    if (value.find_first_not_of("acefhiklmoptuvx", 1) != std::string_view::npos) {
      return unknown("the option " + base::quoted(value, 40) + " of " + base::quoted(shell, 40) + " is not known");
    }
    has_script = has_script || value.find('c') != std::string_view::npos;
    if (value.find('e') != std::string_view::npos) options.exit_on_error = true;
    if (value.find('o') != std::string_view::npos && ++i < words.size() && words[i].value == "errexit") {
      options.exit_on_error = true;
    }
  }
  if (!has_script) {
    if (i >= words.size()) return unknown(base::quoted(shell, 40) + " reads its commands from elsewhere");
    return unknown("the script file " + base::quoted(words[i].value, 60) + " is in the image, not in the manifest");
  }
  if (i >= words.size()) return broken(base::quoted(shell, 40) + " -c without a script");
  if (!words[i].literal) return unknown("the script is not in the manifest");
  if (nesting >= kMaxNesting) return unknown("shells started by shells more than 8 deep");

  const std::string_view script = base::trim(words[i].value);
  const bool one_word = !script.empty() && script.find_first_of(" \t\n;&|<>()$`'\"") == std::string_view::npos;
  if (one_word && i + 1 < words.size()) {
    return broken(base::quoted(shell, 40) + " -c runs only its first word, " + base::quoted(script, 40) +
                  ": the words after it do not reach it");
  }
  return ScriptReader(words[i].value, options).read();
}

CommandReading read_words(std::span<const Word> words, bool in_shell, int nesting) {
  const Word& first = words.front();
  if (first.variable_reference) return broken(base::quoted(first.value, 60) + std::string(kNotExpanded));
  if (!first.literal) return unknown("the command " + base::quoted(first.value, 60) + " is not in the manifest");
  std::string_view name = basename_of(first.value);
  std::span<const Word> rest = words.subspan(1);
  if (name == "busybox" && !rest.empty() && rest.front().literal) {
    words = rest;
    name = words.front().value;
    rest = words.subspan(1);
  }
  if (name == "sleep") return read_sleep(rest);
  if (is_one_of(name, kShells)) return read_shell(words, nesting);
  for (const Word& word : rest) {
    if (word.variable_reference) return broken(base::quoted(word.value, 60) + std::string(kNotExpanded));
  }
  const bool built_in = is_one_of(words.front().value, kBuiltIns);
  if (built_in && !in_shell) return broken(base::quoted(name) + " is part of a shell, there is no such program");
  if (is_one_of(name, kInstant) || name == ":") {
    for (const Word& word : rest) {
      if (word.substitution) return unknown("the command substitution " + base::quoted(word.value, 60));
    }
    CommandReading reading = timed(0, name != "false");
    if (name == "test" || name == "[") reading.can_fail = true;
    return reading;
  }
  return unknown("how long " + base::quoted(name, 60) + " takes is not known");
}

}  // namespace

CommandReading read_command(const std::vector<std::string>& argv) {
  if (argv.empty() || argv.front().empty()) return broken("the command is empty");
  const std::string& program = argv.front();
  const std::size_t blank = program.find_first_of(" \t\n");
  if (blank != std::string::npos) {
    const std::string_view name = basename_of(std::string_view(program).substr(0, blank));
    if (argv.size() == 1 || name == "sleep" || is_one_of(name, kShells) || is_one_of(name, kInstant)) {
      return broken(base::quoted(program, 60) + " is one word: there is no program of that name, and no shell to split it");
    }
  }
  std::vector<Word> words;
  words.reserve(argv.size());
  // A shell's words are judged by the tokenizer: there $( ) has a meaning.
  const std::string_view name = basename_of(program);
  const bool shell = is_one_of(name, kShells) || name == "busybox";
  for (const std::string& value : argv) {
    words.push_back({value, true, false, !shell && has_variable_reference(value)});
  }
  return read_words(words, false, 0);
}

}  // namespace shutdown_auditor::audit
