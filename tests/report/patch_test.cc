#include "report/patch.h"

#include <gmock/gmock.h>

namespace shutdown_auditor::report {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

objects::Workload workload(const std::string& kind, const std::string& group) {
  objects::Workload made;
  made.kind = {group, kind};
  made.meta.name = "web";
  made.meta.namespace_ = "shop";
  made.pod_template.spec.containers.resize(2);
  made.pod_template.spec.containers[0].name = "app";
  made.pod_template.spec.containers[1].name = "proxy";
  return made;
}

// A fix of `before` that is all of what `change` does.
template <class Change>
audit::Fixes fixes(const objects::Workload& before, const Change& change) {
  audit::WorkloadFix fix;
  fix.before = &before;
  fix.after = before;
  change(fix.after);
  fix.reasons.push_back({"app", "preStop", "prestop-missing: because"});
  fix.reasons.push_back({{}, "terminationGracePeriodSeconds", "needs 60 s"});
  audit::Finding fixed;
  fixed.check = audit::Check::kPreStopMissing;
  fixed.container = "app";
  fix.fixed = {fixed, fixed};
  audit::Fixes made;
  made.workloads.push_back(std::move(fix));
  return made;
}

std::string text_of(const audit::Fixes& made, const PatchOptions& options = {}) { return patch_text({made}, options); }

TEST(Patch, OneWorkload) {
  objects::Workload before = workload("Deployment", "apps");
  before.pod_template.spec.containers[0].pre_stop.emplace().exec = objects::ExecAction{{"sleep 10"}};
  const std::string text = text_of(fixes(before, [](objects::Workload& after) {
    after.pod_template.spec.termination_grace_period_seconds = 60;
    objects::Container& app = after.pod_template.spec.containers[0];
    app.pre_stop.emplace().sleep = objects::SleepAction{10};
    app.readiness_probe.emplace().handler.tcp_socket = objects::TcpSocketAction{{}, {true, 0, "http"}};
    app.readiness_probe->period_seconds = 5;
    app.args = {"--drain=30", "on"};
    app.env.push_back({"DRAIN", "yes", false});
  }));
  EXPECT_EQ(text, R"(# Deployment shop/web: prestop-missing/app
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
spec:
  template:
    spec:
      # needs 60 s
      terminationGracePeriodSeconds: 60
      containers:
        - name: app
          args: ["--drain=30", "on"]
          env:
            - name: DRAIN
              value: "yes"
          lifecycle:
            # prestop-missing: because
            preStop:
              exec: null
              sleep:
                seconds: 10
          readinessProbe:
            tcpSocket:
              port: http
            periodSeconds: 5
)");
}

TEST(Patch, RemovesAHook) {
  objects::Workload before = workload("Deployment", "apps");
  before.pod_template.spec.containers[0].pre_stop.emplace().exec = objects::ExecAction{{"true"}};
  const auto remove = [](objects::Workload& after) { after.pod_template.spec.containers[0].pre_stop.reset(); };
  EXPECT_THAT(text_of(fixes(before, remove)),
              HasSubstr("            preStop: null\n"));
}

TEST(Patch, KindsHaveTheirPlaces) {
  const struct {
    const char* kind;
    const char* group;
    const char* expected;
  } kRows[] = {
      {"Deployment", "apps", "apiVersion: apps/v1\n"},
      {"Deployment", "apps", "spec:\n  strategy:\n    rollingUpdate:\n      maxUnavailable: 1\n  template:\n    spec:\n"},
      {"DaemonSet", "apps", "spec:\n  updateStrategy:\n    rollingUpdate:\n      maxUnavailable: 1\n"},
      {"Rollout", "argoproj.io", "apiVersion: argoproj.io/v1alpha1\n"},
      {"Rollout", "argoproj.io", "  strategy:\n    canary:\n      maxUnavailable: 1\n"},
      {"Rollout", "argoproj.io", "needs --type=merge"},
      {"Pod", "", "apiVersion: v1\n"},
      {"Pod", "", "  # needs 60 s\n  terminationGracePeriodSeconds: 60\n"},
      {"Pod", "", "a running Pod cannot be changed"},
  };
  for (const auto& row : kRows) {
    const objects::Workload before = workload(row.kind, row.group);
    const std::string text = text_of(fixes(before, [](objects::Workload& after) {
      after.max_unavailable = objects::IntOrString{false, 1, {}};
      after.pod_template.spec.termination_grace_period_seconds = 60;
    }));
    EXPECT_THAT(text, HasSubstr(row.expected)) << row.kind;
  }
}

audit::Fixes two_budgets(const objects::PodDisruptionBudget& old, const objects::Workload& owner) {
  audit::Fixes made;
  objects::PodDisruptionBudget changed = old;
  changed.min_available.reset();
  changed.max_unavailable = objects::IntOrString{false, 1, {}};
  made.budgets.push_back({&old, changed, nullptr, "one at a time"});
  objects::PodDisruptionBudget fresh = changed;
  fresh.meta.name = "api";
  fresh.meta.namespace_.clear();
  fresh.selector->match_expressions.push_back({"y", "In", {"1", "on"}});
  made.budgets.push_back({nullptr, fresh, &owner, "a new one"});
  return made;
}

TEST(Patch, Budgets) {
  objects::PodDisruptionBudget old;
  old.meta.name = "web";
  old.meta.namespace_ = "shop";
  old.min_available = objects::IntOrString{true, 0, "100%"};
  old.selector = objects::LabelSelector{{{"app.kubernetes.io/name", "web"}}, {}};
  const objects::Workload owner = workload("Deployment", "apps");
  const audit::Fixes made = two_budgets(old, owner);
  EXPECT_EQ(text_of(made), R"(# PodDisruptionBudget shop/web
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: web
  namespace: shop
# one at a time
spec:
  minAvailable: null
  maxUnavailable: 1
---
# PodDisruptionBudget api: new, for kubectl apply
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: api
# a new one
spec:
  maxUnavailable: 1
  selector:
    matchLabels:
      app.kubernetes.io/name: web
    matchExpressions:
      - key: "y"
        operator: In
        values: ["1", "on"]
)");
  EXPECT_THAT(text_of(made, {true, false, true}), Not(HasSubstr("a new one")));
  EXPECT_THAT(text_of(made, {false, true, true}), Not(HasSubstr("one at a time")));
}

TEST(Patch, SaysWhatIsNotFixed) {
  const objects::Workload before = workload("Deployment", "apps");
  audit::Fixes made;
  made.workloads.push_back({&before, before, {}, {}, {}});
  audit::Finding finding;
  finding.check = audit::Check::kPreStopUnknown;
  finding.container = "app";
  made.workloads.back().unfixed.push_back({finding, "nobody knows"});
  EXPECT_EQ(text_of(made), "# no fix computed: Deployment shop/web, prestop-unknown/app: nobody knows\n");
  EXPECT_EQ(text_of(made, {true, true, false}), "");
}

// Whatever a manifest holds, a comment stays a comment and a string the same string.
TEST(Patch, HostileTextStaysInItsPlace) {
  objects::Workload before = workload("Deployment", "apps");
  before.meta.name = "web\nspec: {evil: 1}";
  const std::string text = text_of(fixes(before, [](objects::Workload& after) {
    after.pod_template.spec.containers[0].args = {"a\nb",         "\x7f", "\xC2\x85", "\xE2\x80\xA8",
                                                  "\xEF\xBB\xBF", "# no", "\xff",     "'\"\\"};
  }));
  EXPECT_THAT(text, HasSubstr("# Deployment shop/web spec: {evil: 1}: "));
  EXPECT_THAT(text, HasSubstr("  name: \"web\\nspec: {evil: 1}\"\n"));
  EXPECT_THAT(text, HasSubstr(R"(["a\nb", "\x7F", "\x85", "\L", "\uFEFF", "# no", ")" "\xEF\xBF\xBD" R"(", "'\"\\"])"));
}

}  // namespace
}  // namespace shutdown_auditor::report
