#include "audit/grace_checks.h"

#include <fmt/format.h>

#include <algorithm>

#include "audit/seconds.h"
#include "base/text.h"

namespace shutdown_auditor::audit {
namespace {

// cluster-autoscaler's --max-graceful-termination-sec.
constexpr std::int64_t kClusterAutoscalerSeconds = 600;

class GraceChecks {
 public:
  GraceChecks(const PodTerms& terms, const GraceReading& reading, const Policy& policy, Collector& out)
      : terms_(terms), reading_(reading), policy_(policy), out_(out) {
    look_at(SumLevel::kExpected);
  }

  void run() {
    zero();
    ceiling();
    const bool exceeded = exceeds();
    sums(exceeded && is_enabled(policy_, Check::kPreStopExceedsGrace));
    range(exceeded);
  }

 private:
  void zero() {
    out_.applies(Check::kGraceZero);
    if (!terms_.grace_seconds || *terms_.grace_seconds > 0) return;
    const std::string remedy = set_grace();
    if (*terms_.grace_seconds == 0) {
      out_.report(Check::kGraceZero, CheckResult::kFail, "GracePeriodZero",
                  fmt::format("terminationGracePeriodSeconds is 0: every delete is a force delete, the pod's name is free "
                              "before its containers have stopped{}.",
                              any_hook() ? ", and the preStop hook is cut off after 1 s" : ""),
                  remedy, grace_path());
    } else {
      out_.report(Check::kGraceZero, CheckResult::kWarn, "GracePeriodNegative",
                  fmt::format("terminationGracePeriodSeconds is {}: Kubernetes gives the pods 1 s.", *terms_.grace_seconds),
                  remedy, grace_path());
    }
  }

  void ceiling() {
    out_.applies(Check::kGraceCeiling);
    const std::int64_t grace = reading_.budget.grace_period_seconds;
    if (terms_.ceiling_seconds) {
      if (grace <= *terms_.ceiling_seconds) return;
      out_.report(Check::kGraceCeiling, CheckResult::kWarn, "GracePeriodAboveCeiling",
                  fmt::format("The grace period is {} s, but the platform ends pods after {} s (policy "
                              "platform.maxGracePeriodSeconds).", grace, *terms_.ceiling_seconds),
                  fmt::format("Make the pod stop within {} s and set terminationGracePeriodSeconds to at most that.",
                              *terms_.ceiling_seconds),
                  grace_path());
    } else if (grace > kClusterAutoscalerSeconds) {
      out_.report(Check::kGraceCeiling, CheckResult::kInfo, "GracePeriodAboveClusterAutoscaler",
                  fmt::format("The grace period is {} s; cluster-autoscaler waits 600 s by default when it removes a node.",
                              grace),
                  "If cluster-autoscaler runs here, raise its --max-graceful-termination-sec, and set "
                  "platform.maxGracePeriodSeconds in the policy to what the platform allows.",
                  grace_path());
    }
  }

  bool exceeds() {
    bool any = false;
    for (const ContainerTerms& each : terms_.containers) {
      if (each.pre_stop.kind == PreStopKind::kNone) continue;
      out_.applies(Check::kPreStopExceedsGrace);
      const std::int64_t takes = each.pre_stop.least_ms();
      if (takes == 0 || takes < to_ms(reading_.budget_seconds)) continue;
      any = true;
      const std::string length =
          takes == kEndless ? std::string("never ends by itself") : "takes " + seconds_text(takes) + " s";
      out_.report(Check::kPreStopExceedsGrace, CheckResult::kFail, "PreStopExceedsGracePeriod",
                  fmt::format("The preStop hook {} and {}: the stop signal comes 2 s before the kill.", length,
                              budget_text()),
                  takes == kEndless ? std::string("Give the hook an end: a sleep of 5 to 10 s is usually enough.")
                                    : "Shorten the hook, or " + lower_first(set_grace()),
                  each.path + ".lifecycle.preStop", each.name);
    }
    return any;
  }

  void sums(bool already_said) {
    out_.applies(Check::kGraceBudget);
    out_.applies(Check::kGraceUnverified);
    if (already_said) return;
    if (reading_.over(reading_.provable_ms)) {
      budget_finding(CheckResult::kFail, SumLevel::kProvable, reading_.provable_ms);
    } else if (reading_.over(reading_.known_ms)) {
      budget_finding(CheckResult::kWarn, SumLevel::kKnown, reading_.known_ms);
    } else if (reading_.over(reading_.expected_ms)) {
      unverified();
    }
  }

