#include "audit/shell_main.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <unordered_map>
#include <utility>

#include "audit/shell_syntax.h"
#include "audit/words.h"
#include "base/text.h"

namespace shutdown_auditor::audit {
namespace {

using Fate = ShellMain::Fate;
using Kind = ShellNode::Kind;
using Index = std::uint32_t;
constexpr Index kNone = ShellNode::kNone;

// Commands that are over at once, or do not run a program of their own: never what a container is for.
constexpr std::array<std::string_view, 52> kPassing{
    ":",     ".",     "[",      "alias", "basename", "break",  "cat",    "cd",     "chmod",   "chown",    "continue",
    "cp",    "date",  "declare", "dirname", "echo",  "envsubst", "exit", "export", "false",   "grep",     "hostname",
    "id",    "install", "kill", "ln",    "local",    "ls",     "mkdir",  "mv",     "printenv", "printf",  "pwd",
    "read",  "readonly", "return", "rm", "sed",      "set",    "shift",  "shopt",  "source",  "stty",     "test",
    "touch", "trap",  "true",   "ulimit", "umask",   "unset",  "wait",   "whoami"};

bool is_passing(std::string_view name) { return std::find(kPassing.begin(), kPassing.end(), name) != kPassing.end(); }
// How the program stands in the script.
struct Place {
  Index node = kNone;
  std::size_t skip = 0;      // words in front of the program: exec, command
  bool exec = false;
  bool eval = false;
  bool followed = false;     // the script goes on
  bool pipe = false;
  bool background = false;
  bool loop = false;
  bool function = false;
  bool negated = false;      // ! or time
  bool compound = false;     // inside if, case, { } or ( )
  bool brackets = false;     // inside ( )
  bool redirected = false;   // a compound command around it has redirections
  bool depends = false;      // another branch is started otherwise
};

// Finds the last command that is no passing one.
class MainFinder {
 public:
  explicit MainFinder(const ShellScript& script) : script_(script), visited_(script.nodes.size(), false) {
    for (Index i = 0; i < script.nodes.size(); ++i) {
      if (script.nodes[i].kind == Kind::kFunction) functions_[script.words_of(script.nodes[i]).front().value] = i;
    }
  }

  std::optional<Place> find() {
    for (const bool round : {false, true}) {
      second_round_ = round;
      std::fill(visited_.begin(), visited_.end(), false);
      for (std::size_t i = script_.lines.size(); i-- > 0;) {
        Place place;
        place.followed = i + 1 < script_.lines.size();
        if (const auto found = in(script_.lines[i].node, place)) return found;
      }
    }
    return std::nullopt;
  }

 private:
  // As deep as the parser allows, times the calls of functions in functions. Every node is looked at once.
  std::optional<Place> in(Index index, Place place) {
    if (index == kNone || visited_[index]) return std::nullopt;
    visited_[index] = true;
    const ShellNode& node = script_.node(index);
    place.redirected = place.redirected || (node.redirections > 0 && node.kind != Kind::kSimple);
    switch (node.kind) {
      case Kind::kSimple: return in_simple(index, place);
      case Kind::kTest:
      case Kind::kArithmetic:
      case Kind::kFunction: return std::nullopt;
      case Kind::kAndOr:
      case Kind::kSequence: return in_last(node, place);
      case Kind::kPipeline:
        place.pipe = true;
        return in_first(node, place);
      case Kind::kNot:
      case Kind::kTime: place.negated = true; return in(node.first_child, place);
      case Kind::kSubshell: place.brackets = true; [[fallthrough]];
      case Kind::kGroup: place.compound = true; return in(node.first_child, place);
      case Kind::kIf: {
        place.compound = true;
        const Index then = script_.node(node.first_child).next;
        if (auto found = either(then, place)) return found;
        place.followed = true;
        return in(node.first_child, place);
      }
      case Kind::kWhile:
      case Kind::kUntil: place.loop = true; return in_last(node, place);
      case Kind::kFor:
      case Kind::kArithmeticFor: place.loop = true; return in(node.first_child, place);
      case Kind::kCase: place.compound = true; return either(node.first_child, place);
      case Kind::kCaseArm: return in(node.first_child, place);
    }
    return std::nullopt;
  }

  // Siblings of which one runs.
  std::optional<Place> either(Index first, const Place& place) {
    std::optional<Place> chosen;
    for (Index branch = first; branch != kNone; branch = script_.node(branch).next) {
      const auto found = in(branch, place);
      if (!found) continue;
      if (!chosen) {
        chosen = found;
      } else {
        chosen->depends = chosen->depends || found->depends || found->exec != chosen->exec;
      }
    }
    return chosen;
  }

