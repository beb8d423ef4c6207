#include "audit/policy_document.h"

#include <random>

#include "audit/builder.h"
#include "objects/json_source.h"

namespace shutdown_auditor::audit {
namespace {

using ::testing::HasSubstr;

base::Result<Policy> decode(const std::string& json) {
  PolicyDecoder decoder(false);
  if (const base::Result<void> parsed = objects::parse_json(json, decoder); !parsed) return base::unexpected(parsed.error());
  return decoder.take();
}

base::Result<Policy> with_spec(const std::string& spec) {
  return decode(R"({"apiVersion":"shutdownaudit.dev/v1alpha1","kind":"ShutdownPolicy","metadata":{"name":"default"},"spec":)" + spec + "}");
}

TEST(PolicyDocumentTest, ReadsEveryField) {
  const base::Result<Policy> read = with_spec(R"({
    "defaults": {"maxRequestSeconds": 45, "cleanupSeconds": 0, "bufferSeconds": 3, "endpointPropagationSeconds": 10},
    "platform": {"maxGracePeriodSeconds": 600},
    "workloadSelector": {"matchLabels": {"tier": "web"}},
    "namespaceSelector": {"matchExpressions": [{"key": "env", "operator": "In", "values": ["prod"]}]},
    "excludeNamespaces": ["kube-system", "sandbox"],
    "checks": [{"id": "single-replica", "mode": "Disabled"}, {"id": "prestop-missing", "result": "Fail"}],
    "exemptions": [{"name": "batch", "targetRef": {"kind": "Deployment", "namespace": "shop", "name": "worker"},
                    "checks": ["pdb-missing"], "reason": "runs at night", "expirationTime": "2027-01-31T00:00:00Z"},
                   {"name": "lab", "namespaceSelector": {"matchLabels": {"lab": "true"}}, "reason": "experiments"}],
    "annotationExemptions": "Forbidden"})");
  ASSERT_TRUE(read.has_value()) << read.error().message;
  const Policy& policy = *read;
  EXPECT_EQ(policy.name, "default");
  EXPECT_EQ(policy.max_request_seconds, 45);
  EXPECT_EQ(policy.cleanup_seconds, 0);
  EXPECT_EQ(policy.buffer_seconds, 3);
  EXPECT_EQ(policy.endpoint_propagation_seconds, 10);
  EXPECT_EQ(policy.max_grace_period_seconds, 600);
  EXPECT_TRUE(policy.workload_selector.has_value());
  EXPECT_EQ(policy.exclude_namespaces, (std::vector<std::string>{"kube-system", "sandbox"}));
  ASSERT_EQ(policy.checks.size(), 2u);
  EXPECT_EQ(policy.checks[0].check, Check::kSingleReplica);
  EXPECT_FALSE(policy.checks[0].enabled);
  EXPECT_TRUE(policy.checks[1].enabled);
  EXPECT_EQ(policy.checks[1].result, CheckResult::kFail);
  ASSERT_EQ(policy.exemptions.size(), 2u);
  EXPECT_EQ(policy.exemptions[0].target_kind, (objects::GroupKind{"apps", "Deployment"}));
  EXPECT_EQ(policy.exemptions[0].target_name, "worker");
  EXPECT_EQ(policy.exemptions[0].checks, std::vector<Check>{Check::kPdbMissing});
  EXPECT_TRUE(policy.exemptions[0].expiration.has_value());
  EXPECT_TRUE(policy.exemptions[1].namespace_selector.has_value());
  EXPECT_FALSE(policy.annotation_exemptions_allowed);
}

TEST(PolicyDocumentTest, AnEmptySpecIsTheBuiltInPolicy) {
  for (const char* spec : {"{}", "null", R"({"defaults":{},"platform":null,"checks":[]})"}) {
    const base::Result<Policy> read = with_spec(spec);
    ASSERT_TRUE(read.has_value()) << read.error().message;
    EXPECT_EQ(read->max_request_seconds, std::nullopt);
    EXPECT_EQ(read->exclude_namespaces.size(), 3u);
    EXPECT_TRUE(read->annotation_exemptions_allowed);
  }
  EXPECT_TRUE(with_spec(R"({"excludeNamespaces":[]})")->exclude_namespaces.empty());
}

TEST(PolicyDocumentTest, IgnoresWhatAClusterAdds) {
  EXPECT_TRUE(decode(R"({"apiVersion":"shutdownaudit.dev/v1alpha1","kind":"ShutdownPolicy","metadata":{"name":"x","uid":"1",
    "managedFields":[{"manager":"kubectl"}]},"spec":{},"status":{"conditions":[{"type":"Accepted"}]}})").has_value());
}