  void budget_finding(CheckResult result, SumLevel level, std::int64_t sum_ms) {
    const std::string remedy = set_grace();
    look_at(level);
    const std::int64_t needed = needed_seconds(sum_ms);
    const std::string least = result == CheckResult::kFail || reading_.budget.required_at_least ? "at least " : "";
    out_.report(Check::kGraceBudget, result, "GracePeriodTooShort",
                fmt::format("{} needs {}{} s to stop ({}), and {}: {} s short{}.", who(), least, needed,
                            parts(level, sum_ms), budget_text(), needed - reading_.budget_seconds, unread()),
                remedy, grace_path());
  }

  void unverified() {
    const std::int64_t budget_ms = to_ms(reading_.budget_seconds);
    const std::int64_t hook = hook_ms(deciding_->pre_stop, SumLevel::kExpected, reading_.budget_seconds);
    const std::int64_t left = available_seconds(std::max<std::int64_t>(0, budget_ms - hook));
    const std::int64_t assumed_ms = assumed(drain_) + assumed(cleanup_);
    const std::int64_t room_ms = budget_ms - (reading_.expected_ms - assumed_ms);
    const std::string buffer = seconds_text(terms_.buffer.ms.value_or(0));
    std::string message = fmt::format("{} s {} left after the signal: ", left, left == 1 ? "is" : "are");
    if (assumed_ms == 0 || room_ms < 0) {
      message += fmt::format("less than the buffer of {} s and what is known to be needed.", buffer);
    } else {
      std::string what = "the longest request plus cleanup takes";
      std::string whom = "requests and cleanup";
      std::string with;
      if (assumed(drain_) == 0) {
        what = "cleanup takes";
        whom = "cleanup";
        with = fmt::format("{}, ", drain_text(drain_.ms.value_or(0)));
      } else if (assumed(cleanup_) == 0) {
        what = "the longest request takes";
        whom = "requests";
        with = fmt::format("cleanup {}, ", seconds_text(cleanup_.ms.value_or(0)));
      }
      const std::int64_t room = available_seconds(room_ms);
      message += room > 0 ? fmt::format("enough if {} at most {} s ({}buffer {}).", what, room, with, buffer)
                          : fmt::format("nothing of that for {} ({}buffer {}).", whom, with, buffer);
    }
    const std::string missing = undeclared();
    if (!missing.empty()) message += " Declare " + missing + ", or set policy defaults, to have it checked.";
    out_.report(Check::kGraceUnverified, CheckResult::kInfo, "GracePeriodUnverified", std::move(message),
                missing.empty() ? set_grace()
                                : "Declare the annotations on the pod template, or " + lower_first(set_grace()),
                grace_path());
  }

  void range(bool exceeded) {
    for (const ContainerTerms& each : terms_.containers) {
      if (each.pre_stop.kind == PreStopKind::kRange) out_.applies(Check::kPreStopRange);
    }
    if (exceeded || reading_.over(reading_.expected_ms) || !reading_.over(reading_.expected_max_ms)) return;
    for (const ContainerTerms& each : terms_.containers) {
      if (each.pre_stop.kind != PreStopKind::kRange) continue;
      out_.report(Check::kPreStopRange, CheckResult::kInfo, "PreStopMayExceedGracePeriod",
                  fmt::format("The preStop hook normally takes {} s, which fits; with the {} s it may take the pod needs "
                              "{} s, and {}.", seconds_text(each.pre_stop.nominal_ms.value_or(0)),
                              seconds_text(each.pre_stop.max_ms.value_or(0)), needed_seconds(reading_.expected_max_ms),
                              budget_text()),
                  fmt::format("Bound the hook, or set terminationGracePeriodSeconds to {}.",
                              needed_seconds(reading_.expected_max_ms)),
                  each.path + ".lifecycle.preStop", each.name)
          .wanted = needed_seconds(reading_.expected_max_ms);
    }
  }

  // The container that decides the sum at this level.
  void look_at(SumLevel level) {
    deciding_ = &terms_.containers.at(reading_.deciding.at(static_cast<std::size_t>(level)));
    drain_ = deciding_->drain();
    cleanup_ = deciding_->drains ? deciding_->cleanup : Term{0, Evidence::kDetected};
  }

  static std::int64_t assumed(const Term& term) {
    return term.evidence == Evidence::kAssumed ? term.ms.value_or(0) : 0;
  }

  std::string who() const {
    return terms_.containers.size() == 1 ? "The pod" : "Container " + base::quoted(deciding_->name, 63);
  }

  std::string budget_text() const {
    const Budget& budget = reading_.budget;
    if (reading_.budget_seconds < budget.grace_period_seconds) {
      return fmt::format("the platform allows {} s", reading_.budget_seconds);
    }
    return fmt::format("terminationGracePeriodSeconds is {}{}", terms_.grace_seconds.value_or(budget.grace_period_seconds),
                       budget.grace_period_explicit ? "" : " (the default)");
  }

  // A documented default may have been changed where nobody looks.
  std::string unread() const {
    const bool by_default = drain_.evidence == Evidence::kFrameworkDefault && !deciding_->hidden.empty();
    return by_default ? "; " + base::truncate_utf8(deciding_->hidden, 120) : "";
  }

