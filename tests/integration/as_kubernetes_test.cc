#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "base/file.h"
#include "integration/support/cluster_test_base.h"
#include "manifest/kubernetes_rows.h"
#include "support/run_command.h"

// `check -f` reads manifests as kubectl and the API server do.
namespace shutdown_auditor::testing_support {
namespace {

using nlohmann::json;

class AsKubernetesTest : public ClusterTest {
 protected:
  static void SetUpTestSuite() { start_cluster({.apiserver_args = {"--disable-admission-plugins=ServiceAccount"}}); }
  void SetUp() override {
    ClusterTest::SetUp();
    directory_ = cluster().dir() + "/manifests-" + ns();
    std::filesystem::create_directory(directory_);
  }

  std::string file(const std::string& name, const std::string& text) const {
    const std::string path = directory_ + "/" + name;
    std::ofstream(path, std::ios::binary) << text;
    return path;
  }
  const std::string& directory() const { return directory_; }

  // The audits of a file by kind and name, without what tells where they stand.
  static std::map<std::string, json> check(const std::string& path) {
    Command command;
    command.argv = {SA_BINARY_DIR "/bin/shutdown-auditor", "check", "-f", path, "-o", "json"};
    const auto done = run_command(command);
    EXPECT_TRUE(done && done->status < 2) << path << (done ? done->stderr_text : done.error().message);
    std::map<std::string, json> audits;
    if (!done || done->status >= 2) return audits;
    json list = json::parse(done->stdout_text);
    for (json& item : list["items"]) {
      for (json& finding : item["status"]["findings"]) finding.erase("source");
      item["status"]["budget"].erase("gracePeriodSource");
      // What is left out and filled in is no default any more.
      const std::string text = std::regex_replace(item["status"].dump(), std::regex(R"( \(the default\)|, the default)"), "");
      audits[item["spec"]["targetRef"].dump()] = json::parse(text);
    }
    return audits;
  }

 private:
  std::string directory_;
};

TEST_F(AsKubernetesTest, TheServerStillAnswersAsRecorded) {
  const std::vector<manifest::KubernetesRow> rows = manifest::kubernetes_rows();
  for (std::size_t i = 0; i < rows.size(); ++i) file("row-" + std::to_string(i) + ".yaml", rows[i].text);
  Command create;
  create.argv = {cluster().dir() + "/bin/kubectl", "--kubeconfig=" + cluster().kubeconfig_path(), "--namespace=" + ns(),
                 "create", "--dry-run=server", "-o", "json", "-f", directory()};
  create.time_limit = std::chrono::seconds(120);
  const auto answer = run_command(create);
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(answer->status, 1);

  std::map<std::string, json> stored;
  for (std::string rest = answer->stdout_text; !rest.empty();) {
    const std::size_t end = rest.find("\n}\n");
    ASSERT_NE(end, std::string::npos) << rest;
    json object = json::parse(rest.substr(0, end + 2));
    rest.erase(0, end + 3);
    const std::string row_name = object["metadata"]["name"];
    stored[row_name] = std::move(object);
  }
  std::set<std::string> refused;
  const std::regex name(R"(row-\d+\b)");
  const std::string& said = answer->stderr_text;
  for (std::sregex_iterator match(said.begin(), said.end(), name), end; match != end; ++match) refused.insert(match->str());

  for (std::size_t i = 0; i < rows.size(); ++i) {
    const manifest::KubernetesRow& row = rows[i];
    const std::string key = "row-" + std::to_string(i);
    EXPECT_EQ(refused.contains(key), !row.accepted) << row.what;
    EXPECT_TRUE(!row.accepted || stored.contains(key)) << row.what;
    if (row.accepted && !row.path.empty()) {
      EXPECT_EQ(stored[key].value(json::json_pointer(row.path), json()), row.value) << row.what;
    }
  }
}

// What the server fills in is what the audit assumes: the findings of a file and of what the server made of it are equal.
TEST_F(AsKubernetesTest, DefaultsAreTheServers) {
  const struct {
    const char* file;
    std::size_t workloads;
  } rows[] = {{"tests/integration/data/bare.yaml", 8},
              {"tests/integration/data/every_field.yaml", 1},
              {"tests/app/data/mistakes.yaml", 3},
              {"tests/app/data/public/online-boutique.yaml", 12}};
  const std::string kinds = "deployments,statefulsets,daemonsets,replicasets,pods,services,poddisruptionbudgets,"
                            "horizontalpodautoscalers,jobs,cronjobs";
  for (const auto& row : rows) {
    const auto original = base::read_file(std::string(SA_SOURCE_DIR "/") + row.file, 1 << 20);
    ASSERT_TRUE(original) << original.error().message;
    // All in the namespace of this test; without a finalizer that nobody removes, and without what this server drops
    // (stopSignal needs a feature gate: that is a finding of its own).
    std::string text = std::regex_replace(*original, std::regex("\n  namespace: .*"), "\n  namespace: " + ns());
    text = std::regex_replace(text, std::regex("\n +(finalizers|stopSignal): .*"), "");
    const std::string written = file("written.yaml", text);
    kubectl({"create", "-f", written});
    const std::string stored = file("stored.yaml", kubectl({"get", kinds, "-o", "yaml"}));
    const std::map<std::string, json> as_written = check(written);
    const std::map<std::string, json> as_stored = check(stored);
    EXPECT_EQ(as_written.size(), row.workloads) << row.file;
    ASSERT_EQ(as_written.size(), as_stored.size()) << row.file;
    for (const auto& [target, audit] : as_written) {
      const auto same = as_stored.find(target);
      ASSERT_NE(same, as_stored.end()) << target;
      EXPECT_EQ(audit, same->second) << row.file << " " << target << "\n" << json::diff(audit, same->second).dump(1);
    }
    kubectl({"delete", "-f", written, "--wait=false"});
    EXPECT_TRUE(eventually([&] { return kubectl_json({"get", kinds})["items"].empty(); })) << row.file;
  }
}

}  // namespace
}  // namespace shutdown_auditor::testing_support
