#include "audit/probes.h"

#include "audit/builder.h"
#include "audit/probe_times.h"

namespace shutdown_auditor::audit {
namespace {

using testing::exec;
using testing::find;
using testing::result_of;
using testing::Scene;
using testing::shell;

constexpr CheckResult kPass = CheckResult::kPass;
constexpr CheckResult kWarn = CheckResult::kWarn;

struct Row {
  std::string what;
  Check check;
  std::function<void(Scene&)> change;
  CheckResult result;
  std::string reason, in_message, in_remedy;
};

void expect(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    Scene scene = testing::perfect();
    row.change(scene);
    const AuditResult result = scene.run();
    EXPECT_EQ(result_of(result, row.check), row.result) << row.what;
    if (const Finding* finding = find(result, row.check); finding != nullptr) {
      EXPECT_EQ(finding->reason, row.reason) << row.what;
      EXPECT_THAT(finding->message, ::testing::HasSubstr(row.in_message)) << row.what;
      EXPECT_THAT(finding->remediation, ::testing::HasSubstr(row.in_remedy)) << row.what;
    }
  }
}

TEST(ProbesTest, Identical) {
  constexpr Check kCheck = Check::kProbesIdentical;
  const auto same = [](std::function<void(objects::Probe& readiness, objects::Probe& liveness)> change) {
    return [change](Scene& s) {
      s.app().readiness_probe->handler = s.app().liveness_probe->handler = testing::http_get("/healthz");
      change(*s.app().readiness_probe, *s.app().liveness_probe);
    };
  };
  using P = objects::Probe;
  expect({
      {"other handlers", kCheck, [](Scene&) {}, kPass, "", "", ""},
      {"same", kCheck, same([](P&, P&) {}), kWarn, "ProbesIdentical", "after 30 s, readiness after 30 s", "failureThreshold 4"},
      {"liveness faster", kCheck, same([](P&, P& l) { l.period_seconds = 5; }), kWarn, "ProbesIdentical",
       "gives up after 15 s, readiness after 30 s", "failureThreshold 7 with its periodSeconds 5"},
      {"liveness slower", kCheck, same([](P&, P& l) { l.failure_threshold = 6; }), kPass, "", "", ""},
      {"slower by its timeout alone", kCheck, same([](P&, P& l) { l.timeout_seconds = 9; }), kWarn, "ProbesIdentical",
       "after 30 s, readiness after 30 s", ""},
      {"slower for errors, faster without an answer", kCheck,
       same([](P& r, P& l) { r.period_seconds = 5; r.timeout_seconds = 10; l.failure_threshold = 2; }), kWarn,
       "ProbesIdentical", "after 21 s without an answer, readiness after 35 s", "failureThreshold 4"},
      {"initial delay does not count", kCheck, same([](P&, P& l) { l.initial_delay_seconds = 60; }), kWarn,
       "ProbesIdentical", "", ""},
      {"port by name and by number", kCheck,
       same([](P& r, P&) { r.handler.http_get->port = testing::percent("http"); }), kWarn, "ProbesIdentical", "", ""},
      {"other port", kCheck, same([](P& r, P&) { r.handler.http_get->port = testing::number(8081); }), kPass, "", "", ""},
      {"other path", kCheck, same([](P& r, P&) { r.handler.http_get->path = "/ready"; }), kPass, "", "", ""},
      {"hostile numbers", kCheck,
       same([](P& r, P& l) { r.failure_threshold = l.failure_threshold = INT64_MAX; r.period_seconds = INT64_MAX; }), kWarn,
       "ProbesIdentical", "", ""},
      {"no liveness", kCheck, [](Scene& s) { s.app().liveness_probe.reset(); }, kPass, "", "", ""},
  });
}

TEST(ProbesTest, AlwaysSucceeds) {
  struct Command {
    objects::Handler handler;
    bool always;
  };
  for (const Command& command : std::vector<Command>{{exec({"true"}), true},
                                                     {exec({"/bin/true"}), true},
                                                     {exec({"echo", "ok"}), true},
                                                     {shell("exit 0"), true},
                                                     {shell("true"), true},
                                                     {shell("echo alive; exit 0"), true},
                                                     {shell(":"), true},
                                                     {shell("sleep 0.5; true"), true},
                                                     {shell("sleep 5; true"), false},
                                                     {exec({"false"}), false},
                                                     {shell("exit 1"), false},
                                                     {exec({"cat", "/tmp/healthy"}), false},
                                                     {exec({"pg_isready"}), false},
                                                     {shell("pg_isready -U app"), false},
                                                     {shell("curl -f http://localhost/ || exit 1"), false},
                                                     {shell("test -f /tmp/ready"), false},
                                                     {shell("[ -f /tmp/ready ] && exit 0"), false},
                                                     {exec({"echo ok"}), false},
                                                     {exec({}), false}}) {
    for (const ProbeKind kind : {ProbeKind::kReadiness, ProbeKind::kLiveness, ProbeKind::kStartup}) {
      Scene scene = testing::perfect();
      objects::Probe probe;
      probe.handler = command.handler;
      std::optional<objects::Probe>& slot = kind == ProbeKind::kReadiness  ? scene.app().readiness_probe
                                            : kind == ProbeKind::kLiveness ? scene.app().liveness_probe
                                                                           : scene.app().startup_probe;
      slot = probe;
      const AuditResult result = scene.run();
      const std::string said = command.handler.exec->command.empty() ? "" : command.handler.exec->command.back();
      EXPECT_EQ(result_of(result, Check::kProbeAlwaysSucceeds), command.always ? kWarn : kPass) << said;
      if (!command.always || find(result, Check::kProbeAlwaysSucceeds) == nullptr) continue;
      EXPECT_THAT(find(result, Check::kProbeAlwaysSucceeds)->message, ::testing::HasSubstr(std::string(field_of(kind)))) << said;
    }
  }
}

TEST(ProbesTest, CannotDoTheirWork) {
  constexpr Check kReadiness = Check::kReadinessProbeMissing;
  constexpr Check kLiveness = Check::kLivenessProbeMissing;
  const auto named = [](std::string port) {
    objects::Handler handler = testing::http_get("/");
    handler.http_get->port = testing::percent(std::move(port));
    return handler;
  };
  expect({
      {"declared name", kReadiness, [&](Scene& s) { s.app().readiness_probe->handler = named("http"); }, kPass, "", "", ""},
      {"unknown name", kReadiness, [&](Scene& s) { s.app().readiness_probe->handler = named("web"); }, kWarn,
       "ReadinessProbePortUnknown", "port \"web\"", "the port's number"},
      {"unknown name, liveness", kLiveness, [&](Scene& s) { s.app().liveness_probe->handler = named("web"); }, kWarn,
       "LivenessProbePortUnknown", "not restarted", "the port's number"},
      {"unknown name, startup", kReadiness, [&](Scene& s) { s.app().startup_probe = objects::Probe{named("web"), {}, {}, {}, {}, {}, {}}; },
       kWarn, "ReadinessProbePortUnknown", "The startupProbe", "startupProbe"},
      {"number that is not declared", kReadiness, [](Scene& s) { s.app().readiness_probe->handler = testing::http_get("/", 9); },
       kPass, "", "", ""},
      {"not a name", kReadiness, [&](Scene& s) { s.app().readiness_probe->handler = named("8080"); }, kWarn,
       "ReadinessProbeRefused", "neither a port number nor a port name", "Correct the readinessProbe"},
      {"refused liveness", kLiveness, [](Scene& s) { s.app().liveness_probe->success_threshold = 3; }, kWarn,
       "LivenessProbeRefused", "successThreshold must be 1", ""},
      {"nothing serves", kReadiness, [&](Scene& s) { s.services.clear(); s.app().readiness_probe->handler = named("web"); },
       kPass, "", "", ""},
      {"missing", kReadiness, [](Scene& s) { s.app().readiness_probe.reset(); }, kWarn, "ReadinessProbeMissing", "", ""},
      {"missing, liveness", kLiveness, [](Scene& s) { s.app().liveness_probe.reset(); }, kWarn, "LivenessProbeMissing", "", ""},
  });
}

}  // namespace
}  // namespace shutdown_auditor::audit