  bool any_hook() const {
    return std::any_of(terms_.containers.begin(), terms_.containers.end(),
                       [](const ContainerTerms& each) { return each.pre_stop.kind != PreStopKind::kNone; });
  }

  // "requests 30", "drain 30 (--graceful-timeout)".
  std::string drain_text(std::int64_t ms) const {
    const bool own = deciding_->drains && deciding_->deadline.ms && drain_.ms == deciding_->deadline.ms;
    if (!own) return "requests " + seconds_text(ms);
    const std::string where = base::truncate_utf8(deciding_->deadline_where, 80);
    return fmt::format("drain {}{}", seconds_text(ms), where.empty() ? "" : " (" + where + ")");
  }

  // "preStop 5 + requests 30 + cleanup 20 + buffer 5": the terms that count at this level.
  std::string parts(SumLevel level, std::int64_t sum_ms) const {
    std::vector<std::string> words;
    std::int64_t shown_ms = 0;
    const auto add = [&](std::string text, std::int64_t ms) {
      if (ms <= 0) return;
      words.push_back(std::move(text));
      shown_ms = saturating_add(shown_ms, ms);
    };
    const std::int64_t delay = term_ms(deciding_->delay, level);
    const std::int64_t drain = term_ms(drain_, level);
    const std::int64_t served = serving_ms(*deciding_, level, reading_.budget_seconds);
    const std::int64_t hook = hook_ms(deciding_->pre_stop, level, reading_.budget_seconds);
    // A hook that starts the drain and outlasts it holds it whole.
    const bool inside = deciding_->hook_drains && served == hook;
    const std::int64_t before = inside || served == kEndless ? hook : served - delay - drain;
    add("preStop " + seconds_text(before), before);
    if (!inside) {
      add("delay " + seconds_text(delay), delay);
      add(drain_text(drain), drain);
    }
    const std::int64_t cleanup = term_ms(cleanup_, level);
    add("cleanup " + seconds_text(cleanup), cleanup);
    if (level != SumLevel::kProvable && reading_.known_buffer) {
      add("buffer " + seconds_text(terms_.buffer.ms.value_or(0)), terms_.buffer.ms.value_or(0));
    }
    if (sum_ms > shown_ms) add("sidecars " + seconds_text(sum_ms - shown_ms), sum_ms - shown_ms);
    return base::join(words, " + ");
  }

  std::string undeclared() const {
    const bool request = assumed(drain_) > 0;
    const bool cleanup = assumed(cleanup_) > 0;
    if (request && cleanup) return "shutdownaudit.dev/max-request-seconds and cleanup-seconds";
    if (request) return "shutdownaudit.dev/max-request-seconds";
    return cleanup ? "shutdownaudit.dev/cleanup-seconds" : "";
  }

  std::string set_grace() const {
    const std::int64_t required = std::max<std::int64_t>(1, reading_.budget.required_seconds);
    if (terms_.ceiling_seconds && required > *terms_.ceiling_seconds) {
      return fmt::format("Shorten preStop, requests or cleanup: {} s are needed and the platform allows {} s.", required,
                         *terms_.ceiling_seconds);
    }
    if (required == kEndless) return "Shorten preStop, requests or cleanup: no grace period covers them.";
    const std::int64_t guessed = needed_seconds(assumed(drain_) + assumed(cleanup_));
    const std::string with =
        guessed > 0 ? fmt::format(", which counts {} s of requests and cleanup as assumed", guessed) : std::string();
    return fmt::format("Set terminationGracePeriodSeconds to {}{}{}.",
                       reading_.budget.required_at_least ? "at least " : "", required, with);
  }

  static std::string lower_first(std::string text) {
    if (!text.empty() && text[0] >= 'A' && text[0] <= 'Z') text[0] = static_cast<char>(text[0] - 'A' + 'a');
    return text;
  }

  std::string grace_path() const { return terms_.spec_path + ".terminationGracePeriodSeconds"; }

  const PodTerms& terms_;
  const GraceReading& reading_;
  const Policy& policy_;
  Collector& out_;
  const ContainerTerms* deciding_ = nullptr;
  Term drain_;  // what counts of the deciding container
  Term cleanup_;
};

}  // namespace

bool is_enabled(const Policy& policy, Check check) {
  const auto setting = std::find_if(policy.checks.begin(), policy.checks.end(),
                                    [&](const CheckSetting& each) { return each.check == check; });
  return setting == policy.checks.end() || setting->enabled;
}

void check_grace(const PodTerms& terms, const GraceReading& reading, const Policy& policy, Collector& out) {
  GraceChecks(terms, reading, policy, out).run();
}

}  // namespace shutdown_auditor::audit
