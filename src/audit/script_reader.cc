#include "audit/script_reader.h"

#include <algorithm>
#include <utility>

#include "base/text.h"

namespace shutdown_auditor::audit {

using Kind = ShellNode::Kind;
constexpr std::uint32_t kNone = ShellNode::kNone;

namespace {

constexpr std::uint64_t kTopLevel = 0;

// Both standard output and standard error go elsewhere: the hook's pipes close without it.
bool frees_output(std::span<const ShellRedirection> redirections) {
  bool out = false;
  bool error = false;
  for (const ShellRedirection& each : redirections) {
    if (each.op == "&>") out = error = true;
    const bool writes = each.op == ">" || each.op == ">>" || each.op == ">|";
    if (writes && (each.descriptor == -1 || each.descriptor == 1)) out = true;
    if (writes && each.descriptor == 2) error = true;
    if (each.op == ">&" && each.descriptor == 2 && each.target.value == "1") error = out;
    if (each.op == ">&" && each.descriptor == -1 && each.target.value != "1" && each.target.value != "2") out = error = true;
  }
  return out && error;
}

}  // namespace

ScriptReader::ScriptReader(std::string_view text, CommandState& state, bool exit_on_error)
    : state_(state),
      script_(parse_shell(text, state.flavor.is_bash())),
      variables_(state.container),
      exit_on_error_(exit_on_error) {}

RunTime ScriptReader::read() {
  RunTime run;
  for (const ShellScript::Line& line : script_.lines) {
    for (Index item = script_.node(line.node).first_child; item != kNone; item = script_.node(item).next) {
      add_item(run, item, kTopLevel);
    }
  }
  if (run.passed_possibly && script_.end == ShellScript::End::kSyntaxError) {
    // The line is refused before any of it runs.
    Scope scope(state_, run.passed_certainly);
    state_.note_mistake(state_.env_used ? "syntax error in a script that env gives" : "syntax error in the script: " + script_.what);
    run = in_sequence(run, RunTime::failing());
  } else if (run.passed_possibly && script_.end == ShellScript::End::kUnsupported) {
    run = in_sequence(run, state_.not_known(script_.what + " in the script: how long it takes is not known"));
  }
  return read_end_of_script(run);
}

RunTime ScriptReader::read_end_of_script(RunTime run) {
  for (const Job& job : jobs_) {
    if (!job.holds_output) continue;
    // With the run itself its start is counted at the latest possible moment.
    state_.left.push_back({job.level == kTopLevel && state_.scripts == 1 ? job.started.max : run.max, job.run});
  }
  return with_exit_trap(run);
}

RunTime ScriptReader::with_exit_trap(RunTime run) {
  if (!exit_trap_ || run.never_ends) return as_process(run);
  const std::string action = *std::exchange(exit_trap_, std::nullopt);
  RunTime before = as_process(run);
  Scope scope(state_, exit_trap_certain_);
  RunTime trap = ScriptReader(action, state_, false).read();
  if (!exit_trap_certain_) trap.min = 0;
  RunTime whole = in_sequence(before, trap);
  whole.can_succeed = before.can_succeed;
  whole.can_fail = before.can_fail;
  return whole;
}

// One item of a list, behind what has passed. `wait` needs to know when the jobs of this list began.
void ScriptReader::add_item(RunTime& passed, Index item, std::uint64_t level) {
  if (!passed.passed_possibly) return;
  const ShellNode& node = script_.node(item);
  Scope scope(state_, passed.passed_certainly);
  if (node.background) {
    Job job{read_process(item), passed, level, !frees_output(script_.redirections_of(node))};
    if (job.run.max > 0) jobs_.push_back(std::move(job));
    last_ = RunTime::instant();
    return;
  }
  std::vector<CommandWord> words;
  RunTime run;
  if (is_wait(node)) {
    run = read_words(node, words);
    run = in_sequence(run, read_wait(CommandWords(words).subspan(1), &passed, level));
  } else {
    run = read_node(item);
  }
  last_ = run;
  const bool may_trip = exit_on_error_ && conditions_ == 0 && run.may_trip && run.can_fail;
  passed = in_sequence(passed, run);
  if (!may_trip) return;
  passed.passed_certainly = false;
  passed.exits_possibly = passed.exit_can_fail = true;
  if (!run.can_succeed) {
    passed.passed_possibly = passed.passed_normally = false;
    passed.exits_normally = true;
  }
}

RunTime ScriptReader::read_node(Index index) {
  if (state_.depth >= CommandState::kMaxDepth) return state_.not_known("commands nested more than 120 deep");
  if (!state_.charge(1)) return RunTime::unknown();
  ++state_.depth;
  const ShellNode& node = script_.node(index);
  const RunTime run = node.kind == Kind::kSimple ? read_simple(node) : with_redirections(read_kind(node), node);
  --state_.depth;
  return run;
}

RunTime ScriptReader::read_kind(const ShellNode& node) {
  switch (node.kind) {
    case Kind::kSimple: break;
    case Kind::kTest: {
      if (state_.flavor == ShellFlavor::kDash) state_.note_problem("dash has no [[, the command fails there");
      RunTime run = RunTime::instant(true);
      run.polls = true;
      return run;
    }
    case Kind::kArithmetic: {
      const auto value = arithmetic(script_.words_of(node).front().text);
      RunTime run = RunTime::instant(true);
      if (value && turns_ > 0 && state_.flavor == ShellFlavor::kBash) {
        run.can_fail = run.may_trip = *value == 0;
        run.can_succeed = *value != 0;
      }
      return run;
    }
    case Kind::kPipeline: return read_pipeline(node);
    case Kind::kAndOr: return read_and_or(node);
    case Kind::kSequence: return read_list(node);
    case Kind::kNot: {
      ++conditions_;
      RunTime run = read_node(node.first_child);
      --conditions_;
      std::swap(run.can_succeed, run.can_fail);
      run.may_trip = false;
      return run;
    }
    case Kind::kTime:
    case Kind::kGroup: return read_node(node.first_child);
    case Kind::kSubshell: return read_process(node.first_child);
    case Kind::kIf: return read_if(node);
    case Kind::kWhile:
    case Kind::kUntil: {
      const Index condition = node.first_child;
      const bool until = node.kind == Kind::kUntil;
      return run_turns(
          [this, condition, until] {
            RunTime run = read_condition(condition);
            if (until) std::swap(run.can_succeed, run.can_fail);
            return run;
          },
          [this, condition] { return read_node(script_.node(condition).next); });
    }
    case Kind::kFor: return read_for(node);
    case Kind::kArithmeticFor: return read_arithmetic_for(node);
    case Kind::kCase: return read_case(node);
    case Kind::kCaseArm: break;
    case Kind::kFunction: functions_[script_.words_of(node).front().value] = node.first_child; break;
  }
  return RunTime::instant();
}

RunTime ScriptReader::with_redirections(RunTime run, const ShellNode& node) {
  bool may_fail = false;
  for (const ShellRedirection& each : script_.redirections_of(node)) {
    if (each.harmless()) continue;
    may_fail = true;
    const bool socket = each.target.value.starts_with("/dev/tcp/") || each.target.value.starts_with("/dev/udp/");
    if (socket && state_.flavor != ShellFlavor::kBash) {
      state_.note_problem("a redirection to " + std::string(each.target.value.substr(0, 8)) + " means a connection in bash only");
    }
  }
  if (!may_fail) return run;
  RunTime failed = RunTime::failing();
  return one_of(run, failed, true);
}

RunTime ScriptReader::read_process(Index index) {
  const ShellVariables::State before = snapshot();
  const bool exit_on_error = exit_on_error_;
  const int breakable = std::exchange(breakable_, 0);
  const auto trap = std::exchange(exit_trap_, std::nullopt);
  const bool trap_certain = exit_trap_certain_;
  const RunTime run = with_exit_trap(read_node(index));
  exit_trap_ = trap;
  exit_trap_certain_ = trap_certain;
  breakable_ = breakable;
  variables_.restore(before);
  exit_on_error_ = exit_on_error;
  return run;
}

RunTime ScriptReader::read_condition(Index index) {
  ++conditions_;
  const RunTime run = read_node(index);
  --conditions_;
  return run;
}

RunTime ScriptReader::read_list(const ShellNode& node) {
  const std::uint64_t level = ++levels_;
  RunTime run;
  for (Index item = node.first_child; item != kNone; item = script_.node(item).next) add_item(run, item, level);
  // Inside the list `set -e` has been looked at.
  if (exit_on_error_ && conditions_ == 0) run.may_trip = false;
  return run;
}

RunTime ScriptReader::read_and_or(const ShellNode& node) {
  RunTime run;
  for (Index item = node.first_child; item != kNone; item = script_.node(item).next) {
    const bool last = script_.node(item).next == kNone;
    const ShellNode::Joiner joiner = script_.node(item).joiner;
    const bool wants_success = joiner == ShellNode::Joiner::kAnd;
    const bool first = joiner == ShellNode::Joiner::kNone;
    if (!first && (!run.passed_possibly || !(wants_success ? run.can_succeed : run.can_fail))) {
      run.may_trip = false;
      continue;
    }
    const bool uncertain = !first && (wants_success ? run.can_fail : run.can_succeed);
    const ShellVariables::State before = snapshot();
    if (!last) ++conditions_;
    RunTime each;
    {
      Scope scope(state_, run.passed_certainly && !uncertain);
      if (!first) last_ = run;
      each = read_node(item);
    }
    if (!last) --conditions_;
    if (uncertain) {
      variables_.merge(before);
      RunTime skipped = RunTime::instant();
      skipped.can_succeed = !wants_success;
      skipped.can_fail = wants_success;
      // As a rule commands succeed, and a way out is for special cases.
      const bool leaves = !each.passed_normally && !each.endless;
      each = one_of(each, skipped, wants_success && !leaves);
    }
    run = in_sequence(run, each);
  }
  return run;
}

RunTime ScriptReader::read_pipeline(const ShellNode& node) {
  RunTime run;
  std::vector<CommandWord> feeding;
  for (Index item = node.first_child; item != kNone; item = script_.node(item).next) {
    const ShellNode& part = script_.node(item);
    const ShellVariables::State before = snapshot();
    std::vector<CommandWord> words;
    const std::span<const ShellToken> tokens = script_.command_of(part);
    const bool echoes = part.kind == Kind::kSimple && tokens.size() >= 2 && tokens[0].value == "echo" && part.next != kNone;
    const bool shell = part.kind == Kind::kSimple && tokens.size() == 1 && !feeding.empty() &&
                       (tokens[0].value == "sh" || tokens[0].value == "bash");
    RunTime each;
    if (shell) {
      std::string text;
      bool certain = true;
      for (const CommandWord& word : CommandWords(feeding).subspan(1)) {
        certain = certain && word.certain;
        text += (text.empty() ? "" : " ") + word.value;
      }
      each = certain ? read_script(text, {}, false, state_) : state_.not_known("the script of a pipe is not known");
    } else if (echoes) {
      each = read_words(part, words);
    } else {
      each = read_process(item);
    }
    variables_.restore(before);
    feeding = std::move(words);
    const bool first = item == node.first_child;
    // Who writes into a pipe that nobody reads any more is ended.
    if (part.next != kNone && each.never_ends) {
      each.never_ends = false;
      each.passed_certainly = each.passed_normally = each.passed_possibly = true;
    }
    run = first ? each : side_by_side(run, each);
  }
  return run;
}

RunTime ScriptReader::read_if(const ShellNode& node) {
  const Index then = script_.node(node.first_child).next;
  const Index other = script_.node(then).next;
  RunTime condition = read_condition(node.first_child);
  if (!condition.passed_possibly) return condition;
  const bool either = condition.can_succeed && condition.can_fail;
  Scope scope(state_, condition.passed_certainly && !either);
  const ShellVariables::State before = snapshot();
  RunTime first;
  RunTime second;
  if (condition.can_succeed) first = read_node(then);
  const ShellVariables::State after = snapshot();
  if (condition.can_fail && other != kNone) {
    if (either) variables_.restore(before);
    second = read_node(other);
    if (either) variables_.merge(after);
  } else if (either) {
    variables_.merge(before);
  }
  first.may_trip = second.may_trip = false;
  if (!either) return in_sequence(condition, condition.can_succeed ? first : second);
  return in_sequence(condition, one_of(first, second, std::nullopt));
}

RunTime ScriptReader::read_case(const ShellNode& node) {
  Scope scope(state_, false);
  expand(script_.words_of(node).front());
  const RunTime subject = std::exchange(substituted_, RunTime());
  const ShellVariables::State before = snapshot();
  std::optional<RunTime> all;
  bool complete = false;
  for (Index arm = node.first_child; arm != kNone; arm = script_.node(arm).next) {
    const ShellNode& each = script_.node(arm);
    for (const ShellToken& pattern : script_.words_of(each)) complete = complete || pattern.text == "*";
    const ShellVariables::State now = snapshot();
    variables_.restore(before);
    RunTime run = each.first_child == kNone ? RunTime() : read_node(each.first_child);
    variables_.merge(now);
    run.may_trip = false;
    all = all ? one_of(*all, run, std::nullopt) : run;
  }
  if (!all) return subject;
  return in_sequence(subject, complete ? *all : one_of(*all, RunTime(), std::nullopt));
}

RunTime read_script(std::string_view script, CommandWords operands, bool exit_on_error, CommandState& state) {
  if (state.scripts >= CommandState::kMaxScripts) return state.not_known("shells started by shells more than 8 deep");
  if (!state.charge(script.size() / 16)) return RunTime::unknown();
  ++state.scripts;
  ScriptReader reader(script, state, exit_on_error);
  reader.set_positional(operands);
  const RunTime run = reader.read();
  --state.scripts;
  return run;
}

}  // namespace shutdown_auditor::audit
