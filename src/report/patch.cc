#include "report/patch.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "audit/fix_budgets.h"
#include "base/text.h"
#include "report/one_line.h"
#include "report/yaml_node.h"

namespace shutdown_auditor::report {
namespace {

using Json = nlohmann::ordered_json;
using Node = YamlNode;

Json json_of(const objects::IntOrString& value) { return value.is_string ? Json(value.text) : Json(value.number); }

Json json_of(const objects::StringMap& map) {
  Json json = Json::object();
  for (const auto& [key, value] : map) json[key] = value;
  return json;
}

Json json_of(const objects::LabelSelector& selector) {
  Json json = Json::object();
  if (!selector.match_labels.empty()) json["matchLabels"] = json_of(selector.match_labels);
  for (const objects::SelectorRequirement& each : selector.match_expressions) {
    Json requirement = {{"key", each.key}, {"operator", each.op}};
    if (!each.values.empty()) requirement["values"] = each.values;
    json["matchExpressions"].push_back(std::move(requirement));
  }
  return json;
}

Json json_of(const objects::HttpGetAction& get) {
  Json json = Json::object();
  if (!get.path.empty()) json["path"] = get.path;
  if (!get.host.empty()) json["host"] = get.host;
  if (!get.scheme.empty()) json["scheme"] = get.scheme;
  json["port"] = json_of(get.port);
  return json;
}

Json json_of(const objects::TcpSocketAction& socket) {
  Json json = Json::object();
  if (!socket.host.empty()) json["host"] = socket.host;
  json["port"] = json_of(socket.port);
  return json;
}

// What a merge has to set, and with null to remove, so that one becomes the other.
template <class T, class ToJson>
void merge(Json& patch, std::string_view name, const T& before, const T& after, const ToJson& to_json) {
  if (before == after) return;
  patch[std::string(name)] = after ? to_json(*after) : Json();
}

Json merge_of(const objects::Handler& before, const objects::Handler& after) {
  Json patch = Json::object();
  const auto plain = [](const auto& action) { return json_of(action); };
  merge(patch, "exec", before.exec, after.exec,
        [](const objects::ExecAction& exec) { return Json{{"command", exec.command}}; });
  merge(patch, "httpGet", before.http_get, after.http_get, plain);
  merge(patch, "tcpSocket", before.tcp_socket, after.tcp_socket, plain);
  merge(patch, "grpc", before.grpc, after.grpc, [](const objects::GrpcAction& grpc) {
    Json json = {{"port", grpc.port}};
    if (!grpc.service.empty()) json["service"] = grpc.service;
    return json;
  });
  merge(patch, "sleep", before.sleep, after.sleep,
        [](const objects::SleepAction& sleep) { return Json{{"seconds", sleep.seconds}}; });
  return patch;
}

Json merge_of(const objects::Probe& before, const objects::Probe& after) {
  Json patch = merge_of(before.handler, after.handler);
  const auto number = [](std::int64_t value) { return Json(value); };
  merge(patch, "initialDelaySeconds", before.initial_delay_seconds, after.initial_delay_seconds, number);
  merge(patch, "timeoutSeconds", before.timeout_seconds, after.timeout_seconds, number);
  merge(patch, "periodSeconds", before.period_seconds, after.period_seconds, number);
  merge(patch, "successThreshold", before.success_threshold, after.success_threshold, number);
  merge(patch, "failureThreshold", before.failure_threshold, after.failure_threshold, number);
  merge(patch, "terminationGracePeriodSeconds", before.termination_grace_period_seconds,
        after.termination_grace_period_seconds, number);
  return patch;
}

template <class T>
void add_merge(Node& parent, std::string name, const std::optional<T>& before, const std::optional<T>& after,
               std::vector<std::string> comments) {
  if (before == after) return;
  Node& node = parent.add(std::move(name));
  node.comments = std::move(comments);
  node.set(after ? merge_of(before.value_or(T{}), *after) : Json());
}

// One workload's patch.
class Patch {
 public:
  explicit Patch(const audit::WorkloadFix& fix) : fix_(fix), before_(*fix.before), after_(fix.after) {}

  std::vector<Node> document() const {
    Node root;
    root.add("apiVersion", api_version());
    root.add("kind", yaml_scalar(after_.kind.kind));
    Node& metadata = root.add("metadata");
    metadata.add("name", yaml_scalar(after_.meta.name));
    if (!after_.meta.namespace_.empty()) metadata.add("namespace", yaml_scalar(after_.meta.namespace_));
    Node spec;
    spec.key = "spec";
    strategy(spec);
    if (after_.kind.kind == "Pod") {
      pod(spec);
    } else {
      Node pod_template;
      pod(pod_template);
      if (!pod_template.fields.empty()) spec.add("template").add("spec").fields = std::move(pod_template.fields);
    }
    root.fields.push_back(std::move(spec));
    return std::move(root.fields);
  }

