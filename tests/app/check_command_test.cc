#include "app/check_command.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "app/version.h"
#include "audit/check.h"
#include "base/file.h"
#include "base/text.h"
#include "console.h"

namespace shutdown_auditor::app {
namespace {

using nlohmann::json;
using testing::HasSubstr;

// A Deployment that passes alone (grace 60 and one replica) unless `spec` says otherwise.
std::string deployment(const std::string& name, const std::string& metadata = "", const std::string& pod = "") {
  return "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: " + name + "\n" + metadata +
         "spec:\n  replicas: 1\n  selector: {matchLabels: {app: " + name + "}}\n  template:\n    metadata: {labels: {app: " +
         name + "}}\n    spec:\n" + (pod.empty() ? "      terminationGracePeriodSeconds: 60\n" : pod) +
         "      containers: [{name: app, image: a}]\n---\n";
}
const std::string kGraceZero = "      terminationGracePeriodSeconds: 0\n";

std::string pod(const std::string& name, const std::string& metadata = "", const std::string& spec = "") {
  return "apiVersion: v1\nkind: Pod\nmetadata:\n  name: " + name + "\n  labels: {app: web}\n" + metadata + "spec:\n" +
         (spec.empty() ? "  terminationGracePeriodSeconds: 60\n" : spec) + "  containers: [{name: app, image: a}]\n---\n";
}
const std::string kOldBudget =
    "apiVersion: policy/v1beta1\nkind: PodDisruptionBudget\nmetadata: {name: old}\n"
    "spec: {maxUnavailable: 0, selector: {}}\n---\n";

json items(Console& console) { return json::parse(console.out.str())["items"]; }

// Compares with tests/app/data/NAME; with UPDATE_GOLDEN set writes it first.
void expect_golden(const std::string& name, const std::string& got) {
  if (std::getenv("UPDATE_GOLDEN") != nullptr) {
    std::ofstream(data_file(name)) << got;
  }
  const base::Result<std::string> expected = base::read_file(data_file(name), std::size_t{1} << 20U);
  ASSERT_TRUE(expected) << expected.error().message;
  EXPECT_EQ(got, *expected) << name;
}

TEST(Check, Golden) {
  const base::Result<std::string> reference = base::read_file(data_file("reference.yaml"), 100000);
  const base::Result<std::string> mistakes = base::read_file(data_file("mistakes.yaml"), 100000);
  ASSERT_TRUE(reference && mistakes);
  const struct {
    const char* golden;
    const std::string& input;
    std::vector<std::string> arguments;
    int status;
  } kCases[] = {
      {"reference.json", *reference, {"check", "-f", "-", "-o", "json"}, kExitOk},
      {"mistakes.json", *mistakes, {"check", "-f", "-", "-o", "json"}, kExitFindings},
      {"reference.wide.txt", *reference, {"check", "-f", "-", "-o", "wide"}, kExitOk},
      {"mistakes.txt", *mistakes, {"check", "-f", "-"}, kExitFindings},
      {"mistakes.quiet.txt", *mistakes, {"check", "-f", "-", "-q", "--complete"}, kExitFindings},
      {"mistakes.junit.xml", *mistakes, {"check", "-f", "-", "-o", "junit"}, kExitFindings},
      {"mistakes.github.txt", *mistakes, {"check", "-f", "-", "-o", "github"}, kExitFindings},
      {"mistakes.md", *mistakes, {"check", "-f", "-", "-o", "markdown"}, kExitFindings},
      {"reference.timeline.txt", *reference, {"check", "-f", "-", "--timeline"}, kExitOk},
  };
  for (const auto& test : kCases) {
    Console console;
    EXPECT_EQ(console.run(test.arguments, test.input), test.status);
    expect_golden(test.golden, console.out.str());
  }
}

// Every output over the example that has a bit of everything.
TEST(Check, GoldenOfEveryFormat) {
  const base::Result<std::string> input = base::read_file(std::string(SA_SOURCE_DIR) + "/examples/mistakes.yaml", 100000);
  ASSERT_TRUE(input);
  const struct {
    const char* golden;
    std::vector<std::string> arguments;
    std::size_t columns;  // of a terminal; 0: none
  } kCases[] = {
      {"example.txt", {}, 0},
      {"example.wide.txt", {"-o", "wide"}, 0},
      {"example.yaml", {"-o", "yaml"}, 0},
      {"example.junit.xml", {"-o", "junit", "--fail-on", "warn"}, 0},
      {"example.github.txt", {"-o", "github"}, 0},
      {"example.md", {"-o", "markdown"}, 0},
      {"example.timeline.txt", {"--timeline"}, 0},
      {"example.timeline.40.txt", {"--timeline"}, 40},
      {"example.40.txt", {}, 40},
      {"example.60.txt", {}, 60},
      {"example.80.txt", {}, 80},
      {"example.120.txt", {}, 120},
      {"example.160.color.txt", {"--color=always"}, 160},
      {"example.wide.100.txt", {"-o", "wide"}, 100},
  };
  for (const auto& test : kCases) {
    Console console;
    console.io.terminal = test.columns > 0;
    console.io.columns = test.columns > 0 ? test.columns : 80;
    console.io.unicode = false;
    std::vector<std::string> arguments{"check", "-f", "-"};
    arguments.insert(arguments.end(), test.arguments.begin(), test.arguments.end());
    EXPECT_EQ(console.run(arguments, *input), kExitFindings);
    expect_golden(test.golden, console.out.str());
    if (test.columns == 0 || test.golden == std::string("example.160.color.txt")) {
      continue;
    }
    for (const std::string_view line : base::split(console.out.str(), '\n')) {
      EXPECT_LE(line.size(), test.columns) << test.golden << ": " << line;
    }
  }
  Console console;
  console.run({"check", "-f", "-", "-o", "sarif"}, *input);
  json log = json::parse(console.out.str());
  log["runs"][0]["tool"]["driver"].erase("rules");  // the pages of the checks
  expect_golden("example.sarif.json", log.dump(2) + "\n");
}

TEST(Check, SarifNamesTheToolTheRulesAndTheLines) {
  Console console;
  EXPECT_EQ(console.run({"check", "-f", data_file("mistakes.yaml"), "-o", "sarif"}), kExitFindings);
  const json run = json::parse(console.out.str())["runs"][0];
  EXPECT_EQ(run["tool"]["driver"]["version"], std::string(version()));
  EXPECT_EQ(run["tool"]["driver"]["rules"].size(), audit::all_checks().size());
  EXPECT_NE(run["tool"]["driver"]["rules"][0]["help"]["markdown"].get<std::string>().find("## How to fix"), std::string::npos);
  ASSERT_FALSE(run["results"].empty());
  for (const json& result : run["results"]) {
    const json& place = result["locations"][0]["physicalLocation"];
    EXPECT_GT(place["region"]["startLine"], 0) << result;
    EXPECT_THAT(place["artifactLocation"]["uri"].get<std::string>(), HasSubstr("mistakes.yaml")) << result;
  }
}

TEST(Check, TheTimelineIsAnOutputOfItsOwn) {
  Console console;
  EXPECT_EQ(console.run({"check", "-f", data_file("reference.yaml"), "--timeline", "-o", "json"}), kExitTrouble);
  EXPECT_THAT(console.err.str(), HasSubstr("--timeline"));
}

TEST(Check, ExitStatus) {
  const std::string kBroken = "---\napiVersion: apps/v1\nkind: [\n---\n";
  const std::string kConfigMap = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n";
  const std::string kWarn = deployment("w", "  annotations: {shutdownaudit.dev/cleanup-seconds: \"soon\"}\n");
  const struct {
    const char* what;
    std::string input;
    std::vector<std::string> arguments;
    int status;
  } kCases[] = {
      {"passing", deployment("a"), {}, 0},
      {"a Fail", deployment("a", "", kGraceZero), {}, 1},
      {"a Fail that does not count", deployment("a", "", kGraceZero), {"--fail-on=none"}, 0},
      {"a Warn by default", kWarn, {}, 0},
      {"a Warn that counts", kWarn, {"--fail-on", "warn"}, 1},
      {"a Fail counts for warn", deployment("a", "", kGraceZero), {"--fail-on", "warn"}, 1},
      {"Unverified", deployment("a", "", "      terminationGracePeriodSeconds: 30\n"), {"--fail-on", "warn"}, 0},
      {"nothing", "", {}, 2},
      {"only comments", "# nothing\n---\n", {}, 2},
      {"not an object", "a: b\n", {}, 2},
      {"no workload", kConfigMap, {}, 0},
      {"no workload, wanted", kConfigMap, {"--fail-if-empty"}, 2},
      {"broken beside good", deployment("a") + kBroken, {}, 2},
      {"broken beside failing: trouble wins", deployment("a", "", kGraceZero) + kBroken, {}, 2},
      {"missing file", deployment("a"), {"-f", "/nowhere/x.yaml"}, 2},
      {"missing policy", deployment("a"), {"--policy", "/nowhere/p.yaml"}, 2},
  };
  for (const auto& test : kCases) {
    Console console;
    std::vector<std::string> arguments{"check", "-f", "-"};
    arguments.insert(arguments.end(), test.arguments.begin(), test.arguments.end());
    EXPECT_EQ(console.run(arguments, test.input), test.status) << test.what << "\n" << console.out.str() << console.err.str();
    EXPECT_EQ(console.err.str().empty(), test.status != 2 && test.input != kConfigMap) << test.what << console.err.str();
  }
}

TEST(Check, ABrokenDocumentIsReportedAndTheOthersAreAudited) {
  Console console;
  const std::string input = deployment("a") + "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: [}\n---\n" + deployment("b");
  EXPECT_EQ(console.run({"check", "-f", "-", "-o", "json"}, input), kExitTrouble);
  EXPECT_THAT(console.err.str(), HasSubstr("stdin:"));
  ASSERT_EQ(items(console).size(), 2U);
}

TEST(Check, NamespacesOfObjectsThatNameNone) {
  const std::string kIn = "  namespace: ";
  const struct {
    std::string input;
    std::vector<std::string> arguments;
    std::vector<std::string> expected;
  } kCases[] = {
      {deployment("a"), {}, {"default"}},
      {deployment("a"), {"-n", "shop"}, {"shop"}},
      {deployment("a") + deployment("b", kIn + "shop\n"), {}, {"shop", "shop"}},
      {deployment("a") + deployment("b", kIn + "shop\n"), {"-n", "blog"}, {"blog", "shop"}},
      {deployment("a") + deployment("b", kIn + "shop\n") + deployment("c", kIn + "blog\n"), {}, {"default", "shop", "blog"}},
  };
  for (const auto& test : kCases) {
    Console console;
    std::vector<std::string> arguments{"check", "-f", "-", "-o", "json"};
    arguments.insert(arguments.end(), test.arguments.begin(), test.arguments.end());
    EXPECT_EQ(console.run(arguments, test.input), kExitOk) << console.err.str();
    std::vector<std::string> got;
    for (const json& item : items(console)) {
      got.push_back(item["metadata"]["namespace"]);
    }
    EXPECT_EQ(got, test.expected);
  }
}

TEST(Check, ObjectsOfAnotherNamespaceDoNotCount) {
  // The budget selects the pods' labels but lives elsewhere.
  const std::string budget =
      "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: b, namespace: other}\n"
      "spec: {minAvailable: 1, selector: {matchLabels: {app: a}}}\n---\n";
  std::string workload = deployment("a", "  namespace: shop\n");
  workload.replace(workload.find("replicas: 1"), 11, "replicas: 3");
  Console console;
  console.run({"check", "-f", "-", "-o", "json"}, budget + workload);
  EXPECT_THAT(items(console)[0]["status"]["findings"].dump(), HasSubstr("pdb-missing"));
  EXPECT_FALSE(items(console)[0]["status"].value("disruption", json::object()).contains("budgets"));
}

TEST(Check, MissingBudgetIsInfoUnlessTheInputIsComplete) {
  std::string workload = deployment("a");
  workload.replace(workload.find("replicas: 1"), 11, "replicas: 3");
  const auto result_of_pdb_missing = [&workload](std::vector<std::string> more, const std::string& other) {
    Console console;
    more.insert(more.begin(), {"check", "-f", "-", "-o", "json"});
    console.run(more, workload + other);
    const json list = items(console);
    for (const json& finding : list[0]["status"]["findings"]) {
      if (finding["check"] == "pdb-missing") {
        return finding["result"].get<std::string>();
      }
    }
    return std::string("none");
  };
  const std::string other_budget =
      "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: b}\nspec: {minAvailable: 1, selector: {matchLabels: {app: z}}}\n";
  EXPECT_EQ(result_of_pdb_missing({}, ""), "Info");
  EXPECT_EQ(result_of_pdb_missing({"--complete"}, ""), "Warn");
  EXPECT_EQ(result_of_pdb_missing({}, other_budget), "Warn");
}

TEST(Check, ABudgetThatIsGivenTwiceCountsOnce) {
  const auto budget = [](const std::string& limit) {
    return "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: b}\nspec:\n  " + limit +
           "\n  selector: {matchLabels: {app: a}}\n---\n";
  };
  std::string workload = deployment("a");
  workload.replace(workload.find("replicas: 1"), 11, "replicas: 3");
  Console console;
  EXPECT_EQ(console.run({"check", "-f", "-"}, budget("maxUnavailable: 0") + workload + budget("maxUnavailable: 1")), kExitOk)
      << console.out.str();
  EXPECT_EQ(console.run({"check", "-f", "-"}, budget("maxUnavailable: 1") + workload + budget("maxUnavailable: 0")),
            kExitFindings);
  EXPECT_THAT(console.out.str(), testing::AllOf(HasSubstr("pdb-blocks-eviction"), HasSubstr("stdin:25")));
}

TEST(Check, WhatIsLeftOut) {
  const std::string hook = deployment("hook", "  annotations: {helm.sh/hook: pre-install}\n", kGraceZero);
  const std::string owner =
      "  ownerReferences: [{apiVersion: example.com/v1, kind: App, name: x, uid: u, controller: true}]\n";
  std::string replica_set = deployment("rs", owner);
  replica_set.replace(replica_set.find("kind: Deployment"), 16, "kind: ReplicaSet");
  const struct {
    std::string input;
    std::vector<std::string> arguments;
    std::size_t audited;
    const char* note;
  } kCases[] = {
      {hook + deployment("a"), {}, 1, "note: 1 workload not audited: Helm hooks"},
      {replica_set + deployment("a"), {}, 1, "made by another controller"},
      {pod("p", owner), {}, 0, "made by another controller"},
      {pod("test", "  annotations: {helm.sh/hook: test}\n") + deployment("a"), {}, 1, "not audited: Helm hooks"},
      {kOldBudget + deployment("a"), {}, 1, "note: 1 PodDisruptionBudget left out: Kubernetes 1.25"},
      {deployment("o", owner), {}, 1, ""},
      {deployment("o", owner), {"--skip-owned"}, 0, "made by another controller"},
      {deployment("a"), {"-n", "kube-system"}, 0, "namespace is one the built-in policy leaves out"},
      {hook, {"-q"}, 0, ""},
  };
  for (const auto& test : kCases) {
    Console console;
    std::vector<std::string> arguments{"check", "-f", "-", "-o", "json"};
    arguments.insert(arguments.end(), test.arguments.begin(), test.arguments.end());
    EXPECT_EQ(console.run(arguments, test.input), kExitOk) << console.err.str();
    EXPECT_EQ(items(console).size(), test.audited);
    EXPECT_THAT(console.err.str(), HasSubstr(test.note));
    EXPECT_EQ(console.err.str().empty(), std::string(test.note).empty()) << console.err.str();
  }
}

TEST(Check, PodsAndReplicaSetsWithoutAController) {
  std::string replica_set = deployment("rs");
  replica_set.replace(replica_set.find("kind: Deployment"), 16, "kind: ReplicaSet");
  Console console;
  console.run({"check", "-f", "-", "-o", "json"}, pod("bare", "", "  terminationGracePeriodSeconds: 0\n") + replica_set);
  const json audits = items(console);
  ASSERT_EQ(audits.size(), 2U);
  EXPECT_EQ(audits[0]["spec"]["targetRef"]["kind"], "Pod");
  EXPECT_EQ(audits[0]["metadata"]["annotations"]["shutdownaudit.dev/source"], "stdin:1");
  EXPECT_EQ(audits[0]["status"]["findings"][0]["fieldPath"], "spec.terminationGracePeriodSeconds");
  EXPECT_EQ(audits[0]["status"]["findings"][0]["reason"], "GracePeriodZero");
  EXPECT_EQ(audits[1]["spec"]["targetRef"]["kind"], "ReplicaSet");
  EXPECT_EQ(audits[1]["status"]["verdict"], "Pass");

  Console annotated;
  annotated.run({"check", "-f", "-"}, pod("bare", "  annotations:\n    shutdownaudit.dev/cleanup-seconds: soon\n"));
  EXPECT_THAT(annotated.out.str(), HasSubstr("default/pod/bare  stdin:7:5 ")) << "the place of the annotation";
}

TEST(Check, BudgetsOverPods) {
  const auto budget = [](const std::string& limit) {
    return "apiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: b}\nspec: {" + limit +
           ", selector: {matchLabels: {app: web}}}\n---\n";
  };
  const std::string owner =
      "  ownerReferences: [{apiVersion: apps/v1, kind: ReplicaSet, name: x, uid: u, controller: true}]\n";
  const std::string hook = "  annotations: {helm.sh/hook: test}\n";
  const struct {
    const char* what;
    std::string input;
    const char* reason;  // of a pdb-* finding; empty: none
  } kCases[] = {
      {"only bare Pods", budget("maxUnavailable: 1") + pod("one") + pod("two"), "PodsWithoutScale"},
      {"bare Pods, a number", budget("minAvailable: 1") + pod("one") + pod("two"), ""},
      {"one bare Pod, a number", budget("minAvailable: 1") + pod("one"), "EvictionBlocked"},
      {"a bare Pod beside a workload", budget("maxUnavailable: 0") + deployment("web") + pod("one"), ""},
      {"a workload's own Pod", budget("maxUnavailable: 0") + deployment("web") + pod("one", owner), "EvictionBlocked"},
      {"a hook's Pod", budget("maxUnavailable: 0") + deployment("web") + pod("one", hook), "EvictionBlocked"},
  };
  for (const auto& test : kCases) {
    Console console;
    console.run({"check", "-f", "-", "-o", "json"}, test.input);
    std::string reason;
    const json audits = items(console);
    for (const json& finding : audits[0]["status"]["findings"]) {
      if (finding["check"].get<std::string>().starts_with("pdb-")) {
        reason = finding["reason"];
      }
    }
    EXPECT_EQ(reason, test.reason) << test.what;
  }
}

TEST(Check, Policy) {
  const TempDir dir;
  const std::string policy = dir.write("p.yaml", R"(apiVersion: shutdownaudit.dev/v1alpha1
kind: ShutdownPolicy
metadata: {name: strict}
spec:
  checks: [{id: grace-zero, result: Warn}]
  namespaceSelector: {matchLabels: {team: a}}
)");
  const std::string spaces =
      "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {team: a}}\n---\n"
      "apiVersion: v1\nkind: Namespace\nmetadata: {name: blog, labels: {team: b}}\n---\n";
  const std::string workloads =
      deployment("a", "  namespace: shop\n", kGraceZero) + deployment("b", "  namespace: blog\n", kGraceZero);
  Console console;
  EXPECT_EQ(console.run({"check", "-f", "-", "--policy", policy, "-o", "json"}, spaces + workloads), kExitOk)
      << console.out.str();
  ASSERT_EQ(items(console).size(), 1U);
  EXPECT_EQ(items(console)[0]["metadata"]["namespace"], "shop");
  EXPECT_THAT(console.err.str(), HasSubstr("outside the scope of the policy"));
}

TEST(Check, EveryFindingCarriesFileAndLine) {
  Console console;
  console.run({"check", "-f", data_file("mistakes.yaml"), "-o", "json"});
  const json list = items(console);
  ASSERT_EQ(list.size(), 3U);
  EXPECT_EQ(list[0]["metadata"]["annotations"]["shutdownaudit.dev/source"], data_file("mistakes.yaml") + ":2");
  for (const json& item : list) {
    for (const json& finding : item["status"]["findings"]) {
      const std::string source = finding["source"];
      const std::string prefix = data_file("mistakes.yaml") + ":";
      ASSERT_TRUE(source.starts_with(prefix)) << source;
      for (const std::string_view number : base::split(std::string_view(source).substr(prefix.size()), ':')) {
        EXPECT_GT(base::parse_int64(number).value_or(0), 0) << source;
      }
    }
  }
}

TEST(Check, ColorFollowsTheTerminal) {
  const struct {
    bool terminal;
    const char* mode;
    bool colored;
  } kCases[] = {{false, "auto", false}, {true, "auto", true}, {false, "always", true}, {true, "never", false}};
  for (const auto& test : kCases) {
    Console console;
    console.io.color = test.terminal;
    console.run({"check", "-f", "-", "--color", test.mode}, deployment("a", "", kGraceZero));
    EXPECT_EQ(console.out.str().find('\x1b') != std::string::npos, test.colored) << test.mode;
  }
}

TEST(Check, AFullDiskIsTrouble) {
  Console console;
  std::ofstream full("/dev/full");
  ASSERT_TRUE(full.is_open());
  Io io{console.in, full, console.err, console.clock};
  console.in = std::istringstream(deployment("a"));
  EXPECT_EQ(run_command_line("shutdown-auditor", {"check", "-f", "-"}, io), kExitTrouble);
  EXPECT_THAT(console.err.str(), HasSubstr("could not be written"));
}

TEST(Check, TheJsonIsInputForAnotherRun) {
  Console console;
  console.run({"check", "-f", data_file("mistakes.yaml"), "-o", "json"});
  const std::string first = console.out.str();
  EXPECT_EQ(console.run({"check", "-f", "-"}, first), kExitOk) << "a list of objects without a workload";
  EXPECT_THAT(console.err.str(), HasSubstr("there is no workload to audit"));
  console.run({"check", "-f", data_file("mistakes.yaml"), "-o", "yaml"});
  EXPECT_EQ(console.run({"check", "-f", "-"}, console.out.str()), kExitOk) << console.err.str();
}

TEST(Check, BaselineHidesWhatIsKnown) {
  const TempDir dir;
  const std::string input = deployment("a", "", kGraceZero);
  const std::string baseline = dir.path() + "/baseline.yaml";
  Console console;
  EXPECT_EQ(console.run({"check", "-f", "-", "--write-baseline", baseline}, input), kExitOk);
  EXPECT_THAT(console.out.str(), HasSubstr("grace-zero")) << "what is written is shown once more";
  EXPECT_THAT(console.err.str(), HasSubstr("note: the findings are written to " + baseline));
  const std::string written = *base::read_file(baseline, 10000);
  EXPECT_THAT(written, HasSubstr("- {workload: default/deployment/a, check: grace-zero, reason: GracePeriodZero, result: Fail}\n"));

  EXPECT_EQ(console.run({"check", "-f", "-", "--baseline", baseline, "-o", "json"}, input), kExitOk);
  EXPECT_EQ(items(console)[0]["status"]["verdict"], "Skip");
  EXPECT_FALSE(items(console)[0]["status"].contains("findings"));
  EXPECT_THAT(console.err.str(), HasSubstr("known findings hidden by the baseline\n"));

  // Other numbers, other lines, and one new workload.
  const std::string more = "# moved\n---\n" + input + deployment("b", "", kGraceZero);
  EXPECT_EQ(console.run({"check", "-f", "-", "--baseline", baseline}, more), kExitFindings);
  EXPECT_THAT(console.out.str(), HasSubstr("default/deployment/b"));
  EXPECT_THAT(console.out.str(), testing::Not(HasSubstr("default/deployment/a")));

  EXPECT_EQ(console.run({"check", "-f", "-", "--baseline", baseline}, deployment("a")), kExitOk);
  EXPECT_THAT(console.err.str(), HasSubstr(" in it no longer occur"));
  EXPECT_EQ(console.run({"check", "-f", "-", "--baseline", baseline}, deployment("c")), kExitOk);
  EXPECT_THAT(console.err.str(), HasSubstr("about workloads that are not in the input\n"));
  EXPECT_EQ(console.run({"check", "-f", "-", "-q", "--baseline", baseline}, input), kExitOk);
  EXPECT_EQ(console.err.str(), "");

  EXPECT_EQ(console.run({"check", "-f", "-", "--baseline", baseline, "--write-baseline", baseline}, more), kExitOk);
  EXPECT_EQ(console.run({"check", "-f", "-", "--baseline", baseline}, more), kExitOk) << "brought up to date";
}

TEST(Check, BaselineInEveryFormat) {
  const TempDir dir;
  const std::string baseline = dir.path() + "/baseline.yaml";
  const std::string known = deployment("a", "", kGraceZero);
  const std::string input = known + deployment("b", "", kGraceZero);
  Console console;
  ASSERT_EQ(console.run({"check", "-f", "-", "--write-baseline", baseline}, known), kExitOk);
  for (const char* format : {"table", "json", "yaml", "sarif", "junit", "github", "markdown"}) {
    EXPECT_EQ(console.run({"check", "-f", "-", "-o", format, "--baseline", baseline}, input), kExitFindings) << format;
    const std::string out = console.out.str();
    const std::size_t finding = out.find("GracePeriodZero") == std::string::npos ? out.find("grace-zero") : 0;
    EXPECT_NE(finding, std::string::npos) << format;
    EXPECT_EQ(console.run({"check", "-f", "-", "-o", format, "--baseline", baseline}, known), kExitOk) << format;
  }
  EXPECT_EQ(console.run({"check", "-f", "-", "-o", "sarif", "--baseline", baseline}, input), kExitFindings);
  const json results = json::parse(console.out.str())["runs"][0]["results"];
  ASSERT_FALSE(results.empty());
  for (const json& result : results) {
    EXPECT_EQ(result["baselineState"], "new");
    EXPECT_THAT(result["message"]["text"].get<std::string>(), HasSubstr("deployment/b"));
  }
}

TEST(Check, BaselineTroubleIsStatus2) {
  const TempDir dir;
  const std::string input = deployment("a", "", kGraceZero);
  Console console;
  EXPECT_EQ(console.run({"check", "-f", "-", "--baseline", dir.path() + "/none"}, input), kExitTrouble);
  EXPECT_THAT(console.err.str(), HasSubstr("`check --write-baseline` makes it\n"));
  EXPECT_EQ(console.out.str(), "") << "nothing is audited without it";
  EXPECT_EQ(console.run({"check", "-f", "-", "--baseline", dir.write("b", "kind: Pod\n")}, input), kExitTrouble);
  EXPECT_EQ(console.run({"check", "-f", "-", "--write-baseline", dir.path()}, input), kExitTrouble);
  EXPECT_EQ(console.err.str(), dir.path() + ": not a regular file\n");
  const std::string kept = dir.write("kept.yaml", "precious");
  EXPECT_EQ(console.run({"check", "-f", "-", "--write-baseline", kept}, input + "a: [\n"), kExitTrouble);
  EXPECT_THAT(console.err.str(), HasSubstr("not written, because not all of the input could be read"));
  EXPECT_EQ(*base::read_file(kept, 100), "precious");
}

}  // namespace
}  // namespace shutdown_auditor::app
