#include <gmock/gmock.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "support/manual_clock.h"
#include "support/run_command.h"
#include "support/test_cluster.h"

namespace shutdown_auditor::testing_support {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

std::unique_ptr<TestCluster> started(const TestCluster::Options& options = {}) {
  auto cluster = TestCluster::start(options);
  if (!cluster) {
    ADD_FAILURE() << cluster.error().message;
    return nullptr;
  }
  return std::move(*cluster);
}

std::string kubectl(const TestCluster& cluster, std::vector<std::string> args, std::string stdin_text = {}) {
  auto output = cluster.kubectl(std::move(args), std::move(stdin_text));
  if (!output) {
    ADD_FAILURE() << output.error().message;
    return {};
  }
  return *output;
}

void expect_ok(const base::Result<void>& result) {
  EXPECT_TRUE(result.has_value()) << (result ? "" : result.error().message);
}

// An environment variable for the length of a scope.
class ScopedVariable {
 public:
  ScopedVariable(std::string name, const std::string& value) : name_(std::move(name)) {
    if (const char* before = std::getenv(name_.c_str())) {
      before_ = before;
    }
    ::setenv(name_.c_str(), value.c_str(), 1);
  }
  ScopedVariable(const ScopedVariable&) = delete;
  ScopedVariable& operator=(const ScopedVariable&) = delete;
  ~ScopedVariable() { before_ ? ::setenv(name_.c_str(), before_->c_str(), 1) : ::unsetenv(name_.c_str()); }

