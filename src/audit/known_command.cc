#include <algorithm>
#include <array>

#include "audit/command_state.h"
#include "audit/sleep_operand.h"
#include "audit/words.h"
#include "base/text.h"

namespace shutdown_auditor::audit {
namespace {

// Milliseconds of seconds with a fraction ("2.5"), as curl and others read them; absent: something else.
std::optional<std::int64_t> seconds_of(std::string_view text) {
  const SleepOperand operand = parse_sleep_operand(text);
  const bool digits_only = text.find_first_not_of("0123456789.") == std::string_view::npos;
  return operand.kind == SleepOperand::Kind::kTime && digits_only ? std::optional(operand.ms) : std::nullopt;
}

// A duration of Go: "30s", "1m30s", "500ms".
std::optional<std::int64_t> go_duration(std::string_view text) {
  std::int64_t total = 0;
  while (!text.empty()) {
    const std::size_t digits = std::min(text.find_first_not_of("0123456789."), text.size());
    const std::size_t end = std::min(text.find_first_of("0123456789.", digits), text.size());
    const std::string_view unit = text.substr(digits, end - digits);
    const auto number = seconds_of(text.substr(0, digits));
    if (!number || (unit != "ms" && unit != "s" && unit != "m" && unit != "h")) return std::nullopt;
    const std::int64_t ms = unit == "ms"  ? *number / 1000
                            : unit == "s" ? *number
                                          : saturating_multiply(*number, unit == "m" ? 60 : 3600);
    total = saturating_add(total, ms);
    text.remove_prefix(end);
  }
  return total;
}

// The value of --name=V, --name V or -n V, as written; null: not given.
const CommandWord* option(CommandWords words, std::string_view name, std::string_view short_name, std::string& storage,
                          CommandWord& word) {
  for (std::size_t i = 1; i < words.size(); ++i) {
    const std::string& value = words[i].value;
    if (value == name || (!short_name.empty() && value == short_name)) return i + 1 < words.size() ? &words[i + 1] : nullptr;
    if (value.size() > name.size() && value.starts_with(name) && value[name.size()] == '=') {
      storage = value.substr(name.size() + 1);
      word = words[i];
      word.value = storage;
      return &word;
    }
  }
  return nullptr;
}

struct Time {
  bool known = true;
  std::int64_t ms = 0;
};

template <class Parse>
Time option_ms(CommandWords words, std::string_view name, std::string_view short_name, std::int64_t fallback, Parse parse) {
  std::string storage;
  CommandWord word;
  const CommandWord* found = option(words, name, short_name, storage, word);
  if (found == nullptr) return {true, fallback};
  const std::optional<std::int64_t> ms = found->certain ? parse(found->value) : std::nullopt;
  return ms ? Time{true, *ms} : Time{false, 0};
}

void note_address(const CommandWord& word, CommandState& state) {
  for (const std::string_view order : {"quitquitquit", "drain_listeners", "actuator/shutdown", "/drain"}) {
    if (word.value.find(order) != std::string::npos) state.starts_drain = true;
  }
}

// The options of curl that count, in milliseconds.
struct CurlLimits {
  std::optional<std::int64_t> one_try, pause, all_tries;
  std::int64_t retries = 0;
  bool refused = false;  // an option it does not take
  bool known = true;
};

CurlLimits read_curl_limits(CommandWords words, CommandState& state) {
  CurlLimits limits;
  for (std::size_t i = 1; i < words.size(); ++i) {
    const std::string_view value = words[i].value;
    note_address(words[i], state);
    if (value.size() < 2 || value[0] != '-') continue;
    if (value.starts_with("--max-time=") || value.starts_with("--connect-timeout=") || value.starts_with("--retry=")) {
      state.note_mistake("curl refuses " + base::quoted(value.substr(0, value.find('=') + 1)) +
                         " with a value behind it: the value has to be a word of its own");
      limits.refused = true;
      return limits;
    }
    // Of short options in one word the first that takes a value takes the rest: -fsSm5.
    std::string_view option = value;
    std::string_view operand;
    const std::size_t flag = value[1] == '-' ? std::string_view::npos : value.find_first_of("mHdXoFuAebTw", 1);
    if (flag != std::string_view::npos) {
      option = value[flag] == 'm' ? "--max-time" : "-";
      operand = value.substr(flag + 1);
    }
    const bool takes_value = flag != std::string_view::npos || option == "--max-time" || option == "--connect-timeout" ||
                             option == "--retry" || option == "--retry-delay" || option == "--retry-max-time";
    if (!takes_value) continue;
    if (operand.empty() && i + 1 < words.size()) operand = words[++i].value;
    const std::optional<std::int64_t> ms = words[i].certain ? seconds_of(operand) : std::nullopt;
    if (option == "--max-time") limits.one_try = ms;
    if (option == "--retry-delay") limits.pause = ms;
    if (option == "--retry-max-time") limits.all_tries = ms;
    if (option != "--retry") continue;
    limits.known = ms.has_value();
    limits.retries = ms.value_or(0) / 1000;
  }
  return limits;
}

// --max-time is for one try; retries multiply it and add pauses of 1, 2, 4 … 600 s.
RunTime read_curl(CommandWords words, CommandState& state) {
  const CurlLimits limits = read_curl_limits(words, state);
  if (limits.refused) return RunTime::failing();
  RunTime run = RunTime::unknown(0);
  run.polls = true;
  if (!limits.one_try || *limits.one_try == 0 || !limits.known) {
    state.not_known("curl has no time limit that the manifest tells (--max-time)");
    return run;
  }
  const std::int64_t longest_pause = limits.retries > 9 ? 600'000 : (std::int64_t{1} << limits.retries) * 1000;
  const std::int64_t tries = saturating_multiply(*limits.one_try, saturating_add(limits.retries, 1));
  run.max = saturating_add(tries, saturating_multiply(limits.retries, limits.pause.value_or(longest_pause)));
  if (limits.all_tries && *limits.all_tries > 0) {
    run.max = std::min(run.max, saturating_add(*limits.all_tries, *limits.one_try));
  }
  return run;
}

// Normally quick, without a limit of its own.
RunTime quick_call(CommandState& state, std::string_view what) {
  RunTime run = state.not_known(std::string(what) + " is normally quick, and has no time limit", 0);
  run.polls = true;
  return run;
}

RunTime read_kong(CommandWords words, CommandState& state) {
  const auto seconds = [](std::string_view text) { return seconds_of(text); };
  const Time wait = option_ms(words, "--wait", "-w", 0, seconds);
  const Time limit = option_ms(words, "--timeout", "-t", 10'000, seconds);
  state.starts_drain = state.waits_for_drain = true;
  state.note_signal("SIGQUIT to nginx");
  if (!wait.known || !limit.known) return state.not_known("the limits of kong quit are not known");
  const std::int64_t longest = saturating_add(wait.ms, limit.ms);
  RunTime run = RunTime::within(wait.ms, longest, longest);
  run.can_fail = run.may_trip = true;
  return run;
}

RunTime read_envoy_gateway(CommandWords words, CommandState& state) {
  const Time longest = option_ms(words, "--drain-timeout", "", 60'000, go_duration);
  const Time shortest = option_ms(words, "--min-drain-duration", "", 10'000, go_duration);
  state.starts_drain = state.waits_for_drain = true;
  if (!longest.known || !shortest.known) return state.not_known("the limits of envoy-gateway envoy shutdown are not known");
  const std::int64_t max = std::max(longest.ms, shortest.ms);
  return RunTime::within(std::min(shortest.ms, max), max, max);
}

RunTime endless(CommandState& state, std::string reason) {
  state.starts_drain = state.waits_for_drain = true;
  state.endless_reason = std::move(reason);
  RunTime run = RunTime::within(0, std::nullopt, kEndless);
  run.endless = true;
  run.can_fail = run.may_trip = true;
  return run;
}

// ping -c N waits a second between its tries.
RunTime read_ping(CommandWords words, CommandState& state) {
  const Time count = option_ms(words, "-c", "-c", 0, [](std::string_view text) { return seconds_of(text); });
  const std::int64_t normal = count.known && count.ms >= 1000 ? count.ms - 1000 : 0;
  if (count.ms == 0) {
    state.endless_reason = "ping without -c does not end by itself";
    RunTime run = RunTime::unknown();
    run.endless = true;
    return run;
  }
  return state.not_known("ping has no time limit", normal);
}

}  // namespace

std::optional<RunTime> read_known_command(CommandWords words, CommandState& state) {
  const std::string_view name = base_name(words.front().value);
  const auto word = [&](std::size_t i) { return i < words.size() ? std::string_view(words[i].value) : std::string_view(); };
  if (name == "curl") return read_curl(words, state);
  if (name == "wget" || name == "nc" || name == "ncat" || name == "http" || name == "grpcurl") {
    for (const CommandWord& each : words) note_address(each, state);
    return quick_call(state, name);
  }
  if (name == "kong" && word(1) == "quit") return read_kong(words, state);
  if (name == "kong" && word(1) == "stop") {
    state.note_signal("SIGTERM to nginx");
    return quick_call(state, "kong stop");
  }
  if (name == "envoy-gateway" && word(1) == "envoy" && word(2) == "shutdown") return read_envoy_gateway(words, state);
  if (name == "contour" && word(1) == "envoy" && word(2) == "shutdown") {
    return endless(state, "contour envoy shutdown polls until Envoy has no connections left");
  }
  if (name == "wait-shutdown") {
    state.note_signal("SIGTERM to nginx-ingress-controller");
    return endless(state, "wait-shutdown polls until nginx is gone");
  }
  if (name == "pilot-agent" && word(1) == "request") {
    for (const CommandWord& each : words) {
      if (each.value.find("drain") != std::string::npos) state.starts_drain = true;
    }
    return quick_call(state, "pilot-agent request");
  }
  if (name == "cloud-sql-proxy" && word(1) == "shutdown") {
    state.starts_drain = true;
    return quick_call(state, "cloud-sql-proxy shutdown");
  }
  if (name == "vault" && word(1) == "token") return quick_call(state, "vault token");
  if (name == "rabbitmq-upgrade") {
    const Time limit = option_ms(words, "--timeout", "-t", 0, [](std::string_view text) { return seconds_of(text); });
    if (!limit.known || limit.ms == 0) return state.not_known("how long rabbitmq-upgrade takes is not known");
    RunTime run = RunTime::within(0, std::nullopt, limit.ms);
    run.can_fail = run.may_trip = true;
    return run;
  }
  if (name == "ping") return read_ping(words, state);
  return std::nullopt;
}

}  // namespace shutdown_auditor::audit
