#include "audit/grace_budget.h"

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

TEST(GraceBudgetTest, FixedPoints) {
  struct Row {
    std::string_view what;
    std::function<void(Scene&)> set;
    std::optional<std::int64_t> grace;
    Verdict verdict;
    std::string_view required;
  };
  const auto nothing = [](Scene&) {};
  const auto declared = [](Scene& scene) { scene.declare("30", "20"); };
  const auto requests = [](Scene& scene) { scene.annotate("shutdownaudit.dev/max-request-seconds", "30"); };
  const auto in_policy = [](Scene& scene) {
    scene.policy.max_request_seconds = 30;
    scene.policy.cleanup_seconds = 20;
    scene.policy.buffer_seconds = 5;
  };
  for (const Row& row : std::vector<Row>{{"declared", declared, 60, Verdict::kPass, "60"},
                                         {"declared", declared, 59, Verdict::kWarn, "60"},
                                         {"declared", declared, 55, Verdict::kWarn, "60"},
                                         {"declared", declared, 54, Verdict::kFail, "60"},
                                         {"nothing", nothing, 60, Verdict::kPass, "~60"},
                                         {"nothing", nothing, 59, Verdict::kUnverified, "~60"},
                                         {"nothing", nothing, {}, Verdict::kUnverified, "~60"},
                                         {"policy", in_policy, 60, Verdict::kPass, "60"},
                                         {"policy", in_policy, 59, Verdict::kWarn, "60"},
                                         {"requests", requests, 34, Verdict::kFail, "~60"},
                                         {"requests", requests, 39, Verdict::kWarn, "~60"},
                                         {"requests", requests, 40, Verdict::kUnverified, "~60"},
                                         {"requests", requests, 59, Verdict::kUnverified, "~60"},
                                         {"requests", requests, 60, Verdict::kPass, "~60"}}) {
    Scene scene;
    row.set(scene);
    if (row.grace) scene.grace(*row.grace);
    const AuditResult result = scene.run();
    EXPECT_EQ(result.verdict, row.verdict) << row.what << " at " << row.grace.value_or(30) << " " << result.top_reason;
    EXPECT_EQ(result.budget.required_text, row.required) << row.what;
    EXPECT_EQ(result.budget.required_seconds, 60) << row.what;
    EXPECT_EQ(result.budget.grace_period_explicit, row.grace.has_value());
    EXPECT_EQ(result.budget.shortfall_seconds, std::max<std::int64_t>(0, 60 - row.grace.value_or(30)));
  }
}

// The reference pod with a server that the knowledge base holds.
TEST(GraceBudgetTest, FixedPointsOfKnownServers) {
  struct Row {
    std::vector<std::string> command;
    std::int64_t grace;
    Verdict verdict;
    std::string_view reason, required;
  };
  for (const Row& row : std::vector<Row>{
           {{"gunicorn", "app:app"}, 40, Verdict::kPass, "", "40"},
           {{"gunicorn", "app:app"}, 39, Verdict::kWarn, "GracePeriodTooShort", "40"},
           {{"gunicorn", "--graceful-timeout", "60", "app:app"}, 64, Verdict::kFail, "GracePeriodTooShort", "70"},
           {{"gunicorn", "--graceful-timeout=60", "app:app"}, 69, Verdict::kWarn, "GracePeriodTooShort", "70"},
           {{"bash", "-c", "exec gunicorn app:app"}, 39, Verdict::kWarn, "GracePeriodTooShort", "40"},
           {{"bash", "-c", "gunicorn app:app | cat"}, 40, Verdict::kFail, "SignalNotDelivered", "~10"},
           {{"sh", "-c", "gunicorn app:app"}, 40, Verdict::kWarn, "SignalDependsOnImage", "40"},
           {{"tini", "--", "gunicorn", "app:app"}, 40, Verdict::kPass, "", "40"}}) {
    Scene scene = Scene().grace(row.grace);
    scene.app().command = row.command;
    const AuditResult result = scene.run();
    EXPECT_EQ(result.verdict, row.verdict) << row.command.back() << " at " << row.grace;
    EXPECT_EQ(result.top_reason, row.reason) << row.command.back() << " at " << row.grace;
    EXPECT_EQ(result.budget.required_text, row.required) << row.command.back();
  }
}

