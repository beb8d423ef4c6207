#include "report/sarif.h"

#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "base/text.h"
#include "formats_sample.h"
#include "printed.h"
#include "report/baseline.h"
#include "report/json_schema.h"

namespace shutdown_auditor::report {
namespace {

using nlohmann::json;

std::string sarif_json(const std::vector<ShutdownAudit>& audits, const SarifOptions& options) {
  return printed(audits, [&](std::ostream& out) { return sarif_printer(out, options); });
}

SarifOptions sample_options() {
  SarifOptions options;
  options.tool_version = "1.2.3";
  options.help_uri_base = "https://example.com/checks/";
  options.pages = {{"grace-budget", "# grace-budget\n\nFail or Warn: too short. See [other](grace-zero.md).\n"},
                   {"pdb-missing", "# pdb-missing\n\nWarn: none.\n\nAs [the docs](https://kubernetes.io/docs/) say.\n"}};
  return options;
}

json parsed(const std::vector<ShutdownAudit>& audits, const SarifOptions& options = sample_options()) {
  return json::parse(sarif_json(audits, options));
}

json schema() { return json::parse(read_text(test_data() / "sarif-schema-2.1.0.json")); }

std::string fingerprint_of(const ReportedFinding& finding) {
  return parsed({format_audit("shop", "web", "Fail", {finding})})["runs"][0]["results"][0]["partialFingerprints"]
               ["primaryLocationLineHash"];
}

// The rules are the catalogue, which other tests look after: the golden file has what findings become.
TEST(Sarif, GoldenResults) {
  json log = parsed(format_audits());
  EXPECT_EQ(log["runs"][0]["tool"]["driver"]["version"], "1.2.3");
  for (json& result : log["runs"][0]["results"]) {
    const std::size_t index = result["ruleIndex"];
    EXPECT_EQ(log["runs"][0]["tool"]["driver"]["rules"][index]["id"], result["ruleId"]);
    result.erase("ruleIndex");
  }
  log["runs"][0]["tool"]["driver"].erase("rules");
  expect_golden(log.dump(2) + "\n", "sarif.golden.json");
}

TEST(Sarif, ValidBySchema) {
  const json official = schema();
  EXPECT_THAT(schema_violations(official, parsed(format_audits())), ::testing::IsEmpty());
  EXPECT_THAT(schema_violations(official, parsed({})), ::testing::IsEmpty());
  EXPECT_THAT(schema_violations(official, parsed(hostile_audits())), ::testing::IsEmpty());
  SarifOptions bare;
  bare.tool_version = "0";
  EXPECT_THAT(schema_violations(official, parsed(format_audits(), bare)), ::testing::IsEmpty());
}

// That the schema is really applied: each of these edits must be refused.
TEST(Sarif, SchemaRefusesMutants) {
  const json official = schema();
  const std::pair<const char*, json> edits[] = {
      {"/version", "2.0.0"},
      {"/runs/0/results/0/level", "fatal"},
      {"/runs/0/results/0/message", json::object()},
      {"/runs/0/results/0/severity", "high"},
      {"/runs/0/results/0/locations/0/physicalLocation/region/startLine", 0},
      {"/runs/0/results/0/locations/0/physicalLocation/artifactLocation/uri", "a b"},
      {"/runs/0/results/2/suppressions/0/kind", "comment"},
      {"/runs/0/tool/driver/rules/0/helpUri", "no address"},
      {"/runs/0/tool/driver/rules/0/defaultConfiguration/level", "info"},
      {"/runs/0/columnKind", "bytes"},
  };
  for (const auto& [where, value] : edits) {
    json log = parsed(format_audits());
    log[json::json_pointer(where)] = value;
    EXPECT_THAT(schema_violations(official, log), ::testing::Not(::testing::IsEmpty())) << where;
  }
}

TEST(Sarif, ARuleForEveryCheckWithHelp) {
  const json rules = parsed({})["runs"][0]["tool"]["driver"]["rules"];
  std::vector<std::string> expected;
  for (const audit::Check check : audit::all_checks()) expected.emplace_back(audit::id_of(check));
  std::vector<std::string> ids;
  std::set<std::string> names;
  for (const json& rule : rules) {
    ids.push_back(rule["id"]);
    names.insert(rule["name"].get<std::string>());
    EXPECT_EQ(rule["helpUri"], "https://example.com/checks/" + ids.back());
    EXPECT_TRUE(rule["help"].contains("text")) << ids.back();
  }
  EXPECT_EQ(ids, expected);
  EXPECT_EQ(names.size(), ids.size());
  EXPECT_EQ(rules[0]["name"], "GraceBudget");
  EXPECT_EQ(rules[0]["help"]["markdown"],
            "# grace-budget\n\nFail or Warn: too short. See [other](https://example.com/checks/grace-zero).\n");
}

// A rule's level is the worst result its page names, so the pages must name one.
TEST(Sarif, LevelsComeFromThePages) {
  std::vector<std::string> texts;
  for (const audit::Check check : audit::all_checks()) {
    const std::string page = "docs/checks/" + std::string(audit::id_of(check)) + ".md";
    texts.push_back(read_text(std::filesystem::path(SA_SOURCE_DIR) / page));
  }
  SarifOptions options;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    options.pages.push_back({std::string(audit::id_of(audit::all_checks()[i])), texts[i]});
  }
  std::map<std::string, std::string> levels;
  const json log = parsed({}, options);
  for (const json& rule : log["runs"][0]["tool"]["driver"]["rules"]) {
    levels[rule["id"]] = rule["defaultConfiguration"]["level"];
    EXPECT_FALSE(rule.contains("helpUri"));
  }
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const std::string first = texts[i].substr(texts[i].find("\n\n") + 2);
    EXPECT_THAT(first.substr(0, first.find(':')), ::testing::AnyOf("Error", "Fail", "Fail or Warn", "Warn", "Warn or Fail",
                                                                   "Warn or Info", "Info", "Info or Warn"))
        << audit::id_of(audit::all_checks()[i]);
  }
  EXPECT_EQ(levels["grace-budget"], "error");
  EXPECT_EQ(levels["grace-zero"], "error");
  EXPECT_EQ(levels["audit-error"], "error");
  EXPECT_EQ(levels["pdb-missing"], "warning");
  EXPECT_EQ(levels["grace-ceiling"], "warning");
  EXPECT_EQ(levels["single-replica"], "note");
}

