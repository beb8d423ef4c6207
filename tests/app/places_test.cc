#include <gmock/gmock.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "audit/check.h"
#include "base/file.h"
#include "base/text.h"
#include "console.h"

// Every finding names the line and column of the field it is about.
namespace shutdown_auditor::app {
namespace {

using nlohmann::json;

// A line, and a check that is expected there or was found there.
using Hit = std::pair<std::size_t, std::string>;

std::vector<std::string> lines_of(const std::string& path) {
  const base::Result<std::string> text = base::read_file(path, 1 << 20);
  EXPECT_TRUE(text) << path;
  std::vector<std::string> lines;
  if (!text) return lines;
  for (const std::string_view line : base::split(*text, '\n')) lines.emplace_back(line);
  return lines;
}

// The lines that end in `# <- check check`.
std::set<Hit> marked(const std::vector<std::string>& lines) {
  constexpr std::string_view kArrow = "# <- ";
  std::set<Hit> hits;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::size_t arrow = lines[i].find(kArrow);
    if (arrow == std::string::npos) continue;
    std::istringstream checks(lines[i].substr(arrow + kArrow.size()));
    for (std::string check; checks >> check;) hits.emplace(i + 1, check);
  }
  return hits;
}

// The column, from 1, of the first key of a line: after the dash of a list's item.
std::size_t key_column(const std::string& line) { return line.find_first_not_of(" -") + 1; }

TEST(Places, EveryCheckPointsAtTheFieldItIsAbout) {
  const std::string path = data_file("every_check.yaml");
  Console console;
  console.run({"check", "-f", path, "--policy", data_file("every_check.policy.yaml"), "-o", "json"});
  const std::vector<std::string> lines = lines_of(path);
  std::set<Hit> found;
  std::set<std::string> checks;
  const json list = json::parse(console.out.str());
  for (const json& item : list["items"]) {
    for (const json& finding : item["status"]["findings"]) {
      const std::string source = finding["source"];
      ASSERT_TRUE(source.starts_with(path + ":")) << source;
      const std::vector<std::string_view> place = base::split(std::string_view(source).substr(path.size() + 1), ':');
      ASSERT_EQ(place.size(), 2U) << source;
      const auto line = static_cast<std::size_t>(base::parse_int64(place[0]).value_or(0));
      ASSERT_TRUE(line > 0 && line <= lines.size()) << source;
      EXPECT_EQ(std::to_string(key_column(lines[line - 1])), place[1]) << source << " " << lines[line - 1];
      found.emplace(line, finding["check"]);
      checks.insert(finding["check"]);
    }
  }
  EXPECT_EQ(found, marked(lines));
  for (const audit::Check check : audit::all_checks()) {
    EXPECT_TRUE(checks.contains(std::string(audit::id_of(check)))) << audit::id_of(check) << " has no example";
  }
}

TEST(Places, FindingsNameTheTemplateTheyWereRenderedFrom) {
  const std::string input =
      "---\n# Source: web/templates/deployment.yaml\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n"
      "  replicas: 2\n  selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n"
      "    spec: {terminationGracePeriodSeconds: 0, containers: [{name: app, image: web}]}\n"
      "---\n# Source: web/templates/pdb.yaml\napiVersion: policy/v1\nkind: PodDisruptionBudget\nmetadata: {name: web}\n"
      "spec: {maxUnavailable: 0, selector: {matchLabels: {app: web}}}\n";
  Console console;
  EXPECT_EQ(console.run({"check", "-f", "-", "-o", "json"}, input), kExitFindings);
  std::map<std::string, std::string> said;
  const json list = json::parse(console.out.str());
  for (const json& finding : list["items"][0]["status"]["findings"]) {
    said[finding["check"]] = finding["source"].get<std::string>() + " " + finding["message"].get<std::string>();
  }
  EXPECT_THAT(said["grace-zero"], testing::StartsWith("stdin:11:12 "));
  EXPECT_THAT(said["grace-zero"], testing::EndsWith(" (from web/templates/deployment.yaml)"));
  EXPECT_THAT(said["pdb-blocks-eviction"], testing::StartsWith("stdin:17:8 "));
  EXPECT_THAT(said["pdb-blocks-eviction"], testing::EndsWith(" (from web/templates/pdb.yaml)"));
}

TEST(Places, ABrokenDocumentIsNamedWithItsPlaceAndItsTemplate) {
  const struct {
    const char* what;
    const char* document;
    const char* said;
  } rows[] = {
      {"malformed", "kind: [\n", "stdin:3:1: did not find expected node content, while parsing a flow node"},
      {"a tab", "kind: Pod\n\tx: y\n", "stdin:3:1: found a tab character that violates indentation"},
      {"no kind", "apiVersion: v1\n", "stdin:2:1: not a Kubernetes object: kind is missing"},
      {"a wrong type", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: w}\nspec: {replicas: many}\n",
       "stdin:5:18: Deployment \"w\": spec.replicas: expected an integer, got \"many\""},
      {"a repeated key", "kind: Pod\nkind: Pod\n", "stdin:3:1: key \"kind\" is already set at line 2"},
      {"from Helm", "# Source: web/templates/pod.yaml\nkind: Pod\n",
       "stdin:3:1: not a Kubernetes object: apiVersion is missing (from web/templates/pod.yaml)"},
  };
  for (const auto& row : rows) {
    Console console;
    const std::string good =
        "---\napiVersion: v1\nkind: Pod\nmetadata: {name: good}\nspec: {containers: [{name: a, image: b}]}\n";
    EXPECT_EQ(console.run({"check", "-f", "-", "-o", "json"}, std::string("---\n") + row.document + good), kExitTrouble);
    EXPECT_THAT(console.err.str(), testing::StartsWith(row.said)) << row.what;
    EXPECT_EQ(json::parse(console.out.str())["items"].size(), 1U) << row.what;
  }
}

}  // namespace
}  // namespace shutdown_auditor::app
