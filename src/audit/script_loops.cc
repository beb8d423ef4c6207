// The loops of a script.
#include <utility>

#include "audit/script_reader.h"
#include "base/text.h"

namespace shutdown_auditor::audit {

namespace {

constexpr int kMaxTurns = 5000;

}  // namespace

// A loop. Turns are read one by one while variables change; when one changes nothing, neither will the next.
RunTime ScriptReader::run_turns(const Turn& condition, const Turn& body) {
  RunTime run;
  const bool watched_before = std::exchange(state_.watches, false);
  const bool drains = state_.starts_drain;
  bool sure = true;            // this turn is reached for certain
  bool may_end = false;        // some way leads out of the loop
  bool early = false;          // the end may come before the last turn
  bool endless = false;
  bool torn = false;           // some way out leads from the middle of a turn
  std::optional<ShellVariables::State> left;  // variables where the loop may have ended before
  bool may_fail = false;       // some turn may end with an error, and it may be the last
  ++turns_;
  ++breakable_;
  for (int turn = 0;; ++turn) {
    const ShellVariables::State before = snapshot();
    if (turn >= kMaxTurns || !state_.charge(2)) {
      run = in_sequence(run, state_.not_known("a loop of more than " + std::to_string(turn) + " turns is not read"));
      may_end = true;
      break;
    }
    Scope scope(state_, sure);
    RunTime each = condition();
    const bool ends = !each.can_succeed;
    const bool may_go = each.can_fail;
    may_end = may_end || may_go;
    early = early || (may_go && !ends);
    if (each.passed_possibly && !ends) {
      Scope inner(state_, !may_go);
      if (may_go) {
        const ShellVariables::State now = snapshot();
        if (left) {
          variables_.merge(*left);
          left = snapshot();
          variables_.restore(now);
        } else {
          left = now;
        }
      }
      RunTime inside = body();
      if (inside.continues_possibly && inside.passed_possibly) variables_.forget_assigned();
      torn = torn || (inside.breaks_possibly && (inside.passed_possibly || inside.continues_possibly));
      may_end = may_end || inside.breaks_possibly;
      may_fail = may_fail || inside.can_fail;
      early = early || (inside.breaks_possibly && !inside.breaks_normally) ||
              (inside.exits_possibly && !inside.exits_normally);
      if (may_go) inside = one_of(inside, RunTime(), true);
      each = in_sequence(each, inside);
    }
    if (!sure) {
      each.min = 0;
      each.never_ends = false;
    }
    const bool goes_on = !ends && (each.passed_possibly || each.continues_possibly);
    each.passed_certainly = !each.exits_possibly && !each.never_ends;
    each.passed_normally = !each.exits_normally;
    each.passed_possibly = !each.never_ends;
    sure = sure && !may_go && !each.breaks_possibly && !each.exits_possibly;
    run = in_sequence(run, each);
    if (!goes_on || run.never_ends) {
      may_end = may_end || ends || run.breaks_possibly;
      break;
    }
    if (snapshot() == before) {
      endless = true;
      break;
    }
  }
  --turns_;
  --breakable_;
  if (left) variables_.merge(*left);
  if (torn) variables_.forget_assigned();
  run.breaks_possibly = run.breaks_normally = run.continues_possibly = false;
  run.can_succeed = true;
  run.can_fail = may_fail;
  run.may_trip = false;
  if (endless) {
    if (drains && state_.watches) state_.waits_for_drain = true;
    state_.endless_reason = "a loop goes on until something outside it happens";
    run.endless = true;
    run.max = kEndless;
    run.nominal.reset();
    run.never_ends = !may_end && !run.exits_possibly && !state_.signalled;
    if (run.never_ends) {
      run.min = 0;
      run.passed_certainly = run.passed_normally = run.passed_possibly = false;
    }
  } else if (early && run.min != run.max) {
    run.nominal.reset();
  }
  state_.watches = state_.watches || watched_before;
  return run;
}

RunTime ScriptReader::read_for(const ShellNode& node) {
  const std::span<const ShellToken> words = script_.words_of(node);
  std::vector<std::string> values;
  std::size_t least = 0;
  std::string why;
  bool likely = true;
  if (!node.has_values) {
    likely = false;
    why = "the operands of the script are not known";
  }
  for (const ShellToken& word : words.subspan(1)) {
    ShellFields fields = expand(word);
    const bool range = word.text.front() == '{' && fields.fields.size() > 1;
    if (word.pattern && fields.certain && !range) fields.certain = fields.likely = false;
    if (!state_.charge(fields.fields.size())) return RunTime::unknown();
    likely = likely && fields.likely;
    least += fields.certain || fields.least > 0 ? fields.least : 0;
    if (why.empty()) why = fields.why;
    values.insert(values.end(), fields.fields.begin(), fields.fields.end());
  }
  const RunTime head = std::exchange(substituted_, RunTime());
  const Index body = node.first_child;
  const std::string_view name = words.front().value;
  if (!likely) {
    Scope scope(state_, false);
    variables_.set(name, std::nullopt);
    ++breakable_;
    RunTime inside = read_node(body);
    --breakable_;
    variables_.forget_all();
    inside.breaks_possibly = inside.breaks_normally = inside.continues_possibly = false;
    if (inside.max > 0) inside = in_sequence(inside, state_.not_known("how often a loop runs is not known: " + why));
    inside.min = 0;
    inside.can_succeed = true;
    inside.never_ends = inside.may_trip = false;
    inside.passed_certainly = !inside.exits_possibly;
    inside.passed_possibly = true;
    return in_sequence(head, inside);
  }
  std::size_t at = 0;
  const bool certain = least == values.size();
  RunTime run = run_turns(
      [&] {
        RunTime step;
        if (at >= values.size()) return RunTime::failing();
        step.can_fail = at >= least;
        // The variable differs from turn to turn, also when its value does not.
        variables_.set("loop turn", std::to_string(at));
        variables_.set(name, certain ? std::optional(values[at]) : std::nullopt);
        ++at;
        return step;
      },
      [this, body] { return read_node(body); });
  variables_.set("loop turn", std::nullopt);
  return in_sequence(head, run);
}

RunTime ScriptReader::read_arithmetic_for(const ShellNode& node) {
  const std::vector<std::string_view> parts = base::split(script_.words_of(node).front().text, ';');
  if (parts.size() != 3) return state_.not_known("a loop is not read");
  arithmetic(parts[0]);
  return run_turns(
      [&] {
        const auto value = base::trim(parts[1]).empty() ? std::optional<std::int64_t>(1) : arithmetic(parts[1]);
        RunTime run = RunTime::instant();
        run.can_succeed = !value || *value != 0;
        run.can_fail = !value || *value == 0;
        return run;
      },
      [&] {
        const RunTime run = read_node(node.first_child);
        arithmetic(parts[2]);
        return run;
      });
}

}  // namespace shutdown_auditor::audit
