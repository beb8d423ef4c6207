// Rules of the kubelet and the API server, row by row, as far as a manifest predicts what they do: the grace period a pod
// gets, what a hook leaves of it, how native sidecars share it, what platforms allow and which hooks never run. Rows of
// requests, signals and probes at run time (a delete with its own grace period, a second delete, a restart) have no
// counterpart in a manifest and are left out. Ids are those of the tables the rules were worked out in.
#include "audit/builder.h"
#include "audit/seconds.h"

namespace shutdown_auditor::audit {
namespace {

using testing::container;
using testing::exec;
using testing::find;
using testing::http_get;
using testing::native_sleep;
using testing::result_of;
using testing::Scene;
using testing::shell;

constexpr CheckResult kPass = CheckResult::kPass;
constexpr CheckResult kInfo = CheckResult::kInfo;
constexpr CheckResult kWarn = CheckResult::kWarn;
constexpr CheckResult kFail = CheckResult::kFail;

// A pod with requests, cleanup and buffer declared, and no hook.
Scene declared(const std::string& request, const std::string& cleanup, const std::string& buffer) {
  Scene scene;
  scene.app().pre_stop.reset();
  scene.declare(request, cleanup).annotate("shutdownaudit.dev/buffer-seconds", buffer);
  return scene;
}

// pkg/registry/core/pod/strategy.go, pkg/apis/core/v1 defaults and conversion; pkg/kubelet/pod_workers.go.
TEST(TruthTableTest, EffectiveGrace) {
  struct Row {
    std::string_view id;
    std::optional<std::int64_t> grace, ceiling;
    std::int64_t shown, budget;  // as written and made effective; what a stop may take
    CheckResult zero, ceiling_check;
  };
  for (const Row& row : std::vector<Row>{{"T1a-01 default", {}, {}, 30, 30, kPass, kPass},
                                         {"T1a-06, T1b-10 zero", 0, {}, 0, 1, kFail, kPass},
                                         {"T1a-11 negative", -1, {}, 1, 1, kWarn, kPass},
                                         {"T1b-01", 30, {}, 30, 30, kPass, kPass},
                                         {"T1b-11", 120, 600, 120, 120, kPass, kPass},
                                         {"T1e-13, T1e-14", -3, {}, 1, 1, kWarn, kPass},
                                         {"T1e-21", 100000, {}, 100000, 100000, kPass, kInfo},
                                         {"T1g-01, T1g-04 node shutdown, regular share 20", 60, 20, 60, 20, kPass, kWarn},
                                         {"T1g-02", 15, 20, 15, 15, kPass, kPass},
                                         {"T1g-03 critical share 10", 30, 10, 30, 10, kPass, kWarn},
                                         {"T1g-05 nothing left for regular pods", 30, 0, 30, 1, kPass, kWarn},
                                         {"T1g-07 soft eviction from 1.32", 30, 60, 30, 30, kPass, kPass},
                                         {"T1g-08, T1g-10 eviction with 0", 30, 0, 30, 1, kPass, kWarn},
                                         {"T1g-11 cluster-autoscaler", 900, 600, 900, 600, kPass, kWarn},
                                         {"T1g-11 not in the policy", 900, {}, 900, 900, kPass, kInfo},
                                         {"T1g-12", 30, 600, 30, 30, kPass, kPass},
                                         {"T1g-13, T1g-14 Karpenter, 20 s left", 60, 20, 60, 20, kPass, kWarn},
                                         {"T1g-16 kubectl drain", 45, {}, 45, 45, kPass, kPass},
                                         {"T6b-01, T6b-04 an hour", 3600, {}, 3600, 3600, kPass, kInfo}}) {
    Scene scene = declared("0", "0", "0");
    scene.workload.pod_template.spec.termination_grace_period_seconds = row.grace;
    scene.policy.max_grace_period_seconds = row.ceiling;
    const AuditResult result = scene.run();
    EXPECT_EQ(result.budget.grace_period_seconds, row.shown) << row.id;
    EXPECT_EQ(result.budget.seconds_after_signal, std::max<std::int64_t>(2, row.budget)) << row.id;
    EXPECT_EQ(result_of(result, Check::kGraceZero), row.zero) << row.id;
    EXPECT_EQ(result_of(result, Check::kGraceCeiling), row.ceiling_check) << row.id;
  }
}

// pkg/kubelet/kuberuntime/kuberuntime_container.go: the signal comes at min(hook, grace), the kill max(2, grace - whole
// seconds of the hook) later. The audit rounds what is there down, so that of a fraction it may show one second less.
TEST(TruthTableTest, HookAndGrace) {
  objects::Handler tcp;
  tcp.tcp_socket = objects::TcpSocketAction{{}, testing::number(80)};
  struct Row {
    std::string_view id;
    std::int64_t grace;
    std::optional<objects::Handler> hook;
    std::int64_t after;    // of the kubelet
    std::int64_t shown;    // of the audit
    bool exceeds;
  };
  for (const Row& row : std::vector<Row>{{"T1c-01", 30, {}, 30, 30, false},
                                         {"T1c-02", 30, exec({"sleep", "5"}), 25, 25, false},
                                         {"T1c-03", 30, exec({"sleep", "10"}), 20, 20, false},
                                         {"T1c-04", 30, exec({"sleep", "27.9"}), 3, 2, false},
                                         {"T1c-05", 30, exec({"sleep", "28"}), 2, 2, false},
                                         {"T1c-06", 30, exec({"sleep", "28.5"}), 2, 2, false},
                                         {"T1c-07", 30, exec({"sleep", "29"}), 2, 2, false},
                                         {"T1c-08", 30, exec({"sleep", "29.9"}), 2, 2, false},
                                         {"T1c-09, T1e-01", 30, native_sleep(30), 2, 2, true},
                                         {"T1c-10, T1e-02", 30, native_sleep(300), 2, 2, true},
                                         {"T1c-11", 1, {}, 2, 2, false},
                                         {"T1c-12", 1, exec({"sleep", "10"}), 2, 2, true},
                                         {"T1c-13", 2, {}, 2, 2, false},
                                         {"T1c-14, T1e-07", 0, exec({"sleep", "5"}), 2, 2, true},
                                         {"T1c-15", 60, native_sleep(15), 45, 45, false},
                                         {"T1c-16", 3, exec({"sleep", "1.5"}), 2, 2, false},
                                         {"T1c-17", 10, exec({"sleep", "9.2"}), 2, 2, false},
                                         {"T1c-18 fails after 2 s", 30, shell("sleep 2; exit 1"), 28, 28, false},
                                         {"T1c-19, T1e-10 tcpSocket", 30, tcp, 30, 30, false},
                                         {"T1c-21 httpGet never answers", 30, http_get("/"), 2, 2, false},
                                         {"T1e-03 sleep 0", 30, native_sleep(0), 30, 30, false}}) {
    Scene scene = declared("0", "0", "0");
    scene.grace(row.grace).app().pre_stop = row.hook;
    const AuditResult result = scene.run();
    EXPECT_EQ(result.budget.seconds_after_signal, row.shown) << row.id;
    EXPECT_LE(result.budget.seconds_after_signal, row.after) << row.id;
    EXPECT_LE(row.after - result.budget.seconds_after_signal, 1) << row.id;
    EXPECT_EQ(result_of(result, Check::kPreStopExceedsGrace), row.exceeds ? kFail : kPass) << row.id;
  }
  // T1c-20, T1c-22: an answer of 500, a closed port. The manifest tells neither, so the hook is unknown.
  Scene scene = declared("0", "0", "0");
  scene.app().pre_stop = http_get("/");
  EXPECT_EQ(result_of(scene.run(), Check::kPreStopUnknown), kWarn);
}

TEST(TruthTableTest, RequiredAgainstGrace) {
  struct Row {
    std::string_view id;
    std::int64_t grace;
    std::optional<std::int64_t> ceiling;
    std::int64_t hook;
    std::string request, cleanup, buffer;
    std::int64_t required, shortfall;
    Verdict verdict;
    std::string_view reason;
  };
  for (const Row& row : std::vector<Row>{
           {"T1c-30", 30, {}, 5, "20", "2", "3", 30, 0, Verdict::kPass, ""},
           {"T1c-31", 30, {}, 10, "20", "2", "3", 35, 5, Verdict::kFail, "GracePeriodTooShort"},
           {"T1c-32", 30, {}, 30, "1", "0", "0", 31, 1, Verdict::kFail, "PreStopExceedsGracePeriod"},
           {"T1c-33", 60, {}, 15, "30", "5", "5", 55, 0, Verdict::kPass, ""},
           {"T1c-34", 0, {}, 5, "0", "0", "0", 5, 4, Verdict::kFail, "GracePeriodZero"},
           {"T1c-35", 900, 600, 10, "700", "10", "10", 730, 130, Verdict::kFail, "GracePeriodTooShort"},
           {"T1c-36 on a delete", 60, {}, 5, "20", "2", "3", 30, 0, Verdict::kPass, ""},
           {"T1c-36 on node shutdown", 60, 15, 5, "20", "2", "3", 30, 15, Verdict::kFail, "GracePeriodTooShort"}}) {
    Scene scene = declared(row.request, row.cleanup, row.buffer);
    scene.grace(row.grace).app().pre_stop = native_sleep(row.hook);
    scene.policy.max_grace_period_seconds = row.ceiling;
    const AuditResult result = scene.run();
    EXPECT_EQ(result.budget.required_seconds, row.required) << row.id;
    EXPECT_EQ(result.budget.shortfall_seconds, row.shortfall) << row.id;
    EXPECT_EQ(result.verdict, row.verdict) << row.id;
    EXPECT_EQ(result.top_reason, row.reason) << row.id;
  }
}

// KR::setTerminationGracePeriod: a probe's own grace period is for restarts it causes; its hook counts inside it.
TEST(TruthTableTest, ProbeGrace) {
  struct Row {
    std::string_view id;
    std::int64_t grace, probe;
    bool startup;
    std::int64_t hook;
    std::string request;
    CheckResult result;
  };
  for (const Row& row : std::vector<Row>{{"T1d-01", 60, 10, false, 0, "10", kPass},
                                         {"T1d-01 needs more", 60, 10, false, 0, "11", kWarn},
                                         {"T1d-02", 60, 10, true, 0, "11", kWarn},
                                         {"T1d-03 larger", 10, 60, false, 0, "10", kPass},
                                         {"T1d-10 5 s after the hook", 30, 20, false, 15, "5", kPass},
                                         {"T1d-10 needs more", 30, 20, false, 15, "6", kWarn}}) {
    Scene scene = declared(row.request, "0", "0");
    scene.grace(row.grace).app().pre_stop = native_sleep(row.hook);
    if (row.startup) scene.app().startup_probe = scene.app().liveness_probe;
    auto& probe = row.startup ? scene.app().startup_probe : scene.app().liveness_probe;
    probe->termination_grace_period_seconds = row.probe;
    EXPECT_EQ(result_of(scene.run(), Check::kProbeGrace), row.result) << row.id;
  }
}

// pkg/apis/core/validation: what is refused, dropped or can never run.
TEST(TruthTableTest, Validation) {
  objects::Handler two = exec({"sleep", "5"});
  two.sleep = objects::SleepAction{5};
  const auto hook_result = [](objects::Handler hook) {
    Scene scene = declared("0", "0", "0");
    scene.app().pre_stop = std::move(hook);
    return result_of(scene.run(), Check::kPreStopBroken);
  };
  EXPECT_EQ(hook_result(native_sleep(-1)), kFail) << "T1e-05";
  EXPECT_EQ(hook_result(two), kFail) << "T1e-08";
  EXPECT_EQ(hook_result({}), kFail) << "T1e-09";
  EXPECT_EQ(hook_result(native_sleep(5)), kPass) << "T1e-06";

  const auto stop_signal = [](int minor, std::string os) {
    Scene scene = declared("0", "0", "0");
    scene.app().stop_signal = "SIGUSR1";
    scene.workload.pod_template.spec.os_name = std::move(os);
    scene.options.kubernetes_minor = minor;
    const AuditResult result = scene.run();
    const Finding* finding = find(result, Check::kSignalNotGraceful);
    return finding == nullptr ? std::string() : finding->reason;
  };
  EXPECT_EQ(stop_signal(37, ""), "StopSignalWithoutEffect") << "T1e-15";
  EXPECT_EQ(stop_signal(34, "linux"), "StopSignalWithoutEffect") << "T1e-17";

  Scene plain = declared("1", "0", "0");
  objects::Container init = container("init");
  init.pre_stop = native_sleep(100);
  plain.workload.pod_template.spec.init_containers = {init};
  EXPECT_EQ(plain.run().containers.size(), 1u) << "T1e-18: a plain init container has no part in a stop";
  plain.workload.pod_template.spec.init_containers[0].restart_policy = "Always";
  EXPECT_EQ(plain.run().budget.required_seconds, 100) << "T1e-19";
}

// pkg/kubelet/kuberuntime/kuberuntime_termination_order.go, grace 30, sidecars a and b in this order.
TEST(TruthTableTest, NativeSidecars) {
  struct Row {
    std::string_view id;
    std::int64_t hook;
    std::string main;
    std::int64_t hook_a;
    std::string a, b;  // empty b: no second sidecar
    int minor;
    std::int64_t required;
  };
  for (const Row& row : std::vector<Row>{{"T1f-01 25 s left", 0, "5.2", 0, "24.8", "", 34, 30},
                                         {"T1f-01 longer", 0, "5.2", 0, "24.9", "", 34, 31},
                                         {"T1f-02 the main one takes all", 0, "30", 0, "0.1", "", 34, 31},
                                         {"T1f-03 15 s left for a", 10, "3", 0, "15", "2", 34, 30},
                                         {"T1f-03 longer", 10, "3", 0, "16", "2", 34, 31},
                                         {"T1f-04 10 s left after its own hook", 0, "5", 20, "10", "", 34, 30},
                                         {"T1f-04 longer", 0, "5", 20, "11", "", 34, 31},
                                         {"T1f-05 waits for 12.7 s", 0, "12.7", 0, "17.3", "", 34, 30},
                                         {"T1f-06 nothing left for two", 0, "30", 0, "0", "0.5", 34, 31},
                                         {"T1f-10 1.28 stops all at once", 10, "3", 0, "15", "2", 28, 15}}) {
    Scene scene;
    scene.grace(30).annotate("shutdownaudit.dev/buffer-seconds", "0").annotate("app.shutdownaudit.dev/cleanup-seconds", "0");
    scene.annotate("app.shutdownaudit.dev/max-request-seconds", row.main);
    scene.app().pre_stop.reset();
    if (row.hook > 0) scene.app().pre_stop = native_sleep(row.hook);
    const auto add = [&](const std::string& name, const std::string& seconds, std::int64_t hook) {
      objects::Container sidecar = container(name);
      sidecar.restart_policy = "Always";
      if (hook > 0) sidecar.pre_stop = native_sleep(hook);
      scene.workload.pod_template.spec.init_containers.push_back(sidecar);
      scene.annotate(name + ".shutdownaudit.dev/max-request-seconds", seconds);
    };
    add("a", row.a, row.hook_a);
    if (!row.b.empty()) add("b", row.b, 0);
    scene.options.kubernetes_minor = row.minor;
    const AuditResult result = scene.run();
    EXPECT_EQ(result.budget.required_seconds, row.required) << row.id;
    EXPECT_EQ(result_of(result, Check::kGraceBudget), row.required > 30 ? kFail : kPass) << row.id;
  }
}

}  // namespace
}  // namespace shutdown_auditor::audit
