#include "app/input.h"

#include <gmock/gmock.h>

#include "console.h"

namespace shutdown_auditor::app {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* kDeployment = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\n";

std::vector<std::string> files_of(const Input& input, const std::string& root) {
  std::vector<std::string> out;
  for (const InputWorkload& item : input.workloads) {
    const std::string& file = *item.source.file;
    out.push_back(file.starts_with(root) ? file.substr(root.size() + 1) : file);
  }
  return out;
}

TEST(ReadInput, DirectoriesInNameOrder) {
  const TempDir dir;
  for (const char* name : {"b.yaml", "a.yml", "c.json", "notes.txt", "Makefile", "deep/d.yaml", "deep/er/e.yaml"}) {
    dir.write(name, std::string(name) == "c.json" ? R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"a"}})"
                                                 : kDeployment);
  }
  std::istringstream none;
  EXPECT_THAT(files_of(read_input({dir.path()}, false, none), dir.path()), ElementsAre("a.yml", "b.yaml", "c.json"));
  EXPECT_THAT(files_of(read_input({dir.path()}, true, none), dir.path()),
              ElementsAre("a.yml", "b.yaml", "c.json", "deep/d.yaml", "deep/er/e.yaml"));
}

TEST(ReadInput, LinksToDirectoriesAreNotFollowed) {
  const TempDir dir;
  dir.write("a.yaml", kDeployment);
  std::filesystem::create_directory_symlink(dir.path(), dir.path() + "/loop");
  std::filesystem::create_symlink("somebody@host.1:2", dir.path() + "/.#a.yaml");
  std::istringstream none;
  const Input input = read_input({dir.path()}, true, none);
  EXPECT_THAT(files_of(input, dir.path()), ElementsAre("a.yaml"));
  EXPECT_FALSE(input.failed());

  std::filesystem::create_symlink("/nowhere", dir.path() + "/dangling.yaml");
  const Input dangling = read_input({dir.path()}, true, none);
  EXPECT_THAT(files_of(dangling, dir.path()), ElementsAre("a.yaml"));
  ASSERT_EQ(dangling.problems.size(), 1U);
  EXPECT_EQ(to_string(dangling.problems[0]), dir.path() + "/dangling.yaml: a link to /nowhere, which does not exist");
}

TEST(ReadInput, WhatIsNamedTwiceIsReadOnce) {
  const TempDir dir;
  const std::string file = dir.write("a.yaml", kDeployment);
  std::istringstream in(kDeployment);
  const Input input = read_input({file, dir.path(), dir.path() + "/../" + dir.path().substr(dir.path().rfind('/') + 1), "-", "-"},
                                 false, in);
  EXPECT_EQ(input.size(), 2U);
}

TEST(ReadInput, StandardInput) {
  std::istringstream in(kDeployment);
  const Input input = read_input({"-"}, false, in);
  ASSERT_EQ(input.size(), 1U);
  EXPECT_EQ(*input.workloads[0].source.file, "stdin");
  EXPECT_EQ(input.workloads[0].source.start.line, 1U);
}

TEST(ReadInput, WhatCannotBeReadIsSaidAndTheRestIsUsed) {
  const TempDir dir;
  const std::string good = dir.write("good.yaml", kDeployment);
  const std::string missing = dir.path() + "/missing.yaml";
  std::istringstream none;
  const Input input = read_input({missing, good}, false, none);
  EXPECT_EQ(input.size(), 1U);
  ASSERT_EQ(input.problems.size(), 1U);
  EXPECT_TRUE(input.failed());
  EXPECT_EQ(to_string(input.problems[0]), missing + ": No such file or directory");
}

TEST(ReadInput, OnlyAnnotationsThatAreReadAreKept) {
  std::istringstream in(
      "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: a\n  annotations:\n    big: text\n"
      "    shutdownaudit.dev/cleanup-seconds: \"5\"\n    helm.sh/hook: test\n");
  const Input input = read_input({"-"}, false, in);
  ASSERT_EQ(input.size(), 1U);
  EXPECT_EQ(WorkloadUnpacker().whole(input.workloads[0], "").meta.annotations.size(), 2U);
}

TEST(ReadInput, EveryKindToItsPlace) {
  std::istringstream in(R"(apiVersion: apps/v1
kind: StatefulSet
metadata: {name: db, namespace: shop}
---
# Source: web/templates/pod.yaml
apiVersion: v1
kind: Pod
metadata:
  name: bare
  labels: {app: bare}
spec:
  terminationGracePeriodSeconds: 7
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: b, namespace: other}
spec:
  maxUnavailable: 1
  selector: {}
---
{"apiVersion": "policy/v1beta1", "kind": "PodDisruptionBudget", "metadata": {"name": "old"}}
---
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Service, metadata: {name: s}}
- {apiVersion: batch/v1, kind: Job, metadata: {name: j}}
- {apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: h}}
- {apiVersion: v1, kind: Namespace, metadata: {name: space}}
- {apiVersion: v1, kind: Secret, metadata: {name: x}}
)");
  const Input input = read_input({"-"}, false, in);
  EXPECT_EQ(input.size(), 9U);
  ASSERT_EQ(input.workloads.size(), 2U);
  EXPECT_EQ(input.budgets.size(), 1U);
  EXPECT_EQ(input.old_budgets, 1U);
  EXPECT_EQ(input.services.size(), 1U);
  EXPECT_EQ(input.jobs.size(), 1U);
  EXPECT_EQ(input.autoscalers.size(), 1U);
  EXPECT_EQ(input.namespaces.size(), 1U);
  EXPECT_EQ(input.others, 1U);
  EXPECT_THAT(input.named, ElementsAre("other", "shop"));
  EXPECT_EQ(input.budgets[0].limit, (objects::Mark{18, 3}));
  EXPECT_EQ(input.budgets[0].selector, (objects::Mark{19, 3}));

  EXPECT_EQ(WorkloadUnpacker().whole(input.workloads[0], "fallback").meta.namespace_, "shop");
  objects::PositionMap positions;
  const objects::Workload pod = WorkloadUnpacker().whole(input.workloads[1], "fallback", &positions);
  EXPECT_EQ(*input.workloads[1].source.template_name, "web/templates/pod.yaml");
  EXPECT_EQ(pod.kind.kind, "Pod");
  EXPECT_EQ(pod.meta.namespace_, "fallback");
  EXPECT_EQ(pod.pod_template.meta.labels, (objects::StringMap{{"app", "bare"}}));
  EXPECT_EQ(pod.pod_template.spec.termination_grace_period_seconds, 7);
  EXPECT_EQ(positions.find("spec.terminationGracePeriodSeconds"), (objects::Mark{12, 3}));
}

TEST(ReadInput, TextsAreSharedAndStayWhereTheyAre) {
  SharedTexts texts;
  const std::string* const a = texts.keep("a");
  EXPECT_EQ(texts.keep(std::string("a")), a);
  EXPECT_NE(texts.keep("b"), a);
  EXPECT_EQ(texts.keep(""), nullptr);
  std::vector<SharedTexts> many;
  many.push_back(std::move(texts));
  for (int i = 0; i < 10; ++i) many.emplace_back();
  EXPECT_EQ(many.front().keep("a"), a);
  EXPECT_EQ(*a, "a");
}

}  // namespace
}  // namespace shutdown_auditor::app
