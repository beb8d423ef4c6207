// Every check of a workload's own manifest: when it fails, when it passes, when it does not apply.
#include <set>

#include "audit/builder.h"
#include "audit/seconds.h"

namespace shutdown_auditor::audit {
namespace {

using testing::container;
using testing::exec;
using testing::find;
using testing::http_get;
using testing::native_sleep;
using testing::number;
using testing::percent;
using testing::result_of;
using testing::Scene;
using testing::shell;

constexpr CheckResult kPass = CheckResult::kPass;
constexpr CheckResult kInfo = CheckResult::kInfo;
constexpr CheckResult kWarn = CheckResult::kWarn;
constexpr CheckResult kFail = CheckResult::kFail;

struct Row {
  std::string what;
  Check check;
  std::function<void(Scene&)> change;
  CheckResult result;
  std::string reason;       // of the finding
  std::string in_message;   // part of it
  std::string field_path;
};

void expect(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    Scene scene = testing::perfect();
    row.change(scene);
    const AuditResult result = scene.run();
    const Finding* finding = find(result, row.check);
    const std::string name = std::string(id_of(row.check)) + ": " + row.what;
    EXPECT_EQ(result_of(result, row.check), row.result) << name;
    if (finding == nullptr) {
      EXPECT_EQ(row.reason, "") << name;
      continue;
    }
    EXPECT_EQ(finding->reason, row.reason) << name;
    EXPECT_THAT(finding->message, ::testing::HasSubstr(row.in_message)) << name;
    EXPECT_EQ(finding->field_path, row.field_path) << name;
  }
}

void off_duty(Scene& scene) { scene.services[0].selector = testing::map_of({{"app", "api"}}); }

const std::string kGrace = "spec.template.spec.terminationGracePeriodSeconds";
const std::string kApp = "spec.template.spec.containers[0]";
const std::string kHook = kApp + ".lifecycle.preStop";

TEST(ChecksTest, GracePeriod) {
  const auto long_hook = [](Scene& s) { s.app().pre_stop = native_sleep(60); };
  expect({
      {"zero", Check::kGraceZero, [](Scene& s) { s.grace(0); }, kFail, "GracePeriodZero", "force delete", kGrace},
      {"negative", Check::kGraceZero, [](Scene& s) { s.grace(-5); }, kWarn, "GracePeriodNegative", "is -5", kGrace},
      {"one", Check::kGraceZero, [](Scene& s) { s.grace(1); }, kPass, "", "", ""},
      {"default", Check::kGraceZero, [](Scene& s) { s.workload.pod_template.spec.termination_grace_period_seconds.reset(); }, kPass, "", "", ""},
      {"at the ceiling", Check::kGraceCeiling, [](Scene& s) { s.policy.max_grace_period_seconds = 60; }, kPass, "", "", ""},
      {"above the ceiling", Check::kGraceCeiling, [](Scene& s) { s.policy.max_grace_period_seconds = 59; }, kWarn, "GracePeriodAboveCeiling", "after 59 s", kGrace},
      {"600", Check::kGraceCeiling, [](Scene& s) { s.grace(600); }, kPass, "", "", ""},
      {"601", Check::kGraceCeiling, [](Scene& s) { s.grace(601); }, kInfo, "GracePeriodAboveClusterAutoscaler", "600 s", kGrace},
      {"601 with a ceiling above", Check::kGraceCeiling, [](Scene& s) { s.grace(601).policy.max_grace_period_seconds = 900; }, kPass, "", "", ""},
      {"hook of the whole grace period", Check::kPreStopExceedsGrace, long_hook, kFail, "PreStopExceedsGracePeriod", "takes 60 s", kHook},
      {"then nothing else says so", Check::kGraceBudget, long_hook, kPass, "", "", ""},
      {"hook one second shorter", Check::kPreStopExceedsGrace, [](Scene& s) { s.app().pre_stop = native_sleep(59); }, kPass, "", "", ""},
      {"no hook", Check::kPreStopExceedsGrace, [](Scene& s) { s.app().pre_stop.reset(); }, kPass, "", "", ""},
      {"switched off, the budget says it", Check::kGraceBudget,
       [&](Scene& s) { long_hook(s); s.policy.checks.push_back({Check::kPreStopExceedsGrace, false, {}}); }, kFail, "GracePeriodTooShort", "at least 110 s", kGrace},
      {"declared hook time", Check::kPreStopExceedsGrace, [](Scene& s) { s.annotate("shutdownaudit.dev/pre-stop-seconds", "60"); }, kFail, "PreStopExceedsGracePeriod", "takes 60 s", kHook},
  });
}

TEST(ChecksTest, GraceUnverifiedNeedsAssumptions) {
  Scene scene;
  EXPECT_EQ(result_of(scene.run(), Check::kGraceUnverified), kInfo);
  EXPECT_EQ(result_of(scene.grace(60).run(), Check::kGraceUnverified), kPass);
  EXPECT_EQ(result_of(testing::perfect().grace(30).run(), Check::kGraceUnverified), kPass) << "known to be short";
}

TEST(ChecksTest, PreStopRange) {
  Scene scene = testing::perfect();
  scene.app().pre_stop = shell("test -f /x || sleep 3; sleep 3");  // 3, or 6 s
  AuditResult result = scene.run();
  ASSERT_NE(find(result, Check::kPreStopRange), nullptr);
  EXPECT_EQ(find(result, Check::kPreStopRange)->reason, "PreStopMayExceedGracePeriod");
  EXPECT_EQ(find(result, Check::kPreStopRange)->id(), "prestop-range/app");
  EXPECT_THAT(find(result, Check::kPreStopRange)->remediation, ::testing::HasSubstr("to 61"));
  EXPECT_EQ(result_of(scene.grace(61).run(), Check::kPreStopRange), kPass);
}

TEST(ChecksTest, Hooks) {
  const auto hook = [](objects::Handler handler) { return [handler](Scene& s) { s.app().pre_stop = handler; }; };
  objects::Handler tcp;
  tcp.tcp_socket = objects::TcpSocketAction{{}, number(80)};
  expect({
      {"one word", Check::kPreStopBroken, hook(exec({"sleep 10"})), kFail, "PreStopBroken", "\"sleep 10\"", kHook},
      {"three words", Check::kPreStopBroken, hook(exec({"sh", "-c", "sleep", "10"})), kFail, "PreStopBroken", "first word", kHook},
      {"variable", Check::kPreStopBroken, hook(exec({"sleep", "$(DELAY)"})), kFail, "PreStopBroken", "$(DELAY)", kHook},
      {"tcpSocket", Check::kPreStopBroken, hook(tcp), kFail, "PreStopBroken", "tcpSocket", kHook},
      {"operand", Check::kPreStopBroken, hook(exec({"sleep", "abc"})), kFail, "PreStopBroken", "\"abc\"", kHook},
      {"good", Check::kPreStopBroken, hook(exec({"sleep", "5"})), kPass, "", "", ""},
      {"broken, declared all the same", Check::kPreStopBroken,
       [](Scene& s) { s.app().pre_stop = exec({"sleep 10"}); s.annotate("shutdownaudit.dev/pre-stop-seconds", "5"); }, kFail, "PreStopBroken", "sleep 10", kHook},
      {"broken is not missing", Check::kPreStopMissing, hook(exec({"sleep 10"})), kPass, "", "", ""},
      {"broken is not short", Check::kPreStopShort, hook(exec({"sleep 10"})), kPass, "", "", ""},
      {"httpGet", Check::kPreStopUnknown, hook(http_get("/drain")), kWarn, "PreStopUnknown", "/drain", kHook},
      {"script file", Check::kPreStopUnknown, hook(exec({"/drain.sh"})), kWarn, "PreStopUnknown", "drain.sh", kHook},
      {"may be endless", Check::kPreStopUnknown, hook(shell("[ -f /x ] && sleep infinity")), kWarn, "PreStopUnbounded", "does not end", kHook},
      {"certain part", Check::kPreStopUnknown, hook(shell("sleep 3; quit")), kWarn, "PreStopUnknown", "3 s of it are certain", kHook},
      {"declared", Check::kPreStopUnknown,
       [](Scene& s) { s.app().pre_stop = http_get("/drain"); s.annotate("shutdownaudit.dev/pre-stop-seconds", "5"); }, kPass, "", "", ""},
      {"known", Check::kPreStopUnknown, hook(native_sleep(5)), kPass, "", "", ""},
      {"none", Check::kPreStopMissing, [](Scene& s) { s.app().pre_stop.reset(); }, kWarn, "PreStopMissing", "No preStop hook", kApp},
      {"none, not serving", Check::kPreStopMissing, [](Scene& s) { s.app().pre_stop.reset(); off_duty(s); }, kPass, "", "", ""},
      {"none, propagation 0", Check::kPreStopMissing, [](Scene& s) { s.app().pre_stop.reset(); s.policy.endpoint_propagation_seconds = 0; }, kPass, "", "", ""},
      {"none, declared", Check::kPreStopMissing, [](Scene& s) { s.app().pre_stop.reset(); s.annotate("shutdownaudit.dev/pre-stop-seconds", "5"); }, kPass, "", "", ""},
      {"4.5 s", Check::kPreStopShort, hook(exec({"sleep", "4.5"})), kWarn, "PreStopTooShort", "for 4.5 s", kHook},
      {"5 s", Check::kPreStopShort, hook(native_sleep(5)), kPass, "", "", ""},
      {"5 s, policy wants 10", Check::kPreStopShort, [](Scene& s) { s.policy.endpoint_propagation_seconds = 10; }, kWarn, "PreStopTooShort", "may need 10 s", kHook},
      {"0 s", Check::kPreStopShort, hook(native_sleep(0)), kWarn, "PreStopTooShort", "for 0 s", kHook},
      {"4 s, not serving", Check::kPreStopShort, [](Scene& s) { s.app().pre_stop = native_sleep(4); off_duty(s); }, kPass, "", "", ""},
      {"unknown is not short", Check::kPreStopShort, hook(http_get("/drain")), kPass, "", "", ""},
  });
}

objects::Probe probe(objects::Handler handler, std::optional<std::int64_t> period = {}, std::optional<std::int64_t> failures = {}) {
  objects::Probe made;
  made.handler = std::move(handler);
  made.period_seconds = period;
  made.failure_threshold = failures;
  return made;
}

TEST(ChecksTest, Probes) {
  const auto both = [](objects::Probe readiness, objects::Probe liveness) {
    return [=](Scene& s) {
      s.app().readiness_probe = readiness;
      s.app().liveness_probe = liveness;
    };
  };
  objects::Handler named = http_get("/ready");
  named.http_get->port = percent("http");
  named.http_get->scheme = "HTTP";
  const std::string liveness = kApp + ".livenessProbe";
  expect({
      {"no readiness", Check::kReadinessProbeMissing, [](Scene& s) { s.app().readiness_probe.reset(); }, kWarn, "ReadinessProbeMissing", "No readiness", kApp},
      {"readiness", Check::kReadinessProbeMissing, [](Scene&) {}, kPass, "", "", ""},
      {"no readiness, not serving", Check::kReadinessProbeMissing, [](Scene& s) { s.app().readiness_probe.reset(); off_duty(s); }, kPass, "", "", ""},
      {"no liveness", Check::kLivenessProbeMissing, [](Scene& s) { s.app().liveness_probe.reset(); }, kWarn, "LivenessProbeMissing", "No liveness", kApp},
      {"liveness", Check::kLivenessProbeMissing, [](Scene&) {}, kPass, "", "", ""},
      {"no liveness, not serving", Check::kLivenessProbeMissing, [](Scene& s) { s.app().liveness_probe.reset(); off_duty(s); }, kPass, "", "", ""},
      {"same", Check::kProbesIdentical, both(probe(http_get("/ready")), probe(http_get("/ready"))), kWarn, "ProbesIdentical", "after 30 s", liveness},
      {"same by port name and scheme", Check::kProbesIdentical, both(probe(http_get("/ready")), probe(named)), kWarn, "ProbesIdentical", "ask the same", liveness},
      {"same command", Check::kProbesIdentical, both(probe(exec({"check"}), 5), probe(exec({"check"}), 5)), kWarn, "ProbesIdentical", "after 15 s", liveness},
      {"liveness slower", Check::kProbesIdentical, both(probe(http_get("/ready")), probe(http_get("/ready"), 10, 4)), kPass, "", "", ""},
      {"liveness faster", Check::kProbesIdentical, both(probe(http_get("/ready")), probe(http_get("/ready"), 1, 29)), kWarn, "ProbesIdentical", "after 29 s", liveness},
      {"zero means default", Check::kProbesIdentical, both(probe(http_get("/ready"), 0, 0), probe(http_get("/ready"), 15, 2)), kWarn, "ProbesIdentical", "after 30 s", liveness},
      {"absurd numbers", Check::kProbesIdentical, both(probe(http_get("/ready"), kEndless, kEndless), probe(http_get("/ready"), kEndless, 2)), kWarn, "ProbesIdentical", "ask the same", liveness},
      {"other path", Check::kProbesIdentical, both(probe(http_get("/ready")), probe(http_get("/live"))), kPass, "", "", ""},
      {"other port", Check::kProbesIdentical, both(probe(http_get("/ready")), probe(http_get("/ready", 9090))), kPass, "", "", ""},
      {"no liveness", Check::kProbesIdentical, [](Scene& s) { s.app().liveness_probe.reset(); }, kPass, "", "", ""},
      {"true", Check::kProbeAlwaysSucceeds, both(probe(exec({"true"})), probe(exec({"/bin/echo", "ok"}))), kWarn, "ProbeAlwaysSucceeds", "readinessProbe and livenessProbe", kApp + ".readinessProbe"},
      {"exit 0", Check::kProbeAlwaysSucceeds, [](Scene& s) { s.app().startup_probe = probe(shell("exit 0")); }, kWarn, "ProbeAlwaysSucceeds", "startupProbe", kApp + ".startupProbe"},
      {"|| true", Check::kProbeAlwaysSucceeds, [](Scene& s) { s.app().liveness_probe = probe(shell("[ -f /x ] || true")); }, kWarn, "ProbeAlwaysSucceeds", "livenessProbe", liveness},
      {"test", Check::kProbeAlwaysSucceeds, [](Scene& s) { s.app().liveness_probe = probe(shell("[ -f /x ]")); }, kPass, "", "", ""},
      {"false", Check::kProbeAlwaysSucceeds, [](Scene& s) { s.app().liveness_probe = probe(exec({"false"})); }, kPass, "", "", ""},
      {"some program", Check::kProbeAlwaysSucceeds, [](Scene& s) { s.app().liveness_probe = probe(exec({"healthy"})); }, kPass, "", "", ""},
      {"httpGet", Check::kProbeAlwaysSucceeds, [](Scene&) {}, kPass, "", "", ""},
      {"probe grace short", Check::kProbeGrace, [](Scene& s) { s.app().liveness_probe->termination_grace_period_seconds = 54; }, kWarn, "ProbeGraceTooShort", "known to need 55 s", liveness + ".terminationGracePeriodSeconds"},
      {"probe grace enough", Check::kProbeGrace, [](Scene& s) { s.app().liveness_probe->termination_grace_period_seconds = 55; }, kPass, "", "", ""},
      {"probe grace of a startup probe", Check::kProbeGrace, [](Scene& s) { s.app().startup_probe = probe(http_get("/")); s.app().startup_probe->termination_grace_period_seconds = 5; }, kWarn, "ProbeGraceTooShort", "startupProbe", kApp + ".startupProbe.terminationGracePeriodSeconds"},
  });
  Scene undeclared = Scene().grace(60);
  undeclared.app().liveness_probe->termination_grace_period_seconds = 10;
  EXPECT_EQ(result_of(undeclared.run(), Check::kProbeGrace), kPass) << "assumed numbers warn nobody";
}

TEST(ChecksTest, Rollout) {
  const std::string path = "spec.strategy.rollingUpdate.maxUnavailable";
  const auto rolling = [](std::int64_t replicas, std::optional<objects::IntOrString> surge, std::optional<objects::IntOrString> down) {
    return [=](Scene& s) {
      s.workload.replicas = replicas;
      s.workload.max_surge = surge;
      s.workload.max_unavailable = down;
    };
  };
  expect({
      {"defaults, 1", Check::kRolloutUnsafe, rolling(1, {}, {}), kPass, "", "", ""},
      {"defaults, 3", Check::kRolloutUnsafe, rolling(3, {}, {}), kPass, "", "", ""},
      {"100%", Check::kRolloutUnsafe, rolling(4, number(0), percent("100%")), kWarn, "RolloutStopsAllPods", "all 4 pods", path},
      {"100% with surge", Check::kRolloutUnsafe, rolling(4, {}, percent("100%")), kWarn, "RolloutStopsAllPods", "100%", path},
      {"number above replicas", Check::kRolloutUnsafe, rolling(3, number(0), number(5)), kWarn, "RolloutStopsAllPods", "all 3 pods", path},
      {"99% rounds down", Check::kRolloutUnsafe, rolling(3, number(1), percent("99%")), kPass, "", "", ""},
      {"one of one", Check::kRolloutUnsafe, rolling(1, number(0), number(1)), kWarn, "RolloutStopsAllPods", "the only pod", path},
      {"both round to 0: 1 is forced", Check::kRolloutUnsafe, rolling(1, percent("0%"), percent("1%")), kWarn, "RolloutStopsAllPods", "the only pod", path},
      {"both round to 0, 2 replicas", Check::kRolloutUnsafe, rolling(2, percent("0%"), percent("1%")), kPass, "", "", ""},
      {"no replicas", Check::kRolloutUnsafe, rolling(0, number(0), number(1)), kPass, "", "", ""},
      {"absurd", Check::kRolloutUnsafe, rolling(kEndless, percent("100%"), number(kEndless)), kWarn, "StrategyRefused", "refuses", "spec.strategy"},
      {"Recreate", Check::kRolloutUnsafe, [](Scene& s) { s.workload.strategy_type = "Recreate"; }, kInfo, "RecreateStrategy", "Recreate", "spec.strategy"},
      {"Recreate with a volume", Check::kRolloutUnsafe, [](Scene& s) { s.workload.strategy_type = "Recreate"; s.workload.pod_template.spec.mounts_persistent_volume_claim = true; }, kPass, "", "", ""},
      {"StatefulSet", Check::kRolloutUnsafe, [](Scene& s) { s.workload.kind.kind = "StatefulSet"; s.workload.max_unavailable = percent("100%"); }, kPass, "", "", ""},
      {"DaemonSet 100%", Check::kRolloutUnsafe, [](Scene& s) { s.workload.kind.kind = "DaemonSet"; s.workload.max_unavailable = percent("100%"); }, kWarn, "RolloutStopsAllPods", "all nodes", "spec.updateStrategy.rollingUpdate.maxUnavailable"},
      {"DaemonSet default", Check::kRolloutUnsafe, [](Scene& s) { s.workload.kind.kind = "DaemonSet"; }, kPass, "", "", ""},
  });
}

TEST(ChecksTest, Annotations) {
  expect({
      {"value", Check::kAnnotationInvalid, [](Scene& s) { s.annotate("shutdownaudit.dev/buffer-seconds", "5s"); }, kWarn, "ValueInvalid", "\"5s\"", "spec.template.metadata.annotations[\"shutdownaudit.dev/buffer-seconds\"]"},
      {"key", Check::kAnnotationInvalid, [](Scene& s) { s.annotate("shutdownaudit.dev/x", "5"); }, kWarn, "KeyUnknown", "shutdownaudit.dev/x", "spec.template.metadata.annotations[\"shutdownaudit.dev/x\"]"},
      {"container", Check::kAnnotationInvalid, [](Scene& s) { s.annotate("x.shutdownaudit.dev/cleanup-seconds", "5"); }, kWarn, "ContainerUnknown", "x.shutdownaudit.dev", "spec.template.metadata.annotations[\"x.shutdownaudit.dev/cleanup-seconds\"]"},
      {"reason", Check::kAnnotationInvalid, [](Scene& s) { s.annotate("shutdownaudit.dev/ignore", ""); }, kWarn, "ExemptionWithoutReason", "no reason", "spec.template.metadata.annotations[\"shutdownaudit.dev/ignore\"]"},
      {"good ones", Check::kAnnotationInvalid, [](Scene&) {}, kPass, "", "", ""},
      {"forbidden", Check::kAnnotationInvalid, [](Scene& s) { s.annotate("shutdownaudit.dev/ignore", "why"); s.policy.annotation_exemptions_allowed = false; }, kWarn, "ExemptionForbidden", "forbids", ""},
  });
}

TEST(ChecksTest, CatalogueIsWhole) {
  EXPECT_EQ(all_checks().size(), 31u);
  std::set<std::string_view> ids;
  for (int i = 0; i <= static_cast<int>(Check::kAuditError); ++i) {
    const Check check = static_cast<Check>(i);
    EXPECT_TRUE(ids.insert(id_of(check)).second);
    EXPECT_EQ(check_of(id_of(check)), check);
    EXPECT_FALSE(title_of(check).empty());
  }
  EXPECT_EQ(ids.size(), 31u);
  EXPECT_EQ(check_of("grace"), std::nullopt);
  EXPECT_EQ(id_of(Check::kPdbBlocksEviction), "pdb-blocks-eviction");
  EXPECT_EQ(id_of(Check::kAuditError), "audit-error");
  EXPECT_EQ(id_of(Check::kRolloutUnsafe), "rollout-unsafe");
  EXPECT_EQ(parse_verdict("Unverified"), Verdict::kUnverified);
  EXPECT_EQ(parse_verdict("unverified"), std::nullopt);
  EXPECT_EQ(to_string(Verdict::kSkip), "Skip");
}

}  // namespace
}  // namespace shutdown_auditor::audit
