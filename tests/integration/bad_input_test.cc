#include <fmt/format.h>
#include <gmock/gmock.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/file.h"
#include "integration/support/cluster_test_base.h"

// Whatever the API server lets in gets an audit, and the controller stays up.
namespace shutdown_auditor::testing_support {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

// The least the API server takes.
json bare(const std::string& name) {
  return {{"apiVersion", "apps/v1"},
          {"kind", "Deployment"},
          {"metadata", {{"name", name}}},
          {"spec",
           {{"selector", {{"matchLabels", {{"app", name}}}}},
            {"template",
             {{"metadata", {{"labels", {{"app", name}}}}},
              {"spec", {{"containers", json::array({{{"name", "app"}, {"image", "x"}}})}}}}}}}};
}

class BadInputTest : public ClusterTest {
 protected:
  void SetUp() override {
    ClusterTest::SetUp();
    process_ = controller("sturdy-" + ns());
  }
  void TearDown() override {
    if (process_) {
      EXPECT_EQ(process_->logs("reconcile failed").size(), 0u);
      EXPECT_EQ(process_->logs("an object could not be read").size(), 0u);
      process_->signal(SIGTERM);
      EXPECT_EQ(process_->wait_exit(), 0);
    }
    ClusterTest::TearDown();
  }
  json audited(const json& manifest) {
    apply(manifest.dump());
    const std::string name = manifest["metadata"]["name"];
    EXPECT_TRUE(eventually([&] { return !verdict_of(name).empty(); })) << name << " was not audited";
    const json audit = audit_of(name);
    return audit.is_object() ? audit["status"] : json::object();
  }

