#include "app/live_target.h"

#include <gmock/gmock.h>

namespace shutdown_auditor::app {
namespace {

using testing::HasSubstr;

TEST(LiveTarget, KindsAreNamedAsKubectlNamesThem) {
  const struct {
    const char* text;
    objects::GroupKind kind;
    const char* name;
  } kCases[] = {
      {"deployment/web", {"apps", "Deployment"}, "web"},
      {"deployments/web", {"apps", "Deployment"}, "web"},
      {"deploy/web", {"apps", "Deployment"}, "web"},
      {"Deployment/web", {"apps", "Deployment"}, "web"},
      {"deployment.apps/web", {"apps", "Deployment"}, "web"},
      {"deployments.v1.apps/web", {"apps", "Deployment"}, "web"},
      {"sts/db", {"apps", "StatefulSet"}, "db"},
      {"statefulset/db", {"apps", "StatefulSet"}, "db"},
      {"ds/log", {"apps", "DaemonSet"}, "log"},
      {"daemonsets", {"apps", "DaemonSet"}, ""},
      {"rollout/x", {"argoproj.io", "Rollout"}, "x"},
      {"rollouts.argoproj.io/x", {"argoproj.io", "Rollout"}, "x"},
      {"rollouts.v1alpha1.argoproj.io", {"argoproj.io", "Rollout"}, ""},
      {"ro", {"argoproj.io", "Rollout"}, ""},
      {"deploy", {"apps", "Deployment"}, ""},
  };
  for (const auto& test : kCases) {
    const auto target = parse_live_target(test.text);
    ASSERT_TRUE(target) << test.text << ": " << target.error().message;
    EXPECT_EQ(target->kind, test.kind) << test.text;
    EXPECT_EQ(target->name, test.name) << test.text;
  }
}

TEST(LiveTarget, WhatIsNoneSaysWhatWouldBe) {
  const struct {
    const char* text;
    const char* part;
  } kCases[] = {
      {"", "deployment/web"},
      {"web", "no workload of that kind"},
      {"/web", "no workload of that kind"},
      {"pod/web", "no workload of that kind"},
      {"job/x", "no workload of that kind"},
      {"deployment.batch/web", "no workload of that kind"},
      {"deployments.v1beta1.apps/web", "no workload of that kind"},
      {"rollout.apps/x", "no workload of that kind"},
      {"deploy.yaml", "files are given with -f"},
      {"manifests/web.yaml", "files are given with -f"},
      {"deploy/", "KIND/NAME"},
      {"deploy/web/app", "KIND/NAME"},
  };
  for (const auto& test : kCases) {
    const auto target = parse_live_target(test.text);
    ASSERT_FALSE(target) << test.text;
    EXPECT_THAT(target.error().message, HasSubstr(test.part));
    EXPECT_THAT(target.error().message, HasSubstr(std::string("\"") + test.text));
  }
}

}  // namespace
}  // namespace shutdown_auditor::app
