#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "audit/fix_ways.h"
#include "base/text.h"

namespace shutdown_auditor::audit {
namespace {

constexpr int kNativeSleepMinor = 30;  // PodLifecycleSleepAction is on by default (KEP-3960)
constexpr std::int64_t kLongestSleep = 86400;

bool is_program(std::string_view word, std::string_view name) {
  return word == name || (word.ends_with(name) && word[word.size() - name.size() - 1] == '/');
}

bool is_shell(std::string_view word) {
  constexpr std::array<std::string_view, 4> kShells{"sh", "bash", "ash", "dash"};
  return std::any_of(kShells.begin(), kShells.end(), [&](std::string_view name) { return is_program(word, name); });
}

// The words of a command, also those inside of one that were meant to be several: ["sleep 10"].
std::vector<std::string> all_words(const std::vector<std::string>& command) {
  std::vector<std::string> words;
  for (const std::string& each : command) {
    for (const std::string_view word : base::split(each, ' ')) {
      if (!word.empty()) words.emplace_back(word);
    }
  }
  return words;
}

// How long a hook sleeps that is, or was meant to be, a sleep and nothing else.
std::optional<std::int64_t> meant_sleep(const objects::Handler& hook) {
  if (hook.sleep) return hook.sleep->seconds;
  if (!hook.exec || hook.exec->command.size() > 8) return std::nullopt;
  std::vector<std::string> words = all_words(hook.exec->command);
  if (words.size() == 4 && is_shell(words[0]) && words[1] == "-c") words.erase(words.begin(), words.begin() + 2);
  if (words.size() != 2 || !is_program(words[0], "sleep")) return std::nullopt;
  const base::Result<std::int64_t> seconds = base::parse_int64(words[1]);
  return seconds && *seconds >= 0 && *seconds <= kLongestSleep ? std::optional(*seconds) : std::nullopt;
}

bool is_script(const objects::Handler& hook) {
  return hook.exec && hook.exec->command.size() == 3 && is_shell(hook.exec->command[0]) && hook.exec->command[1] == "-c";
}

Way with_hook(const objects::Workload& workload, const std::string& container, std::optional<objects::Handler> hook,
              std::string text) {
  Way way{workload, {}};
  container_named(way.after, container)->pre_stop = std::move(hook);
  way.reasons.push_back({container, "preStop", std::move(text)});
  return way;
}

objects::Handler native_sleep(std::int64_t seconds) {
  objects::Handler hook;
  hook.sleep = objects::SleepAction{seconds};
  return hook;
}

objects::Handler exec(std::vector<std::string> command) {
  objects::Handler hook;
  hook.exec = objects::ExecAction{std::move(command)};
  return hook;
}

std::string purpose(const Finding& finding, std::int64_t seconds) {
  switch (finding.check) {
    case Check::kPreStopBroken: return fmt::format("{}: the {} s that were meant", id_of(finding.check), seconds);
    case Check::kSidecarStopsFirst:
      return fmt::format("{}: carries traffic for the {} s that the application may serve", id_of(finding.check), seconds);
    default:
      return fmt::format("{}: serves on for the {} s that endpoints may need to forget the pod", id_of(finding.check),
                         seconds);
  }
}

}  // namespace

Ways ways_by_hook(const Finding& finding, const objects::Workload& workload, const FixContext& context) {
  Ways found;
  const objects::Container& container = *container_named(workload, finding.container);
  if (finding.reason == "SidecarStoppedByHook") {
    found.ways.push_back(with_hook(workload, finding.container, std::nullopt,
                                   "sidecar-stops-first: a native sidecar gets its stop signal after the main containers"));
    return found;
  }
  const bool native = context.options.kubernetes_minor >= kNativeSleepMinor;
  const bool broken = finding.check == Check::kPreStopBroken;
  if (!container.pre_stop) {
    found.none = fmt::format("a sleep hook needs Kubernetes 1.{}, and whether the image has a sleep program is not known",
                             kNativeSleepMinor);
    if (!native || !finding.wanted) return found;
    found.ways.push_back(
        with_hook(workload, finding.container, native_sleep(*finding.wanted), purpose(finding, *finding.wanted)));
    return found;
  }
  const objects::Handler& hook = *container.pre_stop;
  if (const std::optional<std::int64_t> meant = meant_sleep(hook)) {
    const std::int64_t seconds = broken ? *meant : finding.wanted.value_or(*meant);
    found.none = "a longer sleep alone does not help";
    found.ways.push_back(with_hook(workload, finding.container,
                                   native ? native_sleep(seconds) : exec({"sleep", std::to_string(seconds)}),
                                   purpose(finding, seconds)));
    return found;
  }
  found.none = broken ? "what the hook was meant to do is not certain"
                      : "the hook does more than sleep, and has no script that a sleep could go into";
  if (!broken && finding.wanted && is_script(hook)) {
    const std::vector<std::string>& command = hook.exec->command;
    found.ways.push_back(with_hook(workload, finding.container,
                                   exec({command[0], "-c", fmt::format("sleep {}; {}", *finding.wanted, command[2])}),
                                   purpose(finding, *finding.wanted)));
    found.none = "the hook's script does not become long enough by a sleep in front of it";
  }
  return found;
}

}  // namespace shutdown_auditor::audit
