// What a real kubelet did, case by case, against what the audit of the same manifest says. Recorded with Kubernetes
// 1.34.4 and containerd 1.6: exit codes, seconds from the Killing event to the end, and what became of a request that
// was under way.
#include <fstream>
#include <map>
#include <set>

#include <nlohmann/json.hpp>

#include "audit/builder.h"
#include "manifest/loader.h"

namespace shutdown_auditor::audit {
namespace {

using nlohmann::json;

json read_json(const std::string& name) {
  std::ifstream file(SA_SOURCE_DIR "/tests/audit/data/" + name);
  EXPECT_TRUE(file.good()) << name;
  return json::parse(file);
}

// A pod without a Service and without a controller, as it was posted.
AuditResult audit_pod(const json& row) {
  json pod = {{"apiVersion", "v1"},
              {"kind", "Pod"},
              {"metadata", {{"name", row["id"]}, {"annotations", row.value("annotations", json::object())}}},
              {"spec", row["spec"]}};
  testing::Scene scene;
  scene.services.clear();
  scene.budgets.clear();
  manifest::load(pod.dump(), row["id"], {&reads_annotation, false},
                 [&](manifest::Object object) {
                   const auto& read = std::get<objects::Pod>(object.value);
                   scene.workload = {};
                   scene.workload.kind = {"", "Pod"};
                   scene.workload.meta = read.meta;
                   scene.workload.pod_template = {read.meta, read.spec};
                 },
                 [](const manifest::Problem& problem) { ADD_FAILURE() << manifest::to_string(problem); });
  return scene.run();
}

// Fail or Warn about the grace period, the hook or the signal. That a hook is missing or short says nothing about the end.
bool announces(const AuditResult& result) {
  static const std::set<Check> kAbout{Check::kGraceBudget,    Check::kGraceZero,          Check::kGraceCeiling,
                                      Check::kPreStopUnknown, Check::kPreStopExceedsGrace, Check::kPreStopBroken,
                                      Check::kPreStopRange,   Check::kSignalNotDelivered, Check::kSignalNotGraceful,
                                      Check::kDrainTooShort};
  return std::any_of(result.findings.begin(), result.findings.end(), [](const Finding& finding) {
    return finding.result >= CheckResult::kWarn && finding.result != CheckResult::kError && kAbout.contains(finding.check);
  });
}

bool ended_badly(const json& row) {
  if (row.value("request", "") == "cut") return true;
  return std::any_of(row["ended"].begin(), row["ended"].end(),
                     [](const json& container) { return container["exit_code"] == 137; });
}

std::string findings_of(const AuditResult& result) {
  std::string text;
  for (const Finding& finding : result.findings) {
    text += "\n  " + std::string(to_string(finding.result)) + " " + finding.id() + ": " + finding.message;
  }
  return text;
}

TEST(TerminationTruthTest, WhatTheManifestTellsIsAnnounced) {
  int badly = 0;
  for (const json& row : read_json("terminations.json")) {
    if (!row["told_by_manifest"].get<bool>() || !ended_badly(row)) continue;
    ++badly;
    const AuditResult result = audit_pod(row);
    EXPECT_TRUE(announces(result)) << row["id"] << findings_of(result);
  }
  EXPECT_EQ(badly, 27);
}

// The list is exact: a row that the audit begins to announce leaves it, and no other row may join it unseen.
TEST(TerminationTruthTest, WhatNoManifestTellsIsListed) {
  std::map<std::string, std::string> listed;
  for (const json& entry : read_json("terminations_not_told.json")) listed[entry["id"]] = entry["reason"];
  std::set<std::string> unannounced;
  for (const json& row : read_json("terminations.json")) {
    if (ended_badly(row) && !announces(audit_pod(row))) unannounced.insert(row["id"].get<std::string>());
  }
  for (const std::string& id : unannounced) EXPECT_TRUE(listed.contains(id)) << id << " is not announced and not listed";
  for (const auto& [id, reason] : listed) {
    EXPECT_TRUE(unannounced.contains(id)) << id << " is announced and still listed";
    EXPECT_FALSE(reason.empty()) << id;
  }
}

// The kubelet's rounding and its 2 s after the signal give up to 2 s more than the manifest says.
TEST(TerminationTruthTest, NoFailForWhatEndedClean) {
  int clean = 0;
  int failed = 0;
  for (const json& row : read_json("terminations.json")) {
    if (ended_badly(row) || row["ended"].empty()) continue;
    ++clean;
    const AuditResult result = audit_pod(row);
    if (testing::find(result, Check::kPreStopExceedsGrace) != nullptr) continue;  // only those 2 s saved it
    if (testing::result_of(result, Check::kGraceBudget) != CheckResult::kFail) continue;
    ++failed;
    EXPECT_LE(result.budget.provable_seconds - std::max<std::int64_t>(1, result.budget.grace_period_seconds), 2)
        << row["id"] << findings_of(result);
  }
  EXPECT_EQ(clean, 110);
  EXPECT_LE(failed, 8);
}

// A signal that arrived was not said to be lost.
TEST(TerminationTruthTest, NoLostSignalForWhatHeededIt) {
  int heeded = 0;
  for (const json& row : read_json("terminations.json")) {
    if (ended_badly(row) || row["ended"].empty()) continue;
    const bool by_itself = std::all_of(row["ended"].begin(), row["ended"].end(),
                                       [](const json& container) { return container["exit_code"] == 0; });
    if (!by_itself) continue;
    ++heeded;
    const AuditResult result = audit_pod(row);
    EXPECT_NE(testing::result_of(result, Check::kSignalNotDelivered), CheckResult::kFail) << row["id"] << findings_of(result);
  }
  EXPECT_GE(heeded, 90);
}

// A hook takes at least what is read from it (0.1 s for the clock), unless the program's end cut it short or, once, the
// image has no sleep.
TEST(TerminationTruthTest, HooksTakeAtLeastTheirMinimum) {
  static const std::set<std::string> kCutShort{"ps-native7-app-exits-early", "ps-exec7-app-exits-early",
                                               "ps-distroless-exec-sleep"};
  int hooks = 0;
  for (const json& row : read_json("terminations.json")) {
    if (row["trigger"] != "delete") continue;
    const AuditResult result = audit_pod(row);
    for (const ContainerReading& reading : result.containers) {
      if (reading.pre_stop.kind == PreStopKind::kNone || !row["ended"].contains(reading.name)) continue;
      const json& seconds = row["ended"][reading.name]["seconds"];
      if (!seconds.is_number() || kCutShort.contains(row["id"].get<std::string>())) continue;
      ++hooks;
      const std::int64_t grace_ms = 1000 * std::max<std::int64_t>(1, result.budget.grace_period_seconds);
      EXPECT_LE(static_cast<double>(std::min(reading.pre_stop.min_ms, grace_ms)), seconds.get<double>() * 1000 + 100)
          << row["id"] << " " << reading.pre_stop.reason;
    }
  }
  EXPECT_GE(hooks, 60);
}

}  // namespace
}  // namespace shutdown_auditor::audit
