#include "audit/disruption_checks.h"

#include <fmt/format.h>

#include <algorithm>

#include "audit/disruption.h"
#include "audit/eviction.h"
#include "audit/roles.h"
#include "base/text.h"

namespace shutdown_auditor::audit {
namespace {

const objects::GroupKind kBudgetKind{"policy", "PodDisruptionBudget"};

std::string name_of(const objects::PodDisruptionBudget& budget) {
  return "PodDisruptionBudget " + base::truncate_utf8(budget.meta.name, 63);
}

std::string limit_of(const objects::PodDisruptionBudget& budget) {
  const auto shown = [](const objects::IntOrString& limit) { return base::truncate_utf8(objects::to_string(limit), 20); };
  if (budget.max_unavailable) return "maxUnavailable " + shown(*budget.max_unavailable);
  if (budget.min_available) return "minAvailable " + shown(*budget.min_available);
  return "neither minAvailable nor maxUnavailable";
}

void relate(Finding& finding, const objects::PodDisruptionBudget& budget) {
  finding.related_kind = kBudgetKind;
  finding.related_name = budget.meta.name;
}

// The first requirement of the selector that the labels do not meet, and how many there are.
struct Mismatch {
  int failing = 0;
  int met = 0;
  bool meant = false;  // NotIn and DoesNotExist leave pods out on purpose
  std::string first;
};

Mismatch compare(const objects::LabelSelector& selector, const objects::StringMap& labels) {
  Mismatch mismatch;
  const auto shown = [](std::string_view text) { return base::truncate_utf8(text, 63); };
  const auto fail = [&](const std::string& wanted, const std::string& key) {
    const std::string* have = objects::find(labels, key);
    if (mismatch.failing++ == 0) {
      const std::string found = have != nullptr ? shown(key) + "=" + shown(*have) : "no " + shown(key);
      mismatch.first = wanted + ", the template has " + found;
    }
  };
  for (const auto& [key, value] : selector.match_labels) {
    const std::string* have = objects::find(labels, key);
    if (have != nullptr && *have == value) {
      ++mismatch.met;
    } else {
      fail("it wants " + shown(key) + "=" + shown(value), key);
    }
  }
  for (const objects::SelectorRequirement& each : selector.match_expressions) {
    if (objects::matches(objects::LabelSelector{{}, {each}}, labels)) {
      ++mismatch.met;
    } else {
      mismatch.meant = mismatch.meant || each.op == "NotIn" || each.op == "DoesNotExist";
      fail("it wants " + shown(each.key) + " " + shown(each.op) + " …", each.key);
    }
  }
  return mismatch;
}

// A budget that was probably meant for this workload; `why` says what is wrong with it.
const objects::PodDisruptionBudget* near_miss(const objects::Workload& workload, const Surroundings& surroundings,
                                              std::string& why) {
  const objects::StringMap labels = pod_labels(workload);
  const objects::PodDisruptionBudget* best = nullptr;
  int best_rank = 0;
  for (const objects::PodDisruptionBudget* budget : *surroundings.budgets) {
    if (!same_namespace(budget->meta, workload.meta)) continue;
    int rank = 0;
    std::string text;
    const bool same_name = budget->meta.name == workload.meta.name;
    if (std::string problem = budget_problem(*budget); !problem.empty()) {
      const bool meant = same_name || objects::matches(budget->selector, labels);
      rank = meant ? 4 : 0;
      text = "would select it, but the API server refuses it: " + problem;
    } else if (!budget->selector) {
      rank = same_name ? 3 : 0;
      text = "has no selector, so it selects nothing";
    } else if (objects::matches(budget->selector, workload.meta.labels) && !budget->selector->empty()) {
      rank = 3;
      text = "selects the " + workload.kind.kind + "'s own labels, not its template's";
    } else {
      const Mismatch mismatch = compare(*budget->selector, labels);
      rank = mismatch.failing == 1 && mismatch.met > 0 && !mismatch.meant ? 2 : same_name ? 1 : 0;
      text = "does not select the pods: " + mismatch.first;
    }
    if (rank > best_rank) {
      best_rank = rank;
      best = budget;
      why = std::move(text);
    }
  }
  return best;
}

void check_missing(const objects::Workload& workload, const Surroundings& surroundings, const ReplicaRange& range,
                   bool selected, Collector& out) {
  if (range.floor < 2) return;
  out.applies(Check::kPdbMissing);
  if (surroundings.budgets == nullptr) {
    out.report(Check::kPdbMissing, CheckResult::kInfo, "BudgetsNotReadable",
               "PodDisruptionBudgets cannot be read, so it is not known whether one covers the pods.",
               "Allow listing poddisruptionbudgets of group policy.");
    return;
  }
  if (selected) return;
  const std::string remedy = "Create a PodDisruptionBudget with maxUnavailable: 1 that selects the template's labels.";
  std::string why;
  if (const objects::PodDisruptionBudget* budget = near_miss(workload, surroundings, why); budget != nullptr) {
    relate(out.report(Check::kPdbMissing, CheckResult::kWarn, "BudgetMismatch",
                      fmt::format("No PodDisruptionBudget selects the {} pods: {} {}.", range.floor, name_of(*budget), why),
                      "Correct " + name_of(*budget) + " so that it selects the labels of spec.template.",
                      "spec.template.metadata.labels"),
           *budget);
  } else if (surroundings.budgets_may_be_elsewhere) {
    out.report(Check::kPdbMissing, CheckResult::kInfo, "BudgetMissing",
               fmt::format("{} and no PodDisruptionBudget: none in the input.", counted(range.floor, "replica")), remedy);
  } else {
    out.report(Check::kPdbMissing, CheckResult::kWarn, "BudgetMissing",
               fmt::format("{} and no PodDisruptionBudget: a node drain may take them all at once.",
                           counted(range.floor, "replica")),
               remedy);
  }
}

std::string pods_text(const BudgetReading& reading, const ReplicaRange& range) {
  return fmt::format("with all {} ready{}{}", counted(reading.at_floor->current_healthy, "pod"),
                     reading.alone ? "" : " that it selects", range.autoscaled ? " (at the autoscaler's minimum)" : "");
}

Eviction eviction(const BudgetReading& reading, const BudgetStatus& status, bool ready) {
  return evict({PodPhase::kRunning, ready, false}, {{reading.budget, status, true}});
}

void check_blocking(const BudgetReading& reading, const ReplicaRange& range, Collector& out) {
  out.applies(Check::kPdbBlocksEviction);
  if (!reading.at_floor || reading.only_bare_pods) return;
  if (eviction(reading, *reading.at_floor, true) == Eviction::kAllowed) return;
  const objects::PodDisruptionBudget& budget = *reading.budget;
  if (!budget.min_available && !budget.max_unavailable) {
    relate(out.report(Check::kPdbBlocksEviction, CheckResult::kFail, "BudgetWithoutLimit",
                      fmt::format("{} has {}: it refuses every eviction.", name_of(budget), limit_of(budget)),
                      "Set maxUnavailable: 1 in " + name_of(budget) + "."),
           budget);
    return;
  }
  const bool always = eviction(reading, *reading.at_ceiling, true) != Eviction::kAllowed;
  const std::string remedy = reading.at_floor->current_healthy > 1
                                 ? fmt::format("Set maxUnavailable: 1 in {}.", name_of(budget))
                                 : fmt::format("Run two replicas or more with maxUnavailable: 1 in {}, or accept the outage "
                                               "and delete it.", name_of(budget));
  relate(out.report(Check::kPdbBlocksEviction, always ? CheckResult::kFail : CheckResult::kWarn, "EvictionBlocked",
                    fmt::format("{} ({}) allows no disruption {}: every node drain waits for ever.", name_of(budget),
                                limit_of(budget), pods_text(reading, range)),
                    remedy),
         budget);
}

void check_ineffective(const objects::Workload& workload, const BudgetReading& reading, const ReplicaRange& range,
                       Collector& out) {
  if (range.floor < 2) return;
  out.applies(Check::kPdbIneffective);
  if (!reading.at_floor || reading.at_floor->disruptions_allowed < range.floor) return;
  const objects::PodDisruptionBudget& budget = *reading.budget;
  if (reading.at_floor->disruptions_allowed < reading.at_floor->current_healthy) {
    relate(out.report(Check::kPdbIneffective, CheckResult::kWarn, "SharedBudgetIneffective",
                      fmt::format("{} ({}) lets {} of the {} pods that it selects go at once, and they may be all {} of "
                                  "this {}.",
                                  name_of(budget), limit_of(budget), reading.at_floor->disruptions_allowed,
                                  reading.at_floor->current_healthy, range.floor, workload.kind.kind),
                      fmt::format("Give each workload a PodDisruptionBudget of its own with maxUnavailable: 1 instead of "
                                  "{}.", name_of(budget))),
           budget);
    return;
  }
  // Nothing has to be healthy, so a pod that is not ready is not "above the limit" either: refused while none is ready.
  BudgetStatus crashing = *reading.at_floor;
  crashing.current_healthy = crashing.disruptions_allowed = 0;
  const bool stuck = eviction(reading, crashing, false) != Eviction::kAllowed;
  relate(out.report(Check::kPdbIneffective, CheckResult::kWarn, "BudgetIneffective",
                    fmt::format("{} ({}) lets every pod go at once {}{}.", name_of(budget), limit_of(budget),
                                pods_text(reading, range),
                                stuck ? ", and still blocks a drain while none of them is ready" : ""),
                    fmt::format("Set maxUnavailable: 1 in {}{}.", name_of(budget),
                                stuck ? ", and unhealthyPodEvictionPolicy: AlwaysAllow so that crashing pods can be evicted"
                                      : "")),
         budget);
}

void check_unsupported(const objects::Workload& workload, const BudgetReading& reading, Collector& out) {
  out.applies(Check::kPdbUnsupported);
  const objects::PodDisruptionBudget& budget = *reading.budget;
  const auto remedy = [&] {
    return fmt::format("Narrow the selector of {}, or give it a whole number as minAvailable.", name_of(budget));
  };
  if (!reading.without_scale.empty()) {
    const bool itself = reading.without_scale == workload.kind.kind + " " + workload.meta.name;
    relate(out.report(Check::kPdbUnsupported, CheckResult::kFail, "OwnerWithoutScale",
                      fmt::format("{} ({}) {}selects the pods of {}, which has no scale: Kubernetes cannot compute it and "
                                  "refuses to evict any pod under it.", name_of(budget), limit_of(budget),
                                  itself ? "" : "also ", base::truncate_utf8(reading.without_scale, 100)),
                      remedy()),
           budget);
  } else if (reading.sync_failed) {
    const std::string said = base::truncate_utf8(reading.sync_message.empty() ? "SyncFailed." : reading.sync_message, 200);
    relate(out.report(Check::kPdbUnsupported, CheckResult::kFail, "SyncFailed",
                      fmt::format("The cluster cannot compute {} and refuses to evict any pod under it: {}", name_of(budget),
                                  said),
                      remedy()),
           budget);
  } else if (reading.only_bare_pods) {
    relate(out.report(Check::kPdbUnsupported, CheckResult::kFail, "PodsWithoutScale",
                      fmt::format("{} ({}) selects only Pods without a controller: there is no number of replicas to count "
                                  "from, so it refuses to evict any of them.", name_of(budget), limit_of(budget)),
                      fmt::format("Give {} a whole number as minAvailable, or let a Deployment make the pods.",
                                  name_of(budget))),
           budget);
  }
}

void check_overlapping(const std::vector<BudgetReading>& readings, std::ptrdiff_t all, Collector& out) {
  out.applies(Check::kPdbOverlapping);
  if (all < 2) return;
  std::vector<std::string> names;
  for (const BudgetReading& each : readings) {
    if (each.selection != Selection::kAll || names.size() == 4) continue;
    names.push_back(base::truncate_utf8(each.budget->meta.name, 63));
  }
  const std::string list = base::join(names, ", ") + (static_cast<std::size_t>(all) > names.size() ? " and more" : "");
  relate(out.report(Check::kPdbOverlapping, CheckResult::kFail, "BudgetsOverlap",
                    fmt::format("{} PodDisruptionBudgets select the pods ({}): the eviction API answers 500 and no drain "
                                "can finish.", all, list),
                    "Keep one PodDisruptionBudget for these pods."),
         *readings.front().budget);
}

void check_single(const objects::Workload& workload, const ReplicaRange& range, Collector& out) {
  out.applies(Check::kSingleReplica);
  if (range.floor != 1) return;
  if (is_bare_pod(workload)) {
    out.report(Check::kSingleReplica, CheckResult::kInfo, "PodWithoutController",
               "No controller owns this Pod: when it is evicted, or its node goes, nothing makes a new one.",
               "Let a Deployment or StatefulSet make it.");
    return;
  }
  out.report(Check::kSingleReplica, CheckResult::kInfo, "SingleReplica",
             fmt::format("One replica{}: every eviction is an outage. A PodDisruptionBudget cannot prevent it; minAvailable "
                         "1 would block every drain.",
                         range.autoscaled ? " at the autoscaler's minimum" : workload.replicas ? "" : " (the default)"),
             "Run two replicas or more if the application allows it.", range.autoscaled ? std::string() : "spec.replicas");
}

// In how many rounds the pods leave their nodes when all of those are drained.
void read_drain(const std::vector<BudgetReading>& readings, std::ptrdiff_t all, const Surroundings& surroundings,
                DisruptionReading& result) {
  if (readings.empty()) {
    if (surroundings.budgets != nullptr) result.drain_rounds = 1;
    return;
  }
  const BudgetReading& only = readings.front();
  result.drain_blocked = all > 1 || !only.without_scale.empty() || only.sync_failed;
  if (result.drain_blocked || readings.size() > 1 || !only.at_floor) return;
  const std::int64_t allowed = only.at_floor->disruptions_allowed;
  result.drain_blocked = allowed == 0;
  if (allowed == 0) return;
  result.drain_rounds = (only.at_floor->current_healthy + allowed - 1) / allowed;
}

}  // namespace

DisruptionReading check_disruption(const objects::Workload& workload, const Surroundings& surroundings, Collector& out) {
  DisruptionReading result;
  const std::vector<BudgetReading> readings = budgets_of(workload, surroundings);
  for (const BudgetReading& reading : readings) result.budgets.push_back(reading.budget->meta.name);
  const ReplicaRange range = replicas_of(workload, surroundings);
  const bool counted_kind = has_replicas(workload);
  if (counted_kind) result.replicas_at_floor = range.floor;
  if (counted_kind && range.floor == 0) return result;

  const auto all = std::count_if(readings.begin(), readings.end(),
                                 [](const BudgetReading& each) { return each.selection == Selection::kAll; });
  if (counted_kind) {
    check_single(workload, range, out);
    check_missing(workload, surroundings, range, !readings.empty(), out);
    read_drain(readings, all, surroundings, result);
  }
  if (readings.empty()) return result;

  check_overlapping(readings, all, out);
  for (const BudgetReading& reading : readings) {
    check_unsupported(workload, reading, out);
    if (all > 1 || !counted_kind) continue;
    check_blocking(reading, range, out);
    check_ineffective(workload, reading, range, out);
  }
  if (!counted_kind || is_bare_pod(workload)) return result;
  if (readings.size() == 1 && readings.front().alone && readings.front().at_floor) {
    result.replicas = range.floor;
    result.disruptions_allowed_when_ready = readings.front().at_floor->disruptions_allowed;
  }
  return result;
}

}  // namespace shutdown_auditor::audit
