#include <fmt/format.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/text.h"
#include "integration/support/cluster_test_base.h"
#include "support/run_command.h"

// `check --fix` for the examples, the public workloads and a workload for each kind of fix: created on a real API server,
// fixed there with kubectl, read back and audited again. Every Fail and Warn is in data/fixes.md, fixed or with the reason
// why nothing was computed; the table is compared both ways. UPDATE_FIXES=1 writes it anew.
namespace shutdown_auditor::testing_support {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using ::testing::HasSubstr;

constexpr char kBinary[] = SA_BINARY_DIR "/bin/shutdown-auditor";
constexpr char kTable[] = SA_SOURCE_DIR "/tests/integration/data/fixes.md";
constexpr char kKinds[] =
    "deployments,statefulsets,daemonsets,rollouts,jobs,services,poddisruptionbudgets,horizontalpodautoscalers";

// "Deployment/web prestop-missing/app" with its result.
using Findings = std::map<std::string, std::string>;
// "file | workload | finding": "result | outcome".
using Rows = std::map<std::string, std::string>;

std::string run(std::vector<std::string> args, const std::string& input = {}) {
  args.insert(args.begin(), kBinary);
  const auto output = run_command({args, input, {}, std::chrono::seconds(60)});
  if (!output) {
    ADD_FAILURE() << output.error().message;
    return {};
  }
  EXPECT_LE(output->status, 1) << output->stderr_text;
  return output->stdout_text;
}

std::string name_of(const json& audit) {
  const json& target = audit["spec"]["targetRef"];
  return target["kind"].get<std::string>() + "/" + target["name"].get<std::string>();
}

Findings serious(const json& audits) {
  Findings found;
  for (const json& audit : audits["items"]) {
    for (const json& finding : audit["status"].value("findings", json::array())) {
      const std::string result = finding["result"];
      if (result != "Fail" && result != "Warn") continue;
      found[name_of(audit) + " " + finding["id"].get<std::string>()] = result;
    }
  }
  return found;
}

// Why there is no fix, of the findings that the comments in front of the documents name.
std::map<std::string, std::string> unfixed(const std::string& text) {
  constexpr std::string_view kMark = "# no fix computed: ";
  std::map<std::string, std::string> found;
  for (std::string_view line : base::split(text, '\n')) {
    if (!line.starts_with(kMark)) continue;
    line.remove_prefix(kMark.size());
    const std::size_t comma = line.find(", ");
    const std::size_t colon = line.find(": ", comma);
    EXPECT_NE(colon, std::string_view::npos) << line;
    std::string workload(line.substr(0, comma));  // "Deployment shop/web"
    const std::size_t blank = workload.find(' ');
    const std::size_t slash = workload.find('/');
    workload.replace(blank, slash == std::string::npos ? 1 : slash - blank + 1, "/");
    found[workload + " " + std::string(line.substr(comma + 2, colon - comma - 2))] = line.substr(colon + 2);
  }
  return found;
}

Rows read_table() {
  Rows rows;
  const base::Result<std::string> text = base::read_file(kTable, std::size_t{1} << 20U);
  EXPECT_TRUE(text) << text.error().message;
  for (const std::string_view line : base::split(text ? std::string_view(*text) : std::string_view(), '\n')) {
    if (!line.starts_with("| ") || line.starts_with("| file") || line.starts_with("| ---")) continue;
    const std::vector<std::string_view> cells = base::split(line, '|');
    EXPECT_EQ(cells.size(), 7u) << line;
    if (cells.size() != 7) continue;
    const auto cell = [&](std::size_t at) { return std::string(base::trim(cells[at])); };
    rows[cell(1) + " | " + cell(2) + " | " + cell(3)] = cell(4) + " | " + cell(5);
  }
  return rows;
}

class FixTest : public ClusterTest {
 protected:
  static void SetUpTestSuite() {
    start_cluster({});
    const auto applied = cluster().kubectl({"apply", "-f", SA_SOURCE_DIR "/tests/integration/data/rollout_crd.yaml"});
    ASSERT_TRUE(applied) << applied.error().message;
    ASSERT_TRUE(cluster().kubectl({"wait", "--for=condition=Established", "--timeout=30s", "crd/rollouts.argoproj.io"}));
  }

  static std::string admin(std::vector<std::string> args, const std::string& input = {}) {
    auto output = cluster().kubectl(std::move(args), input);
    EXPECT_TRUE(output) << output.error().message;
    return output ? *output : std::string();
  }