TEST(Sarif, Uris) {
  struct Row {
    const char* file;
    const char* uri;
  };
  const Row rows[] = {
      {"./a/b.yaml", "a/b.yaml"},
      {"/srv/a b.yaml", "file:///srv/a%20b.yaml"},
      {"c:d%.yaml", "c%3Ad%25.yaml"},
      {"\xC3\xA9.yaml", "%C3%A9.yaml"},
      {"../x#y?.yaml", "../x%23y%3F.yaml"},
  };
  for (const Row& row : rows) {
    ReportedFinding finding = format_finding("grace-budget", "Fail", "GracePeriodTooShort");
    finding.place = {row.file, 1, 1};
    const json result = parsed({format_audit("shop", "web", "Fail", {finding})})["runs"][0]["results"][0];
    EXPECT_EQ(result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], row.uri);
  }
  ReportedFinding live = format_finding("grace-budget", "Fail", "GracePeriodTooShort");
  live.place = {};
  const json result = parsed({format_audit("shop", "web", "Fail", {live})})["runs"][0]["results"][0];
  EXPECT_FALSE(result["locations"][0].contains("physicalLocation"));
  EXPECT_EQ(result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"], "shop/deployment/web");
}

TEST(Sarif, FingerprintsSurviveEdits) {
  const ReportedFinding finding = format_finding("prestop-missing", "Warn", "PreStopMissing", "app");
  const std::string before = fingerprint_of(finding);
  ReportedFinding same = finding;
  same.message = "The pod needs 76 s to stop but has 61 s.";
  same.remediation = "Set terminationGracePeriodSeconds to 76.";
  same.place = {"deploy/web.yaml", 99, 1};
  same.result = "Fail";
  EXPECT_EQ(fingerprint_of(same), before);
  ReportedFinding moved = finding;
  moved.field_path = "spec.template.spec.containers[0].lifecycle";
  ReportedFinding moved_further = moved;
  moved_further.field_path = "spec.template.spec.containers[11].lifecycle";
  EXPECT_EQ(fingerprint_of(moved), fingerprint_of(moved_further));

  const auto changed = [&](auto change) {
    ReportedFinding other = finding;
    change(other);
    return fingerprint_of(other);
  };
  EXPECT_NE(changed([](ReportedFinding& f) { f.id = "prestop-missing/proxy"; }), before);
  EXPECT_NE(changed([](ReportedFinding& f) { f.reason = "Other"; }), before);
  EXPECT_NE(changed([](ReportedFinding& f) { f.place.file = "deploy/staging.yaml"; }), before);
  EXPECT_NE(changed([](ReportedFinding& f) { f.related_ref = RelatedRef{"policy", "PodDisruptionBudget", "b"}; }), before);
}