  std::unique_ptr<ControllerProcess> process_;
};

// A finding of that check, or its count where Info is only counted.
bool says(const json& status, const std::string& check) {
  for (const json& finding : status.value("findings", json::array())) {
    if (finding["check"] == check) return true;
  }
  return check == "grace-ceiling" && status["summary"]["info"] > 0;
}

std::vector<std::string> checks_of(const json& status) {
  std::vector<std::string> ids;
  for (const json& finding : status.value("findings", json::array())) ids.push_back(finding["check"]);
  return ids;
}

TEST_F(BadInputTest, EveryFieldTheApiAllows) {
  const auto text = base::read_file(SA_SOURCE_DIR "/tests/integration/data/every_field.yaml", 1U << 20U);
  ASSERT_TRUE(text) << text.error().message;
  apply(*text);
  ASSERT_TRUE(eventually([&] { return !verdict_of("every-field").empty(); }));
  const json status = audit_of("every-field")["status"];
  EXPECT_EQ(status["verdict"], "Fail");  // tcpSocket as a hook can never do what was meant
  EXPECT_EQ(status["budget"]["gracePeriodSeconds"], 75);
  EXPECT_EQ(status["containers"].size(), 5u);  // four and the native sidecar
  EXPECT_THAT(checks_of(status), ::testing::Contains("prestop-broken"));
  kubectl({"patch", "deployment", "every-field", "--type=merge", "-p", R"({"metadata": {"finalizers": null}})"});
}

TEST_F(BadInputTest, NothingButWhatIsRequired) {
  const json status = audited(bare("bare"));
  EXPECT_EQ(status["budget"]["gracePeriodSeconds"], 30);
  EXPECT_EQ(status["budget"]["gracePeriodSource"], "Explicit");  // the API server writes its default of 30
  EXPECT_EQ(status["containers"].size(), 1u);
}

TEST_F(BadInputTest, AbsurdNumbers) {
  struct Row {
    const char* name;
    json grace;
    json effective;
    const char* check;  // a finding that must be there
  };
  const std::vector<Row> rows{
      {"most", 9223372036854775807, 9223372036854775807, "grace-ceiling"},
      {"zero", 0, 0, "grace-zero"},
      {"negative", -5, 1, "grace-zero"},
      {"least", std::numeric_limits<std::int64_t>::min(), 1, "grace-zero"},
      {"one", 1, 1, "prestop-exceeds-grace"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    json manifest = bare(row.name);
    manifest["metadata"]["annotations"]["shutdownaudit.dev/max-request-seconds"] = "30";
    manifest["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = row.grace;
    manifest["spec"]["template"]["spec"]["containers"][0]["lifecycle"]["preStop"]["exec"]["command"] = {
        "sleep", "99999999999999999999"};
    const json status = audited(manifest);
    EXPECT_EQ(status["budget"]["gracePeriodSeconds"], row.effective);
    EXPECT_GE(status["budget"]["requiredSeconds"], 0);
    EXPECT_TRUE(says(status, row.check)) << status.dump(1);
  }
  json replicas = bare("replicas");
  replicas["spec"]["replicas"] = 2147483647;
  replicas["spec"]["paused"] = true;
  EXPECT_FALSE(audited(replicas).empty());
  // One more than int64 holds: the API server itself refuses it.
  const auto refused = cluster().kubectl({"--namespace=" + ns(), "create", "-f", "-"},
                                         deployment({.name = "over", .grace = "9223372036854775808"}));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("cannot unmarshal number"));
}

TEST_F(BadInputTest, AHundredContainers) {
  json manifest = bare("crowd");
  auto& containers = manifest["spec"]["template"]["spec"]["containers"];
  for (int i = 1; i < 100; ++i) containers.push_back({{"name", fmt::format("c{}", i)}, {"image", "x"}});
  for (json& container : containers) container["lifecycle"]["preStop"]["exec"]["command"] = {"/opt/unknown"};
  const json status = audited(manifest);
  EXPECT_EQ(status["containers"].size(), 32u);
  EXPECT_EQ(status["findings"].size(), 32u);
  EXPECT_EQ(status["truncated"], true);
  EXPECT_THAT(checks_of(status), ::testing::Each("prestop-unknown"));
}

TEST_F(BadInputTest, AnnotationGarbage) {
  json manifest = bare("garbage");
  json& annotations = manifest["metadata"]["annotations"];
  const std::vector<std::string> values{"",      " ",     "-1",    "+1",        "1e3",   "0x10",  "1.2345", "86401", "NaN",
                                        "inf",   "30s",   "1,5",   "१",        "9999999999999999999999999", "true", "null",
                                        "\xF0\x9F\x92\xA5", "30\n31", "\"30\"", "{\"a\": 1}", std::string(100000, '9')};
  for (std::size_t i = 0; i < values.size(); ++i) {
    annotations[fmt::format("c{}.shutdownaudit.dev/max-request-seconds", i)] = values[i];
  }
  annotations["shutdownaudit.dev/max-request-seconds"] = "-30";
  annotations["shutdownaudit.dev/no-such-key"] = "1";
  annotations["shutdownaudit.dev/ignore-grace-budget"] = "";
  annotations["shutdownaudit.dev/ignore-no-such-check"] = "because";
  const json status = audited(manifest);
  EXPECT_THAT(checks_of(status), ::testing::Contains("annotation-invalid"));
}

TEST_F(BadInputTest, NamesAtTheirLimits) {
  const std::vector<std::string> names{"a", std::string(63, 'n'), "dots.in.the.name", std::string(250, 'l')};
  for (const std::string& name : names) {
    json manifest = bare(name);
    // The name of a Deployment is at most 253 characters, a label value at most 63.
    manifest["spec"]["selector"]["matchLabels"]["app"] = "limits";
    manifest["spec"]["template"]["metadata"]["labels"]["app"] = "limits";
    apply(manifest.dump());
  }
  EXPECT_TRUE(eventually([&] {
    std::size_t judged = 0;
    for (const json& audit : kubectl_json({"get", "sda"}).value("items", json::array())) judged += audit.contains("status");
    return judged == names.size();
  }));
}

TEST_F(BadInputTest, BudgetsAndServicesThatSelectNothingOrEverything) {
  apply(deployment({.name = "web"}));
  apply(R"({apiVersion: v1, kind: List, items: [
    {apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: all}, spec: {selector: {}, maxUnavailable: "100%"}},
    {apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: none}, spec: {minAvailable: 1}},
    {apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: expressions}, spec: {minAvailable: 2147483647,
      selector: {matchExpressions: [{key: app, operator: NotIn, values: [web]}]}}},
    {apiVersion: v1, kind: Service, metadata: {name: external}, spec: {type: ExternalName, externalName: example.com}},
    {apiVersion: v1, kind: Service, metadata: {name: headless}, spec: {clusterIP: None, selector: {app: web}}},
    {apiVersion: v1, kind: Service, metadata: {name: nobody}, spec: {ports: [{port: 1, targetPort: 65535}]}}]})");
  EXPECT_TRUE(eventually([&] {
    const json audit = audit_of("web");
    return audit.is_object() && audit.contains("status") &&
           audit["status"].value("disruption", json::object()).value("budgets", json()) == json({"all"});
  })) << audit_of("web").dump(1);
}

}  // namespace
}  // namespace shutdown_auditor::testing_support