 private:
  std::string api_version() const {
    if (after_.kind.group.empty()) return "v1";
    return yaml_scalar(after_.kind.group + (after_.kind.group == "apps" ? "/v1" : "/v1alpha1"));
  }

  std::vector<std::string> why(std::string_view container, std::string_view field) const {
    std::vector<std::string> texts;
    for (const audit::FieldReason& each : fix_.reasons) {
      if (each.container == container && each.field == field) texts.push_back(each.text);
    }
    return texts;
  }

  void strategy(Node& spec) const {
    if (before_.max_unavailable == after_.max_unavailable && before_.max_surge == after_.max_surge) return;
    const bool rollout = after_.kind.kind == "Rollout";
    Node& node = spec.add(after_.kind.kind == "DaemonSet" ? "updateStrategy" : "strategy");
    node.comments = why({}, "strategy");
    Json numbers = Json::object();
    const auto plain = [](const objects::IntOrString& value) { return json_of(value); };
    merge(numbers, "maxUnavailable", before_.max_unavailable, after_.max_unavailable, plain);
    merge(numbers, "maxSurge", before_.max_surge, after_.max_surge, plain);
    node.add(rollout ? "canary" : "rollingUpdate").set(numbers);
  }

  void pod(Node& out) const {
    const objects::PodSpec& before = before_.pod_template.spec;
    const objects::PodSpec& after = after_.pod_template.spec;
    if (before.os_name != after.os_name) {
      Node& node = out.add("os");
      node.comments = why({}, "os");
      node.add("name", yaml_scalar(after.os_name));
    }
    if (before.termination_grace_period_seconds != after.termination_grace_period_seconds) {
      Node& node = out.add("terminationGracePeriodSeconds");
      node.comments = why({}, "terminationGracePeriodSeconds");
      node.set(after.termination_grace_period_seconds ? Json(*after.termination_grace_period_seconds) : Json());
    }
    containers(out, "containers", before.containers, after.containers);
    containers(out, "initContainers", before.init_containers, after.init_containers);
  }

  void containers(Node& out, std::string key, const std::vector<objects::Container>& before,
                  const std::vector<objects::Container>& after) const {
    Node list;
    list.key = std::move(key);
    for (std::size_t i = 0; i < after.size(); ++i) {
      if (before[i] == after[i]) continue;
      Node item;
      item.add("name", yaml_scalar(after[i].name));
      container(item, before[i], after[i]);
      list.items.push_back(std::move(item.fields));
    }
    if (!list.items.empty()) out.fields.push_back(std::move(list));
  }

  void words(Node& out, const std::string& name, const std::string& container, const std::vector<std::string>& before,
             const std::vector<std::string>& after) const {
    if (before == after) return;
    Node& node = out.add(name);
    node.comments = why(container, name);
    node.set(Json(after));
  }

  void container(Node& out, const objects::Container& before, const objects::Container& after) const {
    const std::string& name = after.name;
    words(out, "command", name, before.command, after.command);
    words(out, "args", name, before.args, after.args);
    Json env = Json::array();
    for (const objects::EnvVar& each : after.env) {
      const bool same = std::find(before.env.begin(), before.env.end(), each) != before.env.end();
      if (!same) env.push_back({{"name", each.name}, {"value", each.value.value_or("")}});
    }
    if (!env.empty()) {
      Node& node = out.add("env");
      node.comments = why(name, "env");
      node.set(env);
    }
    Node lifecycle;
    lifecycle.key = "lifecycle";
    add_merge(lifecycle, "preStop", before.pre_stop, after.pre_stop, why(name, "preStop"));
    if (before.stop_signal != after.stop_signal) {
      Node& node = lifecycle.add("stopSignal", yaml_scalar(after.stop_signal));
      node.comments = why(name, "stopSignal");
    }
    if (!lifecycle.fields.empty()) out.fields.push_back(std::move(lifecycle));
    add_merge(out, "readinessProbe", before.readiness_probe, after.readiness_probe, why(name, "readinessProbe"));
    add_merge(out, "livenessProbe", before.liveness_probe, after.liveness_probe, why(name, "livenessProbe"));
    add_merge(out, "startupProbe", before.startup_probe, after.startup_probe, why(name, "startupProbe"));
  }

