#include "audit/fix_budgets.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

#include "audit/disruption.h"
#include "audit/fix_budget_ways.h"
#include "audit/neighbours.h"
#include "base/text.h"

namespace shutdown_auditor::audit {
namespace {

constexpr int kMaxRounds = 6;  // each drops what did harm in the one before; then everything that is left

using Budgets = std::vector<const objects::PodDisruptionBudget*>;

bool same(const Finding& a, const Finding& b) { return a.check == b.check && a.related_name == b.related_name; }

std::vector<Finding> budget_findings(const AuditResult& result) {
  std::vector<Finding> found;
  for (const Finding& each : result.findings) {
    if (is_about_budgets(each.check) && each.result >= CheckResult::kWarn) found.push_back(each);
  }
  return found;
}

class BudgetFixer {
 public:
  BudgetFixer(const FixContext& context, Fixes& fixes) : context_(context), fixes_(fixes) {}

  void run() {
    std::vector<std::vector<Finding>> before = findings_with(context_.surroundings);
    propose(before);
    std::vector<std::vector<Finding>> after = before;
    for (int round = 0; !proposals_.empty(); ++round) {
      after = findings_with_proposals();
      if (round == kMaxRounds) {
        proposals_.clear();
        after = before;
      } else if (!drop_what_fails(before, after)) {
        break;
      }
      if (proposals_.empty()) after = before;
    }
    conclude(before, after);
  }

 private:
  struct Proposal {
    BudgetFix fix;
    std::vector<std::pair<std::size_t, Finding>> meant_for;  // index of the workload
    bool failed = false;
  };

  std::vector<std::vector<Finding>> findings_with(const Surroundings& around) const {
    std::vector<std::vector<Finding>> all;
    all.reserve(fixes_.workloads.size());
    const Neighbours neighbours(around);
    Neighbours::Near near;
    for (const WorkloadFix& each : fixes_.workloads) {
      const Surroundings nearby = neighbours.around(*each.before, near);
      all.push_back(budget_findings(audit(*each.before, nearby, context_.policy, context_.options)));
    }
    return all;
  }

  std::vector<std::vector<Finding>> findings_with_proposals() const {
    Budgets budgets;
    std::map<const objects::PodDisruptionBudget*, const objects::PodDisruptionBudget*> changed;
    for (const Proposal& each : proposals_) {
      if (each.fix.before != nullptr) changed[each.fix.before] = &each.fix.after;
    }
    for (const objects::PodDisruptionBudget* each : *context_.surroundings.budgets) {
      const auto found = changed.find(each);
      budgets.push_back(found == changed.end() ? each : found->second);
    }
    for (const Proposal& each : proposals_) {
      if (each.fix.before == nullptr) budgets.push_back(&each.fix.after);
    }
    Surroundings around = context_.surroundings;
    around.budgets = &budgets;
    around.survey = nullptr;
    const BudgetSurvey survey(around);
    around.survey = &survey;
    return findings_with(around);
  }

  void propose(const std::vector<std::vector<Finding>>& findings) {
    BudgetWays ways(context_.surroundings);
    std::map<std::string, std::size_t> by_name;
    for (std::size_t i = 0; i < findings.size(); ++i) {
      const objects::Workload& workload = *fixes_.workloads[i].before;
      for (const Finding& finding : findings[i]) {
        BudgetWay way = ways.find(finding, workload);
        if (way.changes.empty()) {
          why_[{i, finding.check, finding.related_name}] = std::move(way.none);
          continue;
        }
        for (BudgetFix& fix : way.changes) {
          const auto [entry, fresh] = by_name.emplace(fix.after.meta.name, proposals_.size());
          if (fresh) {
            proposals_.push_back({std::move(fix), {}, false});
          } else {
            BudgetFix& earlier = proposals_[entry->second].fix;
            earlier.after = std::move(fix.after);
            if (earlier.why != fix.why) earlier.why += "; " + fix.why;
          }
          proposals_[entry->second].meant_for.emplace_back(i, finding);
        }
      }
    }
  }

  static bool contains(const std::vector<Finding>& list, const Finding& finding) {
    return std::any_of(list.begin(), list.end(), [&](const Finding& each) { return same(each, finding); });
  }

  // False when every proposal does what it is for and no workload is worse off.
  bool drop_what_fails(const std::vector<std::vector<Finding>>& before, const std::vector<std::vector<Finding>>& after) {
    for (Proposal& each : proposals_) {
      each.failed = std::any_of(each.meant_for.begin(), each.meant_for.end(), [&](const auto& meant) {
        return contains(after[meant.first], meant.second);
      });
    }
    for (std::size_t i = 0; i < after.size(); ++i) {
      const bool worse = std::any_of(after[i].begin(), after[i].end(),
                                     [&](const Finding& each) { return !contains(before[i], each); });
      if (!worse) continue;
      for (Proposal& each : proposals_) {
        const objects::Workload& workload = *fixes_.workloads[i].before;
        const bool touched = each.fix.before != nullptr && selects(*each.fix.before, workload) != Selection::kNone;
        each.failed = each.failed || touched || selects(each.fix.after, workload) != Selection::kNone;
      }
    }
    return std::erase_if(proposals_, [](const Proposal& each) { return each.failed; }) > 0;
  }

  void conclude(const std::vector<std::vector<Finding>>& before, const std::vector<std::vector<Finding>>& after) {
    for (std::size_t i = 0; i < before.size(); ++i) {
      for (const Finding& finding : before[i]) {
        if (!contains(after[i], finding)) {
          fixes_.workloads[i].fixed.push_back(finding);
          continue;
        }
        const auto why = why_.find({i, finding.check, finding.related_name});
        fixes_.workloads[i].unfixed.push_back(
            {finding, why != why_.end() ? why->second : "what was tried would harm another workload under the same budget"});
      }
    }
    for (Proposal& each : proposals_) fixes_.budgets.push_back(std::move(each.fix));
  }

  const FixContext& context_;
  Fixes& fixes_;
  std::vector<Proposal> proposals_;
  std::map<std::tuple<std::size_t, Check, std::string>, std::string> why_;
};

}  // namespace

bool is_about_budgets(Check check) {
  switch (check) {
    case Check::kPdbMissing:
    case Check::kPdbBlocksEviction:
    case Check::kPdbOverlapping:
    case Check::kPdbUnsupported:
    case Check::kPdbIneffective: return true;
    default: return false;
  }
}

void fix_budgets(const FixContext& context, Fixes& fixes) {
  if (context.surroundings.budgets != nullptr) BudgetFixer(context, fixes).run();
}

}  // namespace shutdown_auditor::audit
