#include "audit/signal_checks.h"

#include <fmt/format.h>

#include "audit/seconds.h"
#include "base/text.h"

namespace shutdown_auditor::audit {
namespace {

constexpr std::size_t kMaxReasonBytes = 220;

std::string lower_first(std::string text) {
  if (text.size() > 1 && text[0] >= 'A' && text[0] <= 'Z' && !(text[1] >= 'A' && text[1] <= 'Z')) {
    text[0] = static_cast<char>(text[0] - 'A' + 'a');
  }
  return text;
}

std::string upper_first(std::string text) {
  const bool word = text.find_first_of(" :") == text.find(' ');
  if (word && !text.empty() && text[0] >= 'a' && text[0] <= 'z') text[0] = static_cast<char>(text[0] - 'a' + 'A');
  return text;
}

std::string sentence(std::string_view text, std::string_view otherwise) {
  std::string made = base::truncate_utf8(text.empty() ? otherwise : text, kMaxReasonBytes);
  while (!made.empty() && (made.back() == '.' || made.back() == ' ')) made.pop_back();
  return made;
}

std::string program(const ContainerView& view) {
  return view.application.framework.empty() ? "the application" : view.application.framework;
}

// The field that says what runs: the command, or the arguments of the image's own. Missing: the container.
std::string program_path(const ContainerView& view) {
  if (!view.container->command.empty()) return view.path + ".command";
  return view.container->args.empty() ? view.path : view.path + ".args";
}

// The field that sets the drain's deadline; where none does, the container.
std::string drain_path(const ContainerView& view) {
  switch (view.application.drain.source) {
    case TimeSource::kFlag: return view.container->args.empty() ? program_path(view) : view.path + ".args";
    case TimeSource::kEnv: return view.path + ".env";
    default: return view.path;
  }
}

// What becomes of requests at the signal: the hook is all the time they get.
std::string after_hook(const ContainerTerms& terms) {
  if (terms.hook_drains) return ", although the hook has asked it to finish";
  const std::int64_t hook = terms.pre_stop.nominal_ms.value_or(terms.pre_stop.least_ms());
  return hook > 0 && hook != kEndless ? fmt::format(" once the {} s of the hook are over", seconds_text(hook)) : "";
}

void check_delivery(const ContainerView& view, const ContainerTerms& terms, Collector& out) {
  const ApplicationReading& application = view.application;
  const bool depends = application.signal_handling == SignalHandling::kUnknown && !application.signal_reason.empty();
  if (!view.container->command.empty() || !view.container->args.empty() || application.matched_by != MatchedBy::kNone) {
    out.applies(Check::kSignalNotDelivered);
  }
  // A hook that lets the program end before the signal leaves nothing to deliver it to.
  const bool lost = application.signal_handling == SignalHandling::kNotDelivered;
  if (terms.hook_waits || (!lost && !depends)) return;
  const std::string remedy =
      upper_first(sentence(application.signal_remedy, "Start the program with exec, or in command without a shell")) + ".";
  if (lost) {
    out.report(Check::kSignalNotDelivered, CheckResult::kFail, "SignalNotDelivered",
               fmt::format("{} never reaches {}: {}. It runs on until it is killed at the end of the grace period; a longer "
                           "one does not help.",
                           application.stop_signal, program(view),
                           sentence(application.signal_reason, "process 1 does not pass it on")),
               remedy, program_path(view), view.container->name);
  } else {
    out.report(Check::kSignalNotDelivered, CheckResult::kWarn, "SignalDependsOnImage",
               fmt::format("Whether {} reaches {} cannot be told from the manifest: {}. Where that is so, a longer grace "
                           "period does not help.",
                           application.stop_signal, program(view), sentence(application.signal_reason, "")),
               remedy, program_path(view), view.container->name);
  }
}

// What was read about the stop signal itself, which is no setting of the drain.
bool about_signal(std::string_view problem) { return problem.starts_with("lifecycle.stopSignal"); }

void check_stop_signal(const ContainerView& view, Collector& out) {
  for (const std::string& problem : view.application.problems) {
    if (!about_signal(problem) || out.reported(Check::kSignalNotGraceful, view.container->name)) continue;
    out.report(Check::kSignalNotGraceful, CheckResult::kWarn, "StopSignalWithoutEffect",
               fmt::format("{}. The container gets {}.", sentence(problem, ""), view.application.stop_signal),
               "Set STOPSIGNAL in the image, or send the signal in the preStop hook and wait there until the program is "
               "done.",
               view.path + ".lifecycle.stopSignal", view.container->name);
  }
}

void check_graceful(const ContainerView& view, const ContainerTerms& terms, Collector& out) {
  const ApplicationReading& application = view.application;
  const SignalHandling handling = application.signal_handling;
  if (handling == SignalHandling::kUnknown || handling == SignalHandling::kNotDelivered) return;
  // What a log shipper drops is its own business; a traffic sidecar is judged by sidecar-stops-first.
  if (view.role == Role::kSidecar && handling == SignalHandling::kFast) return;
  out.applies(Check::kSignalNotGraceful);
  if (handling == SignalHandling::kGraceful || terms.hook_waits) return;

  std::string_view reason = "StopSignalCutsWork";
  std::string effect = "what is under way is lost" + after_hook(terms) + ", and a longer grace period does not help";
  std::string otherwise = fmt::format("{} stops at once on {}", program(view), application.stop_signal);
  if (handling == SignalHandling::kIgnored) {
    reason = "StopSignalIgnored";
    effect = "it runs on until it is killed at the end of the grace period, and a longer one does not help";
    otherwise = fmt::format("{} does not react to {}", program(view), application.stop_signal);
  } else if (handling == SignalHandling::kReload) {
    reason = "StopSignalReloads";
    effect = "what is under way is lost, it starts again and is killed at the end of the grace period; a longer one does "
             "not help";
    otherwise = fmt::format("{} reloads on {} instead of stopping", program(view), application.stop_signal);
  }
  std::string remedy = upper_first(sentence(application.signal_remedy, ""));
  if (remedy.empty()) {
    remedy = application.graceful_signal.empty()
                 ? "Let the program finish its work on the stop signal, or wait for it in the preStop hook"
                 : fmt::format("Let it get {} instead: lifecycle.stopSignal or the image's STOPSIGNAL, or send it in the "
                               "preStop hook and wait there until the program is done", application.graceful_signal);
  }
  const bool certain = view.role == Role::kServing && application.known_server;
  out.report(Check::kSignalNotGraceful, certain ? CheckResult::kFail : CheckResult::kWarn, reason,
             fmt::format("{}: {}.", upper_first(sentence(application.signal_reason, otherwise)), effect), remedy + ".",
             program_path(view), view.container->name);
}

void check_unbounded(const ContainerView& view, const ContainerTerms& terms, Collector& out) {
  if (!terms.drains || (!terms.drain_unbounded && !terms.deadline.ms)) return;
  out.applies(Check::kDrainUnbounded);
  if (!terms.drain_unbounded) return;
  const Term drain = terms.drain();
  const std::string counted = drain.ms ? fmt::format(" The sum counts {} s for it ({}).", seconds_text(*drain.ms),
                                                     lower_first(std::string(to_string(drain.evidence))))
                                       : std::string(" The sum counts nothing for it.");
  std::string knob = base::truncate_utf8(view.application.drain.where, 80);
  if (!terms.hidden.empty()) knob += (knob.empty() ? "" : "; ") + base::truncate_utf8(terms.hidden, 100);
  if (!knob.empty()) knob = " (" + knob + ")";
  out.report(Check::kDrainUnbounded, CheckResult::kInfo, "DrainUnbounded",
             fmt::format("{} waits without a limit for what is under way{}: one slow client uses up the grace period, and "
                         "what comes after the drain is cut.{}",
                         upper_first(program(view)), knob, counted),
             "Give it a deadline of its own that ends before the grace period, with room for cleanup.", drain_path(view),
             view.container->name)
      .wanted = drain.known() ? std::optional(needed_seconds(*drain.ms)) : std::nullopt;
}

void check_too_short(const ContainerView& view, const ContainerTerms& terms, Collector& out) {
  const ApplicationReading& application = view.application;
  const bool declared = terms.max_request.ms && terms.max_request.evidence == Evidence::kDeclared;
  const bool judged = terms.drains && terms.deadline.ms && declared;
  if (judged || application.drain.source != TimeSource::kNone) out.applies(Check::kDrainTooShort);
  const bool cut = judged && *terms.deadline.ms < *terms.max_request.ms;
  std::string text;
  for (const std::string& problem : application.problems) {
    if (text.size() > kMaxReasonBytes) break;
    if (about_signal(problem)) continue;
    if (!text.empty()) text += "; ";
    text += sentence(problem, "");
  }
  if (!cut && text.empty()) return;
  if (!text.empty()) text += ".";
  if (!cut) {
    out.report(Check::kDrainTooShort, CheckResult::kWarn, "DrainSettingMisread", text,
               "Correct the value, or declare shutdownaudit.dev/max-request-seconds and cleanup-seconds as they really are.",
               drain_path(view), view.container->name);
    return;
  }
  const std::string where =
      terms.deadline_where.empty() ? std::string() : " (" + base::truncate_utf8(terms.deadline_where, 100) + ")";
  const std::string request = seconds_text(*terms.max_request.ms);
  out.report(Check::kDrainTooShort, CheckResult::kWarn, "DrainDeadlineBelowRequests",
             fmt::format("{} gives requests {} s after the signal{}, and they are declared to last up to {} s: the longer "
                         "ones are cut, and a longer grace period does not help.{}",
                         upper_first(program(view)), seconds_text(*terms.deadline.ms), where, request,
                         text.empty() ? "" : " " + text),
             fmt::format("Raise that deadline to {} s, or declare a smaller max-request-seconds.", request),
             drain_path(view), view.container->name)
      .wanted = needed_seconds(*terms.max_request.ms);
}

}  // namespace

void check_signals(const std::vector<ContainerView>& views, const PodTerms& terms, Collector& out) {
  for (std::size_t i = 0; i < views.size(); ++i) {
    const ContainerTerms& each = terms.containers.at(i);
    check_delivery(views[i], each, out);
    check_graceful(views[i], each, out);
    check_stop_signal(views[i], out);
    check_unbounded(views[i], each, out);
    check_too_short(views[i], each, out);
  }
}

}  // namespace shutdown_auditor::audit