 private:
  std::string name_;
  std::optional<std::string> before_;
};

// The command lines of all processes that mention `text`, this one excluded.
std::vector<std::string> processes_with(const std::string& text) {
  std::vector<std::string> found;
  for (const auto& entry : fs::directory_iterator("/proc")) {
    const std::string pid = entry.path().filename().string();
    if (pid.find_first_not_of("0123456789") != std::string::npos || pid == std::to_string(::getpid())) {
      continue;
    }
    std::ifstream file(entry.path() / "cmdline");
    std::string line{std::istreambuf_iterator<char>(file), {}};
    std::replace(line.begin(), line.end(), '\0', ' ');
    if (line.find(text) != std::string::npos) {
      found.push_back(pid + ": " + line);
    }
  }
  return found;
}

TEST(TestClusterTest, IsARealServerWithAnAuditLog) {
  const auto cluster = started();
  ASSERT_NE(cluster, nullptr);
  if (std::getenv("KUBEBUILDER_ASSETS") == nullptr) {
    EXPECT_THAT(kubectl(*cluster, {"version"}), HasSubstr("Server Version: v1.34.4"));
  }
  EXPECT_EQ(fs::status(cluster->kubeconfig_path()).permissions(), fs::perms::owner_read | fs::perms::owner_write);

  kubectl(*cluster, {"create", "-f", "-"},
          R"({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "from-stdin", "namespace": "default"}})");
  AuditEntry entry;
  ASSERT_TRUE(eventually([&] {
    const auto log = cluster->audit_log();
    const auto found = std::find_if(log.begin(), log.end(), [](const AuditEntry& candidate) {
      return candidate.verb == "create" && candidate.resource == "configmaps" && candidate.name == "from-stdin";
    });
    if (found != log.end()) {
      entry = *found;
    }
    return found != log.end();
  }));
  EXPECT_EQ(entry.user, "admin");
  EXPECT_EQ(entry.ns, "default");
  EXPECT_EQ(entry.api_group, "");
  EXPECT_EQ(entry.subresource, "");
  EXPECT_EQ(entry.code, 201);
  EXPECT_THAT(entry.user_agent, HasSubstr("kubectl"));
  EXPECT_THAT(entry.request_uri, HasSubstr("/api/v1/namespaces/default/configmaps"));
  EXPECT_EQ(entry.timestamp.size(), std::string_view("2026-11-22T18:17:03.000120Z").size());
}

TEST(TestClusterTest, ARestartKeepsAddressAndDataAndACompactionForgetsHistory) {
  const auto cluster = started();
  ASSERT_NE(cluster, nullptr);
  kubectl(*cluster, {"create", "configmap", "kept"});

  expect_ok(cluster->restart_apiserver());
  EXPECT_THAT(kubectl(*cluster, {"get", "configmaps"}), HasSubstr("kept"));
  // Of this list, not of the object: what else was written meanwhile may be all that the new server's watch cache knows.
  const auto list = nlohmann::json::parse(kubectl(*cluster, {"get", "--raw", "/api/v1/configmaps?limit=1"}), nullptr, false);
  ASSERT_TRUE(list.is_object());
  const std::string watch = "/api/v1/configmaps?watch=1&timeoutSeconds=1&resourceVersion=" +
                            list["metadata"]["resourceVersion"].get<std::string>();
  kubectl(*cluster, {"create", "configmap", "later"});
  EXPECT_THAT(kubectl(*cluster, {"get", "--raw", watch}), HasSubstr(R"("name":"later")"));

  expect_ok(cluster->compact());
  expect_ok(cluster->restart_apiserver());
  EXPECT_THAT(kubectl(*cluster, {"get", "--raw", watch}), HasSubstr(R"("code":410)"));
  EXPECT_THAT(kubectl(*cluster, {"get", "configmaps"}), HasSubstr("later"));
}

TEST(TestClusterTest, TheServerCanBeGoneForAWhile) {
  const auto cluster = started();
  ASSERT_NE(cluster, nullptr);
  expect_ok(cluster->stop_apiserver());
  EXPECT_FALSE(cluster->kubectl({"get", "namespaces"}));
  expect_ok(cluster->start_apiserver());
  EXPECT_TRUE(cluster->kubectl({"get", "namespaces"}));
  expect_ok(cluster->kill("kube-apiserver"));
  EXPECT_FALSE(cluster->kubectl({"get", "namespaces"}));
  expect_ok(cluster->start_apiserver());
  EXPECT_TRUE(cluster->kubectl({"get", "namespaces"}));
}

TEST(TestClusterTest, AnotherUserHasNoRightsUntilTheyAreGranted) {
  const auto cluster = started();
  ASSERT_NE(cluster, nullptr);
  const auto kubeconfig = cluster->kubeconfig_for("system:test:bob", "testers");
  ASSERT_TRUE(kubeconfig) << kubeconfig.error().message;
  const std::vector<std::string> get_pods{"get", "pods", "--kubeconfig=" + *kubeconfig};
  const auto denied = cluster->kubectl(get_pods);
  ASSERT_FALSE(denied);
  EXPECT_THAT(denied.error().message, HasSubstr(R"(User "system:test:bob" cannot list resource "pods")"));
  kubectl(*cluster, {"create", "clusterrole", "pod-reader", "--verb=get,list", "--resource=pods"});
  kubectl(*cluster, {"create", "clusterrolebinding", "testers", "--clusterrole=pod-reader", "--group=testers"});
  EXPECT_TRUE(eventually([&] { return cluster->kubectl(get_pods).has_value(); }));
  EXPECT_FALSE(cluster->kubeconfig_for("../x"));

  const auto absent = cluster->kubectl({"get", "configmap", "absent"});
  ASSERT_FALSE(absent);
  EXPECT_THAT(absent.error().message, HasSubstr(R"(configmaps "absent" not found)"));
}

// Nothing of the user's own configuration is read, and two clusters share nothing.
TEST(TestClusterTest, TwoClustersSideBySideIgnoreKubeconfig) {
  const ScopedVariable variable("KUBECONFIG", "/nonexistent/kubeconfig");
  const auto one = started();
  const auto two = started();
  ASSERT_NE(one, nullptr);
  ASSERT_NE(two, nullptr);
  kubectl(*one, {"create", "configmap", "only-in-one"});
  EXPECT_THAT(kubectl(*one, {"get", "configmaps"}), HasSubstr("only-in-one"));
  EXPECT_THAT(kubectl(*two, {"get", "configmaps", "--all-namespaces"}), Not(HasSubstr("only-in-one")));
  expect_ok(one->restart_apiserver());
  EXPECT_THAT(kubectl(*one, {"get", "configmaps"}), HasSubstr("only-in-one"));
  EXPECT_FALSE(fs::exists("/nonexistent"));
}

TEST(TestClusterTest, TheControllerManagerMakesPodsAndTheEndLeavesNothing) {
  auto cluster = started({.controller_manager = true, .apiserver_args = {}});
  ASSERT_NE(cluster, nullptr);
  kubectl(*cluster, {"create", "deployment", "web", "--image=registry.local/web:1", "--replicas=2"});
  EXPECT_TRUE(eventually([&] {
    const std::string pods = kubectl(*cluster, {"get", "pods", "-l", "app=web", "-o", "name"});
    return std::count(pods.begin(), pods.end(), '\n') == 2;
  }));

  const std::string dir = cluster->dir();
  EXPECT_EQ(processes_with(dir).size(), 4u);  // three servers and the watcher
  cluster.reset();
  EXPECT_THAT(processes_with(dir), IsEmpty());
  EXPECT_FALSE(fs::exists(dir));
}

TEST(TestClusterTest, AFailedStartSaysWhyAndLeavesNothing) {
  std::string temporary = (fs::temp_directory_path() / "cluster_test-XXXXXX").string();
  ASSERT_NE(::mkdtemp(temporary.data()), nullptr);
  const ScopedVariable variable("TMPDIR", temporary);
  const auto cluster = TestCluster::start({.controller_manager = false, .apiserver_args = {"--no-such-flag=1"}});
  ASSERT_FALSE(cluster);
  EXPECT_THAT(cluster.error().message, HasSubstr("unknown flag: --no-such-flag"));
  EXPECT_THAT(cluster.error().message, HasSubstr("kube-apiserver did not start"));
  EXPECT_TRUE(fs::is_empty(temporary));
  EXPECT_THAT(processes_with(temporary), IsEmpty());
  fs::remove_all(temporary);
}

TEST(TestClusterTest, MissingServersAreAnError) {
  const fs::path empty = fs::temp_directory_path() / ("no-servers-" + std::to_string(::getpid()));
  Command up;
  up.argv = {SA_SOURCE_DIR "/tests/cluster/cluster.sh", "up", (empty / "cluster").string(), "--no-build"};
  up.environment = {{"XDG_CACHE_HOME", empty.string()}, {"KUBEBUILDER_ASSETS", std::nullopt}};
  const auto output = run_command(up);
  fs::remove_all(empty);
  ASSERT_TRUE(output) << output.error().message;
  EXPECT_EQ(output->status, 1);
  EXPECT_THAT(output->stderr_text, HasSubstr("not built yet: etcd kubectl kube-apiserver kube-controller-manager"));
}

// The owner is a process that does nothing; killing it stands for a test program that crashes.
TEST(TestClusterTest, AClusterWhoseOwnerIsKilledStops) {
  std::string dir = (fs::temp_directory_path() / "test-cluster-XXXXXX").string();
  ASSERT_NE(::mkdtemp(dir.data()), nullptr);
  const pid_t owner = ::fork();
  if (owner == 0) {
    ::pause();
    ::_exit(0);
  }
  Command up;
  up.argv = {SA_SOURCE_DIR "/tests/cluster/cluster.sh", "up", dir, "--no-build", "--parent=" + std::to_string(owner)};
  const auto output = run_command(up);
  EXPECT_TRUE(output && output->status == 0) << (output ? output->stderr_text : output.error().message);
  EXPECT_EQ(processes_with(dir).size(), 3u);
  ASSERT_EQ(::kill(owner, SIGKILL), 0);
  ASSERT_EQ(::waitpid(owner, nullptr, 0), owner);
  EXPECT_TRUE(eventually([&] { return !fs::exists(dir) && processes_with(dir).empty(); }));
}

TEST(RunCommandTest, PassesInputOutputStatusAndEnvironment) {
  const std::string large(1 << 20, 'x');
  Command cat{.argv = {"cat"}, .stdin_text = large, .environment = {}};
  const auto echoed = run_command(cat);
  ASSERT_TRUE(echoed) << echoed.error().message;
  EXPECT_EQ(echoed->stdout_text, large);

  Command shell{.argv = {"sh", "-c", "printf %s \"$ADDED\"; printf %s \"${HOME-none}\" >&2; exit 7"},
                .stdin_text = {},
                .environment = {{"ADDED", "a b"}, {"HOME", std::nullopt}}};
  const auto output = run_command(shell);
  ASSERT_TRUE(output) << output.error().message;
  EXPECT_EQ(output->status, 7);
  EXPECT_EQ(output->stdout_text, "a b");
  EXPECT_EQ(output->stderr_text, "none");
}

TEST(RunCommandTest, RefusesWhatCannotRunAndEndsWhatDoesNotEnd) {
  EXPECT_FALSE(run_command(Command{}));
  const auto absent = run_command({.argv = {"/nonexistent/program"}, .stdin_text = {}, .environment = {}});
  ASSERT_FALSE(absent);
  EXPECT_EQ(absent.error().message, "cannot run /nonexistent/program: No such file or directory");
  const auto endless = run_command({.argv = {"sh", "-c", "echo stuck >&2; exec cat /dev/zero >/dev/null"},
                                    .stdin_text = {},
                                    .environment = {},
                                    .time_limit = std::chrono::seconds(1)});
  ASSERT_FALSE(endless);
  EXPECT_EQ(endless.error().kind, base::ErrorKind::kTimeout);
  EXPECT_THAT(endless.error().message, HasSubstr("stuck"));
}

}  // namespace
}  // namespace shutdown_auditor::testing_support