TEST(Sarif, BesideABaseline) {
  std::vector<ShutdownAudit> audits = format_audits();
  Baseline baseline;
  baseline.add({{"shop/deployment/web", "grace-budget", "GracePeriodTooShort"}, "Fail"});
  baseline.add({{"shop/deployment/web", "readiness-probe-missing/app", "ReadinessProbeMissing"}, "Info"});
  for (ShutdownAudit& audit : audits) baseline.hide_known(audit);
  const json log = parsed(audits);
  EXPECT_THAT(schema_violations(schema(), log), testing::IsEmpty());
  std::map<std::string, std::string> states;
  for (const json& result : log["runs"][0]["results"]) {
    states[result["ruleId"]] = result["baselineState"];
  }
  EXPECT_THAT(states, testing::UnorderedElementsAre(testing::Pair("readiness-probe-missing", "updated"),
                                                    testing::Pair("pdb-missing", "new"), testing::Pair("single-replica", "new"),
                                                    testing::Pair("audit-error", "new")));
  EXPECT_FALSE(parsed(format_audits())["runs"][0]["results"][0].contains("baselineState"));
}

TEST(Sarif, NoFingerprintTwice) {
  const ReportedFinding finding = format_finding("annotation-invalid", "Warn", "KeyUnknown");
  const json log = parsed({format_audit("shop", "web", "Warn", {finding, finding}),
                           format_audit("shop", "api", "Warn", {finding})});
  std::set<std::string> values;
  for (const json& result : log["runs"][0]["results"]) {
    values.insert(result["partialFingerprints"]["primaryLocationLineHash"].get<std::string>());
  }
  EXPECT_EQ(values.size(), 3U);
}

TEST(Sarif, MessagesCarryNoPlaceholderOrLink) {
  ReportedFinding finding = format_finding("grace-budget", "Fail", "GracePeriodTooShort");
  finding.message = "sh -c ${X} and [text](target)";
  finding.remediation = "";
  const json result = parsed({format_audit("shop", "web", "Fail", {finding})})["runs"][0]["results"][0];
  EXPECT_EQ(result["message"]["text"], "shop/deployment/web: sh -c ${{X}} and [text] (target)");
}

TEST(Sarif, AnErrorMakesTheRunUnsuccessful) {
  EXPECT_EQ(parsed(format_audits())["runs"][0]["invocations"][0]["executionSuccessful"], false);
  EXPECT_EQ(parsed({})["runs"][0]["invocations"][0]["executionSuccessful"], true);
}

}  // namespace
}  // namespace shutdown_auditor::report
