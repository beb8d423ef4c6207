#include <gmock/gmock.h>

#include <cstdlib>

#include "base/file.h"
#include "console.h"
#include "manifest/loader.h"

// `check --fix`. That the fixes work is shown by tests/integration/fix_test on a real API server.
namespace shutdown_auditor::app {
namespace {

using testing::HasSubstr;
using testing::Not;

// Two replicas, grace 10 and no hook behind a Service; `metadata` may name a namespace.
std::string web(const std::string& metadata = "") {
  return "apiVersion: v1\nkind: Service\nmetadata:\n  name: web\n" + metadata +
         "spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}\n---\n"
         "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\n" + metadata +
         "spec:\n  replicas: 2\n  selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n"
         "    spec:\n      terminationGracePeriodSeconds: 10\n      containers:\n        - name: app\n          image: a\n"
         "          ports: [{containerPort: 8080}]\n          readinessProbe: {httpGet: {path: /ready, port: 8080}}\n"
         "          livenessProbe: {httpGet: {path: /live, port: 8080}}\n";
}

TEST(CheckFix, Golden) {
  Console console;
  EXPECT_EQ(console.run({"check", "-f", data_file("mistakes.yaml"), "--complete", "--fix"}), kExitFindings);
  const std::string path = data_file("mistakes.fix.yaml");
  if (std::getenv("UPDATE_GOLDEN") != nullptr) std::ofstream(path) << console.out.str();
  const base::Result<std::string> expected = base::read_file(path, std::size_t{1} << 20U);
  ASSERT_TRUE(expected) << expected.error().message;
  EXPECT_EQ(console.out.str(), *expected);
}

TEST(CheckFix, PrintsObjectsThatKubernetesReads) {
  Console console;
  console.run({"check", "-f", data_file("mistakes.yaml"), "--complete", "--fix"});
  std::size_t count = 0;
  manifest::load(
      console.out.str(), "fix", {}, [&](const manifest::Object&) { ++count; },
      [](const manifest::Problem& problem) { ADD_FAILURE() << manifest::to_string(problem); });
  EXPECT_GT(count, 3U);
}

TEST(CheckFix, OneKindOfDocuments) {
  Console console;
  console.run({"check", "-f", "-", "--complete", "--fix"}, web());
  EXPECT_THAT(console.out.str(), HasSubstr("kind: Deployment"));
  EXPECT_THAT(console.out.str(), HasSubstr("kind: PodDisruptionBudget"));
  console.run({"check", "-f", "-", "--complete", "--fix=patches"}, web());
  EXPECT_THAT(console.out.str(), Not(HasSubstr("PodDisruptionBudget")));
  console.run({"check", "-f", "-", "--complete", "--fix=objects"}, web());
  EXPECT_THAT(console.out.str(), Not(HasSubstr("Deployment")));
}

TEST(CheckFix, NamesANamespaceWhereTheObjectDoes) {
  const struct {
    const char* what;
    std::string input;
    std::vector<std::string> arguments;
    bool named;
  } kCases[] = {
      {"named", web("  namespace: shop\n"), {}, true},
      {"not named", web(), {}, false},
      {"named on the command line", web(), {"-n", "shop"}, false},
  };
  for (const auto& test : kCases) {
    Console console;
    std::vector<std::string> arguments{"check", "-f", "-", "--complete", "--fix"};
    arguments.insert(arguments.end(), test.arguments.begin(), test.arguments.end());
    console.run(arguments, test.input);
    EXPECT_EQ(console.out.str().find("namespace:") != std::string::npos, test.named) << test.what << console.out.str();
    EXPECT_THAT(console.out.str(), HasSubstr("PodDisruptionBudget")) << test.what;
  }
}

TEST(CheckFix, ExitStatusIsThatOfTheManifests) {
  const std::string passing = "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: a}\nspec:\n  template:\n    spec:\n"
                              "      terminationGracePeriodSeconds: 60\n      containers: [{name: app, image: a}]\n";
  std::string failing = passing;
  failing.replace(failing.find(": 60"), 4, ": 0 ");
  Console console;
  EXPECT_EQ(console.run({"check", "-f", "-", "--fix"}, failing), kExitFindings);
  EXPECT_EQ(console.run({"check", "-f", "-", "--fix", "--fail-on=none"}, failing), kExitOk);
  EXPECT_EQ(console.run({"check", "-f", "-", "--fix"}, passing), kExitOk);
  EXPECT_EQ(console.out.str(), "");
  EXPECT_EQ(console.err.str(), "note: nothing to fix\n");
}

TEST(CheckFix, Usage) {
  for (const std::vector<std::string>& more :
       {std::vector<std::string>{"--fix", "-o", "json"}, {"--fix", "--timeline"}, {"--fix=maybe"}}) {
    Console console;
    std::vector<std::string> arguments{"check", "-f", data_file("reference.yaml")};
    arguments.insert(arguments.end(), more.begin(), more.end());
    EXPECT_EQ(console.run(arguments), kExitTrouble);
    EXPECT_THAT(console.err.str(), HasSubstr("--fix"));
    EXPECT_EQ(console.out.str(), "");
  }
}

}  // namespace
}  // namespace shutdown_auditor::app
