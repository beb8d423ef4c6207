#include <fmt/format.h>
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "integration/support/cluster_test_base.h"
#include "support/run_command.h"

// The API server goes away, forgets its history, or loses our resource types: afterwards the audits are what they would
// be had nothing happened.
namespace shutdown_auditor::testing_support {
namespace {

using nlohmann::json;

class OutageTest : public ClusterTest {
 protected:
  // What `check` says about the namespace as the API server has it now: audit name -> what must be equal.
  json expected() const {
    const std::string objects =
        kubectl({"get", "deployments,statefulsets,daemonsets,services,poddisruptionbudgets,horizontalpodautoscalers,jobs,"
                        "cronjobs", "-o", "json"});
    Command check;
    check.argv = {SA_BINARY_DIR "/bin/shutdown-auditor", "check", "-f", "-", "-o", "json", "--complete"};
    check.stdin_text = objects;
    const auto output = run_command(check);
    if (!output) {
      ADD_FAILURE() << output.error().message;
      return {};
    }
    EXPECT_LE(output->status, 1) << output->stderr_text;
    return essence(json::parse(output->stdout_text, nullptr, false));
  }
  json actual() const { return essence(kubectl_json({"get", "shutdownaudits"})); }

  static json essence(const json& list) {
    json result = json::object();
    for (const json& item : list.value("items", json::array())) {
      const json& status = item.value("status", json::object());
      json& row = result[item["metadata"]["name"].get<std::string>()];
      for (const char* field : {"verdict", "topReason", "budget", "containers", "disruption"}) {
        if (status.contains(field)) row[field] = status[field];
      }
    }
    return result;
  }
  void expect_nothing_lost() const {
    json now;
    const json target = expected();
    EXPECT_TRUE(eventually([&] { return (now = actual()) == target; })) << json::diff(now, target).dump(1);
    EXPECT_FALSE(target.empty());
  }
  void create(const std::string& prefix, int count) const {
    std::string text;
    for (int i = 0; i < count; ++i) {
      const std::string name = fmt::format("{}-{}", prefix, i);
      text += deployment({.name = name, .grace = std::to_string(50 + i)}) + (i % 2 == 0 ? budget(name, 2) : std::string());
    }
    apply(text);
  }
  // Creates, changes and deletes `count` of each, budgets too.
  void change(const std::string& prefix, int round) const {
    create(fmt::format("{}-new-{}", prefix, round), 3);
    kubectl({"delete", "--wait=false", fmt::format("deployment/{}-{}", prefix, 3 * round),
             fmt::format("pdb/{}-{}", prefix, 2 * round)});
    apply(deployment({.name = fmt::format("{}-{}", prefix, 3 * round + 1), .grace = "20"}) +
          budget(fmt::format("{}-{}", prefix, 3 * round + 1), 3));
    kubectl({"scale", "deployment", fmt::format("{}-{}", prefix, 3 * round + 2), "--replicas=1"});
  }
};

TEST_F(OutageTest, ARestartOfTheServerInMidWatchLosesNothing) {
  create("web", 16);
  const auto process = controller("survivor");
  ASSERT_TRUE(process->wait_for_log("started leading"));
  expect_nothing_lost();

  change("web", 0);  // seen by the watch, or not yet
  ASSERT_TRUE(cluster().kill("kube-apiserver"));
  ASSERT_TRUE(cluster().start_apiserver());
  change("web", 1);  // before the watches are back, or after
  expect_nothing_lost();

  change("web", 2);
  ASSERT_TRUE(cluster().restart_apiserver());
  change("web", 3);
  expect_nothing_lost();
  EXPECT_EQ(process->http_get("/livez").status, 200);
  EXPECT_TRUE(await_health(*process, "Healthy"));
  process->signal(SIGTERM);
  EXPECT_EQ(process->wait_exit(), 0);
}

TEST_F(OutageTest, ServerGoneForAWhileIsNotTheProcessesEnd) {
  create("web", 4);
  // The lease outlives the outage, so that the process keeps leading.
  const auto process = controller("patient", {"--leader-elect-lease-duration=60s", "--leader-elect-renew-deadline=50s"});
  ASSERT_TRUE(process->wait_for_log("started leading"));
  expect_nothing_lost();
  ASSERT_TRUE(cluster().stop_apiserver());
  EXPECT_TRUE(await_health(*process, "Degraded"));
  EXPECT_EQ(process->http_get("/livez").status, 200);
  EXPECT_EQ(process->http_get("/readyz").status, 200);
  ASSERT_TRUE(cluster().start_apiserver());
  change("web", 0);
  expect_nothing_lost();
  EXPECT_TRUE(process->running());
}

TEST_F(OutageTest, ACompactionForcesARelist) {
  create("web", 6);
  const auto process = controller("relister", {"--log-level=debug"});
  ASSERT_TRUE(process->wait_for_log("started leading"));
  expect_nothing_lost();
  process->signal(SIGSTOP);  // it sees nothing of what follows
  change("web", 0);
  for (int i = 0; i < 5; ++i) kubectl({"create", "configmap", fmt::format("filler-{}", i)});
  ASSERT_TRUE(cluster().compact());
  ASSERT_TRUE(cluster().kill("kube-apiserver"));
  ASSERT_TRUE(cluster().start_apiserver());
  process->signal(SIGCONT);
  // It leads again only if the freeze was shorter than the lease; in a slow run another process takes its place.
  const auto next = controller("relister-next", {"--log-level=debug"});
  expect_nothing_lost();
  if (process->running()) {
    EXPECT_TRUE(process->wait_for_log("list again", {{"source", "deployments.apps"}}));
  }
}

TEST_F(OutageTest, TheResourceTypeIsDeletedAndComesBack) {
  create("web", 5);
  const auto process = controller("bereft");
  ASSERT_TRUE(process->wait_for_log("started leading"));
  expect_nothing_lost();
  ASSERT_TRUE(cluster().kubectl({"delete", "crd", "shutdownaudits.shutdownaudit.dev"}));
  ASSERT_TRUE(await_health(*process, "Degraded"));
  change("web", 0);  // noticed, but there is nowhere to write it
  EXPECT_EQ(process->http_get("/livez").status, 200);
  EXPECT_LE(process->logs("reconcile failed").size(), 20u);

  install_crds();
  expect_nothing_lost();
  EXPECT_TRUE(process->running());
  process->signal(SIGTERM);
  EXPECT_EQ(process->wait_exit(), 0);
}

// Started before the CustomResourceDefinitions are installed.
TEST_F(OutageTest, TheResourceTypeComesAfterTheStart) {
  ASSERT_TRUE(cluster().kubectl({"delete", "crd", "shutdownaudits.shutdownaudit.dev", "shutdownpolicies.shutdownaudit.dev"}));
  create("web", 3);
  const auto process = controller("early");
  ASSERT_TRUE(process->wait_for_log("started leading"));
  EXPECT_EQ(process->logs("the server does not know this resource type", {{"source", "shutdownaudits.shutdownaudit.dev"}}).size(), 1u);
  install_crds();
  expect_nothing_lost();
}

}  // namespace
}  // namespace shutdown_auditor::testing_support