  std::optional<Place> in_first(const ShellNode& parent, const Place& place) {
    for (Index child = parent.first_child; child != kNone; child = script_.node(child).next) {
      if (auto found = in(child, place)) return found;
    }
    return std::nullopt;
  }

  std::optional<Place> in_last(const ShellNode& parent, const Place& place) {
    std::vector<Index> children;
    for (Index child = parent.first_child; child != kNone; child = script_.node(child).next) children.push_back(child);
    for (std::size_t i = children.size(); i-- > 0;) {
      Place each = place;
      each.followed = place.followed || i + 1 < children.size();
      each.background = place.background || script_.node(children[i]).background;
      if (auto found = in(children[i], each)) return found;
    }
    return std::nullopt;
  }

  std::optional<Place> in_simple(Index index, Place place) {
    const std::span<const ShellToken> words = script_.command_of(script_.node(index));
    std::size_t i = 0;
    for (; i < words.size(); ++i) {
      const std::string_view value = words[i].literal() ? std::string_view(words[i].value) : std::string_view();
      if (value == "exec") {
        place.exec = true;
      } else if (value == "eval") {
        place.eval = true;
      } else if (i > 0 && value.size() > 1 && value[0] == '-') {
        if (value == "-a") ++i;  // exec -a NAME
      } else if (value != "command" && value != "builtin") {
        break;
      }
    }
    if (i >= words.size()) return std::nullopt;
    place.node = index;
    place.skip = i;
    const ShellToken& program = words[i];
    if (!program.literal()) return place;
    if (const auto function = functions_.find(program.value); function != functions_.end() && !place.exec) {
      if (calls_ >= kMaxCalls) return std::nullopt;
      place.function = true;
      ++calls_;
      const auto found = in(script_.node(function->second).first_child, place);
      --calls_;
      return found;
    }
    const std::string_view name = base_name(program.value);
    if (is_passing(name) && !place.exec) return std::nullopt;
    const std::string_view operand = i + 1 < words.size() ? std::string_view(words[i + 1].value) : std::string_view();
    const bool pause = name == "sleep" && operand != "infinity" && operand != "inf";
    return pause && !second_round_ ? std::nullopt : std::optional(place);
  }

  static constexpr int kMaxCalls = 8;
  const ShellScript& script_;
  std::vector<bool> visited_;
  std::unordered_map<std::string_view, Index> functions_;
  int calls_ = 0;
  bool second_round_ = false;  // then a pause will do
};

struct Traps {
  bool any = false;   // something runs on a signal
  bool term = false;
  bool exit = false;
};

Traps traps_of(const ShellScript& script) {
  Traps traps;
  for (const ShellNode& node : script.nodes) {
    if (node.kind != Kind::kSimple) continue;
    const std::span<const ShellToken> words = script.command_of(node);
    if (words.size() < 3 || words[0].value != "trap") continue;
    const std::size_t action = words[1].value == "--" ? 2 : 1;
    if (words[action].value == "-" || (words[action].literal() && words[action].value.empty())) continue;
    for (const ShellToken& word : words.subspan(action + 1)) {
      const std::string signal = base::to_lower(word.value);
      traps.any = true;
      traps.term = traps.term || signal == "term" || signal == "sigterm" || signal == "15";
      traps.exit = traps.exit || signal == "exit" || signal == "0";
    }
  }
  return traps;
}

struct Verdict {
  Fate fate = Fate::kStays;
  std::string_view reason;
};

// Only the last line's last command is given the shell's place, when it is a simple one and nothing is left to do.
Verdict bash_keeps(const ShellScript& script, const Place& place, bool rest) {
  if (place.compound) return {Fate::kStays, "the program runs inside brackets, if or case"};
  const ShellNode& node = script.node(place.node);
  if (node.redirections > 0) return {Fate::kStays, "bash stays for a command with a redirection"};
  if (rest) return {Fate::kStays, "the script goes on with empty lines or comments after the program"};
  Index last = script.node(script.lines.back().node).first_child;
  Index before = kNone;
  while (script.node(last).next != kNone) before = std::exchange(last, script.node(last).next);
  if (last == place.node) {
    if (before == kNone || !script.node(before).background) return {Fate::kReplaced, ""};
  } else if (before == kNone) {
    return {Fate::kReplaced, ""};  // the end of && or ||
  }
  return {Fate::kStays, "bash stays for a list of this shape"};
}

class Judge {
 public:
  Judge(const ShellScript& script, const Place& place, bool rest)
      : script_(script), place_(place), rest_(rest), traps_(traps_of(script)) {}