TEST(GraceBudgetTest, ReadingsOfAKnownServer) {
  Scene scene = Scene().grace(60);
  scene.app().command = {"gunicorn", "--graceful-timeout", "20", "app:app"};
  const AuditResult flag = scene.run();
  ASSERT_EQ(flag.containers.size(), 1u);
  EXPECT_EQ(flag.containers[0].framework, "gunicorn");
  EXPECT_EQ(flag.containers[0].drain_seconds, 20);
  EXPECT_EQ(flag.containers[0].drain_source, "Flag");
  EXPECT_EQ(flag.containers[0].max_request_seconds, std::nullopt);
  EXPECT_EQ(flag.containers[0].cleanup_seconds, 0);
  EXPECT_EQ(flag.containers[0].signal_handling, "Graceful");
  EXPECT_EQ(flag.containers[0].needs_seconds, 25);
  EXPECT_EQ(flag.budget.delay_seconds, 0);
  EXPECT_EQ(flag.budget.drain_seconds, 20);
  EXPECT_EQ(flag.budget.provable_seconds, 25);
  EXPECT_EQ(flag.budget.evidence, Evidence::kAssumed);
  scene.app().command = {"gunicorn", "app:app"};
  scene.app().env = {{"GUNICORN_CMD_ARGS", "--graceful-timeout 7", false}};
  EXPECT_EQ(scene.run().containers[0].drain_source, "Env");
  EXPECT_EQ(scene.run().budget.required_seconds, 17);
  scene.app().env.clear();
  EXPECT_EQ(scene.run().containers[0].drain_source, "FrameworkDefault");
  scene.declare("10", "0");
  EXPECT_EQ(scene.run().containers[0].drain_seconds, 30) << "its own deadline";
  EXPECT_EQ(scene.run().budget.drain_seconds, 10) << "what counts";
}

TEST(GraceBudgetTest, TheReferenceInFull) {
  const AuditResult result = testing::perfect().run();
  EXPECT_EQ(result.verdict, Verdict::kPass);
  EXPECT_EQ(result.top_reason, "");
  EXPECT_TRUE(result.findings.empty());
  EXPECT_EQ(result.summary.fail + result.summary.warn + result.summary.info + result.summary.skip + result.summary.error, 0);
  EXPECT_GE(result.summary.pass, 15);
  const Budget& budget = result.budget;
  EXPECT_EQ(budget.grace_period_seconds, 60);
  EXPECT_EQ(budget.pre_stop_seconds, 5);
  EXPECT_EQ(budget.max_request_seconds, 30);
  EXPECT_EQ(budget.drain_seconds, 30);
  EXPECT_EQ(budget.cleanup_seconds, 20);
  EXPECT_EQ(budget.buffer_seconds, 5);
  EXPECT_EQ(budget.sidecar_seconds, std::nullopt);
  EXPECT_EQ(budget.delay_seconds, std::nullopt);
  EXPECT_EQ(budget.provable_seconds, 55);
  EXPECT_EQ(budget.seconds_after_signal, 55);
  EXPECT_EQ(budget.container, "app");
  EXPECT_EQ(budget.evidence, Evidence::kAssumed) << "the buffer is the built-in one";
  ASSERT_EQ(result.containers.size(), 1u);
  EXPECT_EQ(result.containers[0].role, Role::kServing);
  EXPECT_EQ(result.containers[0].needs_seconds, 55);
  EXPECT_EQ(result.containers[0].drain_source, "Annotation");
  EXPECT_EQ(result.containers[0].stop_signal, "SIGTERM");
  EXPECT_EQ(result.disruption.budgets, std::vector<std::string>{"web"});
  EXPECT_EQ(result.disruption.replicas, 3);
  EXPECT_EQ(result.disruption.disruptions_allowed_when_ready, 1);
}

