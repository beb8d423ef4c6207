// The pages of docs/checks say what the code does, and the examples give the verdicts they promise.
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "audit/builder.h"
#include "audit/policy_document.h"
#include "manifest/config_document.h"
#include "manifest/loader.h"

namespace shutdown_auditor::audit {
namespace {

std::string read_file(const std::filesystem::path& path) {
  std::ifstream file(path);
  EXPECT_TRUE(file.good()) << path;
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

const std::filesystem::path kRoot = SA_SOURCE_DIR;
const std::filesystem::path kPages = kRoot / "docs" / "checks";

// The first cells of the table under "## Reasons".
std::vector<std::string> reasons_on(const std::string& page) {
  std::vector<std::string> reasons;
  std::istringstream lines(page.substr(std::min(page.find("## Reasons"), page.size())));
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("| `")) reasons.push_back(line.substr(3, line.find('`', 3) - 3));
  }
  return reasons;
}

TEST(DocsTest, EveryCheckHasAPageWithItsReasons) {
  const std::string index = read_file(kPages / "README.md");
  for (const Check check : all_checks()) {
    const std::string id(id_of(check));
    const std::string page = read_file(kPages / (id + ".md"));
    std::vector<std::string> expected;
    for (const std::string_view reason : reasons_of(check)) expected.emplace_back(reason);
    EXPECT_EQ(reasons_on(page), expected) << id;
    EXPECT_TRUE(page.starts_with("# " + id + "\n")) << id;
    for (const char* heading : {"## What", "## Why", "## How to fix", "## Sources"}) {
      EXPECT_THAT(page, ::testing::HasSubstr(heading)) << id;
    }
    EXPECT_THAT(index, ::testing::HasSubstr("[" + id + "](" + id + ".md)"));
  }
  std::size_t pages = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kPages)) {
    if (entry.path().filename() == "README.md") continue;
    ++pages;
    EXPECT_TRUE(check_of(entry.path().stem().string()).has_value()) << entry.path();
  }
  EXPECT_EQ(pages, all_checks().size());
}

struct Loaded {
  std::vector<objects::Workload> workloads;
  std::vector<objects::PodDisruptionBudget> budgets;
  std::vector<objects::Service> services;
};

Loaded load_example(const std::string& name) {
  Loaded loaded;
  manifest::load(read_file(kRoot / "examples" / name), name, {&reads_annotation, false},
                 [&](manifest::Object object) {
                   if (auto* workload = std::get_if<objects::Workload>(&object.value)) loaded.workloads.push_back(*workload);
                   if (auto* budget = std::get_if<objects::PodDisruptionBudget>(&object.value)) loaded.budgets.push_back(*budget);
                   if (auto* service = std::get_if<objects::Service>(&object.value)) loaded.services.push_back(*service);
                 },
                 [](const manifest::Problem& problem) { ADD_FAILURE() << manifest::to_string(problem); });
  return loaded;
}

std::map<std::string, std::string> verdicts_of(const std::vector<std::string>& files) {
  testing::Scene scene;
  scene.budgets.clear();
  scene.services.clear();
  std::vector<objects::Workload> workloads;
  for (const std::string& file : files) {
    const Loaded loaded = load_example(file);
    workloads.insert(workloads.end(), loaded.workloads.begin(), loaded.workloads.end());
    scene.budgets.insert(scene.budgets.end(), loaded.budgets.begin(), loaded.budgets.end());
    scene.services.insert(scene.services.end(), loaded.services.begin(), loaded.services.end());
  }
  scene.others = workloads;
  std::map<std::string, std::string> verdicts;
  for (const objects::Workload& workload : workloads) {
    scene.workload = workload;
    const AuditResult result = scene.run();
    verdicts[workload.meta.name] = std::string(to_string(result.verdict)) + " " + result.top_reason;
  }
  return verdicts;
}

TEST(DocsTest, ExamplesGiveTheirVerdicts) {
  const std::map<std::string, std::string> expected{{"web", "Pass "},
                                                    {"almost", "Warn GracePeriodTooShort"},
                                                    {"blocked", "Fail EvictionBlocked"},
                                                    {"forced", "Fail GracePeriodZero"},
                                                    {"hook-server", "Warn PreStopUnknown"},
                                                    {"long-hook", "Fail PreStopExceedsGracePeriod"},
                                                    {"no-probes", "Warn ReadinessProbeMissing"},
                                                    {"one-word", "Fail PreStopBroken"},
                                                    {"unguarded", "Warn BudgetMissing"},
                                                    {"undeclared", "Unverified GracePeriodUnverified"}};
  EXPECT_EQ(verdicts_of({"reference.yaml", "mistakes.yaml"}), expected);
}

TEST(DocsTest, TheExamplePolicyIsValid) {
  PolicyDecoder decoder(true);
  const auto read = manifest::read_config_document(read_file(kRoot / "examples" / "policy.yaml"), "policy.yaml", decoder);
  ASSERT_TRUE(read.has_value()) << read.error().message;
  const base::Result<Policy> policy = decoder.take();
  ASSERT_TRUE(policy.has_value()) << policy.error().message;
  EXPECT_EQ(policy->max_request_seconds, 30);
  EXPECT_EQ(policy->exemptions.size(), 1u);
}

TEST(DocsTest, PolicyErrorsHaveALine) {
  PolicyDecoder decoder(true);
  const auto read = manifest::read_config_document(
      "apiVersion: shutdownaudit.dev/v1alpha1\nkind: ShutdownPolicy\nspec:\n  defaults:\n    cleanupSeconds: -3\n", "p.yaml", decoder);
  ASSERT_TRUE(read.has_value()) << read.error().message;
  EXPECT_EQ(decoder.take().error().message, "spec.defaults.cleanupSeconds: expected 0 to 86400 seconds, got -3 (line 5)");
  PolicyDecoder strict(true);
  const auto refused = manifest::read_config_document("kind: ShutdownPolicy\nspec:\n  default: {}\n", "p.yaml", strict);
  ASSERT_FALSE(refused.has_value());
  EXPECT_THAT(refused.error().message, ::testing::StartsWith("p.yaml:3:"));
  EXPECT_THAT(refused.error().message, ::testing::HasSubstr("spec.default: unknown field"));
}

}  // namespace
}  // namespace shutdown_auditor::audit