  const audit::WorkloadFix& fix_;
  const objects::Workload& before_;
  const objects::Workload& after_;
};

bool drops_label(const std::optional<objects::LabelSelector>& before, const std::optional<objects::LabelSelector>& after) {
  return before && after &&
         std::any_of(before->match_labels.begin(), before->match_labels.end(),
                     [&](const auto& label) { return objects::find(after->match_labels, label.first) == nullptr; });
}

std::vector<Node> budget_document(const audit::BudgetFix& fix) {
  Node root;
  root.add("apiVersion", "policy/v1");
  root.add("kind", "PodDisruptionBudget");
  Node& metadata = root.add("metadata");
  metadata.add("name", yaml_scalar(fix.after.meta.name));
  if (!fix.after.meta.namespace_.empty()) metadata.add("namespace", yaml_scalar(fix.after.meta.namespace_));
  const objects::PodDisruptionBudget none;
  const objects::PodDisruptionBudget& before = fix.before != nullptr ? *fix.before : none;
  Json spec = Json::object();
  merge(spec, "minAvailable", before.min_available, fix.after.min_available,
        [](const objects::IntOrString& value) { return json_of(value); });
  merge(spec, "maxUnavailable", before.max_unavailable, fix.after.max_unavailable,
        [](const objects::IntOrString& value) { return json_of(value); });
  merge(spec, "unhealthyPodEvictionPolicy", before.unhealthy_pod_eviction_policy, fix.after.unhealthy_pod_eviction_policy,
        [](const std::string& value) { return Json(value); });
  // Replaced as a whole: that is how policy/v1 merges a selector.
  merge(spec, "selector", before.selector, fix.after.selector,
        [](const objects::LabelSelector& value) { return json_of(value); });
  Node& node = root.add("spec");
  node.comments = {fix.why};
  if (drops_label(before.selector, fix.after.selector)) {
    node.comments.emplace_back(
        "kubectl replaces the selector as a whole; kustomize would keep its old labels: take them out there");
  }
  node.set(spec);
  return std::move(root.fields);
}

std::string name_of(const objects::Workload& workload) {
  const std::string space = workload.meta.namespace_.empty() ? "" : workload.meta.namespace_ + "/";
  return fmt::format("{} {}{}", workload.kind.kind, space, workload.meta.name);
}

// What the workload's own patch fixes.
std::string fixed_ids(const std::vector<audit::Finding>& findings) {
  std::vector<std::string> ids;
  for (const audit::Finding& each : findings) {
    const bool said = std::find(ids.begin(), ids.end(), each.id()) != ids.end();
    if (!said && !audit::is_about_budgets(each.check)) ids.push_back(each.id());
  }
  return base::join(ids, ", ");
}

class Writer {
 public:
  explicit Writer(const PatchOptions& options) : options_(options) {}

  void notes(const audit::Fixes& fixes) {
    for (const audit::WorkloadFix& each : fixes.workloads) {
      for (const audit::Unfixed& unfixed : each.unfixed) {
        comment(fmt::format("no fix computed: {}, {}: {}", name_of(each.after), unfixed.finding.id(), unfixed.why));
      }
    }
  }

  void documents(const audit::Fixes& fixes) {
    for (const audit::WorkloadFix& each : fixes.workloads) {
      if (!each.changed() || !options_.patches) continue;
      begin();
      comment(fmt::format("{}: {}{}", name_of(each.after), fixed_ids(each.fixed), how(each.after)));
      write_yaml(Patch(each).document(), out_);
    }
    for (const audit::BudgetFix& each : fixes.budgets) {
      if (each.before != nullptr ? !options_.patches : !options_.objects) continue;
      begin();
      const std::string space = each.after.meta.namespace_.empty() ? "" : each.after.meta.namespace_ + "/";
      comment(fmt::format("PodDisruptionBudget {}{}{}", space, each.after.meta.name,
                          each.before == nullptr ? ": new, for kubectl apply" : ""));
      write_yaml(budget_document(each), out_);
    }
  }

  std::string text() { return std::move(out_); }

 private:
  static std::string_view how(const objects::Workload& workload) {
    if (workload.kind.kind == "Rollout") return " (kubectl patch needs --type=merge)";
    if (workload.kind.kind == "Pod") return " (for the manifest: a running Pod cannot be changed)";
    return "";
  }
  // No line of its own in front of the first document: then every document has its file when the text is split.
  void begin() {
    if (std::exchange(any_, true)) out_ += "---\n";
  }
  void comment(const std::string& text) { out_ += "# " + one_line(text) + "\n"; }

  const PatchOptions& options_;
  std::string out_;
  bool any_ = false;
};

}  // namespace

std::string patch_text(const std::vector<audit::Fixes>& fixes, const PatchOptions& options) {
  Writer writer(options);
  if (options.notes) {
    for (const audit::Fixes& each : fixes) writer.notes(each);
  }
  for (const audit::Fixes& each : fixes) writer.documents(each);
  return writer.text();
}

}  // namespace shutdown_auditor::report
