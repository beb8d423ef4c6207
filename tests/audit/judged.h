#pragma once

#include "audit/annotations.h"
#include "audit/builder.h"
#include "audit/container_checks.h"
#include "audit/grace_checks.h"
#include "audit/sidecar_checks.h"
#include "audit/signal_checks.h"

// The checks of grace, hook, signal and sidecar on hand-made readings of the applications: what is known of each is in
// the row of the test and not in the knowledge base.
namespace shutdown_auditor::audit::testing {

struct Judged {
  std::vector<ContainerView> views;
  PodTerms terms;
  GraceReading reading;
  Collector collected;

  const Finding* find(Check check) {
    for (const Finding& finding : collected.findings()) {
      if (finding.check == check) return &finding;
    }
    return nullptr;
  }
  // kNotApplicable when the check does not apply.
  CheckResult result(Check check) {
    const Finding* finding = find(check);
    if (finding != nullptr) return finding->result;
    return collected.applied(check) ? CheckResult::kPass : CheckResult::kNotApplicable;
  }
};

using HookReader = std::function<void(PreStopReading&)>;

// `applications` in the order of stopping_containers(); missing ones are unknown. `hook` may rewrite what was read of the
// first container's hook.
inline Judged judge(const Scene& scene, std::vector<ApplicationReading> applications = {}, const HookReader& hook = {}) {
  std::vector<const objects::Service*> services;
  for (const objects::Service& service : scene.services) services.push_back(&service);
  Surroundings around;
  around.services = scene.services_readable ? &services : nullptr;
  Judged judged;
  judged.views = stopping_containers(scene.workload);
  for (std::size_t i = 0; i < judged.views.size() && i < applications.size(); ++i) {
    judged.views[i].application = applications[i];
  }
  assign_roles(scene.workload, around, judged.views);
  judged.terms = gather_terms(scene.workload, judged.views, read_annotations(scene.workload), scene.policy, scene.options);
  if (hook) {
    ContainerTerms& first = judged.terms.containers.front();
    hook(first.hook);
    first.pre_stop = first.hook;
    first.hook_drains = hook_starts_drain(first.hook, judged.views.front().application);
    first.hook_waits = first.hook_drains && first.hook.waits_for_drain;
    first.drains = first.drains || first.hook_waits;
  }
  judged.reading = add_up(judged.terms);
  check_grace(judged.terms, judged.reading, scene.policy, judged.collected);
  check_hooks(judged.terms, scene.policy, judged.collected);
  check_signals(judged.views, judged.terms, judged.collected);
  check_sidecars(judged.views, judged.terms, judged.collected);
  for (const Finding& finding : judged.collected.findings()) {
    const auto& reasons = reasons_of(finding.check);
    EXPECT_NE(std::find(reasons.begin(), reasons.end(), finding.reason), reasons.end()) << finding.reason;
    EXPECT_FALSE(finding.message.empty());
    EXPECT_FALSE(finding.remediation.empty());
    EXPECT_LE(finding.message.size(), 512u);
    EXPECT_EQ(finding.message.find(".."), std::string::npos) << finding.message;
  }
  return judged;
}

inline ApplicationTime known(std::int64_t seconds, TimeSource source, std::string where = "") {
  return {seconds * 1000, false, source, std::move(where)};
}
inline ApplicationTime unbounded() { return {std::nullopt, true, TimeSource::kFrameworkDefault, "default of uvicorn"}; }

// A server recognised by its program that finishes its work for at most 30 s, as documented.
inline ApplicationReading gunicorn() {
  ApplicationReading reading;
  reading.framework = "gunicorn";
  reading.matched_by = MatchedBy::kExecutable;
  reading.delay = known(0, TimeSource::kFrameworkDefault);
  reading.drain = known(30, TimeSource::kFrameworkDefault, "default of gunicorn");
  reading.cleanup = known(0, TimeSource::kFrameworkDefault);
  reading.signal_handling = SignalHandling::kGraceful;
  reading.known_server = true;
  return reading;
}

inline ApplicationReading uvicorn() {
  ApplicationReading reading = gunicorn();
  reading.framework = "uvicorn";
  reading.drain = unbounded();
  return reading;
}

// A server that drops its connections on SIGTERM and drains on SIGQUIT.
inline ApplicationReading nginx() {
  ApplicationReading reading;
  reading.framework = "nginx";
  reading.matched_by = MatchedBy::kExecutable;
  reading.drain = unbounded();
  reading.cleanup = known(0, TimeSource::kFrameworkDefault);
  reading.signal_handling = SignalHandling::kFast;
  reading.signal_reason = "nginx cuts its connections on SIGTERM";
  reading.graceful_signal = "SIGQUIT";
  reading.known_server = true;
  return reading;
}

inline ApplicationReading proxy(std::optional<std::int64_t> hold_seconds) {
  ApplicationReading reading;
  reading.framework = "istio-proxy";
  reading.matched_by = MatchedBy::kExecutable;
  reading.sidecar = SidecarKind::kTraffic;
  reading.signal_handling = SignalHandling::kGraceful;
  if (hold_seconds) reading.hold = known(*hold_seconds, TimeSource::kFrameworkDefault, "terminationDrainDuration");
  return reading;
}

}  // namespace shutdown_auditor::audit::testing
