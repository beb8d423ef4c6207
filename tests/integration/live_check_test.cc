#include <fmt/format.h>
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/text.h"
#include "integration/support/cluster_test_base.h"
#include "support/run_command.h"
#include "support/test_pki.h"

// `shutdown-auditor check` on a real API server: what it says, as whom, and with which requests.
namespace shutdown_auditor::testing_support {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

namespace fs = std::filesystem;

std::string text_of(const fs::path& path) {
  const auto text = base::read_file(path.string(), 1U << 20U);
  EXPECT_TRUE(text) << text.error().message;
  return text.value_or("");
}

class LiveCheckTest : public ClusterTest {
 protected:
  static constexpr char kExpiredName[] = "expired.test";

  static void SetUpTestSuite() {
    // Beside its own certificate the server has an expired one, for those who ask for that name.
    std::string pattern = (fs::temp_directory_path() / "live-check-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    files_ = pattern;
    other_ca_ = std::make_unique<TestCa>("another CA");
    const CertifiedKey expired = other_ca_->issue(
        {.dns_names = {kExpiredName}, .not_before = std::chrono::hours(-48), .not_after = std::chrono::hours(-24)});
    write("expired.crt", expired.certificate);
    write("expired.key", expired.key);
    start_cluster({.apiserver_args = {"--tls-sni-cert-key=" + path("expired.crt") + "," + path("expired.key") + ":" +
                                      kExpiredName}});
  }
  static void TearDownTestSuite() {
    ClusterTest::TearDownTestSuite();
    fs::remove_all(files_);
  }

  static std::string path(const std::string& name) { return (files_ / name).string(); }
  static std::string write(const std::string& name, const std::string& text) {
    std::ofstream(files_ / name) << text;
    return path(name);
  }

  static CommandOutput run(std::vector<std::string> args) {
    args.insert(args.begin(), {ControllerProcess::binary(), "check"});
    auto output = run_command({.argv = std::move(args),
                               .stdin_text = {},
                               .environment = {{"KUBECONFIG", std::nullopt}, {"HOME", files_.string()}},
                               .time_limit = std::chrono::seconds(30)});
    EXPECT_TRUE(output) << output.error().message;
    return output ? *output : CommandOutput{};
  }
  // In the test's namespace, as administrator.
  CommandOutput check(std::vector<std::string> args) const {
    args.insert(args.end(), {"-n", ns(), "--kubeconfig", cluster().kubeconfig_path()});
    return run(std::move(args));
  }

  static std::string port() {
    const std::string text = text_of(cluster().kubeconfig_path());
    const std::size_t at = text.find("127.0.0.1:") + 10;
    return text.substr(at, text.find_first_not_of("0123456789", at) - at);
  }
  // The administrator's kubeconfig, the rest of the line from each text replaced; returns its path.
  static std::string kubeconfig(const std::string& name, const std::map<std::string, std::string>& changes) {
    std::string text = text_of(cluster().kubeconfig_path());
    for (const auto& [from, to] : changes) {
      const std::size_t at = text.find(from);
      EXPECT_NE(at, std::string::npos) << from;
      if (at != std::string::npos) text.replace(at, text.find('\n', at) - at, to);
    }
    return write(name, text);
  }

  // A Role in the test's namespace to get and list these resources, for a new user; returns the kubeconfig.
  std::string reader(const std::string& user, const std::vector<std::string>& resources) const {
    const json role = {{"apiVersion", "rbac.authorization.k8s.io/v1"},
                       {"kind", "Role"},
                       {"metadata", {{"name", user}}},
                       {"rules", {{{"apiGroups", {"*"}}, {"resources", resources}, {"verbs", {"get", "list"}}}}}};
    const json binding = {{"apiVersion", "rbac.authorization.k8s.io/v1"},
                          {"kind", "RoleBinding"},
                          {"metadata", {{"name", user}}},
                          {"roleRef", {{"apiGroup", "rbac.authorization.k8s.io"}, {"kind", "Role"}, {"name", user}}},
                          {"subjects", {{{"apiGroup", "rbac.authorization.k8s.io"}, {"kind", "User"}, {"name", user}}}}};
    apply(role.dump());
    apply(binding.dump());
    const auto path = cluster().kubeconfig_for(user);
    EXPECT_TRUE(path) << path.error().message;
    return path.value_or("");
  }

  // Of every item: "Deployment/web" and its verdict, numbers and findings, as far as controller and files know them too.
  static std::map<std::string, json> judgements(const json& list, bool stored) {
    std::map<std::string, json> out;
    for (const json& item : list.value("items", json::array())) {
      const json& target = item["spec"]["targetRef"];
      const json& status = item["status"];
      json findings = json::array();
      for (const json& finding : status.value("findings", json::array())) {
        if (!stored || finding["result"] != "Info") {
          findings.push_back({finding["id"], finding["result"], finding["message"]});
        }
      }
      out[target["kind"].get<std::string>() + "/" + target["name"].get<std::string>()] = {
          {"verdict", status["verdict"]},
          {"reason", status.value("topReason", "")},
          {"summary", status["summary"]},
          {"required", status["budget"].value("requiredText", "")},
          {"findings", findings}};
    }
    return out;
  }
  static std::map<std::string, json> judgements_of(const CommandOutput& output, bool stored) {
    return judgements(json::parse(output.stdout_text, nullptr, false), stored);
  }

  static fs::path files_;
  static std::unique_ptr<TestCa> other_ca_;
};
fs::path LiveCheckTest::files_;
std::unique_ptr<TestCa> LiveCheckTest::other_ca_;

TEST_F(LiveCheckTest, SaysWhatTheControllerAndTheFilesSay) {
  const std::string manifests = deployment({.name = "web"}) + budget("web", 2) + service("web") +
                                deployment({.name = "short", .grace = "54"}) +
                                deployment({.name = "db", .declared = false, .kind = "StatefulSet"}) + budget("db", 3) +
                                deployment({.name = "log", .grace = "40", .kind = "DaemonSet"}) +
                                deployment({.name = "plain", .replicas = 1, .grace = "", .declared = false});
  apply(manifests);
  const CommandOutput live = check({"-o", "json"});
  EXPECT_EQ(live.status, 1) << live.stderr_text;
  EXPECT_EQ(live.stderr_text, "note: namespace \"" + ns() + "\" of https://127.0.0.1:" + port() +
                                  "; the policy is the built-in one\n");
  EXPECT_THAT(live.stdout_text, Not(HasSubstr("shutdownaudit.dev/source")));

  const CommandOutput files = run({"-f", write("all.yaml", manifests), "-n", ns(), "-o", "json"});
  const auto from_live = judgements_of(live, false);
  EXPECT_EQ(from_live.size(), 5u);
  EXPECT_EQ(from_live, judgements_of(files, false));

  const auto process = controller("writer");
  ASSERT_TRUE(await_audit("statefulset-db", "Fail"));
  ASSERT_TRUE(eventually([&] { return kubectl_json({"get", "shutdownaudits"})["items"].size() == 5; }));
  EXPECT_TRUE(eventually([&] {
    return judgements(kubectl_json({"get", "shutdownaudits"}), true) == judgements_of(live, true);
  })) << kubectl_json({"get", "shutdownaudits"}).dump(1);
}

TEST_F(LiveCheckTest, OneWorkloadOneKindOrOneSelectorIsAuditedInItsSurroundings) {
  apply(deployment({.name = "web"}) + budget("web", 2) + service("web"));
  apply(deployment({.name = "front", .grace = "54", .label = "tier: front"}));
  apply(deployment({.name = "web", .kind = "StatefulSet"}));
  const struct {
    std::vector<std::string> args;
    std::vector<std::string> audited;
    int status;
  } kCases[] = {
      {{"deployment/web"}, {"Deployment/web"}, 1},  // the budget selects the StatefulSet's pods too: fewer may go
      {{"deploy/front"}, {"Deployment/front"}, 1},
      {{"sts"}, {"StatefulSet/web"}, 1},
      {{"ds"}, {}, 0},
      {{"-l", "tier=front"}, {"Deployment/front"}, 1},
      {{"-l", "tier in (front),!nothing"}, {"Deployment/front"}, 1},
      {{"deploy/web", "statefulset.apps/web"}, {"Deployment/web", "StatefulSet/web"}, 1},
  };
  for (const auto& test : kCases) {
    auto args = test.args;
    args.insert(args.end(), {"-o", "json", "--fail-on", "warn"});
    const CommandOutput live = check(args);
    std::vector<std::string> audited;
    for (const auto& [name, judgement] : judgements_of(live, false)) audited.push_back(name);
    EXPECT_EQ(audited, test.audited) << test.args[0] << live.stderr_text;
  }
  const CommandOutput missing = check({"deploy/gone", "deploy/front"});
  EXPECT_EQ(missing.status, 2);
  EXPECT_THAT(missing.stderr_text, HasSubstr(fmt::format("there is no deployment \"gone\" in namespace \"{}\"\n", ns())));
  EXPECT_THAT(missing.stdout_text, HasSubstr("deployment/front"));
  const CommandOutput selector = check({"-l", "a in b"});
  EXPECT_EQ(selector.status, 2);
  EXPECT_THAT(selector.stderr_text, HasSubstr("unable to parse"));
  EXPECT_THAT(selector.stdout_text, IsEmpty());
}

TEST_F(LiveCheckTest, EveryOutputDoesWithoutFiles) {
  apply(deployment({.name = "web", .grace = "54"}));
  for (const char* format : {"table", "wide", "json", "yaml", "sarif", "junit", "github", "markdown"}) {
    const CommandOutput live = check({"-o", format});
    EXPECT_EQ(live.status, 1) << format << live.stderr_text;
    EXPECT_THAT(live.stdout_text, HasSubstr("web")) << format;
  }
  EXPECT_THAT(check({"--timeline"}).stdout_text, HasSubstr("SIGKILL"));
}

TEST_F(LiveCheckTest, OnlyGetAndListOfOneNamespaceAndNeverASecret) {
  apply(deployment({.name = "web"}) + budget("web", 2));
  const std::string readable = reader("frugal", {"deployments", "statefulsets", "daemonsets", "rollouts", "services",
                                                 "poddisruptionbudgets", "horizontalpodautoscalers", "scaledobjects",
                                                 "jobs", "cronjobs", "namespaces"});
  const CommandOutput live = run({"-n", ns(), "--kubeconfig", readable});
  EXPECT_EQ(live.status, 0) << live.stderr_text << live.stdout_text;
  EXPECT_THAT(live.stderr_text, StartsWith("no permission to get shutdownpolicies.shutdownaudit.dev: the built-in policy "
                                           "is used, which the controller may not do\nnote: "));
  std::size_t requests = 0;
  ASSERT_TRUE(eventually([&] {
    requests = 0;
    for (const AuditEntry& entry : cluster().audit_log()) requests += entry.user == "frugal" ? 1 : 0;
    return requests >= 13;
  }));
  for (const AuditEntry& entry : cluster().audit_log()) {
    if (entry.user != "frugal") continue;
    EXPECT_THAT(entry.verb, ::testing::AnyOf("get", "list")) << describe({entry});
    EXPECT_NE(entry.resource, "secrets");
    EXPECT_NE(entry.resource, "configmaps");
    EXPECT_NE(entry.resource, "pods");
    const bool elsewhere = entry.resource.empty() || entry.resource == "shutdownpolicies";
    EXPECT_TRUE(elsewhere || entry.ns == ns()) << describe({entry});
  }
}

TEST_F(LiveCheckTest, WhatMayNotBeReadIsSaidAndTheRestIsAudited) {
  apply(deployment({.name = "web"}) + deployment({.name = "db", .kind = "StatefulSet"}));
  const std::string few = reader("modest", {"deployments", "services"});
  const CommandOutput live = run({"-n", ns(), "--kubeconfig", few, "-o", "wide"});
  EXPECT_EQ(live.status, 0) << live.stderr_text;
  EXPECT_THAT(live.stderr_text,
              AllOf(HasSubstr("no permission to list poddisruptionbudgets.policy in namespace"),
                    HasSubstr("the pdb-* checks cannot tell\n"), HasSubstr("StatefulSets are not audited\n")));
  EXPECT_THAT(live.stdout_text, AllOf(HasSubstr("deployment/web"), Not(HasSubstr("statefulset/db")),
                                      HasSubstr("PodDisruptionBudgets cannot be read, so it is not known")));

  const CommandOutput all = run({"-A", "--kubeconfig", few});
  EXPECT_EQ(all.status, 2);
  EXPECT_THAT(all.stdout_text, IsEmpty());
  EXPECT_THAT(all.stderr_text, AllOf(HasSubstr("at the cluster scope"), HasSubstr("give -n NAMESPACE")));

  const CommandOutput elsewhere = run({"-n", "default", "--kubeconfig", few});
  EXPECT_EQ(elsewhere.status, 2);
  EXPECT_THAT(elsewhere.stderr_text, HasSubstr("cannot list resource \"deployments\""));
}

TEST_F(LiveCheckTest, TheClustersPolicyIsUsedUnlessAFileIsGiven) {
  apply(deployment({.name = "web", .grace = "60"}) + budget("web", 2));
  kubectl({"apply", "-f", "-"},
          "apiVersion: shutdownaudit.dev/v1alpha1\nkind: ShutdownPolicy\nmetadata: {name: default}\n"
          "spec: {defaults: {bufferSeconds: 30}}\n");
  const CommandOutput with = check({});
  const CommandOutput without = check(
      {"--policy", write("policy.yaml", "apiVersion: shutdownaudit.dev/v1alpha1\nkind: ShutdownPolicy\n"
                                        "metadata: {name: mine}\nspec: {defaults: {bufferSeconds: 5}}\n")});
  kubectl({"delete", "shutdownpolicy", "default"});
  EXPECT_THAT(with.stdout_text, HasSubstr("grace-budget"));
  EXPECT_THAT(with.stderr_text, HasSubstr("; the policy is the cluster's ShutdownPolicy \"default\"\n"));
  EXPECT_THAT(without.stdout_text, Not(HasSubstr("grace-budget")));
  EXPECT_THAT(without.stderr_text, AllOf(HasSubstr("; the policy is that of "), HasSubstr("policy.yaml")));
}

TEST_F(LiveCheckTest, ImpersonationIsPassedOn) {
  apply(deployment({.name = "web"}));
  const CommandOutput nobody = check({"--as", "somebody-else"});
  EXPECT_EQ(nobody.status, 2);
  EXPECT_THAT(nobody.stderr_text, HasSubstr("User \"somebody-else\" cannot list"));
  EXPECT_EQ(check({"--as", "somebody-else", "--as-group", "system:masters"}).status, 0);
}

TEST_F(LiveCheckTest, WhatCannotWorkIsOneLineWithTheServerTheFileAndWhatToDo) {
  const TestCa ca(CertifiedKey{text_of(cluster().dir() + "/pki/ca.crt"), text_of(cluster().dir() + "/pki/ca.key")});
  const CertifiedKey old = ca.issue({.common_name = "late",
                                     .client = true,
                                     .not_before = std::chrono::hours(-48),
                                     .not_after = std::chrono::hours(-24)});
  const std::string other_ca = "certificate-authority-data: " + base::base64_encode(other_ca_->pem());
  const std::string server = "server: ";
  const struct {
    std::string config;
    std::vector<std::string> args;
    std::vector<std::string> parts;
  } kCases[] = {
      {path("none"), {}, {"none: there is no such kubeconfig", "check --kubeconfig"}},
      {write("broken", "a: [b\n"), {}, {"broken:", "correct the file"}},
      {cluster().kubeconfig_path(), {"--context", "prod"},
       {cluster().kubeconfig_path(), "--context: there is no context \"prod\"", "choose one of: test-cluster"}},
      {cluster().kubeconfig_path(), {"--user", "bob"}, {"there is no user \"bob\""}},
      {cluster().kubeconfig_path(), {"-n", "nowhere"}, {"https://127.0.0.1:", "there is no namespace \"nowhere\""}},
      {kubeconfig("refused", {{"server: ", "server: https://127.0.0.1:1"}}), {},
       {"https://127.0.0.1:1 (context \"test-cluster\" of ", "/refused)", "refused", "is the server running"}},
      {kubeconfig("old-client",
                  {{"client-certificate-data: ", "client-certificate-data: " + base::base64_encode(old.certificate)},
                   {"client-key-data: ", "client-key-data: " + base::base64_encode(old.key)}}),
       {}, {"/old-client)", "the client certificate expired on 20", "log in again or renew it"}},
      {kubeconfig("old-server", {{"certificate-authority-data: ", other_ca + "\n    tls-server-name: " + kExpiredName}}),
       {}, {"/old-server)", "certificate has expired (expected name \"expired.test\")", "renew it"}},
      {kubeconfig("wrong-name", {{server, "tls-server-name: other.test\n    " + server + "https://127.0.0.1:" + port()}}),
       {}, {"mismatch (expected name \"other.test\")", "check certificate-authority or tls-server-name"}},
      {kubeconfig("wrong-ca", {{"certificate-authority-data: ", other_ca}}), {},
       {"/wrong-ca)", "certificate refused", "check certificate-authority"}},
      {kubeconfig("bad-token", {{"client-certificate-data: ", "token: nonsense"}, {"client-key-data: ", "username: ''"}}),
       {}, {"/bad-token)", "credentials refused (401)", "renew the user's token or certificate"}},
      {kubeconfig("no-dns", {{server, server + "https://kubernetes.invalid:6443"}}), {},
       {"https://kubernetes.invalid:6443", "the name cannot be resolved"}},
      {kubeconfig("plain", {{server, server + "http://127.0.0.1:" + port()}}), {}, {"http://127.0.0.1:", "/plain)"}},
  };
  for (const auto& test : kCases) {
    auto args = test.args;
    args.insert(args.end(), {"--kubeconfig", test.config});
    const CommandOutput output = run(args);
    EXPECT_EQ(output.status, 2) << test.config;
    EXPECT_THAT(output.stdout_text, IsEmpty());
    EXPECT_EQ(std::count(output.stderr_text.begin(), output.stderr_text.end(), '\n'), 1) << output.stderr_text;
    for (const std::string& part : test.parts) EXPECT_THAT(output.stderr_text, HasSubstr(part));
  }
  const CommandOutput nothing = run({});
  EXPECT_EQ(nothing.status, 2);
  EXPECT_THAT(nothing.stderr_text, AllOf(StartsWith("kubeconfig: no cluster is configured"), HasSubstr("-f FILE audits")));
}

}  // namespace
}  // namespace shutdown_auditor::testing_support
