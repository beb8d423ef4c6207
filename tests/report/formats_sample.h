#pragma once

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "report/shutdown_audit.h"

namespace shutdown_auditor::report {

// Inputs shared by the tests of the report formats.
inline ReportedFinding format_finding(std::string check, std::string result, std::string reason,
                                      std::string container = "") {
  ReportedFinding finding;
  finding.id = container.empty() ? check : check + "/" + container;
  finding.check = std::move(check);
  finding.result = std::move(result);
  finding.reason = std::move(reason);
  finding.message = "The pod needs 75 s to stop but has 60 s.";
  finding.remediation = "Set terminationGracePeriodSeconds to 75.";
  finding.field_path = "spec.template.spec.terminationGracePeriodSeconds";
  finding.container = std::move(container);
  finding.place = {"deploy/web.yaml", 12, 7};
  return finding;
}

inline ShutdownAudit format_audit(std::string name_space, std::string name, std::string verdict,
                                  std::vector<ReportedFinding> findings) {
  ShutdownAudit audit;
  audit.meta.name = "deployment-" + name;
  audit.meta.namespace_ = std::move(name_space);
  audit.meta.annotations = {{std::string(kSourceAnnotation), "deploy/web.yaml:1"}};
  audit.place = {"deploy/web.yaml", 1, 1};
  audit.target = {"apps", "Deployment", std::move(name)};
  audit.status.verdict = std::move(verdict);
  audit.status.summary = ReportedSummary{1, 1, 0, 20, 0, 0};
  audit.status.budget = ReportedBudget{};
  audit.status.budget->grace_period_seconds = 60;
  audit.status.budget->required_seconds = 75;
  audit.status.budget->required_text = "75";
  audit.status.findings = std::move(findings);
  return audit;
}

// A bit of everything: every result, two namespaces, a second workload that passes.
inline std::vector<ShutdownAudit> format_audits() {
  ReportedFinding exempt = format_finding("pdb-missing", "Skip", "BudgetMissing");
  exempt.exemption = ReportedExemption{"Annotation", "", "batch work, may stop any time", ""};
  exempt.message = "3 replicas and no PodDisruptionBudget selects the pods.";
  exempt.remediation = "Add a PodDisruptionBudget with maxUnavailable 1.";
  ReportedFinding by_policy = exempt;
  by_policy.exemption = ReportedExemption{"Policy", "legacy", "moves away in spring", "2027-03-01T00:00:00Z"};
  ReportedFinding probe = format_finding("readiness-probe-missing", "Warn", "ReadinessProbeMissing", "app");
  probe.message = "app serves traffic and has no readiness probe.";
  probe.remediation = "Add a readinessProbe on its port.";
  probe.place = {"./deploy/web.yaml", 20, 0};
  ReportedFinding info = format_finding("single-replica", "Info", "SingleReplica");
  info.message = "One replica: every eviction is an outage.";
  info.remediation = "Run 2 replicas.";
  info.place = {"deploy/api.yaml", 8, 0};
  ReportedFinding error = format_finding("audit-error", "Error", "NoContainers");
  error.message = "The pod template has no container.";
  error.remediation = "";
  error.place = {"deploy/broken.yaml", 0, 0};
  return {format_audit("blog", "site", "Pass", {}),
          format_audit("shop", "web", "Fail",
                       {format_finding("grace-budget", "Fail", "GracePeriodTooShort"), probe, exempt}),
          format_audit("shop", "api", "Pass", {info, by_policy}),
          format_audit("shop", "broken", "Error", {error})};
}

// Text that tries to break out of every format.
inline std::string hostile_text() {
  return "a\x01\x1b[2J\n::error::x\r\n%0A]]>--><b a=\"1\" c='2'>&amp;|`*_[x](javascript:y)@team #12 https://e.example "
         "www.e.example {0} \xEF\xBF\xBF\xFF\xC3\xA9";
}

inline std::vector<ShutdownAudit> hostile_audits() {
  const std::string text = hostile_text();
  ReportedFinding finding = format_finding("grace-budget", "Fail", text, text);
  finding.message = finding.remediation = finding.field_path = text;
  finding.place = {text, 3, 0};
  ReportedFinding exempt = finding;
  exempt.result = "Skip";
  exempt.id = text;
  exempt.exemption = ReportedExemption{text, text, text, text};
  ShutdownAudit audit = format_audit(text, text, "Fail", {finding, exempt});
  audit.target.kind = text;
  audit.meta.annotations.front().second = audit.place.file = text;
  return {audit};
}

inline std::string read_text(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.good()) << path;
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

inline std::filesystem::path test_data() { return std::filesystem::path(SA_SOURCE_DIR) / "tests/report/data"; }

// Compares with the file `name` of data/; with UPDATE_GOLDEN set writes it first (tests/update_goldens.sh).
inline void expect_golden(const std::string& text, const std::string& name) {
  const std::filesystem::path golden = test_data() / name;
  if (std::getenv("UPDATE_GOLDEN") != nullptr) {
    std::ofstream(golden, std::ios::binary) << text;
  }
  EXPECT_EQ(text, std::filesystem::exists(golden) ? read_text(golden) : std::string()) << name;
}

}  // namespace shutdown_auditor::report