TEST(PolicyDocumentTest, NamesFieldAndValue) {
  struct Row {
    std::string spec, message;
  };
  const std::string target = R"("targetRef":{"name":"x"})";
  for (const Row& row : std::vector<Row>{
           {R"({"default":{}})", "spec.default: unknown field"},
           {R"({"defaults":{"maxRequestsSeconds":5}})", "spec.defaults.maxRequestsSeconds: unknown field"},
           {R"({"exemptions":[{"name":"a"},{"nam":"b"}]})", "spec.exemptions[1].nam: unknown field"},
           {R"({"workloadSelector":{"matchExpression":[]}})", "spec.workloadSelector.matchExpression: unknown field"},
           {R"({"defaults":{"maxRequestSeconds":-1}})", "spec.defaults.maxRequestSeconds: expected 0 to 86400 seconds, got -1"},
           {R"({"defaults":{"cleanupSeconds":86401}})", "got 86401"},
           {R"({"defaults":{"cleanupSeconds":"5"}})", "spec.defaults.cleanupSeconds: expected an integer"},
           {R"({"defaults":{"cleanupSeconds":1.5}})", "spec.defaults.cleanupSeconds"},
           {R"({"defaults":{"cleanupSeconds":99999999999999999999}})", "spec.defaults.cleanupSeconds"},
           {R"({"platform":{"maxGracePeriodSeconds":0}})", "spec.platform.maxGracePeriodSeconds: expected 1 to"},
           {R"({"workloadSelector":{"matchExpressions":[{"key":"a","operator":"Like"}]}})", "unknown operator \"Like\""},
           {R"({"checks":[{"id":"grace"}]})", "spec.checks[0].id: there is no check \"grace\""},
           {R"({"checks":[{"mode":"Enabled"}]})", "spec.checks[0].id: a check id is missing"},
           {R"({"checks":[{"id":"audit-error","mode":"Disabled"}]})", "audit-error cannot be changed"},
           {R"({"checks":[{"id":"grace-zero"},{"id":"grace-zero"}]})", "spec.checks[1].id: \"grace-zero\" is there twice"},
           {R"({"checks":[{"id":"grace-zero","mode":"Off"}]})", "spec.checks[0].mode: expected Enabled or Disabled, got \"Off\""},
           {R"({"checks":[{"id":"grace-zero","result":"Error"}]})", "spec.checks[0].result: expected Fail, Warn or Info, got \"Error\""},
           {R"({"exemptions":[{)" + target + R"(,"reason":"x"}]})", "spec.exemptions[0].name: an exemption needs a name"},
           {R"({"exemptions":[{"name":"a",)" + target + R"(,"reason":"  "}]})", "spec.exemptions[0].reason: exemption \"a\" gives no reason"},
           {R"({"exemptions":[{"name":"a","reason":"x"}]})", "names no workloads"},
           {R"({"exemptions":[{"name":"a","reason":"x","targetRef":{}}]})", "spec.exemptions[0].targetRef: expected a kind"},
           {R"({"exemptions":[{"name":"a","reason":"x","targetRef":{"group":"apps","name":""}}]})", "would be every workload"},
           {R"({"exemptions":[{"name":"a",)" + target + R"(,"reason":"x","checks":["pdb"]}]})", "spec.exemptions[0].checks[0]: there is no check \"pdb\""},
           {R"({"exemptions":[{"name":"a",)" + target + R"(,"reason":"x","expirationTime":"tomorrow"}]})", "expected an RFC 3339 time"},
           {R"({"annotationExemptions":"No"})", "spec.annotationExemptions: expected Allowed or Forbidden, got \"No\""},
           {"[]", "spec"}}) {
    const base::Result<Policy> read = with_spec(row.spec);
    ASSERT_FALSE(read.has_value()) << row.spec;
    EXPECT_THAT(read.error().message, HasSubstr(row.message)) << row.spec;
    EXPECT_EQ(read.error().kind, base::ErrorKind::kInvalid);
  }
  EXPECT_THAT(decode(R"({"apiVersion":"v1","kind":"ConfigMap"})").error().message, HasSubstr("ShutdownPolicy"));
  EXPECT_THAT(decode(R"({"apiVersion":"shutdownaudit.dev/v2","kind":"ShutdownPolicy"})").error().message, HasSubstr("v1alpha1"));
  EXPECT_THAT(decode(R"({"spec":{}})").error().message, HasSubstr("expected apiVersion"));
  EXPECT_THAT(decode(R"({"kindd":"x"})").error().message, HasSubstr("kindd: unknown field"));
  EXPECT_FALSE(decode("[]").has_value());
  EXPECT_FALSE(decode("3").has_value());
}

