#include <algorithm>
#include <array>

#include "audit/command_state.h"
#include "audit/words.h"
#include "base/text.h"

namespace shutdown_auditor::audit {
namespace {

struct SignalNumber {
  std::string_view number, name;
};
constexpr std::array<SignalNumber, 10> kSignals{{{"1", "HUP"},
                                                 {"2", "INT"},
                                                 {"3", "QUIT"},
                                                 {"9", "KILL"},
                                                 {"10", "USR1"},
                                                 {"12", "USR2"},
                                                 {"15", "TERM"},
                                                 {"18", "CONT"},
                                                 {"19", "STOP"},
                                                 {"28", "WINCH"}}};

// "SIGTERM" for TERM, SIGTERM, term and 15; empty for 0, which signals nothing; as written when not known.
std::string signal_of(std::string_view text) {
  if (text == "0") return {};
  std::string upper;
  for (const char c : text.substr(0, 20)) upper += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  if (upper.starts_with("SIG")) upper.erase(0, 3);
  for (const SignalNumber& each : kSignals) {
    if (upper == each.number) upper = each.name;
  }
  return "SIG" + upper;
}

// What a server may take as the order to finish its work.
bool may_stop(std::string_view signal) {
  static constexpr std::array<std::string_view, 6> kStops{"SIGTERM", "SIGQUIT", "SIGINT", "SIGUSR1", "SIGUSR2", "SIGWINCH"};
  return std::find(kStops.begin(), kStops.end(), signal) != kStops.end();
}

struct Order {
  std::string signal = "SIGTERM";
  std::string written;  // the name as an option of kill, when it has SIG in front
  bool lists = false;   // kill -l
  std::vector<const CommandWord*> targets;
};

// -TERM, -15, -s TERM, -n 15, --signal TERM, in front of the targets; other options are left out.
Order read_order(CommandWords operands, std::string_view with_value) {
  Order order;
  bool options = true;
  for (std::size_t i = 0; i < operands.size(); ++i) {
    const CommandWord& word = operands[i];
    const std::string_view value = word.value;
    if (!options || !word.certain || value.size() < 2 || value[0] != '-') {
      order.targets.push_back(&word);
      continue;
    }
    if (value == "--") {
      options = false;
    } else if (value == "-l" || value == "-L") {
      order.lists = true;
    } else if (value == "-s" || value == "-n" || value == "--signal") {
      if (++i >= operands.size()) break;
      order.signal = signal_of(operands[i].value);
      if (operands[i].value.starts_with("SIG")) order.written = operands[i].value;
    } else if (value.starts_with("--signal=")) {
      order.signal = signal_of(value.substr(9));
    } else if (value.size() == 2 && with_value.find(value[1]) != std::string_view::npos) {
      ++i;
    } else if ((value[1] >= '0' && value[1] <= '9') || (value[1] >= 'A' && value[1] <= 'Z' && value.size() > 2)) {
      order.signal = signal_of(value.substr(1));
      if (value.starts_with("-SIG")) order.written = value.substr(1);
    }
  }
  return order;
}

void send(const std::string& signal, const std::string& target, CommandState& state) {
  if (signal.empty()) {
    state.watches = true;
    return;
  }
  state.note_signal(signal + " to " + target);
  if (may_stop(signal)) {
    state.starts_drain = true;
    state.signalled = true;
  }
}

RunTime read_kill(CommandWords words, CommandState& state, bool in_shell) {
  const Order order = read_order(words.subspan(1), "q");
  RunTime run = RunTime::instant(true);
  run.polls = order.signal.empty();
  if (order.lists) return run;
  if (order.targets.empty()) {
    state.note_mistake("kill names no process");
    return RunTime::failing();
  }
  const bool built_in = in_shell && words.front().value == "kill";
  if (built_in && !order.written.empty() && state.flavor == ShellFlavor::kDash) {
    state.note_mistake("dash refuses the signal name " + state.shown(order.written, 20) + ": write it without SIG");
    return RunTime::failing();
  }
  if (built_in && !order.written.empty() && state.flavor == ShellFlavor::kUnknown) {
    state.note_problem("where sh is dash, kill refuses the signal name " + state.shown(order.written, 20) +
                       ": write it without SIG");
  }
  for (const CommandWord* target : order.targets) {
    if (order.signal == "SIGKILL" && target->is("1")) {
      state.note_mistake("process 1 cannot be killed by SIGKILL from inside its container");
    } else if (target->is("1")) {
      send(order.signal, "process 1", state);
    } else if (target->value.find("pid") != std::string::npos) {
      send(order.signal, "the process of " + base::quoted(target->value, 60), state);
    } else {
      send(order.signal, "process " + base::quoted(target->value, 40), state);
    }
  }
  return run;
}

RunTime read_pkill(CommandWords words, CommandState& state) {
  const Order order = read_order(words.subspan(1), "gGPtuUFo");
  for (const CommandWord* target : order.targets) {
    if (target->certain) {
      send(order.signal, base::truncate_utf8(base_name(target->value), 60), state);
    } else {
      send(order.signal, "a process", state);
    }
  }
  RunTime run = RunTime::instant(true);
  run.polls = order.signal.empty();
  return run;
}

// nginx -s quit, apachectl -k graceful-stop, nats-server -sl=quit: tell a server that runs already.
std::optional<RunTime> read_control(CommandWords words, CommandState& state) {
  const std::string_view name = base_name(words.front().value);
  const bool nginx = name == "nginx" || name == "openresty" || name == "tengine";
  const bool apache = name == "apachectl" || name == "apache2ctl" || name == "httpd" || name == "apache2";
  for (std::size_t i = 1; i < words.size(); ++i) {
    const std::string_view value = words[i].value;
    const std::string_view next = i + 1 < words.size() ? std::string_view(words[i + 1].value) : std::string_view();
    if (nginx && (value == "-s" || (value.starts_with("-s") && value.size() > 2))) {
      const std::string_view order = value == "-s" ? next : value.substr(2);
      if (order == "quit") state.starts_drain = true;
      if (order == "quit" || order == "stop") {
        state.note_signal((order == "quit" ? "SIGQUIT to " : "SIGTERM to ") + std::string(name));
      }
      if (order == "stop") state.note_problem(std::string(name) + " -s stop drops open connections; -s quit finishes them");
      return RunTime::instant(true);
    }
    if (apache && (value == "-k" || i == 1)) {
      const std::string_view order = value == "-k" ? next : value;
      if (order != "graceful-stop" && order != "stop" && order != "graceful" && order != "restart") continue;
      if (order == "graceful-stop") state.starts_drain = true;
      if (order == "graceful-stop" || order == "stop") {
        state.note_signal((order == "stop" ? "SIGTERM to " : "SIGWINCH to ") + std::string(name));
      }
      return RunTime::instant(true);
    }
    if (name == "nats-server" && (value.starts_with("-sl") || value.starts_with("--signal"))) {
      const std::string_view order = value.find('=') == std::string_view::npos ? next : value.substr(value.find('=') + 1);
      if (order.starts_with("ldm") || order.starts_with("quit") || order.starts_with("term")) state.starts_drain = true;
      state.note_signal("the signal " + base::truncate_utf8(order.substr(0, order.find('=')), 20) + " to nats-server");
      return RunTime::instant(true);
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<RunTime> read_signal_command(CommandWords words, CommandState& state, bool in_shell) {
  const std::string_view name = base_name(words.front().value);
  if (name == "kill") return read_kill(words, state, in_shell);
  if (name == "pkill" || name == "killall" || name == "killall5") return read_pkill(words, state);
  return read_control(words, state);
}

}  // namespace shutdown_auditor::audit