  // Everything the file names is in these namespaces.
  std::vector<std::string> create(const std::string& file, const json& audits) {
    std::set<std::string> spaces;
    for (const json& audit : audits["items"]) spaces.insert(audit["metadata"]["namespace"].get<std::string>());
    for (const std::string& space : spaces) {  // it may be in the file too
      admin({"apply", "-f", "-"}, R"({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": ")" + space + R"("}})");
    }
    admin({"apply", "-f", file});
    return {spaces.begin(), spaces.end()};
  }

  // As docs/fix.md tells a user to.
  void apply_fixes(const std::string& file) {
    const std::string objects = run({"check", "-f", file, "--complete", "--fix=objects", "-q"});
    if (!objects.empty()) admin({"apply", "-f", "-"}, objects);
    const fs::path folder = fs::temp_directory_path() / ("fix-test-" + std::to_string(getpid()));
    fs::create_directory(folder);
    std::ofstream(folder / "fix.yaml") << run({"check", "-f", file, "--complete", "--fix=patches", "-q"});
    const auto split = run_command({{"csplit", "-sz", "-f", (folder / "fix-").string(), "-b", "%03d.yaml",
                                     (folder / "fix.yaml").string(), "/^---$/", "{*}"}, {}, {}, std::chrono::seconds(60)});
    ASSERT_TRUE(split) << split.error().message;
    ASSERT_EQ(split->status, 0) << split->stderr_text;
    for (const auto& entry : fs::directory_iterator(folder)) {
      if (entry.path().filename() == "fix.yaml") continue;
      const std::string path = entry.path().string();
      const base::Result<std::string> text = base::read_file(path, std::size_t{1} << 20U);
      ASSERT_TRUE(text);
      const bool custom = text->find("kind: Rollout\n") != std::string::npos;
      const auto patched =
          cluster().kubectl({"patch", "-f", path, "--patch-file", path, custom ? "--type=merge" : "--type=strategic"});
      EXPECT_TRUE(patched) << patched.error().message << "\n" << *text;
    }
    fs::remove_all(folder);
  }

  std::string read_back(const std::vector<std::string>& spaces) {
    json all = {{"apiVersion", "v1"}, {"kind", "List"}, {"items", json::array()}};
    for (const std::string& space : spaces) {
      const json list = json::parse(admin({"get", kKinds, "-n", space, "-o", "json"}));
      all["items"].insert(all["items"].end(), list["items"].begin(), list["items"].end());
    }
    return all.dump();
  }

  // The file's rows of the table.
  void fix_file(const std::string& file, Rows& rows) {
    SCOPED_TRACE(file);
    const json before = json::parse(run({"check", "-f", file, "--complete", "-o", "json"}));
    const std::vector<std::string> spaces = create(file, before);
    apply_fixes(file);
    const std::string stored = read_back(spaces);
    for (const std::string& space : spaces) admin({"delete", kKinds, "--all", "-n", space, "--wait=false"});

    const Findings was = serious(before);
    const Findings is = serious(json::parse(run({"check", "-f", "-", "--complete", "-o", "json"}, stored)));
    const auto reasons = unfixed(run({"check", "-f", file, "--complete", "--fix"}));
    for (const auto& [finding, result] : was) {
      const auto reason = reasons.find(finding);
      EXPECT_EQ(is.contains(finding), reason != reasons.end()) << finding << (is.contains(finding) ? " stays" : " is gone");
      const std::size_t blank = finding.find(' ');
      const std::string name = fs::path(file).filename().string();
      rows[name + " | " + finding.substr(0, blank) + " | " + finding.substr(blank + 1)] = result + " | " + (reason == reasons.end() ? "fixed" : reason->second);
    }
    for (const auto& [finding, result] : is) EXPECT_TRUE(was.contains(finding)) << "new: " << result << " " << finding;
    // Fixed once, there is nothing more to compute.
    EXPECT_EQ(run({"check", "-f", "-", "--complete", "--fix", "-q"}, stored), "");
  }
};

TEST_F(FixTest, WhatIsFixedOnTheServerPassesTheAudit) {
  std::vector<std::string> files{SA_SOURCE_DIR "/examples/mistakes.yaml", SA_SOURCE_DIR "/examples/reference.yaml",
                                 SA_SOURCE_DIR "/tests/integration/data/fixable.yaml"};
  for (const auto& entry : fs::directory_iterator(SA_SOURCE_DIR "/tests/app/data/public")) {
    if (entry.path().extension() == ".yaml") files.push_back(entry.path().string());
  }
  std::sort(files.begin() + 3, files.end());
  Rows rows;
  for (const std::string& file : files) fix_file(file, rows);

  const auto is_fixed = [](const auto& row) { return row.second.ends_with("| fixed"); };
  const auto fixed = std::count_if(rows.begin(), rows.end(), is_fixed);
  const std::string summary = fmt::format("fixed {} of {} Fail and Warn; {} without a computed fix", fixed, rows.size(),
                                          static_cast<std::ptrdiff_t>(rows.size()) - fixed);
  std::cout << summary << '\n';
  if (std::getenv("UPDATE_FIXES") != nullptr) {
    std::ofstream table(kTable);
    table << "# What `check --fix` does about every Fail and Warn\n\n"
          << "In examples/, in the public workloads of tests/app/data/public and in fixable.yaml, all with `--complete`. "
          << "`fix_test`\napplies the fixes on a real API server and audits what it then holds; here is what became of each "
          << "finding: " << summary << ".\n\n"
          << "| file | workload | finding | result | outcome |\n| --- | --- | --- | --- | --- |\n";
    for (const auto& [key, outcome] : rows) table << "| " << key << " | " << outcome << " |\n";
  }
  const Rows expected = read_table();
  for (const auto& [key, outcome] : rows) {
    const auto row = expected.find(key);
    EXPECT_EQ(row == expected.end() ? "no row" : row->second, outcome) << key;
  }
  for (const auto& [key, outcome] : expected) EXPECT_TRUE(rows.contains(key)) << "no such finding: " << key;
  const base::Result<std::string> text = base::read_file(kTable, std::size_t{1} << 20U);
  ASSERT_TRUE(text);
  EXPECT_THAT(*text, HasSubstr(summary));
}

}  // namespace
}  // namespace shutdown_auditor::testing_support
