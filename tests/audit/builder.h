#pragma once

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "audit/audit.h"
#include "objects/selector.h"

// Workloads in a few words, for tables. Text like "shutdownaudit.dev/" is spelled out where a test is about it.
namespace shutdown_auditor::audit::testing {

inline objects::StringMap map_of(std::initializer_list<std::pair<std::string, std::string>> entries) {
  objects::StringMap map;
  for (const auto& [key, value] : entries) map.emplace_back(key, value);
  objects::normalize(map);
  return map;
}

inline objects::Handler exec(std::vector<std::string> command) {
  objects::Handler handler;
  handler.exec = objects::ExecAction{std::move(command)};
  return handler;
}
inline objects::Handler shell(std::string script) { return exec({"sh", "-c", std::move(script)}); }
inline objects::Handler native_sleep(std::int64_t seconds) {
  objects::Handler handler;
  handler.sleep = objects::SleepAction{seconds};
  return handler;
}
inline objects::IntOrString number(std::int64_t value) { return {false, value, {}}; }
inline objects::IntOrString percent(std::string text) { return {true, 0, std::move(text)}; }
inline objects::Handler http_get(std::string path, std::int64_t port = 8080) {
  objects::Handler handler;
  handler.http_get = objects::HttpGetAction{std::move(path), {}, {}, number(port)};
  return handler;
}

// A container that answers on 8080 with both probes and no hook.
inline objects::Container container(std::string name) {
  objects::Container made;
  made.name = std::move(name);
  made.image = "registry.local/web:1.0";  // nobody knows what is in it
  made.ports.push_back({"http", 8080, {}});
  made.readiness_probe = objects::Probe{http_get("/ready"), {}, {}, {}, {}, {}, {}};
  made.liveness_probe = objects::Probe{http_get("/live"), {}, {}, {}, {}, {}, {}};
  return made;
}

inline objects::PodDisruptionBudget budget(std::string name, objects::StringMap labels) {
  objects::PodDisruptionBudget made;
  made.meta.name = std::move(name);
  made.meta.namespace_ = "shop";
  made.selector = objects::LabelSelector{std::move(labels), {}};
  return made;
}

// A namespace with one workload under audit. Starts as the reference: Deployment web, 3 replicas, hook sh -c "sleep 5",
// both probes, a Service and a PodDisruptionBudget with minAvailable 2; the grace period is the default.
class Scene {
 public:
  Scene() {
    workload.kind = {"apps", "Deployment"};
    workload.meta.name = "web";
    workload.meta.namespace_ = "shop";
    workload.meta.labels = map_of({{"team", "shop"}});
    workload.replicas = 3;
    workload.pod_template.meta.labels = map_of({{"app", "web"}});
    workload.pod_template.spec.containers.push_back(container("app"));
    app().pre_stop = shell("sleep 5");
    objects::Service service;
    service.meta.name = "web";
    service.meta.namespace_ = "shop";
    service.selector = map_of({{"app", "web"}});
    service.ports.push_back({"http", 80, percent("http"), {}});
    services.push_back(service);
    budgets.push_back(budget("web", map_of({{"app", "web"}})));
    budgets.back().min_available = number(2);
  }

  objects::Container& app() { return workload.pod_template.spec.containers.front(); }
  Scene& grace(std::int64_t seconds) {
    workload.pod_template.spec.termination_grace_period_seconds = seconds;
    return *this;
  }
  Scene& annotate(const std::string& key, const std::string& value) {
    workload.pod_template.meta.annotations.emplace_back(key, value);
    objects::normalize(workload.pod_template.meta.annotations);
    return *this;
  }
  Scene& declare(const std::string& request, const std::string& cleanup) {
    annotate("shutdownaudit.dev/max-request-seconds", request);
    return annotate("shutdownaudit.dev/cleanup-seconds", cleanup);
  }

  // Calls with what stands around the workload, which lives for the call.
  template <class Use>
  auto with_surroundings(const Use& use) const {
    const auto pointers = [](const auto& list) {
      std::vector<std::add_pointer_t<std::add_const_t<typename std::remove_cvref_t<decltype(list)>::value_type>>> made;
      for (const auto& each : list) made.push_back(&each);
      return made;
    };
    const auto budget_list = pointers(budgets);
    const auto service_list = pointers(services);
    const auto scaler_list = pointers(autoscalers);
    const auto workload_list = pointers(others);
    const auto job_list = pointers(jobs);
    Surroundings around;
    around.budgets = budgets_readable ? &budget_list : nullptr;
    around.services = services_readable ? &service_list : nullptr;
    around.autoscalers = &scaler_list;
    around.workloads = others_readable ? &workload_list : nullptr;
    around.jobs = &job_list;
    around.namespace_labels = &namespace_labels;
    around.budgets_may_be_elsewhere = budgets_may_be_elsewhere;
    return use(around);
  }

  AuditResult run() const {
    AuditResult result = with_surroundings(
        [this](const Surroundings& around) { return audit(workload, around, policy, options); });
    for (const Finding& finding : result.findings) {
      const auto& reasons = reasons_of(finding.check);
      EXPECT_NE(std::find(reasons.begin(), reasons.end(), finding.reason), reasons.end())
          << id_of(finding.check) << " has no reason " << finding.reason;
      EXPECT_FALSE(finding.message.empty());
      EXPECT_FALSE(finding.remediation.empty());
      EXPECT_LE(finding.message.size(), 512u);
      EXPECT_LE(finding.remediation.size(), 512u);
      EXPECT_EQ(finding.message.find('\n'), std::string::npos);
    }
    return result;
  }

  objects::Workload workload;
  std::vector<objects::Service> services;
  std::vector<objects::PodDisruptionBudget> budgets;
  std::vector<objects::Autoscaler> autoscalers;
  std::vector<objects::Workload> others;
  std::vector<objects::JobTemplate> jobs;
  objects::StringMap namespace_labels;
  bool budgets_readable = true;
  bool services_readable = true;
  bool others_readable = true;
  bool budgets_may_be_elsewhere = false;
  Policy policy;
  AuditOptions options;
};

// The reference with requests 30 and cleanup 20 declared and grace 60: nothing to say about it.
inline Scene perfect() {
  Scene scene;
  scene.grace(60).declare("30", "20");
  return scene;
}

inline const Finding* find(const AuditResult& result, Check check) {
  for (const Finding& finding : result.findings) {
    if (finding.check == check) return &finding;
  }
  return nullptr;
}

// The result of a check: kPass also when it does not apply.
inline CheckResult result_of(const AuditResult& result, Check check) {
  const Finding* finding = find(result, check);
  return finding != nullptr ? finding->result : CheckResult::kPass;
}

}  // namespace shutdown_auditor::audit::testing

namespace shutdown_auditor::audit {
// For gtest's messages.
inline void PrintTo(CheckResult result, std::ostream* out) { *out << to_string(result); }
inline void PrintTo(Verdict verdict, std::ostream* out) { *out << to_string(verdict); }
inline void PrintTo(PreStopKind kind, std::ostream* out) { *out << to_string(kind); }
inline void PrintTo(Evidence evidence, std::ostream* out) { *out << to_string(evidence); }
}  // namespace shutdown_auditor::audit
