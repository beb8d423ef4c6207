#include "audit/fix.h"

#include <fmt/format.h>

#include <algorithm>

#include "audit/fix_budgets.h"
#include "audit/fix_ways.h"
#include "audit/neighbours.h"
#include "base/text.h"

namespace shutdown_auditor::audit {
namespace {

constexpr std::int64_t kLongestGrace = 86400;  // a day, as for the annotations
constexpr int kMaxGraceRounds = 4;             // one is enough unless the sum hangs on the grace period itself
constexpr int kMaxTries = 200;                 // of one workload: each costs a few audits of all its containers
constexpr std::string_view kTooMuch = "too much had to be tried before it: apply what there is and run it again";
constexpr std::string_view kGraceField = "terminationGracePeriodSeconds";

bool is_about_grace(Check check) {
  switch (check) {
    case Check::kGraceBudget:
    case Check::kGraceUnverified:
    case Check::kGraceZero:
    case Check::kGraceCeiling:
    case Check::kPreStopExceedsGrace:
    case Check::kPreStopRange: return true;
    default: return false;
  }
}

const Finding* find_same(const std::vector<Finding>& findings, const Finding& wanted) {
  const auto found = std::find_if(findings.begin(), findings.end(), [&](const Finding& each) {
    return each.check == wanted.check && each.container == wanted.container && each.result != CheckResult::kSkip;
  });
  return found == findings.end() ? nullptr : &*found;
}

bool is_serious(const Finding& finding) { return finding.result >= CheckResult::kWarn; }

// No Warn or Fail that was not as bad before.
bool no_worse(const AuditResult& after, const AuditResult& before) {
  return std::all_of(after.findings.begin(), after.findings.end(), [&](const Finding& each) {
    if (!is_serious(each) || is_about_budgets(each.check)) return true;
    const Finding* old = find_same(before.findings, each);
    return old != nullptr && old->result >= each.result;
  });
}

class WorkloadFixer {
 public:
  WorkloadFixer(const objects::Workload& workload, const FixContext& context) : workload_(workload), context_(context) {
    fix_.before = &workload;
    fix_.after = workload;
  }

  WorkloadFix run() {
    const AuditResult first = audit_of(workload_);
    current_ = first;
    const std::string closed = why_not_at_all();
    for (const Finding& finding : first.findings) {
      if (finding.result == CheckResult::kSkip || is_about_budgets(finding.check)) continue;
      if (!closed.empty()) {
        leave(finding, closed);
      } else if (!is_about_grace(finding.check) && find_same(current_.findings, finding) != nullptr) {
        fix_one(finding);
      }
    }
    if (closed.empty()) fix_grace();
    for (const Finding& finding : first.findings) {
      if (finding.result == CheckResult::kSkip || is_about_budgets(finding.check)) continue;
      if (find_same(current_.findings, finding) == nullptr) {
        fix_.fixed.push_back(finding);
      } else if (closed.empty() && is_about_grace(finding.check)) {
        leave(finding, why_no_grace(finding));
      }
    }
    std::erase_if(fix_.unfixed, [&](const Unfixed& each) { return find_same(current_.findings, each.finding) == nullptr; });
    return std::move(fix_);
  }

 private:
  AuditResult audit_of(const objects::Workload& workload) const {
    return audit(workload, context_.surroundings, context_.policy, context_.options);
  }

  std::string why_not_at_all() const {
    if (const objects::OwnerReference* owner = workload_.meta.controller()) {
      return fmt::format("{} {} made this and would change it back: set it there", base::truncate_utf8(owner->kind, 63),
                         base::truncate_utf8(owner->name, 100));
    }
    if (workload_.meta.name.empty()) return "without a name nothing can be patched";
    return {};
  }

  void leave(const Finding& finding, std::string why) {
    if (is_serious(finding)) fix_.unfixed.push_back({finding, std::move(why)});
  }

  void fix_one(const Finding& finding) {
    if (tries_ > kMaxTries) {
      leave(finding, std::string(kTooMuch));
      return;
    }
    Ways found = ways_to_fix(finding, fix_.after, context_);
    for (Way& way : found.ways) {
      if (++tries_ > kMaxTries) {
        found.none = kTooMuch;
        break;
      }
      settle_grace(way);
      AuditResult after = audit_of(way.after);
      if (find_same(after.findings, finding) != nullptr || !no_worse(after, current_)) continue;
      take(std::move(way), std::move(after));
      return;
    }
    leave(finding, found.none.empty() ? "nothing that was tried makes the audit pass" : std::move(found.none));
  }

  void take(Way way, AuditResult after) {
    fix_.after = std::move(way.after);
    for (FieldReason& reason : way.reasons) {
      // The grace period has one reason, that of its last value.
      if (reason.field == kGraceField) {
        std::erase_if(fix_.reasons, [](const FieldReason& each) { return each.field == kGraceField; });
      }
      fix_.reasons.push_back(std::move(reason));
    }
    current_ = std::move(after);
  }

