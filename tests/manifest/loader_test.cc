#include "manifest/loader.h"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "manifest/loaded.h"
#include "manifest/yaml_source.h"

namespace shutdown_auditor::manifest {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

constexpr std::string_view kWeb = R"(apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  annotations:
    helm.sh/hook: pre-install
    big: stuff
spec:
  replicas: 3
  template:
    spec:
      terminationGracePeriodSeconds: 60
      containers:
      - name: app
        image: web:1.20
        env:
        - name: DEBUG
          value: "on"
        - {name: PORT, value: "8080"}
        lifecycle:
          preStop:
            exec:
              command: [sh, -c, sleep 5]
)";

TEST(LoaderTest, LoadsAWorkloadWithPositions) {
  const Loaded loaded = load_text(kWeb);
  EXPECT_THAT(loaded.problems, IsEmpty());
  ASSERT_EQ(loaded.objects.size(), 1U);
  const Object& web = loaded.objects[0];
  EXPECT_EQ(web.kind, (objects::GroupKind{"apps", "Deployment"}));
  EXPECT_EQ(web.api_version, "apps/v1");
  EXPECT_EQ(web.start, (objects::Mark{1, 1}));
  EXPECT_EQ(meta_of(web).name, "web");
  EXPECT_THAT(meta_of(web).annotations, ElementsAre(Pair("big", "stuff"), Pair("helm.sh/hook", "pre-install")));
  const auto& workload = std::get<objects::Workload>(web.value);
  EXPECT_EQ(workload.kind, web.kind);
  EXPECT_EQ(workload.pod_template.spec.termination_grace_period_seconds, 60);
  const objects::Container& app = workload.pod_template.spec.containers.at(0);
  EXPECT_EQ(app.env.at(0).value, "on");
  EXPECT_EQ(app.env.at(1).value, "8080");
  EXPECT_THAT(app.pre_stop->exec->command, ElementsAre("sh", "-c", "sleep 5"));

  const struct {
    const char* path;
    objects::Mark mark;
  } rows[] = {
      {"metadata.name", {4, 3}},
      {"metadata.annotations[helm.sh/hook]", {6, 5}},
      {"spec.replicas", {9, 3}},
      {"spec.template.spec.terminationGracePeriodSeconds", {12, 7}},
      {"spec.template.spec.containers[0]", {14, 9}},
      {"spec.template.spec.containers[0].lifecycle.preStop", {21, 11}},
      {"spec.template.spec.containers[0].lifecycle.preStop.exec.command[2]", {23, 33}},
      {"spec.template.spec.containers[0].readinessProbe", {14, 9}},
      {"spec.selector", {8, 1}},
      {"status", {1, 1}},
  };
  for (const auto& row : rows) {
    const objects::Mark mark = web.positions.find(row.path);
    EXPECT_EQ(mark, row.mark) << row.path << " at " << mark.line << ":" << mark.column;
  }
}

TEST(LoaderTest, OptionsLeaveAnnotationsAndPositionsOut) {
  LoadOptions options;
  options.positions = false;
  options.keep_annotation = [](std::string_view key) { return key == "helm.sh/hook"; };
  const Loaded loaded = load_text(kWeb, options);
  ASSERT_EQ(loaded.objects.size(), 1U);
  EXPECT_THAT(meta_of(loaded.objects[0]).annotations, ElementsAre(Pair("helm.sh/hook", "pre-install")));
  EXPECT_EQ(loaded.objects[0].positions.find("spec"), objects::Mark{});
}