TEST(GraceBudgetTest, SaysTheNumbers) {
  Scene scene;
  const AuditResult unverified = scene.run();
  ASSERT_EQ(unverified.findings.size(), 1u);
  EXPECT_EQ(unverified.findings[0].message,
            "25 s are left after the signal: enough if the longest request plus cleanup takes at most 20 s (buffer 5). Declare "
            "shutdownaudit.dev/max-request-seconds and cleanup-seconds, or set policy defaults, to have it checked.");
  EXPECT_EQ(unverified.findings[0].id(), "grace-unverified");
  EXPECT_EQ(unverified.findings[0].field_path, "spec.template.spec.terminationGracePeriodSeconds");

  scene.annotate("shutdownaudit.dev/max-request-seconds", "10");
  EXPECT_EQ(find(scene.run(), Check::kGraceUnverified)->message,
            "25 s are left after the signal: enough if cleanup takes at most 10 s (requests 10, buffer 5). Declare "
            "shutdownaudit.dev/cleanup-seconds, or set policy defaults, to have it checked.");

  Scene tight = Scene().grace(3);
  tight.app().pre_stop.reset();
  EXPECT_THAT(find(tight.run(), Check::kGraceUnverified)->message, ::testing::StartsWith("3 s are left after the signal: less than"));

  const AuditResult failed = testing::perfect().grace(54).run();
  EXPECT_EQ(failed.findings[0].message,
            "The pod needs at least 55 s to stop (preStop 5 + requests 30 + cleanup 20), and terminationGracePeriodSeconds is "
            "54: 1 s short.");
  EXPECT_EQ(failed.findings[0].remediation, "Set terminationGracePeriodSeconds to 60.");
  const AuditResult warned = testing::perfect().grace(59).run();
  EXPECT_EQ(warned.findings[0].message,
            "The pod needs 60 s to stop (preStop 5 + requests 30 + cleanup 20 + buffer 5), and terminationGracePeriodSeconds is "
            "59: 1 s short.");
}

TEST(GraceBudgetTest, MillisecondsAreRoundedOnce) {
  Scene scene = Scene().grace(31);
  scene.declare("10.4", "10.4").annotate("shutdownaudit.dev/buffer-seconds", "5.2");
  scene.app().pre_stop = exec({"sleep", "5"});
  const AuditResult result = scene.run();
  EXPECT_EQ(result.budget.required_seconds, 31);
  EXPECT_EQ(result.budget.max_request_seconds, 11);
  EXPECT_EQ(result.verdict, Verdict::kPass);
}

TEST(GraceBudgetTest, AbsurdGracePeriods) {
  struct Row {
    std::int64_t grace, shown;
    Verdict verdict;
    std::string_view reason;
  };
  for (const Row& row : std::vector<Row>{{kEndless, kEndless, Verdict::kPass, "GracePeriodAboveClusterAutoscaler"},
                                         {kEndless - 1, kEndless - 1, Verdict::kPass, "GracePeriodAboveClusterAutoscaler"},
                                         {0, 0, Verdict::kFail, "GracePeriodZero"},
                                         {-5, 1, Verdict::kFail, "PreStopExceedsGracePeriod"},
                                         {std::numeric_limits<std::int64_t>::min(), 1, Verdict::kFail, "PreStopExceedsGracePeriod"},
                                         {1, 1, Verdict::kFail, "PreStopExceedsGracePeriod"}}) {
    const AuditResult result = testing::perfect().grace(row.grace).run();
    EXPECT_EQ(result.budget.grace_period_seconds, row.shown);
    EXPECT_EQ(result.verdict, row.verdict) << row.grace;
    EXPECT_EQ(result.top_reason, row.reason) << row.grace;
  }
  EXPECT_EQ(result_of(testing::perfect().grace(-5).run(), Check::kGraceZero), CheckResult::kWarn);
}

TEST(GraceBudgetTest, AbsurdHooksSaturate) {
  Scene scene = testing::perfect();
  scene.app().pre_stop = native_sleep(kEndless);
  AuditResult result = scene.run();
  EXPECT_EQ(result.budget.required_seconds, kEndless);
  EXPECT_EQ(result.budget.provable_seconds, kEndless);
  EXPECT_EQ(result.budget.shortfall_seconds, kEndless - 60);
  EXPECT_EQ(result.budget.seconds_after_signal, 2);
  EXPECT_EQ(result.top_reason, "PreStopExceedsGracePeriod");
  EXPECT_EQ(result_of(result, Check::kGraceBudget), CheckResult::kPass) << "said once";

  scene.app().pre_stop = exec({"sleep", "infinity"});
  result = scene.run();
  EXPECT_EQ(result.top_reason, "PreStopExceedsGracePeriod");
  EXPECT_EQ(result.budget.required_text, ">=115");
  EXPECT_EQ(result_of(result, Check::kPreStopUnknown), CheckResult::kPass) << "said once";
}

// Signal and kill times are those of the kubelet: never less than 2 s after the signal.
TEST(GraceBudgetTest, SecondsAfterSignal) {
  struct Row {
    std::int64_t grace;
    std::optional<objects::Handler> hook;
    std::int64_t after;
  };
  for (const Row& row : std::vector<Row>{{30, std::nullopt, 30}, {30, native_sleep(5), 25}, {30, native_sleep(28), 2},
                                         {30, native_sleep(29), 2}, {30, native_sleep(300), 2}, {1, std::nullopt, 2},
                                         {60, native_sleep(15), 45}, {30, exec({"sleep", "4.5"}), 25},
                                         {30, http_get("/drain"), 2}, {30, shell("[ -f x ] && sleep 20"), 10}}) {
    Scene scene = Scene().grace(row.grace);
    scene.app().pre_stop = row.hook;
    EXPECT_EQ(scene.run().budget.seconds_after_signal, row.after) << row.grace;
  }
}

