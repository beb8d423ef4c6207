#include <gmock/gmock.h>

#include "audit/builder.h"
#include "audit/fix.h"
#include "base/text.h"

namespace shutdown_auditor::audit::testing {
namespace {

std::string limits(const objects::PodDisruptionBudget& budget) {
  std::string text;
  if (budget.max_unavailable) text += " max " + objects::to_string(*budget.max_unavailable);
  if (budget.min_available) text += " min " + objects::to_string(*budget.min_available);
  if (budget.unhealthy_pod_eviction_policy) text += " " + *budget.unhealthy_pod_eviction_policy;
  return text;
}

std::string selector(const objects::PodDisruptionBudget& budget) {
  if (!budget.selector) return "nothing";
  std::vector<std::string> parts;
  for (const auto& [key, value] : budget.selector->match_labels) parts.push_back(key + "=" + value);
  for (const auto& each : budget.selector->match_expressions) {
    parts.push_back(each.key + " " + each.op + " " + base::join(each.values, "/"));
  }
  return base::join(parts, " ");
}

// "new web: app=web max 1": what is created and changed.
std::string text_of(const std::vector<BudgetFix>& fixes) {
  std::vector<std::string> lines;
  for (const BudgetFix& each : fixes) {
    EXPECT_FALSE(each.why.empty());
    lines.push_back((each.before == nullptr ? "new " : "") + each.after.meta.name + ": " + selector(each.after) +
                    limits(each.after));
  }
  return base::join(lines, "; ");
}

objects::Workload deployment(const std::string& name, std::int64_t replicas) {
  objects::Workload made = perfect().workload;
  made.meta.name = name;
  made.replicas = replicas;
  made.selector = objects::LabelSelector{map_of({{"app", name}}), {}};
  made.pod_template.meta.labels = map_of({{"app", name}, {"part-of", "shop"}});
  return made;
}

struct Case {
  const char* what;
  std::vector<objects::Workload> workloads;
  std::vector<objects::PodDisruptionBudget> budgets;
  const char* fixes;
  const char* left;  // "web pdb-missing"
};

objects::PodDisruptionBudget with(objects::PodDisruptionBudget made, std::optional<objects::IntOrString> min,
                                  std::optional<objects::IntOrString> max) {
  made.min_available = std::move(min);
  made.max_unavailable = std::move(max);
  return made;
}

TEST(FixBudgets, Table) {
  const auto web = map_of({{"app", "web"}});
  const auto api = map_of({{"app", "api"}});
  const auto shop = map_of({{"part-of", "shop"}});
  const auto none = std::nullopt;
  objects::Workload daemon = deployment("logs", 1);
  daemon.kind = {"apps", "DaemonSet"};
  objects::Workload owned = deployment("web", 3);
  owned.meta.owners.push_back({"example.com/v1", "Shop", "main", "1", true});
  objects::Workload bare_labels = deployment("web", 3);
  bare_labels.selector.reset();
  bare_labels.pod_template.meta.labels.clear();
  const std::vector<Case> cases{
      {"nothing to do", {deployment("web", 3)}, {with(budget("web", web), none, number(1))}, "", ""},
      {"missing", {deployment("web", 3)}, {}, "new web: app=web max 1", ""},
      {"missing for two", {deployment("web", 3), deployment("api", 2)}, {}, "new web: app=web max 1; new api: app=api max 1",
       ""},
      {"one replica needs none", {deployment("web", 1)}, {}, "", ""},
      {"the name is taken", {deployment("web", 3), deployment("api", 2)}, {with(budget("web", api), none, number(1))},
       "new web-pdb: app=web max 1", ""},
      {"meant for it", {deployment("web", 3)}, {with(budget("web", map_of({{"app", "wep"}})), none, number(1))},
       "web: app=web max 1", ""},
      {"meant for it and refused", {deployment("web", 3)}, {with(budget("web", web), number(1), number(1))},
       "web: app=web max 1", ""},
      {"no labels", {bare_labels}, {}, "", "web pdb-missing"},
      {"an operator's", {owned}, {}, "", "web pdb-missing"},
      {"blocks", {deployment("web", 2)}, {with(budget("web", web), number(2), none)}, "web: app=web max 1", ""},
      {"blocks by maxUnavailable", {deployment("web", 2)}, {with(budget("web", web), none, number(0))}, "web: app=web max 1",
       ""},
      {"without a limit", {deployment("web", 2)}, {budget("web", web)}, "web: app=web max 1", ""},
      {"blocks one replica", {deployment("web", 1)}, {with(budget("web", web), number(1), none)}, "",
       "web pdb-blocks-eviction"},
      {"ineffective", {deployment("web", 2)}, {with(budget("web", web), none, percent("100%"))},
       "web: app=web max 1 AlwaysAllow", ""},
      {"shared and ineffective", {deployment("web", 2), deployment("api", 2)}, {with(budget("shop", shop), number(1), none)},
       "shop: part-of=shop max 1", ""},
      {"overlapping, one of them wider", {deployment("web", 3), deployment("api", 3)},
       {with(budget("shop", shop), none, number(1)), with(budget("web", web), none, number(1))},
       "shop: part-of=shop app NotIn web max 1", ""},
      {"overlapping twice", {deployment("web", 3), deployment("api", 3), deployment("cart", 3)},
       {with(budget("shop", shop), none, number(1)), with(budget("web", web), none, number(1)),
        with(budget("api", api), none, number(1))},
       "shop: part-of=shop app NotIn web/api max 1", ""},
      {"the same twice", {deployment("web", 3)},
       {with(budget("a", web), none, number(1)), with(budget("b", web), none, number(1))}, "", "web pdb-overlapping"},
      {"a DaemonSet under it", {deployment("web", 3), daemon}, {with(budget("shop", shop), none, number(1))},
       "shop: app=web max 1", ""},
      {"a DaemonSet alone", {daemon}, {with(budget("logs", map_of({{"app", "logs"}})), none, number(1))}, "",
       "logs pdb-unsupported"},
  };
  for (const Case& each : cases) {
    SCOPED_TRACE(each.what);
    Scene scene = perfect();
    scene.others = each.workloads;
    scene.budgets = each.budgets;
    const auto pointers = [&] {
      std::vector<const objects::Workload*> made;
      for (const objects::Workload& workload : each.workloads) made.push_back(&workload);
      return made;
    }();
    scene.with_surroundings([&](const Surroundings& around) {
      const Fixes fixes = compute_fixes(pointers, around, scene.policy, scene.options);
      EXPECT_EQ(text_of(fixes.budgets), each.fixes);
      std::vector<std::string> left;
      for (const WorkloadFix& fix : fixes.workloads) {
        for (const Unfixed& unfixed : fix.unfixed) {
          if (unfixed.finding.id().starts_with("pdb-")) left.push_back(fix.before->meta.name + " " + unfixed.finding.id());
        }
      }
      EXPECT_EQ(base::join(left, "; "), each.left);
      return 0;
    });
  }
}

TEST(FixBudgets, NoneIsMadeWhereOneMayBeElsewhere) {
  Scene scene = perfect();
  scene.budgets.clear();
  scene.budgets_may_be_elsewhere = true;
  scene.with_surroundings([&](const Surroundings& around) {
    const Fixes fixes = compute_fixes({&scene.workload}, around, scene.policy, scene.options);
    EXPECT_TRUE(fixes.budgets.empty());
    EXPECT_TRUE(fixes.workloads.front().unfixed.empty());
    return 0;
  });
}

}  // namespace
}  // namespace shutdown_auditor::audit::testing