  void fix_grace() {
    Way way{fix_.after, {}};
    settle_grace(way);
    if (way.reasons.empty()) return;
    AuditResult after = audit_of(way.after);
    if (no_worse(after, current_)) take(std::move(way), std::move(after));
  }

  // What the pod needs by this audit; absent: no finding asks for another grace period.
  static std::optional<std::int64_t> grace_for(const AuditResult& result, const Policy& policy) {
    std::optional<std::int64_t> wanted;
    for (const Finding& finding : result.findings) {
      if (!is_about_grace(finding.check) || finding.result == CheckResult::kSkip) continue;
      if (finding.check == Check::kGraceCeiling) {
        if (policy.max_grace_period_seconds) wanted = std::max(wanted.value_or(1), *policy.max_grace_period_seconds);
        continue;
      }
      wanted = std::max({wanted.value_or(1), result.budget.required_seconds, finding.wanted.value_or(0)});
    }
    return wanted;
  }

  // Gives the pod what it needs, when that can be had and helps.
  void settle_grace(Way& way) const {
    std::optional<std::int64_t>& grace = way.after.pod_template.spec.termination_grace_period_seconds;
    const std::optional<std::int64_t> before = grace;
    const std::int64_t most = context_.policy.max_grace_period_seconds.value_or(kLongestGrace);
    for (int round = 0; round < kMaxGraceRounds; ++round) {
      const AuditResult result = audit_of(way.after);
      const std::optional<std::int64_t> wanted = grace_for(result, context_.policy);
      if (!wanted) {
        if (grace != before) way.reasons.push_back({{}, std::string(kGraceField), grace_reason(result)});
        return;
      }
      if (*wanted > most || grace == wanted) break;
      grace = wanted;
    }
    grace = before;
  }

  std::string grace_reason(const AuditResult& result) const {
    const Budget& budget = result.budget;
    const auto deciding = std::find_if(result.containers.begin(), result.containers.end(),
                                       [&](const ContainerReading& each) { return each.name == budget.container; });
    const auto evidence = [&](Evidence of) { return of == Evidence::kAssumed ? " (assumed)" : ""; };
    std::vector<std::string> parts;
    const auto add = [&](std::string_view what, const std::optional<std::int64_t>& seconds, std::string_view how) {
      if (seconds.value_or(0) > 0) parts.push_back(fmt::format("{} {}{}", what, *seconds, how));
    };
    add("preStop", budget.pre_stop_seconds, "");
    add("delay", budget.delay_seconds, "");
    if (deciding != result.containers.end()) {
      const bool own = deciding->drain_seconds && budget.drain_seconds == deciding->drain_seconds;
      add(own ? "drain" : "requests", budget.drain_seconds, own ? "" : evidence(deciding->max_request_evidence));
      add("cleanup", budget.cleanup_seconds, evidence(deciding->cleanup_evidence));
    }
    add("sidecars", budget.sidecar_seconds, "");
    add("buffer", budget.buffer_seconds, "");
    const std::optional<std::int64_t>& was = workload_.pod_template.spec.termination_grace_period_seconds;
    return fmt::format("needs {} s to stop: {}; it was {}", result.budget.required_text, base::join(parts, ", "),
                       was ? std::to_string(*was) : "30, the default");
  }

  std::string why_no_grace(const Finding& finding) const {
    if (context_.policy.max_grace_period_seconds) {
      return fmt::format("{} s are needed and the platform allows {} s: the pod has to stop sooner",
                         current_.budget.required_seconds, *context_.policy.max_grace_period_seconds);
    }
    return finding.check == Check::kPreStopExceedsGrace ? "no grace period covers a hook without an end"
                                                        : "no grace period that was tried covers it";
  }

  const objects::Workload& workload_;
  const FixContext context_;
  AuditResult current_;
  WorkloadFix fix_;
  int tries_ = 0;
};

}  // namespace

Fixes compute_fixes(const std::vector<const objects::Workload*>& workloads, const Surroundings& surroundings,
                    const Policy& policy, const AuditOptions& options) {
  const FixContext context{surroundings, policy, options};
  Fixes fixes;
  fixes.workloads.reserve(workloads.size());
  const Neighbours neighbours(surroundings);
  for (const objects::Workload* each : workloads) {
    Neighbours::Near near;
    Surroundings around = neighbours.around(*each, near);
    around.budgets = nullptr;  // theirs is the next step
    fixes.workloads.push_back(WorkloadFixer(*each, {around, policy, options}).run());
  }
  fix_budgets(context, fixes);
  return fixes;
}

}  // namespace shutdown_auditor::audit