TEST(GraceBudgetTest, UnknownHookIsALowerBound) {
  Scene scene = testing::perfect();
  scene.app().pre_stop = shell("sleep 8; /drain.sh");
  AuditResult result = scene.run();
  EXPECT_EQ(result.verdict, Verdict::kWarn);
  EXPECT_EQ(result.budget.required_text, ">=63");
  EXPECT_TRUE(result.budget.required_at_least);
  EXPECT_EQ(result.budget.pre_stop_seconds, std::nullopt);
  EXPECT_EQ(result.budget.evidence, Evidence::kUnknown);
  EXPECT_EQ(result_of(result, Check::kPreStopUnknown), CheckResult::kWarn);
  EXPECT_EQ(result_of(result, Check::kGraceBudget), CheckResult::kWarn);

  scene.annotate("shutdownaudit.dev/pre-stop-seconds", "5");
  result = scene.run();
  EXPECT_EQ(result.verdict, Verdict::kPass);
  EXPECT_EQ(result.budget.required_text, "60");
}

TEST(GraceBudgetTest, PlatformCeiling) {
  Scene scene = testing::perfect();
  scene.policy.max_grace_period_seconds = 50;
  const AuditResult result = scene.run();
  EXPECT_EQ(result.verdict, Verdict::kFail);
  EXPECT_EQ(result.budget.ceiling_seconds, 50);
  EXPECT_EQ(result.budget.grace_period_seconds, 60);
  EXPECT_EQ(result.budget.shortfall_seconds, 10);
  EXPECT_THAT(find(result, Check::kGraceBudget)->message, ::testing::HasSubstr("the platform allows 50 s"));
  EXPECT_THAT(find(result, Check::kGraceBudget)->remediation, ::testing::StartsWith("Shorten"));
  EXPECT_EQ(result_of(result, Check::kGraceCeiling), CheckResult::kWarn);
}

TEST(GraceBudgetTest, SeveralContainers) {
  Scene scene = testing::perfect();
  objects::Container helper = container("helper");
  helper.ports.clear();
  helper.pre_stop = native_sleep(50);
  scene.workload.pod_template.spec.containers.push_back(helper);
  AuditResult result = scene.run();
  EXPECT_EQ(result.containers[0].role, Role::kServing);
  EXPECT_EQ(result.containers[1].role, Role::kMain);
  EXPECT_EQ(result.containers[1].max_request_seconds, std::nullopt) << "declared for the pod means the serving container";
  EXPECT_EQ(result.budget.container, "app");
  EXPECT_EQ(result.verdict, Verdict::kPass) << "hooks of two containers run side by side";

  scene.annotate("helper.shutdownaudit.dev/cleanup-seconds", "10");
  result = scene.run();
  EXPECT_EQ(result.budget.container, "helper");
  EXPECT_EQ(result.budget.required_seconds, 65);
  EXPECT_EQ(result.verdict, Verdict::kWarn) << "50 + 10 just fit, the buffer does not";
  EXPECT_THAT(find(result, Check::kGraceBudget)->message, ::testing::StartsWith("Container \"helper\" needs 65 s"));
  EXPECT_EQ(result_of(scene.grace(59).run(), Check::kGraceBudget), CheckResult::kFail);
}