TEST(PolicyDocumentTest, SurvivesCutDocuments) {
  const std::string whole =
      R"({"apiVersion":"shutdownaudit.dev/v1alpha1","kind":"ShutdownPolicy","spec":{"exemptions":[{"name":"a","workloadSelector":{},"reason":"x"}]}})";
  ASSERT_TRUE(decode(whole).has_value());
  for (std::size_t size = 0; size < whole.size(); ++size) EXPECT_FALSE(decode(whole.substr(0, size)).has_value()) << size;
  std::mt19937 random(3);
  for (int round = 0; round < 3000; ++round) {
    std::string broken = whole;
    broken[random() % broken.size()] = static_cast<char>(random() % 256);
    const base::Result<Policy> read = decode(broken);
    if (!read) {
      EXPECT_FALSE(read.error().message.empty());
    }
  }
}

TEST(PolicyTest, Scope) {
  struct Row {
    std::string_view what;
    std::function<void(Policy&)> change;
    std::string_view name_space;
    bool labels_known;
    bool in_scope;
  };
  const auto in_prod = [](Policy& p) { p.namespace_selector = objects::LabelSelector{testing::map_of({{"env", "prod"}}), {}}; };
  const auto nothing = [](Policy&) {};
  const objects::StringMap prod = testing::map_of({{"env", "prod"}});
  for (const Row& row : std::vector<Row>{
           {"any", nothing, "shop", true, true},
           {"excluded", nothing, "kube-system", true, false},
           {"none excluded", [](Policy& p) { p.exclude_namespaces.clear(); }, "kube-system", true, true},
           {"excluded wins", [&](Policy& p) { in_prod(p); }, "kube-public", true, false},
           {"namespace matches", in_prod, "shop", true, true},
           {"namespace labels not known", in_prod, "shop", false, false},
           {"namespace differs", [](Policy& p) { p.namespace_selector = objects::LabelSelector{testing::map_of({{"env", "dev"}}), {}}; }, "shop", true, false},
           {"workload matches", [](Policy& p) { p.workload_selector = objects::LabelSelector{testing::map_of({{"team", "a"}}), {}}; }, "shop", true, true},
           {"workload differs", [](Policy& p) { p.workload_selector = objects::LabelSelector{testing::map_of({{"team", "b"}}), {}}; }, "shop", true, false},
           {"empty selectors", [](Policy& p) { p.workload_selector.emplace(); p.namespace_selector.emplace(); }, "shop", true, true}}) {
    Policy policy;
    row.change(policy);
    EXPECT_EQ(policy.in_scope(row.name_space, testing::map_of({{"team", "a"}}), row.labels_known ? &prod : nullptr), row.in_scope)
        << row.what;
  }
}

}  // namespace
}  // namespace shutdown_auditor::audit
