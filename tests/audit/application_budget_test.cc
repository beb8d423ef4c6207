// What is known of applications in the sum: their own delay, deadline and cleanup, hooks that are the drain, signals
// that are not heeded.
#include "audit/judged.h"
#include "audit/seconds.h"

namespace shutdown_auditor::audit {
namespace {

using testing::gunicorn;
using testing::judge;
using testing::Judged;
using testing::known;
using testing::nginx;
using testing::Scene;
using testing::unbounded;
using testing::uvicorn;

constexpr CheckResult kPass = CheckResult::kPass;
constexpr CheckResult kInfo = CheckResult::kInfo;
constexpr CheckResult kWarn = CheckResult::kWarn;
constexpr CheckResult kFail = CheckResult::kFail;

// What grace-budget and grace-unverified say together.
CheckResult sum_result(Judged& judged) {
  const CheckResult budget = judged.result(Check::kGraceBudget);
  return budget == kPass && judged.find(Check::kGraceUnverified) != nullptr ? kInfo : budget;
}

ApplicationReading with(ApplicationReading reading, const std::function<void(ApplicationReading&)>& change) {
  change(reading);
  return reading;
}

using Annotate = std::vector<std::pair<std::string, std::string>>;
const std::string kRequest = "shutdownaudit.dev/max-request-seconds";
const std::string kCleanup = "shutdownaudit.dev/cleanup-seconds";

// All with the 5 s hook of the reference and the built-in buffer of 5.
TEST(ApplicationBudgetTest, TermsAndTheirEvidence) {
  const auto flag = [](std::int64_t seconds) {
    return with(gunicorn(), [=](ApplicationReading& r) { r.drain = known(seconds, TimeSource::kFlag, "--graceful-timeout"); });
  };
  const auto by_image = with(flag(60), [](ApplicationReading& r) { r.matched_by = MatchedBy::kImage; });
  struct Row {
    std::string_view what;
    ApplicationReading application;
    Annotate annotations;
    std::int64_t grace;
    CheckResult result;
    std::string_view required;
    Evidence evidence;
  };
  for (const Row& row : std::vector<Row>{
           {"gunicorn as documented", gunicorn(), {}, 40, kPass, "40", Evidence::kAssumed},
           {"gunicorn as documented", gunicorn(), {}, 39, kWarn, "40", Evidence::kAssumed},
           {"a default proves nothing", gunicorn(), {}, 10, kWarn, "40", Evidence::kAssumed},
           {"a flag proves", flag(60), {}, 64, kFail, "70", Evidence::kAssumed},
           {"a flag and the buffer", flag(60), {}, 65, kWarn, "70", Evidence::kAssumed},
           {"a flag, enough", flag(60), {}, 70, kPass, "70", Evidence::kAssumed},
           {"matched by image, a flag proves nothing", by_image, {}, 30, kWarn, "70", Evidence::kAssumed},
           {"requests shorter than the deadline", gunicorn(), {{kRequest, "10"}}, 19, kWarn, "20", Evidence::kAssumed},
           {"are written down", gunicorn(), {{kRequest, "10"}}, 14, kFail, "20", Evidence::kAssumed},
           {"the deadline cuts longer requests", flag(10), {{kRequest, "60"}}, 20, kPass, "20", Evidence::kAssumed},
           {"a default that cuts is no proof either", gunicorn(), {{kRequest, "60"}}, 30, kWarn, "40", Evidence::kAssumed},
           {"no limit, nothing declared", uvicorn(), {}, 40, kPass, "~40", Evidence::kAssumed},
           {"no limit, nothing declared", uvicorn(), {}, 39, kInfo, "~40", Evidence::kAssumed},
           {"no limit, requests declared", uvicorn(), {{kRequest, "50"}}, 54, kFail, "60", Evidence::kAssumed},
           {"no limit, requests declared", uvicorn(), {{kRequest, "50"}}, 59, kWarn, "60", Evidence::kAssumed},
           {"delay", with(gunicorn(), [](ApplicationReading& r) { r.delay = known(10, TimeSource::kEnv, "env X"); }), {}, 49, kWarn, "50", Evidence::kAssumed},
           {"a written delay proves", with(gunicorn(), [](ApplicationReading& r) { r.delay = known(10, TimeSource::kEnv, "env X"); }), {}, 14, kFail, "50", Evidence::kAssumed},
           {"cleanup", with(gunicorn(), [](ApplicationReading& r) { r.cleanup = known(3, TimeSource::kFrameworkDefault); }), {}, 42, kWarn, "43", Evidence::kAssumed},
           {"cleanup declared instead", gunicorn(), {{kCleanup, "7"}}, 46, kWarn, "47", Evidence::kAssumed},
           {"cleanup not known", with(gunicorn(), [](ApplicationReading& r) { r.cleanup = {}; }), {}, 59, kInfo, "~60", Evidence::kAssumed},
           {"deadline not known", with(gunicorn(), [](ApplicationReading& r) { r.drain = {}; }), {}, 39, kInfo, "~40", Evidence::kAssumed}}) {
    Scene scene = Scene().grace(row.grace);
    for (const auto& [key, value] : row.annotations) scene.annotate(key, value);
    Judged judged = judge(scene, {row.application});
    EXPECT_EQ(sum_result(judged), row.result) << row.what << " at " << row.grace;
    EXPECT_EQ(judged.reading.budget.required_text, row.required) << row.what;
    EXPECT_EQ(judged.reading.budget.evidence, row.evidence) << row.what;
  }
  Scene declared = Scene().grace(40).annotate("shutdownaudit.dev/buffer-seconds", "5");
  EXPECT_EQ(judge(declared, {gunicorn()}).reading.budget.evidence, Evidence::kFrameworkDefault);
}

TEST(ApplicationBudgetTest, PolicyNumbersOnlyWhereTheDeadlineIsNotKnown) {
  Scene scene = Scene().grace(40);
  scene.policy.max_request_seconds = 60;
  scene.policy.cleanup_seconds = 60;
  EXPECT_EQ(judge(scene, {gunicorn()}).reading.budget.required_text, "40");
  Judged open = judge(scene, {uvicorn()});
  EXPECT_EQ(open.reading.budget.required_text, "70");
  EXPECT_EQ(sum_result(open), kWarn);
}

TEST(ApplicationBudgetTest, TermsAreShown) {
  Scene scene = Scene().grace(30);
  const auto slow = with(gunicorn(), [](ApplicationReading& r) {
    r.delay = known(2, TimeSource::kFrameworkDefault);
    r.cleanup = known(1, TimeSource::kFrameworkDefault);
    r.drain = known(30, TimeSource::kFlag, "--graceful-timeout");
  });
  Judged judged = judge(scene, {slow});
  EXPECT_EQ(judged.find(Check::kGraceBudget)->message,
            "The pod needs at least 35 s to stop (preStop 5 + drain 30 (--graceful-timeout)), and terminationGracePeriodSeconds "
            "is 30: 5 s short.");
  EXPECT_EQ(judged.find(Check::kGraceBudget)->remediation, "Set terminationGracePeriodSeconds to 43.");
  judged = judge(scene.grace(42), {slow});
  EXPECT_EQ(judged.find(Check::kGraceBudget)->message,
            "The pod needs 43 s to stop (preStop 5 + delay 2 + drain 30 (--graceful-timeout) + cleanup 1 + buffer 5), and "
            "terminationGracePeriodSeconds is 42: 1 s short.");
  EXPECT_EQ(judged.reading.budget.delay_seconds, 2);
  EXPECT_EQ(judged.reading.budget.drain_seconds, 30);
  EXPECT_EQ(judged.reading.budget.cleanup_seconds, 1);
  EXPECT_EQ(judged.reading.budget.max_request_seconds, std::nullopt);

  const auto hidden = with(gunicorn(), [](ApplicationReading& r) { r.hidden = "gunicorn.conf.py may say otherwise and is not read"; });
  judged = judge(Scene().grace(39), {hidden});
  EXPECT_THAT(judged.find(Check::kGraceBudget)->message,
              ::testing::EndsWith("is 39: 1 s short; gunicorn.conf.py may say otherwise and is not read."));

  const auto unknown_cleanup = with(gunicorn(), [](ApplicationReading& r) { r.cleanup = {}; });
  judged = judge(Scene().grace(50), {unknown_cleanup});
  EXPECT_EQ(judged.find(Check::kGraceUnverified)->message,
            "45 s are left after the signal: enough if cleanup takes at most 10 s (drain 30 (default of gunicorn), buffer 5). "
            "Declare shutdownaudit.dev/cleanup-seconds, or set policy defaults, to have it checked.");
}

// More grace does not help a program that does not finish its work: the sum leaves its drain and cleanup out.
TEST(ApplicationBudgetTest, SignalsThatAreNotHeeded) {
  struct Row {
    SignalHandling handling;
    std::string_view required;
    CheckResult at_ten;
  };
  for (const Row& row : std::vector<Row>{{SignalHandling::kGraceful, "65", kFail},
                                         {SignalHandling::kUnknown, "65", kFail},
                                         {SignalHandling::kFast, "13", kWarn},
                                         {SignalHandling::kIgnored, "~10", kPass},
                                         {SignalHandling::kReload, "~10", kPass},
                                         {SignalHandling::kNotDelivered, "~10", kPass}}) {
    const auto application = with(gunicorn(), [&](ApplicationReading& r) {
      r.delay = known(3, TimeSource::kFrameworkDefault);
      r.drain = unbounded();
      r.signal_handling = row.handling;
    });
    Scene scene = Scene().grace(10).declare("32", "20");
    Judged judged = judge(scene, {application});
    EXPECT_EQ(sum_result(judged), row.at_ten) << to_string(row.handling);
    EXPECT_EQ(judged.reading.budget.required_text, row.required) << to_string(row.handling);
  }
}

// A hook that starts the drain runs beside it, from the moment at which it starts it: its minimum.
TEST(ApplicationBudgetTest, HooksThatAreTheDrain) {
  struct Row {
    std::string_view what;
    std::int64_t min, nominal;  // nominal below 0: without an end
    bool waits;
    std::vector<std::string> signals;
    std::int64_t required;  // with 30 s of requests, 10 of cleanup and no buffer
  };
  for (const Row& row : std::vector<Row>{{"at once, waits", 0, -1, true, {}, 40},
                                         {"after 5 s, waits", 5, -1, true, {}, 45},
                                         {"after 5 s, waits for at most 60", 5, 60, true, {}, 70},
                                         {"by another signal", 5, -1, true, {"SIGQUIT to process 1"}, 45},
                                         {"by the same signal, which cuts", 5, -1, true, {"SIGTERM to process 1"}, 5},
                                         {"does not wait, and the signal cuts", 5, 5, false, {}, 5}}) {
    Scene scene = Scene().grace(300).declare("30", "10").annotate("shutdownaudit.dev/buffer-seconds", "0");
    Judged judged = judge(scene, {nginx()}, [&](PreStopReading& hook) {
      hook = {};
      hook.kind = row.nominal < 0 ? PreStopKind::kUnbounded : PreStopKind::kRange;
      hook.min_ms = to_ms(row.min);
      if (row.nominal >= 0) hook.nominal_ms = hook.max_ms = to_ms(row.nominal);
      hook.reason = "a hook";
      hook.starts_drain = true;
      hook.waits_for_drain = row.waits;
      hook.signals = row.signals;
    });
    EXPECT_EQ(judged.reading.budget.required_seconds, row.required) << row.what;
    const bool drained = row.waits && row.required != 5;
    EXPECT_EQ(judged.result(Check::kSignalNotGraceful), drained ? kPass : kFail) << row.what;
    // A hook that ends with the drain is as long as the drain, which is declared.
    if (drained) {
      EXPECT_EQ(judged.result(Check::kPreStopUnknown), kPass) << row.what;
    }
  }
  Scene graceful = Scene().grace(40).declare("30", "0").annotate("shutdownaudit.dev/buffer-seconds", "0");
  Judged judged = judge(graceful, {gunicorn()}, [](PreStopReading& hook) {
    hook.kind = PreStopKind::kRange;
    hook.min_ms = 0;
    hook.nominal_ms = hook.max_ms = 15000;
    hook.starts_drain = true;
  });
  EXPECT_EQ(judged.reading.budget.required_seconds, 30) << "kill -TERM 1; sleep 15";
}

TEST(ApplicationBudgetTest, AbsurdTimesSaturate) {
  const auto endless = with(gunicorn(), [](ApplicationReading& r) {
    r.drain = {kEndless, false, TimeSource::kFlag, "--graceful-timeout"};
    r.delay = {kEndless, false, TimeSource::kFlag, "--wait"};
    r.cleanup = {kEndless, false, TimeSource::kFlag, "--cleanup"};
  });
  Judged judged = judge(Scene().grace(60), {endless});
  EXPECT_EQ(judged.reading.budget.required_seconds, kEndless);
  EXPECT_EQ(sum_result(judged), kFail);
  const auto negative = with(gunicorn(), [](ApplicationReading& r) { r.drain.ms = -5; });
  EXPECT_EQ(judge(Scene().grace(60), {negative}).reading.budget.required_seconds, 10);
}

// Thousands of containers: the sum looks at each once.
TEST(ApplicationBudgetTest, ManyContainersAndSidecars) {
  Scene scene = testing::perfect();
  for (int i = 0; i < 4000; ++i) {
    scene.workload.pod_template.spec.containers.push_back(testing::container("c" + std::to_string(i)));
    scene.workload.pod_template.spec.init_containers.push_back(testing::container("s" + std::to_string(i)));
    scene.workload.pod_template.spec.init_containers.back().restart_policy = "Always";
  }
  EXPECT_EQ(judge(scene).reading.budget.required_seconds, 60);
}

}  // namespace
}  // namespace shutdown_auditor::audit
