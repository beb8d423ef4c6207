// The simple commands of a script: words, variables, and what a shell does itself.
#include <algorithm>
#include <array>
#include <utility>

#include "audit/excerpt.h"
#include "audit/script_reader.h"
#include "audit/shell_arithmetic.h"
#include "audit/sleep_operand.h"
#include "audit/words.h"
#include "base/text.h"

namespace shutdown_auditor::audit {
namespace {

constexpr int kMaxCalls = 8;

RunTime leaving(bool succeeds) {
  RunTime run = succeeds ? RunTime::instant() : RunTime::failing();
  run.may_trip = false;
  run.passed_certainly = run.passed_normally = run.passed_possibly = false;
  return run;
}

RunTime exiting(bool can_succeed, bool can_fail) {
  RunTime run = leaving(can_succeed);
  run.exits_possibly = run.exits_normally = true;
  run.exit_can_succeed = can_succeed;
  run.exit_can_fail = can_fail;
  return run;
}

std::optional<std::int64_t> number_of(const CommandWord& word) {
  if (!word.certain) return std::nullopt;
  const auto value = base::parse_int64(word.value);
  return value ? std::optional(*value) : std::nullopt;
}

}  // namespace

void ScriptReader::set_positional(CommandWords operands) {
  for (std::size_t i = 0; i < operands.size() && i < 10; ++i) {
    variables_.set(std::to_string(i), operands[i].certain ? std::optional(operands[i].value) : std::nullopt);
  }
}

ShellVariables::State ScriptReader::snapshot() {
  return state_.charge(1 + variables_.size()) ? variables_.state() : ShellVariables::State();
}

std::optional<std::int64_t> ScriptReader::arithmetic(std::string_view text) {
  return evaluate_arithmetic(
      text, [this](std::string_view name) { return variables_.number(name); },
      [this](std::string_view name, std::optional<std::int64_t> value) {
        variables_.set(name, value ? std::optional(std::to_string(*value)) : std::nullopt);
      });
}

bool ScriptReader::is_wait(const ShellNode& node) const {
  if (node.kind != ShellNode::Kind::kSimple) return false;
  const std::span<const ShellToken> words = script_.command_of(node);
  return !words.empty() && words.front().literal() && words.front().value == "wait";
}

ShellFields ScriptReader::expand(const ShellToken& word) {
  if (!state_.charge(1 + word.text.size() / 16)) {
    ShellFields none;
    none.fields.emplace_back(word.text);
    none.certain = none.likely = false;
    return none;
  }
  ShellFields fields =
      expand_word(word, state_.flavor, variables_, [this](std::string_view script) { return substitute(script); });
  state_.env_used = state_.env_used || variables_.env_used();
  if (fields.not_expanded) {
    state_.note_mistake(excerpt(word.text) + " is not expanded in lifecycle and probe commands");
  }
  return fields;
}

// Runs beside the script, which waits for its output. Of what commands print only echo, seq and expr are read.
std::optional<std::string> ScriptReader::substitute(std::string_view text) {
  const auto upper = [](char c) { return (c >= 'A' && c <= 'Z') || c == '_' || (c >= '0' && c <= '9'); };
  if (!text.empty() && std::all_of(text.begin(), text.end(), upper)) return "";  // no such command
  const RunTime outer = std::exchange(substituted_, RunTime());
  if (state_.scripts >= CommandState::kMaxScripts || !state_.charge(1 + text.size() / 16)) {
    substituted_ = in_sequence(outer, state_.not_known("substitutions more than 8 deep"));
    return std::nullopt;
  }
  ++state_.scripts;
  ScriptReader inner(text, state_, exit_on_error_);
  inner.variables_ = variables_;
  inner.turns_ = turns_;
  std::optional<std::string> value;
  const bool one_command = inner.script_.end == ShellScript::End::kComplete && inner.script_.lines.size() == 1;
  if (one_command) {
    const ShellNode& list = inner.script_.node(inner.script_.lines[0].node);
    const ShellNode& node = inner.script_.node(list.first_child);
    const bool simple = node.kind == ShellNode::Kind::kSimple && node.next == ShellNode::kNone && !node.background &&
                        node.redirections == 0 && node.assignments == 0;
    std::vector<CommandWord> words;
    if (simple) inner.read_words(node, words);
    const bool known = std::all_of(words.begin(), words.end(), [](const CommandWord& word) { return word.certain; });
    if (simple && known && !words.empty()) {
      const std::string& name = words[0].value;
      std::string joined;
      for (const CommandWord& word : CommandWords(words).subspan(1)) joined += (joined.empty() ? "" : " ") + word.value;
      if (name == "echo" && (words.size() < 2 || words[1].value[0] != '-')) value = joined;
      if (name == "expr") {
        const auto number = evaluate_arithmetic(
            joined, [](std::string_view) { return std::nullopt; }, [](std::string_view, std::optional<std::int64_t>) {});
        if (number) value = std::to_string(*number);
      }
      if (name == "seq" && (words.size() == 2 || words.size() == 3)) {
        const auto first = words.size() == 3 ? number_of(words[1]) : std::optional<std::int64_t>(1);
        const auto last = number_of(words.back());
        if (first && last && *first >= -10'000 && *last <= 10'000) {
          value = "";
          for (std::int64_t i = *first; i <= *last; ++i) *value += std::to_string(i) + "\n";
        }
      }
    }
  }
  substituted_ = in_sequence(outer, value ? as_process(inner.substituted_) : inner.read());
  --state_.scripts;
  return value;
}

// NAME=value or NAME+=value, a word in front of a command or an operand of export.
void ScriptReader::assign(const ShellToken& word) {
  const std::size_t equals = word.text.find('=');
  const bool appends = equals > 0 && word.text[equals - 1] == '+';
  const std::string_view name = word.text.substr(0, appends ? equals - 1 : equals);
  if (name == "IFS") {  // fields are split elsewhere from now on
    variables_.forget_all();
    return;
  }
  ShellToken value = word;
  value.text = word.text.substr(equals + 1);
  value.value = word.value.substr(std::min(word.value.find('=') + 1, word.value.size()));
  const ShellFields fields = expand(value);
  std::string joined;
  for (const std::string& field : fields.fields) joined += (joined.empty() ? "" : " ") + field;
  if (appends) {
    const auto before = variables_.get(name);
    variables_.set(name, before && fields.certain ? std::optional(*before + joined) : std::nullopt);
  } else {
    variables_.set(name, fields.certain ? std::optional(joined) : std::nullopt);
  }
}

// Expands the words of a simple command; the time is that of its substitutions.
RunTime ScriptReader::read_words(const ShellNode& node, std::vector<CommandWord>& words) {
  for (const ShellToken& word : script_.command_of(node)) {
    ShellFields fields = expand(word);
    if (!fields.likely) {
      words.push_back({std::string(base::truncate_utf8(word.text, 200)), false, false, fields.why});
      continue;
    }
    for (std::string& field : fields.fields) words.push_back({std::move(field), fields.certain, true, fields.why});
  }
  return std::exchange(substituted_, RunTime());
}

RunTime ScriptReader::read_simple(const ShellNode& node) {
  std::vector<CommandWord> words;
  RunTime before = read_words(node, words);
  const bool assigns_only = words.empty();
  const ShellVariables::State outer = node.assignments > 0 && !assigns_only ? snapshot() : ShellVariables::State();
  for (const ShellToken& assignment : script_.words_of(node).first(node.assignments)) assign(assignment);
  before = in_sequence(before, std::exchange(substituted_, RunTime()));
  if (assigns_only) {
    before.may_trip = before.can_fail;
    return with_redirections(before, node);
  }
  // The words were expanded with what the variables were before.
  RunTime run;
  if (const auto found = read_control(words)) {
    run = *found;
  } else if (const auto function = words[0].certain ? functions_.find(words[0].value) : functions_.end();
             function != functions_.end()) {
    run = read_function(function->second, words);
  } else {
    // A shell that reads its commands from a here-document.
    const std::span<const ShellRedirection> redirections = script_.redirections_of(node);
    const std::string_view name = base_name(words[0].value);
    const bool document = !redirections.empty() && redirections[0].op.starts_with("<<") && redirections[0].op != "<<<";
    const std::string_view text = document ? redirections[0].document : std::string_view();
    if (document && words.size() == 1 && (name == "sh" || name == "bash" || name == "ash" || name == "dash")) {
      const bool plain = redirections[0].target.quoted || text.find_first_of("$`\\") == std::string_view::npos;
      run = plain ? read_script(text, {}, false, state_) : state_.not_known("a here-document with expansions is not read");
    } else {
      run = read_command_words(words, state_, true);
    }
  }
  if (node.assignments > 0) variables_.restore(outer);
  return in_sequence(before, with_redirections(run, node));
}

std::optional<RunTime> ScriptReader::read_control(std::vector<CommandWord>& words) {
  while (words.size() > 1 && (words[0].is("command") || words[0].is("builtin"))) words.erase(words.begin());
  if (!words[0].certain) return std::nullopt;
  const std::string name = words[0].value;
  const CommandWords operands = CommandWords(words).subspan(1);
  if (name == "exit") {
    if (calls_ > 0) exited_in_call_ = true;
    return read_exit(operands);
  }
  if (name == "return") return read_return(operands);
  if (name == "break" || name == "continue") {
    if (breakable_ == 0) {
      // Outside a loop it does nothing; in a process of its own inside one, dash ends that.
      return turns_ == 0 ? RunTime::instant() : one_of(RunTime::instant(), exiting(true, false), true);
    }
    RunTime run = leaving(true);
    if (name == "break") run.breaks_possibly = run.breaks_normally = true;
    if (name == "continue") run.continues_possibly = true;
    // break 2 leaves more than is followed here.
    if (!operands.empty()) run.exits_possibly = true;
    return run;
  }
  if (name == "exec") {
    if (operands.empty()) return RunTime::instant();
    RunTime run = as_process(read_command_words(operands, state_, false));
    exit_trap_.reset();
    if (calls_ > 0) exited_in_call_ = true;
    if (run.never_ends) return run;
    return in_sequence(run, exiting(run.can_succeed, run.can_fail));
  }
  if (name == "eval") {
    std::string text;
    for (const CommandWord& word : operands) {
      if (!word.certain) return state_.not_known("what eval runs is not known: " + word.why);
      text += word.value + " ";
    }
    return read_script(text, {}, exit_on_error_, state_);
  }
  if (name == "." || name == "source") {
    return state_.not_known("the script file " + (operands.empty() ? std::string() : state_.shown(operands[0].value)) +
                            " is in the image, not in the manifest");
  }
  if (name == "wait") return read_wait(operands, nullptr, 0);
  if (name == "trap") {
    read_trap(operands);
    return RunTime::instant();
  }
  return read_variables(name, operands);
}

std::optional<RunTime> ScriptReader::read_variables(std::string_view name, CommandWords operands) {
  if (name == "export" || name == "readonly" || name == "local" || name == "declare" || name == "typeset") {
    declare(operands);
    return RunTime::instant();
  }
  if (name == "set") {
    for (std::size_t i = 0; i < operands.size(); ++i) {
      const std::string_view value = operands[i].value;
      if (value.size() < 2 || (value[0] != '-' && value[0] != '+') || value == "--") {
        for (int k = 1; k < 10; ++k) variables_.set(std::to_string(k), std::nullopt);
        break;
      }
      if (value.find('e') != std::string_view::npos) exit_on_error_ = value[0] == '-';
      const bool named = value.find('o') != std::string_view::npos && ++i < operands.size();
      if (named && operands[i].value == "errexit") exit_on_error_ = value[0] == '-';
    }
    return RunTime::instant();
  }
  if (name == "shift" || name == "getopts") {
    for (int k = 1; k < 10; ++k) variables_.set(std::to_string(k), std::nullopt);
    // With nothing left to shift dash gives up the script.
    const bool may_exit = name == "shift" && state_.flavor != ShellFlavor::kBash;
    return may_exit ? one_of(RunTime::instant(), exiting(false, true), true) : RunTime::instant(true);
  }
  if (name == "unset") {
    for (const CommandWord& word : operands) variables_.set(word.value, std::nullopt);
    return RunTime::instant();
  }
  if (name == "let") {
    for (const CommandWord& word : operands) arithmetic(word.value);
    return RunTime::instant(true);
  }
  if (name == "read") {
    // A hook's standard input is empty: read ends at once. From a pipe or a file it may take up to its limit.
    for (const CommandWord& word : operands) {
      if (!word.value.starts_with("-")) variables_.set(word.value, std::nullopt);
    }
    RunTime run = RunTime::instant(true);
    run.polls = true;
    return run;
  }
  if (name != "[" && name != "test") return std::nullopt;
  if (turns_ == 0) return std::nullopt;
  const std::optional<bool> result = decided(operands);
  if (!result) return std::nullopt;
  return *result ? RunTime::instant() : RunTime::failing();
}

void ScriptReader::declare(CommandWords operands) {
  for (const CommandWord& word : operands) {
    const std::size_t equals = word.value.find('=');
    if (equals == std::string::npos || equals == 0 || word.value[0] == '-') continue;
    const std::string name = word.value.substr(0, equals);
    if (name == "IFS") variables_.forget_all();
    variables_.set(name, word.certain ? std::optional(word.value.substr(equals + 1)) : std::nullopt);
  }
}

// a -lt b, a = b and their kin, on words that are known; with ! in front.
std::optional<bool> ScriptReader::decided(CommandWords words) const {
  bool negated = false;
  if (!words.empty() && words.back().is("]")) words = words.first(words.size() - 1);
  if (!words.empty() && words.front().is("!")) {
    negated = true;
    words = words.subspan(1);
  }
  if (words.size() != 3 || !words[0].certain || !words[1].certain || !words[2].certain) return std::nullopt;
  const std::string& op = words[1].value;
  std::optional<bool> result;
  if (op == "=" || op == "==") result = words[0].value == words[2].value;
  if (op == "!=") result = words[0].value != words[2].value;
  const auto a = number_of(words[0]);
  const auto b = number_of(words[2]);
  if (a && b) {
    if (op == "-eq") result = *a == *b;
    if (op == "-ne") result = *a != *b;
    if (op == "-lt") result = *a < *b;
    if (op == "-le") result = *a <= *b;
    if (op == "-gt") result = *a > *b;
    if (op == "-ge") result = *a >= *b;
  }
  return result && negated ? std::optional(!*result) : result;
}

RunTime ScriptReader::read_function(Index body, CommandWords words) {
  if (calls_ >= kMaxCalls) return state_.not_known("functions called by functions more than 8 deep");
  std::array<std::optional<std::string>, 10> outer;
  for (std::size_t i = 1; i < outer.size(); ++i) outer[i] = variables_.get(std::to_string(i));
  set_positional(words);
  ++calls_;
  const bool exited = std::exchange(exited_in_call_, false);
  RunTime run = read_node(body);
  --calls_;
  for (std::size_t i = 1; i < outer.size(); ++i) {
    if (words.size() > i || outer[i]) variables_.set(std::to_string(i), outer[i]);
  }
  if (run.exits_possibly && run.passed_possibly) variables_.forget_assigned();
  run.breaks_possibly = run.breaks_normally = run.continues_possibly = false;
  if (!run.never_ends) {
    run.passed_certainly = !exited_in_call_;
    run.passed_normally = !(exited_in_call_ && run.exits_normally);
    if (!exited_in_call_) {
      const bool passed = run.passed_possibly;
      run.can_succeed = (passed && run.can_succeed) || run.exit_can_succeed;
      run.can_fail = (passed && run.can_fail) || run.exit_can_fail;
      run.exits_possibly = run.exits_normally = run.exit_can_succeed = run.exit_can_fail = false;
    }
    run.passed_possibly = true;
  }
  exited_in_call_ = exited_in_call_ || exited;
  return run;
}

// Outside a function bash refuses it and goes on, where the others leave the script.
RunTime ScriptReader::read_return(CommandWords operands) {
  if (calls_ > 0 || state_.flavor == ShellFlavor::kDash || state_.flavor == ShellFlavor::kAsh) return read_exit(operands);
  if (state_.flavor == ShellFlavor::kBash) return RunTime::failing();
  return one_of(RunTime::failing(), read_exit(operands), false);
}

RunTime ScriptReader::read_exit(CommandWords operands) {
  if (operands.empty()) return exiting(last_.can_succeed, last_.can_fail);
  if (operands[0].certain) return exiting(operands[0].value == "0", operands[0].value != "0");
  return exiting(true, true);
}

// Jobs of the same list began a known time ago (`passed` by now); of others only their limit counts.
RunTime ScriptReader::read_wait(CommandWords operands, const RunTime* passed, std::uint64_t level) {
  RunTime run = RunTime::instant(!operands.empty());
  const bool any = operands.empty() || (jobs_.size() == 1 && !operands[0].is("-n"));
  for (const Job& job : jobs_) {
    RunTime rest = job.run;
    rest.min = 0;
    if (passed != nullptr && job.level == level && any) {
      const std::int64_t elapsed_max = passed->max == kEndless ? kEndless : passed->max - job.started.max;
      const std::int64_t elapsed_min = passed->min - job.started.min;
      rest.min = std::max<std::int64_t>(0, job.run.min - elapsed_max);
      if (rest.max != kEndless) rest.max = std::max<std::int64_t>(0, rest.max - elapsed_min);
      if (rest.nominal && passed->nominal && job.started.nominal) {
        rest.nominal = std::max<std::int64_t>(0, *rest.nominal - (*passed->nominal - *job.started.nominal));
      } else {
        rest.nominal.reset();
      }
    } else {
      rest.never_ends = false;
      rest.passed_certainly = rest.passed_normally = rest.passed_possibly = true;
    }
    rest.can_succeed = true;
    rest.can_fail = !operands.empty();
    rest.may_trip = rest.can_fail;
    const bool never = run.never_ends || rest.never_ends;
    run = side_by_side(run, rest);
    run.never_ends = never;
    run.passed_certainly = run.passed_normally = run.passed_possibly = !never;
  }
  jobs_.clear();
  return run;
}

void ScriptReader::read_trap(CommandWords operands) {
  if (!operands.empty() && operands[0].is("--")) operands = operands.subspan(1);
  if (operands.size() < 2) return;
  for (const CommandWord& signal : operands.subspan(1)) {
    if (!signal.is("EXIT") && !signal.is("0") && !signal.is("exit")) continue;
    exit_trap_ = operands[0].is("-") ? std::nullopt : std::optional(operands[0].certain ? operands[0].value : "$unknown");
    exit_trap_certain_ = state_.certain;
  }
}

}  // namespace shutdown_auditor::audit
