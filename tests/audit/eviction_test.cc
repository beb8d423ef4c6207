#include "audit/eviction.h"

#include <gtest/gtest.h>

#include "audit/builder.h"

namespace shutdown_auditor::audit {
namespace {

using testing::number;
using testing::percent;
using Limit = std::optional<objects::IntOrString>;

objects::PodDisruptionBudget limited(Limit least, Limit most) {
  objects::PodDisruptionBudget budget = testing::budget("web", testing::map_of({{"app", "web"}}));
  budget.min_available = std::move(least);
  budget.max_unavailable = std::move(most);
  return budget;
}

SelectedPods scaled(std::int64_t replicas, std::int64_t pods, std::int64_t ready) {
  return {Owner::kScaled, replicas, pods, ready};
}
SelectedPods without_scale(std::int64_t pods) { return {Owner::kWithoutScale, 0, pods, pods}; }
SelectedPods bare(std::int64_t pods) { return {Owner::kNone, 0, pods, pods}; }

TEST(BudgetStatusTest, Arithmetic) {
  struct Row {
    std::string what;
    Limit least, most;
    std::vector<SelectedPods> selected;
    std::int64_t expected, desired, allowed;
  };
  const std::vector<SelectedPods> three{scaled(3, 3, 3)};
  for (const Row& row : std::vector<Row>{
           {"1 of 1", {}, number(1), {scaled(1, 1, 1)}, 1, 0, 1},
           {"1% of 1", {}, percent("1%"), {scaled(1, 1, 1)}, 1, 0, 1},
           {"30% of 7", {}, percent("30%"), {scaled(7, 7, 7)}, 7, 4, 3},
           {"50% of 5", {}, percent("50%"), {scaled(5, 5, 5)}, 5, 2, 3},
           {"0 of 3", {}, number(0), three, 3, 3, 0},
           {"0% of 3", {}, percent("0%"), three, 3, 3, 0},
           {"100% of 3", {}, percent("100%"), three, 3, 0, 3},
           {"5 of 3", {}, number(5), three, 3, 0, 3},
           {"5 of 3, none ready", {}, number(5), {scaled(3, 3, 0)}, 3, 0, 0},
           {"1 of 3, two ready", {}, number(1), {scaled(3, 3, 2)}, 3, 2, 0},
           {"30% of 10, nine ready", {}, percent("30%"), {scaled(10, 10, 9)}, 10, 7, 2},
           {"least 1 of 1", number(1), {}, {scaled(1, 1, 1)}, 1, 1, 0},
           {"least 2 of 3", number(2), {}, three, 3, 2, 1},
           {"least 50% of 7", percent("50%"), {}, {scaled(7, 7, 7)}, 7, 4, 3},
           {"least 80% of 5", percent("80%"), {}, {scaled(5, 5, 5)}, 5, 4, 1},
           {"least 99% of 4", percent("99%"), {}, {scaled(4, 4, 4)}, 4, 4, 0},
           {"least 100% of 4", percent("100%"), {}, {scaled(4, 4, 4)}, 4, 4, 0},
           {"least 1% of 3", percent("1%"), {}, three, 3, 1, 2},
           {"least 0", number(0), {}, three, 3, 0, 3},
           {"least 5 of 3", number(5), {}, three, 3, 5, 0},
           {"050% is 50%", percent("050%"), {}, {scaled(4, 4, 4)}, 4, 2, 2},
           {"neither", {}, {}, three, 0, 0, 0},
           {"bare pods, most", {}, number(1), {bare(3)}, 0, 0, 0},
           {"bare pods, least", number(2), {}, {bare(3)}, 3, 2, 1},
           {"bare pods only add to the healthy", {}, number(0), {scaled(3, 3, 3), bare(1)}, 3, 3, 1},
           {"DaemonSet, least", number(1), {}, {without_scale(3)}, 3, 1, 2},
           {"one terminating, its replacement not ready", {}, number(1), {scaled(3, 4, 2)}, 3, 2, 0},
           {"two Deployments", {}, number(1), {scaled(2, 2, 2), scaled(3, 3, 3)}, 5, 4, 1},
           {"scaled to 0", {}, number(1), {scaled(0, 0, 0)}, 0, 0, 0},
           {"a finished pod is left over", number(1), {}, {scaled(2, 3, 2)}, 3, 1, 1},
           {"one pod of three, most", {}, number(1), {scaled(3, 1, 1)}, 3, 2, 0},
           {"no pod of a DaemonSet", {}, number(1), {scaled(3, 3, 3), without_scale(0)}, 3, 2, 1},
           {"hostile numbers", {}, percent("100%"), {scaled(INT64_MAX, INT64_MAX, INT64_MAX)}, kMaxPods, 0, kMaxPods},
           {"hostile sums", number(1), {}, {scaled(-1, INT64_MAX, 5), bare(INT64_MAX)}, kMaxPods, 1, kMaxPods - 1},
       }) {
    const objects::PodDisruptionBudget budget = limited(row.least, row.most);
    EXPECT_EQ(budget_problem(budget), "") << row.what;
    const BudgetStatus status = status_of(budget, row.selected);
    EXPECT_EQ(status.expected_pods, row.expected) << row.what;
    EXPECT_EQ(status.desired_healthy, row.desired) << row.what;
    EXPECT_EQ(status.disruptions_allowed, row.allowed) << row.what;
    EXPECT_EQ(status.reason(), row.allowed > 0 ? "SufficientPods" : "InsufficientPods") << row.what;
  }
}

TEST(BudgetStatusTest, FailsToSyncOverPodsWithoutScale) {
  for (const objects::PodDisruptionBudget& budget :
       {limited({}, number(1)), limited({}, percent("100%")), limited(percent("50%"), {}), limited(percent("0%"), {})}) {
    const BudgetStatus status = status_of(budget, {scaled(3, 3, 3), without_scale(1)});
    EXPECT_EQ(status.reason(), "SyncFailed");
    EXPECT_EQ(status.disruptions_allowed, 0);
    EXPECT_EQ(status.expected_pods, 0);
  }
}

TEST(EvictionTest, Outcomes) {
  const auto status = [](std::int64_t desired, std::int64_t healthy, std::int64_t allowed) {
    return BudgetStatus{3, desired, healthy, allowed, false};
  };
  const objects::PodDisruptionBudget plain = limited(number(2), {});
  objects::PodDisruptionBudget lenient = plain;
  lenient.unhealthy_pod_eviction_policy = "AlwaysAllow";
  objects::PodDisruptionBudget strict = plain;
  strict.unhealthy_pod_eviction_policy = "IfHealthyBudget";
  const PodState ready;
  const PodState unready{PodPhase::kRunning, false, false};
  const BudgetStatus failed{.sync_failed = true};
  struct Row {
    std::string what;
    PodState pod;
    std::vector<BudgetState> budgets;
    Eviction outcome;
    int http;
  };
  for (const Row& row : std::vector<Row>{
           {"no budget", ready, {}, Eviction::kAllowed, 201},
           {"one allowed", ready, {{&plain, status(2, 3, 1)}}, Eviction::kAllowed, 201},
           {"none allowed", ready, {{&plain, status(2, 2, 0)}}, Eviction::kRefused, 429},
           {"budget just changed", ready, {{&plain, status(2, 3, 1), false}}, Eviction::kTryAgain, 429},
           {"two budgets", ready, {{&plain, status(2, 3, 1)}, {&lenient, status(2, 3, 1)}}, Eviction::kOverlapping, 500},
           {"Pending under two", {PodPhase::kPending, false, false}, {{&plain, failed}, {&plain, failed}}, Eviction::kAllowed, 201},
           {"Failed", {PodPhase::kFailed, false, false}, {{&plain, status(2, 2, 0)}}, Eviction::kAllowed, 201},
           {"Succeeded", {PodPhase::kSucceeded, false, false}, {{&plain, status(2, 2, 0)}}, Eviction::kAllowed, 201},
           {"already being deleted", {PodPhase::kRunning, true, true}, {{&plain, status(2, 2, 0)}}, Eviction::kAllowed, 201},
           {"not ready, AlwaysAllow", unready, {{&lenient, status(2, 0, 0)}}, Eviction::kAllowed, 201},
           {"not ready, enough are healthy", unready, {{&plain, status(2, 2, 0)}}, Eviction::kAllowed, 201},
           {"not ready, named policy", unready, {{&strict, status(2, 2, 0)}}, Eviction::kAllowed, 201},
           {"not ready, too few are healthy", unready, {{&plain, status(2, 1, 0)}}, Eviction::kRefused, 429},
           {"not ready, nothing has to be healthy", unready, {{&plain, status(0, 0, 0)}}, Eviction::kRefused, 429},
           {"not ready, AlwaysAllow, just changed", unready, {{&lenient, status(0, 0, 0), false}}, Eviction::kAllowed, 201},
           {"sync failed", ready, {{&plain, failed}}, Eviction::kRefused, 429},
           {"sync failed, not ready, AlwaysAllow", unready, {{&lenient, failed}}, Eviction::kAllowed, 201},
       }) {
    const Eviction outcome = evict(row.pod, row.budgets);
    EXPECT_EQ(outcome, row.outcome) << row.what;
    EXPECT_EQ(http_status(outcome), row.http) << row.what;
  }
}

TEST(BudgetStatusTest, WhatTheApiServerRefuses) {
  struct Row {
    Limit least, most;
    std::optional<std::string> policy;
    std::string problem;
  };
  for (const Row& row : std::vector<Row>{{number(1), number(1), {}, "both"},
                                         {number(-1), {}, {}, "minAvailable \"-1\" is not a number of pods"},
                                         {{}, number(INT64_MAX), {}, "maxUnavailable"},
                                         {percent("50"), {}, {}, "percentage"},
                                         {percent("101%"), {}, {}, "percentage"},
                                         {percent("99999999999999999999%"), {}, {}, "percentage"},
                                         {percent("%"), {}, {}, "percentage"},
                                         {percent(" 5%"), {}, {}, "percentage"},
                                         {{}, {}, "", "unhealthyPodEvictionPolicy"},
                                         {{}, {}, "alwaysallow", "unhealthyPodEvictionPolicy"}}) {
    objects::PodDisruptionBudget budget = limited(row.least, row.most);
    budget.unhealthy_pod_eviction_policy = row.policy;
    EXPECT_THAT(budget_problem(budget), ::testing::HasSubstr(row.problem));
  }
  for (const auto& [key, value] : std::vector<std::pair<std::string, std::string>>{
           {"", "x"}, {"a b", "x"}, {"app", "a b"}, {"app", "-x"}, {"Example.com/app", "x"}, {"/app", "x"},
           {"app", std::string(64, 'x')}, {std::string(64, 'x'), ""}, {"example.com/", "x"}}) {
    objects::PodDisruptionBudget budget = limited(number(1), {});
    budget.selector = objects::LabelSelector{testing::map_of({{key, value}}), {}};
    EXPECT_NE(budget_problem(budget), "") << key << "=" << value;
  }
  objects::PodDisruptionBudget fine = limited(number(1), {});
  fine.selector = objects::LabelSelector{testing::map_of({{"app.kubernetes.io/name", "Web_1.x"}, {"empty", ""}}), {}};
  EXPECT_EQ(budget_problem(fine), "");
}

}  // namespace
}  // namespace shutdown_auditor::audit
