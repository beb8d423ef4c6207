#include "app/live_flags.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdlib>

#include "base/text.h"
#include "base/time.h"

namespace shutdown_auditor::app {
namespace {

constexpr char kGroup[] = "Live cluster";
constexpr std::array<const char*, 9> kFlags{"--all-namespaces", "--selector", "--kubeconfig", "--context", "--cluster",
                                            "--user",           "--as",       "--as-group",   "--request-timeout"};

base::Unexpected<base::Error> invalid(std::string message) {
  return base::fail(base::ErrorKind::kInvalid, std::move(message));
}

// Given on the command line, not by its twin in the environment.
bool is_given(const CLI::App& command, const char* flag) {
  const CLI::Option* option = command.get_option(flag);
  const char* twin = std::getenv(option->get_envname().c_str());
  return option->count() > 0 && !(twin != nullptr && option->results() == std::vector<std::string>{twin});
}

}  // namespace

void add_live_flags(CLI::App& command, LiveOptions& options) {
  LiveConnection& to = options.connection;
  command
      .add_option("workloads", options.targets,
                  "deployment/web, or a kind; none: all there are")
      ->option_text("[KIND/NAME ...]");
  command.add_flag("-A,--all-namespaces", options.all_namespaces, "Audit all namespaces of the cluster");
  command.add_option("-l,--selector", options.selector, "Audit the workloads with these labels")
      ->type_name("SELECTOR");
  const auto text = [&command](const char* name, std::string& target, const char* help, const char* type) {
    command.add_option(name, target, help)->type_name(type)->group(kGroup);
  };
  text("--kubeconfig", to.kubeconfig, "Kubeconfig file; else $KUBECONFIG, the pod's service account, ~/.kube/config",
       "FILE");
  text("--context", to.context, "Context of the kubeconfig", "NAME");
  text("--cluster", to.cluster, "Cluster of the kubeconfig, instead of the context's", "NAME");
  text("--user", to.user, "User of the kubeconfig, instead of the context's", "NAME");
  text("--as", to.as, "User to impersonate", "NAME");
  command.add_option("--as-group", to.as_groups, "Group to impersonate, beside --as")
      ->allow_extra_args(false)
      ->type_name("NAME")
      ->group(kGroup);
  command
      .add_option_function<std::string>(
          "--request-timeout",
          [&options](const std::string& value) {
            const auto number = base::parse_int64(value);  // kubectl takes bare seconds too
            const auto duration = number && *number >= 0 && *number <= 86400
                                      ? base::Result<base::Duration>(std::chrono::seconds(*number))
                                      : base::parse_duration(value);
            if (!duration || *duration < base::Duration::zero()) {
              throw CLI::ValidationError("--request-timeout", base::quoted(value) + " is no time; write for example 30s");
            }
            options.request_timeout = *duration;
          },
          "Longest time of one request; 0: as long as data comes")
      ->type_name("DURATION")
      ->group(kGroup);
}

base::Result<void> check_live_flags(const CLI::App& command, const LiveOptions& options) {
  const bool files = command.get_option("--filename")->count() > 0;
  if (files) {
    if (!options.targets.empty()) {
      return invalid(base::quoted(options.targets.front()) +
                     " names a workload of a live cluster, and -f reads files: give one of them (each file has its own -f)");
    }
    const auto given = std::find_if(kFlags.begin(), kFlags.end(), [&](const char* flag) { return is_given(command, flag); });
    if (given != kFlags.end()) {
      return invalid(std::string(*given) + " is for a live cluster, and -f reads files: give one of them");
    }
    return {};
  }
  for (const char* flag : {"--recursive", "--complete"}) {
    if (is_given(command, flag)) {
      return invalid(std::string(flag) + " is for files: give them with -f");
    }
  }
  if (options.all_namespaces && is_given(command, "--namespace")) {
    return invalid("--all-namespaces and --namespace exclude each other");
  }
  const bool named = std::any_of(options.targets.begin(), options.targets.end(),
                                 [](const std::string& target) { return target.find('/') != std::string::npos; });
  if (named && options.all_namespaces) {
    return invalid("a workload's name is one of its namespace: give -n NAMESPACE instead of --all-namespaces");
  }
  if (named && !options.selector.empty()) {
    return invalid("--selector chooses among all workloads of a kind: leave the names out");
  }
  return {};
}

base::Result<LiveQuery> live_query(const LiveOptions& options, const std::string& name_space) {
  LiveQuery query;
  query.name_space = options.all_namespaces ? "" : name_space;
  query.selector = options.selector;
  query.request_timeout = options.request_timeout;
  for (const std::string& text : options.targets) {
    auto target = parse_live_target(text);
    if (!target) {
      return base::unexpected(target.error());
    }
    query.targets.push_back(*std::move(target));
  }
  return query;
}

}  // namespace shutdown_auditor::app
