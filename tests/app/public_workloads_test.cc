// Every finding about well-known public workloads was looked at by a person: data/public/findings.md says of each whether
// it is true and why. A finding that is not in the table, and a row that no finding has, fails.
#include <gmock/gmock.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/file.h"
#include "base/text.h"
#include "console.h"

namespace shutdown_auditor::app {
namespace {

using nlohmann::json;

const std::string kFolder = data_file("public");

struct Row {
  std::string result, reason;
  bool is_true = false;
  std::string why;
};
// Key: "file | workload | finding id".
using Table = std::map<std::string, Row>;

std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells;
  std::istringstream text(line.substr(1));
  for (std::string cell; std::getline(text, cell, '|');) cells.emplace_back(base::trim(cell));
  return cells;
}

Table read_table() {
  Table table;
  const base::Result<std::string> text = base::read_file(kFolder + "/findings.md", std::size_t{1} << 20U);
  EXPECT_TRUE(text) << text.error().message;
  std::istringstream lines(text ? *text : std::string());
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("| ") || line.starts_with("| file") || line.starts_with("| ---")) continue;
    const std::vector<std::string> cells = cells_of(line);
    EXPECT_GE(cells.size(), 7u) << line;
    if (cells.size() < 7) continue;
    EXPECT_TRUE(cells[5] == "true" || cells[5] == "false") << line;
    EXPECT_GT(cells[6].size(), 20u) << line;
    const bool fresh =
        table.emplace(cells[0] + " | " + cells[1] + " | " + cells[2], Row{cells[3], cells[4], cells[5] == "true", cells[6]}).second;
    EXPECT_TRUE(fresh) << "twice: " << line;
  }
  return table;
}

std::vector<std::string> files() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder)) {
    if (entry.path().extension() == ".yaml") names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

json audits_of(const std::string& file) {
  Console console;
  console.run({"check", "-f", kFolder + "/" + file, "-o", "json", "--fail-on", "none"});
  return json::parse(console.out.str())["items"];
}

std::string name_of(const json& audit) {
  const json& target = audit["spec"]["targetRef"];
  return target["kind"].get<std::string>() + "/" + target["name"].get<std::string>();
}

TEST(PublicWorkloads, EveryFindingIsInTheTable) {
  Table table = read_table();
  std::size_t workloads = 0;
  for (const std::string& file : files()) {
    for (const json& audit : audits_of(file)) {
      ++workloads;
      for (const json& finding : audit["status"].value("findings", json::array())) {
        const std::string key = file + " | " + name_of(audit) + " | " + finding["id"].get<std::string>();
        const auto row = table.find(key);
        if (row == table.end()) {
          ADD_FAILURE() << "not in the table:\n| " << key << " | " << finding["result"].get<std::string>() << " | "
                        << finding["reason"].get<std::string>() << " | | " << finding["message"].get<std::string>();
          continue;
        }
        EXPECT_EQ(finding["result"], row->second.result) << key;
        EXPECT_EQ(finding["reason"], row->second.reason) << key;
        table.erase(row);
      }
    }
  }
  for (const auto& [key, row] : table) ADD_FAILURE() << "no such finding any more: " << key;
  EXPECT_EQ(files().size(), 8u);
  EXPECT_GE(workloads, 20u);
}

TEST(PublicWorkloads, NearlyAllFailAndWarnAreTrue) {
  int serious = 0, wrong = 0;
  for (const auto& [key, row] : read_table()) {
    if (row.result != "Fail" && row.result != "Warn") continue;
    ++serious;
    if (!row.is_true) ++wrong;
  }
  EXPECT_GT(serious, 20);
  EXPECT_LE(wrong * 100, serious * 5) << wrong << " of " << serious;
}

// A grace check says Fail or Warn only with a number somebody wrote for this workload or its framework documents.
TEST(PublicWorkloads, NoGraceFindingFromAssumedNumbers) {
  for (const std::string& file : files()) {
    for (const json& audit : audits_of(file)) {
      const json& status = audit["status"];
      for (const json& finding : status.value("findings", json::array())) {
        if (finding["check"] != "grace-budget" || (finding["result"] != "Fail" && finding["result"] != "Warn")) continue;
        bool grounded = false;
        for (const json& container : status["containers"]) {
          if (container["name"] != status["budget"].value("container", "")) continue;
          const std::string source = container.value("drainSource", "");
          const json hook = container.value("preStop", json::object());
          grounded = source == "Flag" || source == "Env" || source == "FrameworkDefault" || source == "Annotation" ||
                     hook.value("minSeconds", 0) > 0 || status["budget"].value("delaySeconds", 0) > 0;
        }
        EXPECT_TRUE(grounded) << file << " " << name_of(audit) << ": " << finding["message"];
      }
    }
  }
}

TEST(PublicWorkloads, GraceZeroWithADrainHookFails) {
  const json audits = audits_of("ingress-nginx-kind.yaml");
  ASSERT_EQ(audits.size(), 1u);
  EXPECT_EQ(audits[0]["status"]["verdict"], "Fail");
  EXPECT_EQ(audits[0]["status"]["topReason"], "GracePeriodZero");
}

}  // namespace
}  // namespace shutdown_auditor::app