// Sidecars stop after the main containers, last one first; their hooks start at once.
TEST(GraceBudgetTest, NativeSidecars) {
  Scene scene = testing::perfect();
  objects::Container proxy = container("proxy");
  proxy.restart_policy = "Always";
  objects::Container setup = container("setup");
  setup.pre_stop = native_sleep(500);
  scene.workload.pod_template.spec.init_containers = {setup, proxy};
  EXPECT_EQ(scene.run().verdict, Verdict::kPass);
  EXPECT_EQ(scene.run().budget.sidecar_seconds, 0);
  EXPECT_EQ(scene.run().containers.size(), 2u);

  scene.annotate("proxy.shutdownaudit.dev/max-request-seconds", "3");
  AuditResult result = scene.run();
  EXPECT_EQ(result.budget.required_seconds, 63);
  EXPECT_EQ(result.budget.sidecar_seconds, 3);
  EXPECT_EQ(result.verdict, Verdict::kWarn);
  EXPECT_THAT(find(result, Check::kGraceBudget)->message, ::testing::HasSubstr("sidecars 3"));
  scene.options.kubernetes_minor = 28;
  EXPECT_EQ(scene.run().verdict, Verdict::kPass) << "1.28 stops all containers together";
  scene.options.kubernetes_minor = 34;

  scene.workload.pod_template.spec.init_containers[1].pre_stop = native_sleep(58);
  result = scene.run();
  EXPECT_EQ(result.budget.container, "proxy") << "its own hook outlasts the application";
  EXPECT_EQ(result.budget.required_seconds, 66);
  EXPECT_EQ(result.budget.provable_seconds, 61);
}

// Numbers nobody declared: for serving containers, or the only main container when there is no Service.
TEST(GraceBudgetTest, WhoTakesDefaults) {
  struct Row {
    std::string_view what;
    std::function<void(Scene&)> change;
    std::vector<Role> roles;
    std::string_view required;
  };
  const auto second = [](Scene& scene) -> objects::Container& {
    scene.workload.pod_template.spec.containers.push_back(container("second"));
    scene.workload.pod_template.spec.containers.back().ports.clear();
    return scene.workload.pod_template.spec.containers.back();
  };
  for (const Row& row : std::vector<Row>{
           {"no Service, one container", [](Scene& s) { s.services.clear(); }, {Role::kMain}, "~60"},
           {"no Service, two containers", [&](Scene& s) { s.services.clear(); second(s); }, {Role::kMain, Role::kMain}, "~10"},
           {"Service by name", [&](Scene& s) { second(s); }, {Role::kServing, Role::kMain}, "~60"},
           {"Service by number", [&](Scene& s) { second(s); s.services[0].ports[0].target_port = testing::number(8080); },
            {Role::kServing, Role::kMain}, "~60"},
           {"Service by its port", [&](Scene& s) { second(s); s.services[0].ports[0] = {"", 8080, {}, {}}; },
            {Role::kServing, Role::kMain}, "~60"},
           {"Service to another port", [&](Scene& s) { second(s); s.services[0].ports[0].target_port = testing::number(9); },
            {Role::kMain, Role::kMain}, "~10"},
           {"Service to another port, one container", [](Scene& s) { s.services[0].ports[0].target_port = testing::number(9); },
            {Role::kServing}, "~60"},
           {"Service for other pods", [](Scene& s) { s.services[0].selector = testing::map_of({{"app", "api"}}); }, {Role::kMain}, "~60"},
           {"Service without selector", [](Scene& s) { s.services[0].selector.clear(); }, {Role::kMain}, "~60"},
           {"Service of another namespace", [](Scene& s) { s.services[0].meta.namespace_ = "other"; }, {Role::kMain}, "~60"},
           {"Service for pods not ready", [](Scene& s) { s.services[0].publish_not_ready_addresses = true; }, {Role::kMain}, "~60"},
           {"Service for metrics", [](Scene& s) { s.services[0].ports[0].name = "http-metrics"; }, {Role::kMain}, "~60"},
           {"Services not readable", [](Scene& s) { s.services_readable = false; }, {Role::kServing}, "~60"},
           {"Services not readable, no port", [](Scene& s) { s.services_readable = false; s.app().ports.clear(); }, {Role::kMain}, "~60"}}) {
    Scene scene = Scene().grace(60);
    row.change(scene);
    const AuditResult result = scene.run();
    std::vector<Role> roles;
    for (const ContainerReading& reading : result.containers) roles.push_back(reading.role);
    EXPECT_EQ(roles, row.roles) << row.what;
    EXPECT_EQ(result.budget.required_text, row.required) << row.what;
  }
}

TEST(GraceBudgetTest, AHundredContainers) {
  Scene scene = testing::perfect();
  for (int i = 0; i < 99; ++i) {
    scene.workload.pod_template.spec.containers.push_back(container("c" + std::to_string(i)));
    scene.workload.pod_template.spec.containers.back().pre_stop = shell("sleep 5");
  }
  const AuditResult result = scene.run();
  EXPECT_EQ(result.containers.size(), 100u);
  EXPECT_EQ(result.budget.required_seconds, 60);
  EXPECT_EQ(result.verdict, Verdict::kPass);
}

}  // namespace
}  // namespace shutdown_auditor::audit