TEST(LoaderTest, KnowsItsKindsByGroup) {
  const struct {
    const char* api_version;
    const char* kind;
    std::size_t alternative;
  } rows[] = {
      {"apps/v1", "Deployment", 1},
      {"apps/v1", "StatefulSet", 1},
      {"apps/v1", "DaemonSet", 1},
      {"apps/v1", "ReplicaSet", 1},
      {"argoproj.io/v1alpha1", "Rollout", 1},
      {"policy/v1", "PodDisruptionBudget", 2},
      {"v1", "Service", 3},
      {"autoscaling/v2", "HorizontalPodAutoscaler", 4},
      {"keda.sh/v1alpha1", "ScaledObject", 4},
      {"batch/v1", "Job", 5},
      {"batch/v1", "CronJob", 5},
      {"v1", "Namespace", 6},
      {"v1", "Pod", 7},
      {"serving.knative.dev/v1", "Service", 0},
      {"v1", "ConfigMap", 0},
      {"extensions/v1beta1", "Deployment", 0},
  };
  for (const auto& row : rows) {
    const Loaded loaded = load_text(fmt::format("kind: {}\napiVersion: {}\nmetadata: {{name: x}}\n", row.kind, row.api_version));
    ASSERT_EQ(loaded.objects.size(), 1U) << row.kind;
    EXPECT_EQ(loaded.objects[0].value.index(), row.alternative) << row.api_version << " " << row.kind;
    EXPECT_EQ(meta_of(loaded.objects[0]).name, "x");
  }
}

TEST(LoaderTest, KindAfterSpecAndAnchorsAreFine) {
  const Loaded loaded = load_text(
      "spec: {selector: &s {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}}}\nmetadata: {name: late}\n"
      "kind: StatefulSet\napiVersion: apps/v1\n");
  ASSERT_EQ(loaded.objects.size(), 1U);
  EXPECT_EQ(meta_of(loaded.objects[0]).name, "late");
  EXPECT_THAT(std::get<objects::Workload>(loaded.objects[0].value).selector->match_labels, ElementsAre(Pair("a", "b")));
}

TEST(LoaderTest, UnwrapsListsWithTheItemsOwnPositions) {
  const Loaded loaded = load_text(R"(apiVersion: v1
kind: List
items:
- apiVersion: v1
  kind: Service
  metadata: {name: a}
- apiVersion: v1
  kind: List
  items:
  - {apiVersion: v1, kind: Namespace, metadata: {name: b}}
- apiVersion: v1
  kind: ConfigMap
  metadata:
    name: c
---
items:
- metadata: {name: d}
- {kind: Deployment, metadata: {name: e}}
kind: DeploymentList
apiVersion: apps/v1
---
{kind: List, apiVersion: v1, items: null}
---
{kind: PodList, apiVersion: v1, items: []}
---
{kind: AllowList, apiVersion: example.com/v1, metadata: {name: f}}
)");
  EXPECT_THAT(loaded.problems, IsEmpty());
  std::vector<std::string> seen;
  for (const Object& object : loaded.objects) {
    seen.push_back(fmt::format("{} {} {}:{}", object.kind.kind, meta_of(object).name, object.start.line, object.start.column));
  }
  EXPECT_THAT(seen, ElementsAre("Service a 4:3", "Namespace b 10:5", "ConfigMap c 11:3", "Deployment d 17:3", "Deployment e 18:3",
                                "AllowList f 26:1"));
  EXPECT_EQ(loaded.objects[2].positions.find("metadata.name"), (objects::Mark{14, 5}));
  EXPECT_EQ(std::get<objects::Workload>(loaded.objects[3].value).kind, (objects::GroupKind{"apps", "Deployment"}));
}

TEST(LoaderTest, LoadsJsonFilesWithPositions) {
  const Loaded loaded = load_text(
      "{\n  \"apiVersion\": \"v1\", \"kind\": \"List\", \"items\": [\n    {\"apiVersion\": \"apps/v1\", \"kind\": \"Deployment\",\n"
      "     \"metadata\": {\"name\": \"j\"},\n     \"spec\": {\"replicas\": 2}}]}\n");
  EXPECT_THAT(loaded.problems, IsEmpty());
  ASSERT_EQ(loaded.objects.size(), 1U);
  EXPECT_EQ(loaded.objects[0].start, (objects::Mark{3, 5}));
  EXPECT_EQ(loaded.objects[0].positions.find("spec.replicas"), (objects::Mark{5, 15}));
}

