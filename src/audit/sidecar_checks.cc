#include "audit/sidecar_checks.h"

#include <fmt/format.h>

#include <algorithm>

#include "audit/seconds.h"
#include "base/text.h"

namespace shutdown_auditor::audit {
namespace {

// The application that serves longest, and how long.
struct Application {
  const ContainerTerms* terms = nullptr;
  std::int64_t known_ms = 0;
  std::int64_t expected_ms = 0;
};

Application longest_application(const PodTerms& terms) {
  Application longest;
  for (const ContainerTerms& each : terms.containers) {
    if (each.role == Role::kSidecar) continue;
    const std::int64_t expected_ms = serving_ms(each, SumLevel::kExpected, terms.budget_seconds());
    if (longest.terms != nullptr && expected_ms <= longest.expected_ms) continue;
    longest = {&each, serving_ms(each, SumLevel::kKnown, terms.budget_seconds()), expected_ms};
  }
  return longest;
}

// How long after the start of the stop a sidecar goes on carrying traffic; absent: not known.
std::optional<std::int64_t> holds_ms(const ContainerView& view, const ContainerTerms& terms, const PodTerms& pod) {
  const ApplicationReading& application = view.application;
  if (application.hold.unbounded || terms.is_lower_bound()) return std::nullopt;
  std::optional<std::int64_t> hold = application.hold.ms;
  if (!hold && application.signal_handling == SignalHandling::kFast) hold = 0;
  if (!hold) return std::nullopt;
  return saturating_add(hook_ms(terms.pre_stop, SumLevel::kKnown, pod.budget_seconds()), *hold);
}

std::string name_of(const ContainerView& view) {
  return base::quoted(view.container->name, 63) +
         (view.application.framework.empty() || view.application.framework == view.container->name
              ? ""
              : " (" + view.application.framework + ")");
}

void check_native(const ContainerView& view, const ContainerTerms& terms, const Application& application, Collector& out) {
  const bool stopped = terms.hook_drains && !terms.hook.signals.empty() && terms.hook.min_ms < application.known_ms;
  if (!stopped) return;
  out.report(Check::kSidecarStopsFirst, CheckResult::kWarn, "SidecarStoppedByHook",
             fmt::format("Sidecar {} is told to stop by its own preStop hook after {} s, because all hooks start together; "
                         "container {} goes on serving for {} s.",
                         name_of(view), seconds_text(terms.hook.min_ms), base::quoted(application.terms->name, 63),
                         seconds_text(application.known_ms)),
             "Remove that hook: a native sidecar gets its stop signal after the main containers have ended.",
             view.path + ".lifecycle.preStop", view.container->name);
}

void check_plain(const ContainerView& view, const ContainerTerms& terms, const PodTerms& pod, const Application& application,
                 Collector& out) {
  const std::optional<std::int64_t> hold = holds_ms(view, terms, pod);
  if (!hold) return;
  const std::int64_t serves = *hold == 0 ? application.expected_ms : application.known_ms;
  if (*hold >= serves) return;
  const bool assumed = application.known_ms != serves;
  const std::string length = *hold == 0 ? std::string("stops carrying traffic at once")
                                        : fmt::format("carries traffic for {} s", seconds_text(*hold));
  const std::string how = view.native ? "" : " Best make it a native sidecar (init container with restartPolicy Always, "
                                              "Kubernetes 1.29 and later).";
  std::string where = base::truncate_utf8(view.application.hold.where, 80);
  if (!where.empty()) where = " (" + where + ")";
  out.report(Check::kSidecarStopsFirst, CheckResult::kWarn, "SidecarStopsFirst",
             fmt::format("When the pod stops, sidecar {} {}{}, and container {} serves for {} s{}: what it still does then "
                         "has no network. A longer grace period does not help.",
                         name_of(view), length, where, base::quoted(application.terms->name, 63), seconds_text(serves),
                         assumed ? " (assumed)" : ""),
             fmt::format("Let the sidecar last for {} s, by its own setting or a preStop sleep.{}", needed_seconds(serves),
                         how),
             view.path, view.container->name)
      .wanted = needed_seconds(serves);
}

}  // namespace

void check_sidecars(const std::vector<ContainerView>& views, const PodTerms& terms, Collector& out) {
  const bool any = std::any_of(views.begin(), views.end(), [](const ContainerView& view) {
    return view.role == Role::kSidecar && view.sidecar == SidecarKind::kTraffic;
  });
  if (!any) return;
  const Application application = longest_application(terms);
  if (application.terms == nullptr) return;
  out.applies(Check::kSidecarStopsFirst);
  for (std::size_t i = 0; i < views.size(); ++i) {
    if (views[i].role != Role::kSidecar || views[i].sidecar != SidecarKind::kTraffic) continue;
    const ContainerTerms& each = terms.containers.at(i);
    if (terms.stops_last(each)) {
      check_native(views[i], each, application, out);
    } else {
      check_plain(views[i], each, terms, application, out);
    }
  }
}

void check_injection(const std::vector<InjectedSidecar>& missing, const PodTerms& terms, Collector& out) {
  if (missing.empty()) return;
  const std::int64_t serves = longest_application(terms).known_ms;
  for (const InjectedSidecar& each : missing) {
    const bool brief = each.kind == SidecarKind::kTraffic && each.hold.ms && !each.hold.unbounded && *each.hold.ms < serves;
    const std::string hold =
        brief ? fmt::format(" It carries traffic for {} s after its stop signal ({}) and the application serves for {} s: "
                            "as a plain container it is gone first.",
                            seconds_text(*each.hold.ms), base::truncate_utf8(each.hold.where, 80), seconds_text(serves))
              : std::string();
    out.report(Check::kSidecarInjected, CheckResult::kInfo, "SidecarInjected",
               fmt::format("The {} asks for sidecar {}, which the template does not show: what it needs to stop is not part "
                           "of the sum.{}", base::truncate_utf8(each.by, 120), base::quoted(each.framework, 63), hold),
               "Audit a pod of this workload as it runs (check -f with the Pod's manifest) to have the sidecar judged.",
               terms.spec_path.ends_with("template.spec") ? "spec.template.metadata" : "metadata", each.framework);
  }
}

}  // namespace shutdown_auditor::audit
