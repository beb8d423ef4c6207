#include <fmt/format.h>
#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/text.h"
#include "integration/support/cluster_test_base.h"
#include "kube/one_line.h"
#include "support/test_pki.h"

// The process as an operator meets it: endpoints, exit statuses, and one clear line for what is wrong.
namespace shutdown_auditor::testing_support {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class ProcessTest : public ClusterTest {
 protected:
  std::string file(const std::string& name, const std::string& text) const {
    const std::string path = cluster().dir() + "/" + name;
    std::ofstream(path) << text;
    return path;
  }
  std::string kubeconfig_with(const std::string& name, const std::string& from, const std::string& to) const {
    std::string text = *base::read_file(cluster().kubeconfig_path(), 1U << 20U);
    const std::size_t at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    text.replace(at, text.find('\n', at) - at, to);
    return file(name, text);
  }
};

TEST_F(ProcessTest, HealthEndpoints) {
  const auto process = controller("endpoints");
  ASSERT_TRUE(process->wait_for_log("started leading"));
  EXPECT_EQ(process->http_get("/livez").status, 200);
  EXPECT_EQ(process->http_get("/livez").body, "ok");
  EXPECT_EQ(process->http_get("/readyz").status, 200);
  EXPECT_THAT(process->http_get("/readyz?verbose").body, HasSubstr("[+]caches ok"));
  EXPECT_THAT(process->http_get("/readyz?exclude=nonsense").body, HasSubstr("no matches for"));
  EXPECT_EQ(process->http_get("/nothing").status, 404);
  EXPECT_EQ(process->http_get("/health").status, 200);
  ASSERT_TRUE(await_health(*process, "Healthy"));
  const json body = json::parse(process->http_get("/health").body);
  for (const char* component : {"deployments.apps", "services", "poddisruptionbudgets.policy", "leader-election",
                                "shutdownaudits.shutdownaudit.dev", "scaledobjects.keda.sh"}) {
    ASSERT_TRUE(body["components"].contains(component)) << component << " in " << body.dump(1);
    EXPECT_EQ(body["components"][component]["status"], "Healthy") << component;
    EXPECT_TRUE(body["components"][component]["latencyMs"].is_number()) << component;
  }
  process->signal(SIGTERM);
  EXPECT_EQ(process->wait_exit(), 0);
}

TEST_F(ProcessTest, MetricsHaveTheirNames) {
  apply(deployment({.name = "bad", .grace = "54"}) + deployment({.name = "good"}) + budget("good", 2));
  const auto process = controller("metrics", {"--metrics-per-workload"});
  ASSERT_TRUE(await_verdict("bad", "Fail"));
  ASSERT_TRUE(await_verdict("good", "Pass"));
  const HttpAnswer answer = process->http_get("/metrics");
  EXPECT_EQ(answer.status, 200);
  for (const char* name :
       {"shutdownaudit_workloads", "shutdownaudit_findings", "shutdownaudit_workload_shortfall_seconds",
        "shutdownaudit_audit_duration_seconds_bucket", "shutdownaudit_reconcile_total",
        "shutdownaudit_reconcile_time_seconds_bucket", "shutdownaudit_status_writes_total", "shutdownaudit_events_total",
        "shutdownaudit_events_dropped_total", "shutdownaudit_last_full_audit_timestamp_seconds", "workqueue_depth",
        "workqueue_adds_total", "workqueue_queue_duration_seconds_bucket", "workqueue_work_duration_seconds_bucket",
        "workqueue_unfinished_work_seconds", "workqueue_longest_running_processor_seconds", "workqueue_retries_total",
        "rest_client_requests_total", "rest_client_request_duration_seconds_bucket", "leader_election_master_status",
        "leader_election_slowpath_total", "process_resident_memory_bytes", "shutdown_auditor_build_info"}) {
    EXPECT_THAT(answer.body, ::testing::ContainsRegex(std::string("\n") + name + "[{ ]"));
  }
  EXPECT_EQ(process->metric(fmt::format("shutdownaudit_workloads{{namespace=\"{}\",verdict=\"Fail\"}}", ns())), 1);
  EXPECT_EQ(process->metric(fmt::format("shutdownaudit_workloads{{namespace=\"{}\",verdict=\"Pass\"}}", ns())), 1);
  EXPECT_EQ(process->metric(fmt::format("shutdownaudit_findings{{namespace=\"{}\",check=\"grace-budget\"", ns())), 1);
  EXPECT_GE(process->metric("shutdownaudit_status_writes_total{result=\"success\"}"), 2);
  EXPECT_GT(process->metric("shutdownaudit_last_full_audit_timestamp_seconds"), 1.7e9);
  EXPECT_GT(process->metric("rest_client_requests_total"), 10);
  kubectl({"delete", "deployment", "bad"});
  EXPECT_TRUE(eventually([&] {
    return process->metric(fmt::format("shutdownaudit_workloads{{namespace=\"{}\",verdict=\"Fail\"}}", ns())) == 0;
  }));
}

TEST_F(ProcessTest, ExitStatusesOfUsageAndConfiguration) {
  const std::string good = cluster().kubeconfig_path();
  struct Row {
    std::vector<std::string> args;
    int status;
    const char* said;
  };
  const std::vector<Row> rows{
      {{"controller", "--no-such-flag"}, 2, "--no-such-flag"},
      {{"controller", "--sync-period=soon"}, 2, "--sync-period"},
      {{"controller", "--sync-period=-1s"}, 2, "--sync-period"},
      {{"controller", "--events=Sometimes"}, 2, "is not one of Warn, Fail, None"},
      {{"controller", "--max-concurrent-reconciles=0"}, 2, "--max-concurrent-reconciles"},
      {{"controller", "--max-concurrent-reconciles=many"}, 2, "--max-concurrent-reconciles"},
      {{"controller", "--metrics-bind-address=8080"}, 2, "HOST:PORT"},
      {{"controller", "--metrics-bind-address=:99999"}, 2, "HOST:PORT"},
      {{"controller", "--log-format=xml"}, 2, "is not one of json, text"},
      {{"controller", "--kubeconfig=/nonexistent/kubeconfig"}, 2, "/nonexistent/kubeconfig"},
      {{"controller", "--kubeconfig=" + good, "--context=nowhere"}, 2, "nowhere"},
      {{"controller", "--kubeconfig=" + file("empty", "")}, 2, "empty"},
      {{"controller", "--kubeconfig=" + file("garbage", "clusters: [{{\n")}, 2, "garbage"},
      {{"controller", "--kubeconfig=" + file("binary", std::string("\x00\xff\xfe", 3))}, 2, "binary"},
      {{"controller", "--kubeconfig=" + good, "--policy=/nonexistent/policy.yaml"}, 2, "/nonexistent/policy.yaml"},
      {{"controller", "--kubeconfig=" + good,
        "--policy=" + file("policy.yaml", "apiVersion: shutdownaudit.dev/v1alpha1\nkind: ShutdownPolicy\n"
                                          "metadata: {name: x}\nspec: {defaults: {cleanupSeconds: -1}}\n")},
       2, "cleanupSeconds: expected 0 to 86400 seconds, got -1 (line 4)"},
      {{"controller", "--kubeconfig=" + good, "--leader-elect-lease-duration=1s", "--health-probe-bind-address=0",
        "--metrics-bind-address=0"},
       2, "renew"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(base::join(row.args, " "));
    const auto process = ControllerProcess::run(row.args);
    EXPECT_EQ(process->wait_exit(), row.status) << process->output();
    EXPECT_THAT(process->output(), HasSubstr(row.said));
  }
}

TEST_F(ProcessTest, TheEnvironmentIsATwinOfEveryFlag) {
  const auto process = ControllerProcess::run({"controller"}, {{"SHUTDOWN_AUDITOR_KUBECONFIG", "/nonexistent/twin"}});
  EXPECT_EQ(process->wait_exit(), 2);
  EXPECT_THAT(process->output(), HasSubstr("/nonexistent/twin"));
  const auto flag = ControllerProcess::run({"controller", "--kubeconfig=/nonexistent/flag"},
                                           {{"SHUTDOWN_AUDITOR_KUBECONFIG", "/nonexistent/twin"}});
  EXPECT_EQ(flag->wait_exit(), 2);
  EXPECT_THAT(flag->output(), AllOf(HasSubstr("/nonexistent/flag"), Not(HasSubstr("twin"))));
}

TEST_F(ProcessTest, APortThatIsTakenIsOneClearLine) {
  const auto first = controller("port-first");
  ASSERT_TRUE(first->wait_for_log("serving", {{"what", "health"}}));
  const std::string address = first->logs("serving", {{"what", "health"}})[0]["address"];
  const auto second = controller("port-second", {"--health-probe-bind-address=" + address});
  EXPECT_EQ(second->wait_exit(), 1);
  const auto said = second->logs("cannot start");
  ASSERT_EQ(said.size(), 1u) << second->output();
  EXPECT_THAT(said[0].value("err", ""), AllOf(HasSubstr(address.substr(address.rfind(':') + 1)), HasSubstr("in use")));
}

TEST_F(ProcessTest, AServerThatCannotBeUsedIsSaidInOneLineEach) {
  const TestCa stranger("stranger");
  const std::string strangers = file("stranger.crt", stranger.pem());
  struct Row {
    const char* name;
    std::string kubeconfig;
    const char* said;
  };
  const std::vector<Row> rows{
      {"nobody listens", kubeconfig_with("dead", "server:", "server: https://127.0.0.1:1"), "refused"},
      {"another CA", kubeconfig_with("strange", "certificate-authority-data:", "certificate-authority: " + strangers),
       "certificate"},
      {"another host name",
       kubeconfig_with("renamed", "server:", "server: https://127.0.0.1:1\n    tls-server-name: example.com"), "refused"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    const auto process = ControllerProcess::start(row.kubeconfig, {"--cache-sync-timeout=2s"});
    EXPECT_EQ(process->wait_exit(), 1);
    const auto said = process->logs("cannot go on");
    ASSERT_EQ(said.size(), 1u) << process->output();
    EXPECT_THAT(said[0].value("err", ""), HasSubstr(row.said));
    EXPECT_THAT(said[0].value("err", ""), HasSubstr("https://127.0.0.1:"));
    EXPECT_LE(said[0].value("err", "").size(), kube::kOneLineBytes) << said[0];
  }
}

TEST_F(ProcessTest, LogsCanBeText) {
  const auto process = controller("texts", {"--log-format=text", "--leader-elect=false"});
  EXPECT_TRUE(eventually([&] { return process->output().find("started leading") != std::string::npos; }))
      << process->output();
  EXPECT_THAT(process->output(), ::testing::ContainsRegex("INFO  controller: started leading workloads=[0-9]+"));
  process->signal(SIGTERM);
  EXPECT_EQ(process->wait_exit(), 0);
}

}  // namespace
}  // namespace shutdown_auditor::testing_support