TEST(LoaderTest, ReportsProblemsWithPlaceAndUsesTheRest) {
  const Loaded loaded = load_text(R"(apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  template:
    spec:
      terminationGracePeriodSeconds: thirty
---
just text
---
- a
---
kind: Service
---
apiVersion: v1
metadata: {name: x}
---
apiVersion: v1
kind: [Service]
---
broken: [
---
apiVersion: v1
kind: List
items: [{kind: Pod}, 5, {apiVersion: v1, kind: Service, metadata: {name: good}}]
---
apiVersion: v1
kind: Service
metadata: {labels: {a: "12"}}
spec: {ports: [{port: 1.5}]}
---
apiVersion: v1
kind: Namespace
metadata: {name: last}
)");
  EXPECT_THAT(
      loaded.problems,
      ElementsAre("f.yaml:7:38: Deployment \"web\": spec.template.spec.terminationGracePeriodSeconds: expected an integer, got "
                  "\"thirty\"",
                  "f.yaml:9:1: expected a Kubernetes object with apiVersion and kind",
                  "f.yaml:11:1: expected a Kubernetes object with apiVersion and kind",
                  "f.yaml:13:1: not a Kubernetes object: apiVersion is missing",
                  "f.yaml:15:1: not a Kubernetes object: kind is missing",
                  "f.yaml:19:7: kind: expected a string", HasSubstr("f.yaml:22:1: did not find expected"),
                  "f.yaml:25:9: not a Kubernetes object: apiVersion is missing",
                  "f.yaml:25:22: expected a Kubernetes object with apiVersion and kind",
                  "f.yaml:30:23: Service: spec.ports[0].port: expected an integer, got 1.5"));
  EXPECT_THAT(loaded.kinds(), ElementsAre(Pair("Namespace", 1), Pair("Service", 1)));
}

TEST(LoaderTest, KnowsTheTemplateThatHelmNames) {
  const Loaded loaded = load_text(
      "---\n# Source: web/templates/deployment.yaml\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\n"
      "---\n# Source: web/charts/db/templates/x.yaml\n# more\n{apiVersion: v1, kind: Pod, metadata: {name: b}}\n"
      "---\napiVersion: v1\n# Source: too late\nkind: Pod\nmetadata: {name: c}\n"
      "---\n# Source: web/templates/broken.yaml\napiVersion: v1\nkind: Pod\nmetadata: {name: [}\n"
      "---\n# Source: web/templates/typo.yaml\napiVersion: v1\nkind: Pod\nspec: {terminationGracePeriodSeconds: 5m}\n");
  std::vector<std::string> templates;
  for (const Object& object : loaded.objects) templates.push_back(object.template_name);
  EXPECT_THAT(templates, ElementsAre("web/templates/deployment.yaml", "web/charts/db/templates/x.yaml", ""));
  EXPECT_THAT(loaded.problems, ElementsAre(testing::EndsWith("(from web/templates/broken.yaml)"),
                                           "f.yaml:24:39: Pod: spec.terminationGracePeriodSeconds: expected an integer, got "
                                           "\"5m\" (from web/templates/typo.yaml)"));
}

TEST(LoaderTest, TheKeyOfAContainerIsItsName) {
  const Loaded loaded = load_text(
      "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec:\n  containers:\n  - image: web\n    args: [x]\n    name: app\n"
      "  - {image: log}\n");
  ASSERT_EQ(loaded.objects.size(), 1U);
  const objects::PositionMap& positions = loaded.objects[0].positions;
  EXPECT_EQ(positions.find("spec.containers[0].lifecycle.preStop"), (objects::Mark{8, 5}));
  EXPECT_EQ(positions.find("spec.containers[0]"), (objects::Mark{8, 5}));
  EXPECT_EQ(positions.find("spec.containers[0].args[0]"), (objects::Mark{7, 12}));
  EXPECT_EQ(positions.find("spec.containers[1].readinessProbe"), (objects::Mark{9, 5}));
  EXPECT_EQ(positions.find("spec.initContainers[0]"), (objects::Mark{4, 1}));
}

TEST(LoaderTest, WhatIsNoTextIsOneProblem) {
  std::string archive("\x1f\x8b\x08\x00\x00\x00\x00\x00\n---\n", 13);
  for (int i = 0; i < 8; ++i) archive += archive;
  EXPECT_THAT(load_text(archive).problems, ElementsAre("f.yaml: a binary file, neither YAML nor JSON"));
}

TEST(LoaderTest, TemplatesGiveOneNoteAFile) {
  const Loaded loaded = load_text(
      "{{- if .Values.a }}\nkind: Deployment\n{{- end }}\n---\nname: x-{{ .Values.b }}\n---\n"
      "apiVersion: v1\nkind: Namespace\nmetadata: {name: last}\n");
  EXPECT_THAT(loaded.problems, ElementsAre(testing::AllOf(HasSubstr("note: f.yaml:"), HasSubstr("helm template"))));
  EXPECT_EQ(loaded.objects.size(), 1U);
}

// A long text is read by several threads; what comes out, and in which order, is the same.
TEST(LoaderTest, ThreadsChangeNothing) {
  std::string text = "\xEF\xBB\xBF# a comment\n%YAML 1.1\n";
  for (int i = 0; text.size() < 2'000'000; ++i) {
    text += i % 7 == 1 ? "--- # next\n" : "---\n";
    switch (i % 10) {
      case 3: text += "broken: [\n"; break;
      case 4: text += "a: {{ .Values.a }}\n"; break;
      case 5: text += "{\"apiVersion\": \"v1\", \"kind\": \"Namespace\", \"metadata\": {\"name\": \"n\"}}\n"; break;
      case 6: text += "kind: Service\nspec: |\n  text\n  --- not a separator\n"; break;
      case 7: text += "apiVersion: v1\nkind: Pod\nmetadata: {name: a, name: b}\n...\napiVersion: v1\nkind: Pod\n"; break;
      case 8: text += "\n# nothing\n"; break;
      default:
        text += kWeb;
        text += fmt::format("---\napiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {{name: b{}}}\n", i);
    }
  }
  LoadOptions options;
  const Loaded alone = load_text(text, options);
  ASSERT_GT(alone.objects.size(), 2000u);
  ASSERT_GT(alone.problems.size(), 500u);
  // Nor does it matter where the text was cut.
  DocumentReader whole(text);
  std::size_t objects = 0, broken = 0;
  while (const std::optional<DocumentResult> document = whole.next()) {
    if (!*document) {
      broken += document->error().template_ ? 0 : 1;
    } else if ((*document)->member(0, "apiVersion") != Tape::kNone && (*document)->member(0, "kind") != Tape::kNone) {
      ASSERT_LT(objects, alone.objects.size());
      ASSERT_EQ(alone.objects[objects++].start, (*document)->mark(0));
    } else {
      ++broken;
    }
  }
  EXPECT_EQ(alone.objects.size(), objects);
  EXPECT_EQ(alone.problems.size(), broken + 1);  // and the note about templates
  for (const unsigned threads : {2u, 5u}) {
    options.threads = threads;
    const Loaded together = load_text(text, options);
    EXPECT_EQ(together.problems, alone.problems);
    ASSERT_EQ(together.objects.size(), alone.objects.size());
    for (std::size_t i = 0; i < alone.objects.size(); ++i) {
      ASSERT_EQ(together.objects[i].kind, alone.objects[i].kind);
      ASSERT_EQ(together.objects[i].start, alone.objects[i].start);
      ASSERT_EQ(meta_of(together.objects[i]), meta_of(alone.objects[i]));
      ASSERT_EQ(together.objects[i].positions.find("spec.replicas"), alone.objects[i].positions.find("spec.replicas"));
    }
  }
}

// Gives a text in bites of some bytes, and fails at its end when told so.
TextSource bites_of(std::string_view text, std::size_t size, bool fails = false) {
  return [text, size, fails](char* buffer, std::size_t most) mutable -> base::Result<std::size_t> {
    if (text.empty() && fails) return base::fail(base::ErrorKind::kIo, "the disk is gone");
    const std::size_t count = text.copy(buffer, std::min(size, most));
    text.remove_prefix(count);
    return count;
  };
}

// A separator, and what only looks like one, at every distance from where a piece may be cut.
TEST(LoaderTest, CutsBetweenDocumentsOnly) {
  const std::string_view documents =
      "apiVersion: v1\nkind: Namespace\nmetadata: {name: a}\n---\napiVersion: v1\nkind: Namespace\nmetadata:\n"
      "  name: b\n  annotations:\n    text: |\n      ---no\n    ---: x\n--- # yes\napiVersion: v1\nkind: Namespace\nmetadata: {name: c}\n---";
  constexpr std::size_t kPiece = 65536;
  for (std::size_t shift = 0; shift < documents.size() + 8; ++shift) {
    const std::string text = "#" + std::string(kPiece + 4 - shift, ' ') + "\n" + std::string(documents);
    for (const std::size_t bite : {std::size_t{1} << 20U, std::size_t{1021}}) {
      std::vector<std::string> names;
      std::vector<std::uint32_t> lines;
      load(
          bites_of(text, bite), "f.yaml", {},
          [&](const Object& object) {
            names.push_back(meta_of(object).name);
            lines.push_back(object.start.line);
          },
          [&](const Problem& problem) { ADD_FAILURE() << to_string(problem); });
      ASSERT_THAT(names, ElementsAre("a", "b", "c")) << shift;
      ASSERT_THAT(lines, ElementsAre(2, 6, 15)) << shift;
    }
  }
}

TEST(LoaderTest, ASourceThatFailsIsAProblem) {
  std::vector<std::string> problems;
  std::size_t objects = 0;
  std::string text;
  while (text.size() < 300'000) text += std::string(kWeb) + "---\n";
  load(
      bites_of(text, 5000, true), "f.yaml", {}, [&](const Object&) { ++objects; },
      [&](const Problem& problem) { problems.push_back(to_string(problem)); });
  EXPECT_THAT(problems, ElementsAre("f.yaml: the disk is gone"));
  EXPECT_GT(objects, 0U) << "what came before is used";
}

// Packed workloads are the same, and so are the places of their fields.
TEST(LoaderTest, PackedObjectsAreTheSame) {
  LoadOptions options;
  const std::string text = std::string(kWeb) + "---\napiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec:\n  hostNetwork: true\n" +
                           "---\napiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec:\n  type: ClusterIP\n";
  const Loaded plain = load_text(text, options);
  options.pack = true;
  const Loaded packed = load_text(text, options);
  ASSERT_EQ(packed.objects.size(), 3U);
  ASSERT_EQ(plain.objects.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(meta_of(packed.objects[i]).name, meta_of(plain.objects[i]).name);
  objects::PositionMap positions;
  EXPECT_EQ(*objects::unpack<objects::Workload>(packed.objects[0].packed, packed.objects[0].kind, &positions),
            std::get<objects::Workload>(plain.objects[0].value));
  for (const char* path : {"metadata.name", "spec.replicas", "spec.template.spec.containers[0]", "spec.template.spec.none"}) {
    EXPECT_EQ(positions.find(path), plain.objects[0].positions.find(path)) << path;
  }
  EXPECT_EQ(*objects::unpack<objects::Pod>(packed.objects[1].packed, packed.objects[1].kind, &positions),
            std::get<objects::Pod>(plain.objects[1].value));
  EXPECT_TRUE(packed.objects[2].packed.empty());
  EXPECT_EQ(std::get<objects::Service>(packed.objects[2].value), std::get<objects::Service>(plain.objects[2].value));
}

TEST(LoaderTest, ARefusedObjectLeavesNothingBehindWhenPacking) {
  LoadOptions options;
  options.pack = true;
  const std::string refused = "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: bad}\nspec: {replicas: three}\n---\n";
  const Loaded alone = load_text(std::string(kWeb), options);
  const Loaded after = load_text(refused + std::string(kWeb), options);
  ASSERT_EQ(after.objects.size(), 1U);
  ASSERT_EQ(after.problems.size(), 1U);
  const objects::GroupKind& kind = alone.objects[0].kind;
  EXPECT_EQ(*objects::unpack<objects::Workload>(after.objects[0].packed, kind),
            *objects::unpack<objects::Workload>(alone.objects[0].packed, kind));
}

TEST(ProblemTest, AProblemOfTheWholeFileHasNoPlace) {
  EXPECT_EQ(to_string(Problem{Problem::Severity::kError, "f", {}, "unreadable"}), "f: unreadable");
  EXPECT_EQ(to_string(Problem{Problem::Severity::kError, "f", {3, 4}, "bad"}), "f:3:4: bad");
}

}  // namespace
}  // namespace shutdown_auditor::manifest