  Verdict in(ShellFlavor flavor) const {
    const Verdict verdict = without_traps(flavor);
    if (verdict.fate != Fate::kStays) return verdict;
    if (traps_.term) return {Fate::kTraps, "the script has a trap for SIGTERM"};
    if (traps_.exit && flavor == ShellFlavor::kBash) {
      return {Fate::kDies, "bash with a trap for EXIT ends at once on SIGTERM, and the program with it"};
    }
    return verdict;
  }

 private:
  Verdict without_traps(ShellFlavor flavor) const {
    if (place_.pipe) return {Fate::kStays, "the program runs in a pipe"};
    if (place_.background) return {Fate::kStays, "the program runs in the background"};
    if (place_.exec && !place_.brackets) return {Fate::kReplaced, ""};
    if (place_.loop) return {Fate::kStays, "the program runs in a loop"};
    if (place_.followed) return {Fate::kStays, "the script goes on after the program"};
    if (place_.function) return {Fate::kStays, "the program runs in a function"};
    if (place_.negated) return {Fate::kStays, "the shell waits for the program's status"};
    if (place_.eval) return {Fate::kStays, "the program is started by eval"};
    if (flavor == ShellFlavor::kDash) return {Fate::kStays, "dash waits for its last command unless exec is written"};
    if (traps_.any) return {Fate::kStays, "the script sets a trap"};
    if (flavor == ShellFlavor::kBash) return bash_keeps(script_, place_, rest_);
    if (script_.lines.back().newline) {
      return {Fate::kStays, "the script ends in a newline, busybox then waits for its last command unless exec is written"};
    }
    if (place_.redirected) return {Fate::kStays, "the brackets around the program have a redirection"};
    return {Fate::kReplaced, ""};
  }

  const ShellScript& script_;
  const Place& place_;
  bool rest_;  // something follows the last line
  Traps traps_;
};

Verdict judge(const Judge& judge, ShellFlavor flavor) {
  if (flavor != ShellFlavor::kUnknown) return judge.in(flavor);
  const Verdict dash = judge.in(ShellFlavor::kDash);
  if (judge.in(ShellFlavor::kBash).fate == dash.fate && judge.in(ShellFlavor::kAsh).fate == dash.fate) return dash;
  return {Fate::kUnknown, "the manifest does not tell which shell sh is: without exec, dash waits for the program where "
                          "others may give it their place"};
}

}  // namespace

ShellMain shell_main(std::string_view text, ShellFlavor flavor) {
  ShellMain result;
  const ShellScript script = parse_shell(text, flavor == ShellFlavor::kBash);
  if (script.end != ShellScript::End::kComplete) {
    const bool wrong = script.end == ShellScript::End::kSyntaxError;
    result.reason = (wrong ? "syntax error in the script: " : "the script is not understood: ") + script.what;
    return result;
  }
  const std::optional<Place> place = MainFinder(script).find();
  if (!place) {
    result.reason = "the script starts no program";
    return result;
  }
  const ShellNode& node = script.node(place->node);
  const auto as_written = [](const ShellToken& word) { return word.literal() ? word.value : std::string(word.text); };
  for (const ShellToken& word : script.command_of(node).subspan(place->skip)) result.argv.push_back(as_written(word));
  for (const ShellToken& word : script.words_of(node).first(node.assignments)) {
    const std::size_t equals = word.text.find('=');
    const std::size_t end = equals > 0 && word.text[equals - 1] == '+' ? equals - 1 : equals;
    const std::string value = as_written(word);
    result.assignments.emplace_back(word.text.substr(0, end), value.substr(value.find('=') + 1));
  }
  const bool calculated = place->eval && (result.argv.size() == 1 || !script.command_of(node)[place->skip].literal());
  if (calculated) {
    result.reason = "the program is started by eval";
  } else if (place->depends) {
    result.reason = "a condition decides how the program is started";
  } else {
    const Verdict verdict = judge(Judge(script, *place, script.lines.back().end < text.size()), flavor);
    result.fate = verdict.fate;
    result.reason = verdict.reason;
  }
  return result;
}

}  // namespace shutdown_auditor::audit
