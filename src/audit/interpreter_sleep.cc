#include <algorithm>
#include <array>

#include "audit/command_state.h"
#include "audit/sleep_operand.h"
#include "base/text.h"

namespace shutdown_auditor::audit {
namespace {

// Seconds as a literal number of a program, to milliseconds.
std::optional<std::int64_t> number_ms(std::string_view text, std::int64_t unit_ms = 1000) {
  text = base::trim(text);
  if (text.empty() || text.find_first_not_of("0123456789.") != std::string_view::npos) return std::nullopt;
  const SleepOperand operand = parse_sleep_operand(text);
  if (operand.kind != SleepOperand::Kind::kTime) return std::nullopt;
  return unit_ms == 1000 ? operand.ms : operand.ms / 1000;
}

// The argument of `function`(…) when the statement is nothing but that call.
std::optional<std::string_view> argument_of(std::string_view statement, std::string_view function) {
  if (!statement.starts_with(function)) return std::nullopt;
  statement = base::trim(statement.substr(function.size()));
  if (statement.size() < 2 || statement.front() != '(' || statement.back() != ')') return std::nullopt;
  return statement.substr(1, statement.size() - 2);
}

struct Statement {
  std::string_view text;
  std::size_t indent = 0;
};

// Lines and what ; separates in them. Quotes are not looked at: what is cut wrongly is not recognised.
std::vector<Statement> statements_of(std::string_view code) {
  std::vector<Statement> statements;
  for (const std::string_view line : base::split(code, '\n')) {
    const std::size_t indent = std::min(line.find_first_not_of(" \t"), line.size());
    for (const std::string_view part : base::split(line, ';')) {
      const std::string_view text = base::trim(part);
      if (!text.empty() && text.front() != '#') statements.push_back({text, indent});
    }
  }
  return statements;
}

// time.sleep(N), imports, print, and a loop up to `deadline = time.time() + N`.
class PythonReader {
 public:
  PythonReader(std::string_view code, CommandState& state) : statements_(statements_of(code)), state_(state) {}

  RunTime read() {
    RunTime run;
    while (at_ < statements_.size()) {
      const std::string_view text = statements_[at_].text;
      if (text.starts_with("while ")) {
        run = in_sequence(run, read_loop());
        continue;
      }
      run = in_sequence(run, read_statement(text));
      ++at_;
    }
    return run;
  }

 private:
  RunTime read_statement(std::string_view text) {
    for (const std::string_view function : {"time.sleep", "sleep"}) {
      const auto argument = argument_of(text, function);
      if (!argument) continue;
      const auto ms = number_ms(*argument);
      return ms ? RunTime::exactly(*ms) : state_.not_known("the time in " + state_.shown(text) + " is not read");
    }
    for (const std::string_view harmless : {"import ", "from ", "print(", "pass"}) {
      if (text.starts_with(harmless)) return RunTime::instant();
    }
    const std::size_t equals = text.find('=');
    if (equals != std::string_view::npos) {
      const std::string_view value = base::trim(text.substr(equals + 1));
      for (const std::string_view clock : {"time.time()", "time.monotonic()"}) {
        if (!value.starts_with(clock)) continue;
        const std::string_view rest = base::trim(value.substr(clock.size()));
        const auto ms = rest.starts_with("+") ? number_ms(rest.substr(1)) : std::nullopt;
        if (!ms) break;
        deadline_ = base::trim(text.substr(0, equals));
        deadline_ms_ = *ms;
        return RunTime::instant();
      }
    }
    if (text.find("urlopen(") != std::string_view::npos) {
      if (text.find("drain") != std::string_view::npos) state_.starts_drain = true;
      return RunTime::instant();  // a call of its own admin port: taken as quick
    }
    return state_.not_known("the Python statement " + state_.shown(text) + " is not read");
  }

  // The body runs once for certain, and is not begun after the deadline.
  RunTime read_loop() {
    const Statement loop = statements_[at_++];
    const bool bounded = !deadline_.empty() && loop.text.find("< " + std::string(deadline_)) != std::string_view::npos &&
                         loop.text.find(" or ") == std::string_view::npos;
    RunTime body;
    for (; at_ < statements_.size() && statements_[at_].indent > loop.indent; ++at_) {
      const std::string_view text = statements_[at_].text;
      const bool control = text == "break" || text == "continue" || text.starts_with("if ") || text.starts_with("else:") ||
                           text.starts_with("try:") || text.starts_with("except");
      if (!control) body = in_sequence(body, read_statement(text));
    }
    if (!bounded || body.max == kEndless) {
      return state_.not_known("the Python loop " + state_.shown(loop.text) + " is not read");
    }
    return RunTime::within(body.min, std::nullopt, saturating_add(deadline_ms_, body.max));
  }

