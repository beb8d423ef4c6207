#include "audit/neighbours.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "audit/disruption.h"
#include "audit/roles.h"

namespace shutdown_auditor::audit {
namespace {

// Few keys and values, so that much is selected and by several.
objects::StringMap some_labels(std::mt19937& random, std::size_t most) {
  static const std::vector<std::string> kKeys{"app", "tier", "part-of", "pod-template-hash", "controller-revision-hash"};
  objects::StringMap labels;
  for (std::size_t i = random() % (most + 1); i > 0; --i) {
    labels.emplace_back(kKeys[random() % kKeys.size()], "v" + std::to_string(random() % 4));
  }
  objects::normalize(labels);
  return labels;
}

struct Estate {
  std::vector<objects::Workload> workloads;
  std::vector<objects::PodDisruptionBudget> budgets;
  std::vector<objects::Service> services;
  std::vector<objects::Autoscaler> autoscalers;
  std::vector<objects::JobTemplate> jobs;
  std::vector<const objects::Workload*> workload_list;
  std::vector<const objects::PodDisruptionBudget*> budget_list;
  std::vector<const objects::Service*> service_list;
  std::vector<const objects::Autoscaler*> autoscaler_list;
  std::vector<const objects::JobTemplate*> job_list;
  Surroundings everything;

