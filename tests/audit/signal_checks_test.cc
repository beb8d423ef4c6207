// signal-not-delivered, signal-not-graceful, drain-unbounded, drain-too-short, and the delay before the stop.
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

constexpr CheckResult kNone = CheckResult::kNotApplicable;
constexpr CheckResult kPass = CheckResult::kPass;
constexpr CheckResult kInfo = CheckResult::kInfo;
constexpr CheckResult kWarn = CheckResult::kWarn;
constexpr CheckResult kFail = CheckResult::kFail;

using Change = std::function<void(ApplicationReading&)>;

ApplicationReading with(ApplicationReading reading, const Change& change) {
  change(reading);
  return reading;
}

ApplicationReading handles(SignalHandling handling, std::string reason = {}) {
  ApplicationReading reading;
  reading.signal_handling = handling;
  reading.signal_reason = std::move(reason);
  return reading;
}

void not_serving(Scene& scene) { scene.services.clear(); }
void nothing(Scene&) {}

struct Row {
  std::string what;
  Check check;
  std::function<void(Scene&)> change;
  ApplicationReading application;
  CheckResult result;
  std::string reason;
  std::string in_message;
};

void expect(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    Scene scene = testing::perfect();
    row.change(scene);
    Judged judged = judge(scene, {row.application});
    const std::string name = std::string(id_of(row.check)) + ": " + row.what;
    EXPECT_EQ(judged.result(row.check), row.result) << name;
    const Finding* finding = judged.find(row.check);
    EXPECT_EQ(finding == nullptr ? "" : finding->reason, row.reason) << name;
    if (finding == nullptr) continue;
    EXPECT_THAT(finding->message, ::testing::HasSubstr(row.in_message)) << name;
    EXPECT_EQ(finding->container, "app") << name;
    EXPECT_THAT(finding->field_path, ::testing::StartsWith("spec.template.spec.containers[0]")) << name;
  }
}

TEST(SignalChecksTest, NotDelivered) {
  const auto lost = handles(SignalHandling::kNotDelivered, "the shell goes on after the program");
  const auto unsure = handles(SignalHandling::kUnknown, "where sh is dash the shell stays");
  const auto command = [](Scene& s) { s.app().command = {"/app"}; };
  expect({
      {"a shell that stays", Check::kSignalNotDelivered, nothing, lost, kFail, "SignalNotDelivered",
       "SIGTERM never reaches the application: the shell goes on after the program. It runs on until it is killed"},
      {"not serving", Check::kSignalNotDelivered, not_serving, lost, kFail, "SignalNotDelivered", "does not help"},
      {"named framework", Check::kSignalNotDelivered, nothing, with(lost, [](ApplicationReading& r) { r.framework = "puma"; }), kFail, "SignalNotDelivered", "reaches puma"},
      {"no reason known", Check::kSignalNotDelivered, nothing, handles(SignalHandling::kNotDelivered), kFail, "SignalNotDelivered", "does not pass it on"},
      {"depends on the image", Check::kSignalNotDelivered, nothing, unsure, kWarn, "SignalDependsOnImage", "cannot be told from the manifest: where sh is dash"},
      {"direct", Check::kSignalNotDelivered, command, handles(SignalHandling::kGraceful), kPass, "", ""},
      {"direct, unknown program", Check::kSignalNotDelivered, command, handles(SignalHandling::kUnknown), kPass, "", ""},
      {"the image's own command", Check::kSignalNotDelivered, nothing, handles(SignalHandling::kUnknown), kNone, "", ""},
  });
  Judged drained = judge(testing::perfect(), {lost}, [](PreStopReading& hook) {
    hook.starts_drain = hook.waits_for_drain = true;
    hook.signals = {"SIGTERM to uwsgi"};
  });
  EXPECT_EQ(drained.find(Check::kSignalNotDelivered), nullptr) << "the hook has let the program finish";
  Judged again = judge(testing::perfect(), {lost}, [](PreStopReading& hook) {
    hook.starts_drain = hook.waits_for_drain = true;
    hook.signals = {"SIGTERM to process 1"};
  });
  EXPECT_EQ(again.result(Check::kSignalNotDelivered), kFail) << "process 1 passes that on no more than the stop signal";
}

