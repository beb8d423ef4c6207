#include "support/test_cluster.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>
#include <string_view>
#include <utility>

#include "base/file.h"
#include "base/text.h"
#include "support/run_command.h"

namespace shutdown_auditor::testing_support {
namespace {

constexpr std::size_t kAuditLogLimit = std::size_t{1} << 30;

base::Result<void> without_output(const base::Result<std::string>& result) {
  if (!result) {
    return base::unexpected(result.error());
  }
  return {};
}

base::Result<std::string> output_of(const Command& command, const std::string& what) {
  auto output = run_command(command);
  if (!output) {
    return base::unexpected(output.error().with_context(what));
  }
  if (output->status != 0) {
    return base::fail(base::ErrorKind::kInvalid, what + ": exit status " + std::to_string(output->status) + ": " +
                                                     std::string(base::trim(output->stderr_text)));
  }
  return std::move(output->stdout_text);
}

// The member as text, "" when it is absent.
std::string text_at(const nlohmann::json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() ? std::string() : found->get<std::string>();
}

// nullopt for the other stages. Throws nlohmann::json::exception for anything but an audit event.
std::optional<AuditEntry> parse_entry(std::string_view line) {
  const nlohmann::json event = nlohmann::json::parse(line);
  if (text_at(event, "stage") != "ResponseComplete") {
    return std::nullopt;
  }
  AuditEntry entry;
  entry.verb = event.at("verb").get<std::string>();
  entry.user = text_at(event.at("user"), "username");
  if (const auto object = event.find("objectRef"); object != event.end()) {
    entry.api_group = text_at(*object, "apiGroup");
    entry.resource = text_at(*object, "resource");
    entry.subresource = text_at(*object, "subresource");
    entry.ns = text_at(*object, "namespace");
    entry.name = text_at(*object, "name");
  }
  if (const auto status = event.find("responseStatus"); status != event.end()) {
    entry.code = status->value("code", 0);
  }
  entry.user_agent = text_at(event, "userAgent");
  entry.request_uri = text_at(event, "requestURI");
  entry.timestamp = text_at(event, "stageTimestamp");
  return entry;
}

}  // namespace

base::Result<std::unique_ptr<TestCluster>> TestCluster::start(const Options& options) {
  std::error_code failure;
  std::string dir = (std::filesystem::temp_directory_path(failure) / "test-cluster-XXXXXX").string();
  if (failure || ::mkdtemp(dir.data()) == nullptr) {
    return base::fail(base::ErrorKind::kIo, "cannot create a directory " + dir + ": " + std::strerror(errno));
  }
  std::vector<std::string> arguments{"--no-build", "--parent=" + std::to_string(::getpid())};
  if (options.controller_manager) {
    arguments.emplace_back("--with-controller-manager");
  }
  for (const std::string& argument : options.apiserver_args) {
    arguments.push_back("--apiserver-arg=" + argument);
  }
  // Owns the directory from here on, so that a failed start is cleaned up as well.
  std::unique_ptr<TestCluster> cluster(new TestCluster(dir));
  if (auto started = cluster->run("up", arguments); !started) {
    return base::unexpected(started.error());
  }
  return cluster;
}

TestCluster::~TestCluster() {
  std::error_code ignored;
  if (!std::filesystem::exists(dir_ + "/cluster", ignored)) {
    std::filesystem::remove(dir_, ignored);  // `up` failed before it began; removes an empty directory only
    return;
  }
  if (auto stopped = run("down"); !stopped) {
    ADD_FAILURE() << stopped.error().message;
  }
  if (std::getenv("KEEP_LOGS") != nullptr) {
    std::cerr << "logs of the test cluster kept in " << dir_ << "\n";
  }
}

std::string TestCluster::kubeconfig_path() const { return dir_ + "/kubeconfig"; }

base::Result<std::string> TestCluster::run(const std::string& command, const std::vector<std::string>& options) const {
  Command script;
  script.argv = {SA_SOURCE_DIR "/tests/cluster/cluster.sh", command, dir_};
  script.argv.insert(script.argv.end(), options.begin(), options.end());
  script.time_limit = std::chrono::seconds(180);
  return output_of(script, "cluster.sh " + command);
}

base::Result<std::string> TestCluster::kubectl(std::vector<std::string> args, std::string stdin_text) const {
  Command command;
  command.argv = {dir_ + "/bin/kubectl", "--kubeconfig=" + kubeconfig_path()};
  command.argv.insert(command.argv.end(), args.begin(), args.end());
  command.stdin_text = std::move(stdin_text);
  // Nothing of the user's own configuration, and no cache that outlives the cluster.
  command.environment = {{"KUBECONFIG", std::nullopt}, {"KUBERC", "off"}, {"KUBECACHEDIR", dir_ + "/kubectl-cache"}};
  return output_of(command, "kubectl " + base::join(args, " "));
}

base::Result<void> TestCluster::stop_apiserver() { return without_output(run("stop-apiserver")); }

base::Result<void> TestCluster::start_apiserver() { return without_output(run("start-apiserver")); }

base::Result<void> TestCluster::restart_apiserver() { return without_output(run("restart-apiserver")); }

base::Result<void> TestCluster::kill(const std::string& component) { return without_output(run("kill", {component})); }

base::Result<void> TestCluster::compact() { return without_output(run("compact")); }

base::Result<std::string> TestCluster::kubeconfig_for(const std::string& name, const std::string& group) {
  std::vector<std::string> options{name};
  if (!group.empty()) {
    options.push_back("--group=" + group);
  }
  auto path = run("kubeconfig-for", options);
  if (!path) {
    return path;
  }
  return std::string(base::trim(*path));
}

std::vector<AuditEntry> TestCluster::audit_log() const {
  std::vector<AuditEntry> entries;
  const auto text = base::read_file(dir_ + "/audit.log", kAuditLogLimit);
  if (!text) {
    ADD_FAILURE() << text.error().message;
    return entries;
  }
  std::vector<std::string_view> lines = base::split(*text, '\n');
  lines.pop_back();  // empty, or a line that is being written
  for (const std::string_view line : lines) {
    try {
      if (auto entry = parse_entry(line)) {
        entries.push_back(std::move(*entry));
      }
    } catch (const nlohmann::json::exception& error) {
      ADD_FAILURE() << dir_ << "/audit.log: " << error.what() << ": " << base::quoted(line, 200);
    }
  }
  return entries;
}

}  // namespace shutdown_auditor::testing_support