  std::vector<Statement> statements_;
  CommandState& state_;
  std::size_t at_ = 0;
  std::string_view deadline_;
  std::int64_t deadline_ms_ = 0;
};

// setTimeout(…, N), the only thing that keeps node alive.
RunTime read_node(std::string_view code, CommandState& state) {
  std::string_view text = base::trim(code);
  while (text.ends_with(";")) text = base::trim(text.substr(0, text.size() - 1));
  const auto arguments = argument_of(text, "setTimeout");
  if (arguments) {
    const std::size_t comma = arguments->rfind(',');
    const std::string_view call = base::trim(arguments->substr(0, std::min(comma, arguments->size())));
    const bool idle = call == "()=>{}" || call == "() => {}" || call == "function(){}" || call == "function() {}" ||
                      call == "()=>process.exit(0)" || call == "() => process.exit(0)" || call == "process.exit";
    const auto ms = comma == std::string_view::npos ? std::nullopt : number_ms(arguments->substr(comma + 1), 1);
    if (idle && ms) return RunTime::exactly(*ms);
  }
  return state.not_known("the JavaScript " + state.shown(text) + " is not read");
}

// sleep N and sleep(N), as perl and ruby write it.
RunTime read_plain(std::string_view language, std::string_view code, CommandState& state) {
  RunTime run;
  for (const Statement& statement : statements_of(code)) {
    auto argument = argument_of(statement.text, "sleep");
    if (!argument && statement.text.starts_with("sleep ")) argument = statement.text.substr(6);
    auto ms = argument ? number_ms(*argument) : std::nullopt;
    if (!ms) {
      return in_sequence(run, state.not_known("the " + std::string(language) + " statement " +
                                              state.shown(statement.text) + " is not read"));
    }
    if (language == "perl") *ms -= *ms % 1000;  // whole seconds only
    run = in_sequence(run, RunTime::exactly(*ms));
  }
  return run;
}

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  for (const std::string_view part : base::split(text, ' ')) {
    if (!base::trim(part).empty()) words.emplace_back(base::trim(part));
  }
  return words;
}

// Start-Sleep [-Seconds|-s] N | -Milliseconds N
RunTime read_powershell(std::string_view code, CommandState& state) {
  RunTime run;
  for (const Statement& statement : statements_of(code)) {
    const std::vector<std::string> words = words_of(base::to_lower(statement.text));
    std::optional<std::int64_t> ms;
    if (!words.empty() && (words[0] == "start-sleep" || words[0] == "sleep") && words.size() <= 3) {
      const std::string_view unit = words.size() == 3 ? std::string_view(words[1]) : std::string_view("-s");
      if (unit == "-s" || unit == "-seconds") ms = number_ms(words.back());
      if (unit == "-m" || unit == "-milliseconds" || unit == "-ms") ms = number_ms(words.back(), 1);
    }
    if (!ms) {
      return in_sequence(run, state.not_known("the PowerShell statement " + state.shown(statement.text) +
                                              " is not read"));
    }
    run = in_sequence(run, RunTime::exactly(*ms));
  }
  return run;
}

// timeout /t N /nobreak and ping -n N, of Windows.
RunTime read_cmd(const std::vector<std::string>& words, CommandState& state) {
  const auto value_after = [&](std::string_view flag) -> std::optional<std::int64_t> {
    for (std::size_t i = 0; i + 1 < words.size(); ++i) {
      if (base::to_lower(words[i]) == flag) return number_ms(words[i + 1]);
    }
    return std::nullopt;
  };
  if (!words.empty() && std::find(words.begin(), words.end(), "&") == words.end() &&
      std::find(words.begin(), words.end(), "&&") == words.end()) {
    const std::string program = base::to_lower(words[0]);
    const auto ms = program == "timeout" || program == "timeout.exe" ? value_after("/t")
                    : program == "ping" || program == "ping.exe"     ? value_after("-n")
                                                                     : std::nullopt;
    if (ms) return RunTime::exactly(program.starts_with("ping") ? std::max<std::int64_t>(0, *ms - 1000) : *ms);
  }
  return state.not_known("the command of cmd.exe is not read");
}

std::string lower_name(std::string_view path) {
  std::string name = base::to_lower(path.substr(path.find_last_of("/\\") + 1));
  if (name.ends_with(".exe")) name.resize(name.size() - 4);
  return name;
}

}  // namespace

std::optional<RunTime> read_interpreter(CommandWords words, CommandState& state) {
  const std::string name = lower_name(words.front().value);
  const bool python = name == "python" || name.starts_with("python3") || name == "python2";
  const bool power = name == "powershell" || name == "pwsh";
  const bool other = name == "node" || name == "nodejs" || name == "perl" || name == "ruby" || name == "cmd";
  if (!python && !power && !other) return std::nullopt;
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (!words[i].certain) return state.not_known("the program of " + name + " is not known: " + words[i].why);
    const std::string option = base::to_lower(words[i].value);
    const bool takes_code = python ? option == "-c"
                            : power ? option == "-command" || option == "-c"
                            : name == "cmd" ? option == "/c"
                                            : option == "-e";
    if (takes_code && i + 1 < words.size()) {
      std::string code = words[i + 1].value;
      if (power || name == "cmd") {
        for (std::size_t k = i + 2; k < words.size(); ++k) code += " " + words[k].value;
      }
      if (!state.charge(code.size() / 16)) return RunTime::unknown();
      if (python) return PythonReader(code, state).read();
      if (power) return read_powershell(code, state);
      if (name == "cmd") return read_cmd(words_of(code), state);
      return name.starts_with("node") ? read_node(code, state) : read_plain(name, code, state);
    }
    if (option.empty() || (option[0] != '-' && option[0] != '/')) break;
  }
  return state.not_known("the program that " + name + " runs is in the image, not in the manifest");
}

}  // namespace shutdown_auditor::audit