TEST(SignalChecksTest, NotGraceful) {
  const auto fast = handles(SignalHandling::kFast, "the program exits at once on SIGTERM");
  const auto ignored = handles(SignalHandling::kIgnored, "Python without a handler ignores SIGTERM as process 1");
  const auto reload = with(handles(SignalHandling::kReload), [](ApplicationReading& r) { r.framework = "uwsgi"; });
  expect({
      {"known server, serving", Check::kSignalNotGraceful, nothing, nginx(), kFail, "StopSignalCutsWork", "Nginx cuts its connections on SIGTERM: what is under way is lost once the 5 s of the hook are over, and a longer grace period does not help."},
      {"known server, not serving", Check::kSignalNotGraceful, not_serving, nginx(), kWarn, "StopSignalCutsWork", "does not help"},
      {"no hook", Check::kSignalNotGraceful, [](Scene& s) { s.app().pre_stop.reset(); }, nginx(), kFail, "StopSignalCutsWork", "what is under way is lost, and"},
      {"some program", Check::kSignalNotGraceful, nothing, fast, kWarn, "StopSignalCutsWork", "The program exits at once"},
      {"ignored", Check::kSignalNotGraceful, nothing, ignored, kWarn, "StopSignalIgnored", "it runs on until it is killed"},
      {"reload", Check::kSignalNotGraceful, nothing, reload, kWarn, "StopSignalReloads", "Uwsgi reloads on SIGTERM instead of stopping"},
      {"graceful", Check::kSignalNotGraceful, nothing, gunicorn(), kPass, "", ""},
      {"unknown", Check::kSignalNotGraceful, nothing, handles(SignalHandling::kUnknown), kNone, "", ""},
      {"not delivered is said elsewhere", Check::kSignalNotGraceful, nothing, handles(SignalHandling::kNotDelivered), kNone, "", ""},
      {"a stop signal that has no effect", Check::kSignalNotGraceful, nothing,
       with(gunicorn(), [](ApplicationReading& r) { r.problems = {"lifecycle.stopSignal SIGQUIT has no effect."}; }), kWarn, "StopSignalWithoutEffect", "The container gets SIGTERM"},
  });
  EXPECT_THAT(judge(testing::perfect(), {nginx()}).find(Check::kSignalNotGraceful)->remediation, ::testing::HasSubstr("SIGQUIT"));
  Judged hook = judge(testing::perfect(), {nginx()}, [](PreStopReading& reading) { reading.starts_drain = true; });
  EXPECT_THAT(hook.find(Check::kSignalNotGraceful)->message, ::testing::HasSubstr("although the hook has asked it to finish"));
}

TEST(SignalChecksTest, OfSidecarsOnlyWhatHoldsThePodUp) {
  const auto result = [](SignalHandling handling) {
    Scene scene = testing::perfect();
    scene.workload.pod_template.spec.containers.push_back(testing::container("logs"));
    scene.workload.pod_template.spec.containers.back().ports.clear();
    ApplicationReading helper = handles(handling, "words");
    helper.sidecar = SidecarKind::kHelper;
    return judge(scene, {gunicorn(), helper}).result(Check::kSignalNotGraceful);
  };
  EXPECT_EQ(result(SignalHandling::kFast), kPass);
  EXPECT_EQ(result(SignalHandling::kIgnored), kWarn);
}