  explicit Estate(std::mt19937& random) {
    const std::vector<std::string> kinds{"Deployment", "StatefulSet", "DaemonSet", "Pod", "ReplicaSet"};
    for (int i = 0; i < 25; ++i) {
      objects::Workload workload;
      workload.kind = {i % 5 == 3 ? "" : "apps", kinds[static_cast<std::size_t>(i % 5)]};
      workload.meta.name = "w" + std::to_string(i);
      workload.replicas = static_cast<std::int64_t>(random() % 4);
      workload.pod_template.meta.labels = some_labels(random, 4);
      objects::Container& container = workload.pod_template.spec.containers.emplace_back();
      container.name = "app";
      container.ports.push_back({"http", 8080, ""});
      workloads.push_back(std::move(workload));
    }
    for (int i = 0; i < 12; ++i) {
      objects::PodDisruptionBudget budget;
      budget.meta.name = "b" + std::to_string(i);
      budget.max_unavailable = objects::IntOrString{false, static_cast<std::int64_t>(random() % 3), {}};
      if (i != 0) budget.selector = objects::LabelSelector{some_labels(random, 2), {}};
      if (i % 4 == 1) budget.selector->match_expressions.push_back({"app", "In", {"v1", "v2"}});
      if (i % 4 == 2) budget.selector->match_expressions.push_back({"tier", "DoesNotExist", {}});
      budgets.push_back(std::move(budget));
      objects::Service service;
      service.meta.name = "s" + std::to_string(i);
      service.selector = some_labels(random, 2);
      service.ports.push_back({"http", 80, objects::IntOrString{false, 8080, {}}, ""});
      services.push_back(std::move(service));
    }
    for (int i = 0; i < 4; ++i) {
      objects::Autoscaler scaler;
      scaler.kind = {"autoscaling", "HorizontalPodAutoscaler"};
      scaler.target = {"apps", "Deployment"};
      scaler.target_name = "w" + std::to_string(random() % 3 * 5);
      scaler.min_replicas = static_cast<std::int64_t>(1 + random() % 3);
      scaler.max_replicas = 5;
      autoscalers.push_back(scaler);
    }
    for (int i = 0; i < 2; ++i) {
      jobs.push_back({{"batch", "Job"}, {}, some_labels(random, 3)});
      jobs.back().meta.name = "j" + std::to_string(i);
    }
    for (const auto& each : workloads) workload_list.push_back(&each);
    for (const auto& each : budgets) budget_list.push_back(&each);
    for (const auto& each : services) service_list.push_back(&each);
    for (const auto& each : autoscalers) autoscaler_list.push_back(&each);
    for (const auto& each : jobs) job_list.push_back(&each);
    everything.workloads = &workload_list;
    everything.budgets = &budget_list;
    everything.services = &service_list;
    everything.autoscalers = &autoscaler_list;
    everything.jobs = &job_list;
  }
};

std::string text_of(const AuditResult& result) {
  std::string text = std::string(to_string(result.verdict)) + "\n";
  for (const Finding& finding : result.findings) {
    text += finding.id() + " " + finding.reason + " " + finding.message + " " + finding.related_name + "\n";
  }
  for (const std::string& budget : result.disruption.budgets) text += budget + "\n";
  for (const ContainerReading& container : result.containers) text += std::string(to_string(container.role)) + "\n";
  return text + std::to_string(result.disruption.replicas_at_floor.value_or(-1)) + " " +
         std::to_string(result.disruption.disruptions_allowed_when_ready.value_or(-1)) + " " +
         std::to_string(result.disruption.drain_rounds.value_or(-1));
}

// Every workload's audit says the same whether it looks at everything or at what is near.
TEST(NeighboursTest, SameAuditFromWhatIsNear) {
  std::mt19937 random(7);
  std::size_t selected = 0, behind_services = 0, left_out = 0;
  for (int round = 0; round < 40; ++round) {
    Estate estate(random);
    const BudgetSurvey survey(estate.everything);
    Surroundings surveyed = estate.everything;
    surveyed.survey = &survey;
    const Neighbours neighbours(surveyed);
    for (const objects::Workload& workload : estate.workloads) {
      Neighbours::Near near;
      const Surroundings around = neighbours.around(workload, near);
      const AuditResult everything = audit(workload, estate.everything, {}, {});
      EXPECT_EQ(text_of(everything), text_of(audit(workload, around, {}, {}))) << workload.meta.name << " of round " << round;
      selected += everything.disruption.budgets.size();
      behind_services += everything.containers.front().role == Role::kServing ? 1 : 0;
      left_out += estate.budgets.size() - near.budgets.size();
    }
  }
  EXPECT_GT(selected, 500u);
  EXPECT_GT(behind_services, 100u);
  EXPECT_GT(left_out, 1000u) << "of " << 40 * 25 * 12;
}

TEST(NeighboursTest, WhatCannotBeReadStaysUnread) {
  const Neighbours neighbours{Surroundings{}};
  Neighbours::Near near;
  const Surroundings around = neighbours.around(objects::Workload(), near);
  EXPECT_EQ(around.budgets, nullptr);
  EXPECT_EQ(around.services, nullptr);
  EXPECT_EQ(around.autoscalers, nullptr);
  EXPECT_EQ(around.workloads, nullptr);
}

std::vector<std::size_t> found(const LabelIndex& index, const objects::StringMap& labels, std::size_t most = LabelIndex::kAll) {
  std::vector<std::size_t> numbers;
  index.candidates(labels, numbers, most);
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

TEST(LabelIndexTest, FilesUnderTheRarestPairs) {
  using Numbers = std::vector<std::size_t>;
  LabelIndex one, two(2);
  for (LabelIndex* index : {&one, &two}) {
    for (int i = 0; i < 100; ++i) {
      const std::string name = "web-" + std::to_string(i);
      index->add({{"app", name}, {"instance", name}, {"managed-by", "helm"}});
    }
    index->add({});
    index->add({{"pod-template-hash", "1"}});
    index->finish();
  }
  const objects::StringMap full{{"app", "web-7"}, {"instance", "web-7"}, {"managed-by", "helm"}};
  const objects::StringMap nearly{{"app", "web-7"}, {"instance", "other"}, {"managed-by", "helm"}};
  EXPECT_EQ(found(one, full), (Numbers{7, 100, 101})) << "one of a hundred, and those without a pair to go by";
  EXPECT_EQ(found(one, {}), (Numbers{100, 101}));
  EXPECT_EQ(found(one, full, 1), (Numbers{7}));
  EXPECT_EQ(found(two, nearly), (Numbers{7, 100, 101}));
  EXPECT_EQ(found(two, {{"managed-by", "helm"}}), (Numbers{100, 101}));
}

// Thousands of budgets share a label; a workload that none selects is not compared with all of them.
TEST(NeighboursTest, ACommonLabelIsNoSign) {
  std::vector<objects::PodDisruptionBudget> budgets(1000);
  std::vector<const objects::PodDisruptionBudget*> list;
  for (std::size_t i = 0; i < budgets.size(); ++i) {
    budgets[i].meta.name = "b" + std::to_string(i);
    budgets[i].selector = objects::LabelSelector{{{"app", budgets[i].meta.name}, {"part-of", "shop"}}, {}};
    list.push_back(&budgets[i]);
  }
  Surroundings everything;
  everything.budgets = &list;
  const Neighbours neighbours(everything);
  objects::Workload workload;
  workload.meta.name = "b3";
  workload.meta.labels = {{"app", "b4"}, {"part-of", "shop"}};
  workload.pod_template.meta.labels = {{"app", "b5"}, {"part-of", "garden"}};
  Neighbours::Near near;
  neighbours.around(workload, near);
  EXPECT_EQ(near.budgets, (std::vector{list[3], list[4], list[5]})) << "by name, by its own labels, by all labels but one";
  workload.pod_template.meta.labels = {{"part-of", "shop"}};
  neighbours.around(workload, near);
  EXPECT_EQ(near.budgets, (std::vector{list[3], list[4]}));
}

}  // namespace
}  // namespace shutdown_auditor::audit