TEST(SignalChecksTest, Drain) {
  const auto requests = [](const std::string& seconds) {
    return [seconds](Scene& s) { s.workload.pod_template.meta.annotations.clear(); s.declare(seconds, "0"); };
  };
  const auto undeclared = [](Scene& s) { s.workload.pod_template.meta.annotations.clear(); };
  const auto misread = with(gunicorn(), [](ApplicationReading& r) { r.problems = {"env X \"45\" is 45 ms."}; });
  expect({
      {"no limit", Check::kDrainUnbounded, nothing, uvicorn(), kInfo, "DrainUnbounded", "Uvicorn waits without a limit for what is under way (default of uvicorn): one slow client uses up the grace period, and what comes after the drain is cut. The sum counts 30 s for it (declared)."},
      {"no limit, nothing declared", Check::kDrainUnbounded, undeclared, uvicorn(), kInfo, "DrainUnbounded", "counts 30 s for it (assumed)"},
      {"a limit", Check::kDrainUnbounded, nothing, gunicorn(), kPass, "", ""},
      {"unknown program", Check::kDrainUnbounded, nothing, {}, kNone, "", ""},
      {"no drain at all", Check::kDrainUnbounded, nothing, nginx(), kNone, "", ""},
      {"requests as long as the deadline", Check::kDrainTooShort, requests("30"), gunicorn(), kPass, "", ""},
      {"longer requests", Check::kDrainTooShort, requests("30.5"), gunicorn(), kWarn, "DrainDeadlineBelowRequests", "Gunicorn gives requests 30 s after the signal (default of gunicorn), and they are declared to last up to 30.5 s"},
      {"not declared", Check::kDrainTooShort, undeclared, gunicorn(), kPass, "", ""},
      {"only in the policy", Check::kDrainTooShort, [&](Scene& s) { undeclared(s); s.policy.max_request_seconds = 60; }, gunicorn(), kPass, "", ""},
      {"no deadline", Check::kDrainTooShort, requests("600"), uvicorn(), kPass, "", ""},
      {"unknown program", Check::kDrainTooShort, requests("600"), {}, kNone, "", ""},
      {"a value not read as meant", Check::kDrainTooShort, nothing, misread, kWarn, "DrainSettingMisread", "env X \"45\" is 45 ms."},
      {"both", Check::kDrainTooShort, requests("60"), misread, kWarn, "DrainDeadlineBelowRequests", "does not help. env X \"45\" is 45 ms."},
  });
}

// The delay before the stop takes effect: hook and the application's own wait; a hook that starts the drain ends it.
TEST(SignalChecksTest, DelayBeforeTheStop) {
  struct Delay {
    std::string_view what;
    std::int64_t hook;  // seconds; below 0: none
    bool starts_drain;
    std::int64_t own;
    CheckResult missing, too_short;
  };
  for (const Delay& row : std::vector<Delay>{{"nothing", -1, false, 0, kWarn, kPass},
                                             {"own wait alone", -1, false, 5, kPass, kPass},
                                             {"own wait, short", -1, false, 3, kPass, kWarn},
                                             {"both", 2, false, 3, kPass, kPass},
                                             {"both, short", 2, false, 2, kPass, kWarn},
                                             {"hook", 5, false, 0, kPass, kPass},
                                             {"drain after 5 s", 5, true, 0, kPass, kPass},
                                             {"drain at once", 0, true, 0, kPass, kWarn}}) {
    Scene scene = testing::perfect();
    if (row.hook < 0) scene.app().pre_stop.reset();
    if (row.hook >= 0) scene.app().pre_stop = testing::native_sleep(row.hook);
    const auto application = with(gunicorn(), [&](ApplicationReading& r) { r.delay = known(row.own, TimeSource::kFlag, "--delay"); });
    Judged judged = judge(scene, {application}, [&](PreStopReading& hook) { hook.starts_drain = row.starts_drain; });
    EXPECT_EQ(judged.result(Check::kPreStopMissing), row.missing) << row.what;
    EXPECT_EQ(judged.result(Check::kPreStopShort), row.too_short) << row.what;
  }
}

TEST(SignalChecksTest, DoubtfulHooksWarn) {
  Judged judged = judge(testing::perfect(), {}, [](PreStopReading& hook) { hook.problems = {"dash refuses kill -SIGQUIT"}; });
  EXPECT_EQ(judged.result(Check::kPreStopBroken), kWarn);
  EXPECT_EQ(judged.find(Check::kPreStopBroken)->reason, "PreStopDoubtful");
  EXPECT_THAT(judged.find(Check::kPreStopBroken)->message, ::testing::HasSubstr("dash refuses kill -SIGQUIT"));
}

TEST(SignalChecksTest, HostileTextsStayOneShortLine) {
  const std::string text(5000, 'x');
  const auto hostile = with(gunicorn(), [&](ApplicationReading& r) {
    r.framework = "gunicorn";
    r.signal_handling = SignalHandling::kFast;
    r.signal_reason = text + "\n" + text;
    r.signal_remedy = text;
    r.problems = {text, text};
    r.drain.where = text;
  });
  Judged judged = judge(testing::perfect().declare("60", "1"), {hostile});
  EXPECT_EQ(judged.result(Check::kSignalNotGraceful), kFail);
  for (const Finding& finding : judged.collected.findings()) EXPECT_LE(finding.remediation.size(), 512u);
}

}  // namespace
}  // namespace shutdown_auditor::audit
