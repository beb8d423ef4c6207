#include "audit/fix.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "audit/builder.h"
#include "base/text.h"

namespace shutdown_auditor::audit::testing {
namespace {

std::string text_of(const objects::Handler& handler) {
  if (handler.sleep) return "sleep:" + std::to_string(handler.sleep->seconds);
  if (handler.exec) return "exec:" + base::join(handler.exec->command, "|");
  if (handler.http_get) return "http:" + handler.http_get->path;
  if (handler.tcp_socket) return "tcp:" + objects::to_string(handler.tcp_socket->port);
  return handler.grpc ? "grpc:" + std::to_string(handler.grpc->port) : "none";
}

std::string text_of(const objects::Probe& probe) {
  std::string text = text_of(probe.handler);
  if (probe.period_seconds) text += " every " + std::to_string(*probe.period_seconds);
  if (probe.failure_threshold) text += " x" + std::to_string(*probe.failure_threshold);
  if (probe.termination_grace_period_seconds) text += " grace " + std::to_string(*probe.termination_grace_period_seconds);
  return text;
}

template <class T>
void add(std::vector<std::string>& out, const std::string& name, const std::optional<T>& before,
         const std::optional<T>& after) {
  if (before == after) return;
  out.push_back(name + "=" + (after ? text_of(*after) : "removed"));
}

void add(std::vector<std::string>& out, const std::string& name, const std::vector<std::string>& before,
         const std::vector<std::string>& after) {
  if (before != after) out.push_back(name + "=" + base::join(after, "|"));
}

// Everything that differs, in a fixed order.
std::string changes(const WorkloadFix& fix) {
  std::vector<std::string> out;
  const objects::PodSpec& a = fix.before->pod_template.spec;
  const objects::PodSpec& b = fix.after.pod_template.spec;
  if (a.termination_grace_period_seconds != b.termination_grace_period_seconds) {
    out.push_back("grace=" + std::to_string(b.termination_grace_period_seconds.value_or(-1)));
  }
  if (a.os_name != b.os_name) out.push_back("os=" + b.os_name);
  if (fix.before->max_unavailable != fix.after.max_unavailable) {
    out.push_back("maxUnavailable=" + objects::to_string(*fix.after.max_unavailable));
  }
  if (fix.before->max_surge != fix.after.max_surge) out.push_back("maxSurge=" + objects::to_string(*fix.after.max_surge));
  for (std::size_t i = 0; i < b.containers.size(); ++i) {
    const objects::Container& before = a.containers[i];
    const objects::Container& after = b.containers[i];
    add(out, "hook", before.pre_stop, after.pre_stop);
    add(out, "ready", before.readiness_probe, after.readiness_probe);
    add(out, "live", before.liveness_probe, after.liveness_probe);
    add(out, "start", before.startup_probe, after.startup_probe);
    add(out, "command", before.command, after.command);
    add(out, "args", before.args, after.args);
    if (before.stop_signal != after.stop_signal) out.push_back("signal=" + after.stop_signal);
    for (const objects::EnvVar& each : after.env) {
      if (std::find(before.env.begin(), before.env.end(), each) == before.env.end()) {
        out.push_back(each.name + "=" + each.value.value_or("?"));
      }
    }
  }
  return base::join(out, ", ");
}

Fixes fixes_of(const Scene& scene) {
  return scene.with_surroundings([&](const Surroundings& around) {
    return compute_fixes({&scene.workload}, around, scene.policy, scene.options);
  });
}

struct Row {
  const char* what;
  std::function<void(Scene&)> spoil;
  const char* changes;
  const char* left;  // ids of what stays
};

void expect_rows(const std::vector<Row>& rows) {
  for (const Row& row : rows) {
    SCOPED_TRACE(row.what);
    Scene scene = perfect();
    row.spoil(scene);
    const Fixes fixes = fixes_of(scene);
    const WorkloadFix& fix = fixes.workloads.at(0);
    EXPECT_EQ(changes(fix), row.changes);
    EXPECT_EQ(fix.changed(), *row.changes != '\0');
    std::vector<std::string> left;
    for (const Unfixed& each : fix.unfixed) {
      left.push_back(each.finding.id());
      EXPECT_FALSE(each.why.empty());
    }
    EXPECT_EQ(base::join(left, " "), row.left);
    // What it promises: audited again, nothing is left but that.
    Scene after = scene;
    after.workload = fix.after;
    std::vector<std::string> serious;
    for (const Finding& each : after.run().findings) {
      if (each.result >= CheckResult::kWarn) serious.push_back(each.id());
    }
    EXPECT_EQ(base::join(serious, " "), row.left);
  }
}

void remove_hook(Scene& scene) { scene.app().pre_stop.reset(); }

TEST(Fix, NothingToDo) {
  expect_rows({{"the reference", [](Scene&) {}, "", ""},
               {"exempted", [](Scene& s) {
                  remove_hook(s);
                  s.annotate("shutdownaudit.dev/ignore", "the mesh holds traffic back");
                }, "", ""}});
}

TEST(Fix, GracePeriod) {
  expect_rows({
      {"one second short", [](Scene& s) { s.grace(59); }, "grace=60", ""},
      {"much too short", [](Scene& s) { s.grace(10); }, "grace=60", ""},
      {"not written", [](Scene& s) { s.workload.pod_template.spec.termination_grace_period_seconds.reset(); }, "grace=60",
       ""},
      {"zero", [](Scene& s) { s.grace(0); }, "grace=60", ""},
      {"negative", [](Scene& s) { s.grace(-5); }, "grace=60", ""},
      {"more than is needed stays", [](Scene& s) { s.grace(300); }, "", ""},
      {"short by assumptions only", [](Scene& s) {
         s.workload.pod_template.meta.annotations.clear();
         s.grace(30);
       }, "grace=60", ""},
      {"the hook alone is longer", [](Scene& s) { s.app().pre_stop = shell("sleep 90"); }, "grace=145", ""},
      {"a hook without an end", [](Scene& s) { s.app().pre_stop = shell("sleep infinity"); }, "",
       "prestop-exceeds-grace/app"},
      {"a hook that nobody can time", [](Scene& s) { s.app().pre_stop = http_get("/drain"); }, "", "prestop-unknown/app"},
      {"over the platform's ceiling", [](Scene& s) {
         s.grace(30);
         s.policy.max_grace_period_seconds = 45;
       }, "", "grace-budget"},
      {"down to the platform's ceiling", [](Scene& s) {
         s.grace(600);
         s.policy.max_grace_period_seconds = 90;
       }, "grace=90", ""},
      {"more than a day", [](Scene& s) { s.app().pre_stop = shell("sleep 90000"); }, "", "prestop-exceeds-grace/app"},
  });
}

TEST(Fix, Hooks) {
  expect_rows({
      {"none", [](Scene& s) { remove_hook(s); }, "hook=sleep:5", ""},
      {"none, and the grace period has no room for one", [](Scene& s) {
         remove_hook(s);
         s.grace(55);
       }, "grace=60, hook=sleep:5", ""},
      {"none, on an old cluster", [](Scene& s) {
         remove_hook(s);
         s.options.kubernetes_minor = 29;
       }, "", "prestop-missing/app"},
      {"too short", [](Scene& s) { s.app().pre_stop = exec({"sleep", "2"}); }, "hook=sleep:5", ""},
      {"too short in a shell", [](Scene& s) { s.app().pre_stop = shell("sleep 2"); }, "hook=sleep:5", ""},
      {"too short, on an old cluster", [](Scene& s) {
         s.app().pre_stop = exec({"/bin/sleep", "2"});
         s.options.kubernetes_minor = 29;
       }, "hook=exec:sleep|5", ""},
      {"too short for the policy", [](Scene& s) { s.policy.endpoint_propagation_seconds = 20; }, "grace=75, hook=sleep:20",
       ""},
      {"a script that is too short", [](Scene& s) {
         s.app().command = {"gunicorn", "app:app"};
         s.app().pre_stop = shell("kill -TERM 1; sleep 1");
       }, "hook=exec:sh|-c|sleep 5; kill -TERM 1; sleep 1", ""},
      {"one word", [](Scene& s) { s.app().pre_stop = exec({"sleep 10"}); }, "grace=65, hook=sleep:10", ""},
      {"three words for the shell", [](Scene& s) { s.app().pre_stop = exec({"sh", "-c", "sleep", "10"}); },
       "grace=65, hook=sleep:10", ""},
      {"broken, and not a sleep", [](Scene& s) { s.app().pre_stop = exec({"nginx -s quit"}); }, "", "prestop-broken/app"},
      {"a Rollout's containers are not patched one by one", [](Scene& s) {
         remove_hook(s);
         s.workload.kind = {"argoproj.io", "Rollout"};
       }, "", "prestop-missing/app"},
      {"two containers of one name", [](Scene& s) {
         remove_hook(s);
         s.workload.pod_template.spec.containers.push_back(s.app());
       }, "", "prestop-missing/app prestop-missing/app"},
      {"no name", [](Scene& s) {
         remove_hook(s);
         s.app().name.clear();
       }, "", "prestop-missing"},
      {"made by an operator", [](Scene& s) {
         remove_hook(s);
         s.workload.meta.owners.push_back({"example.com/v1", "Shop", "main", "1", true});
       }, "", "prestop-missing/app"},
  });
}

TEST(Fix, Probes) {
  const auto liveness_only = [](Scene& s) { s.app().readiness_probe.reset(); };
  expect_rows({
      {"no readiness: from liveness", liveness_only, "ready=http:/live every 5", ""},
      {"no readiness, and liveness gives up at once", [&](Scene& s) {
         liveness_only(s);
         s.app().liveness_probe->period_seconds = 1;
         s.app().liveness_probe->failure_threshold = 1;
       }, "ready=http:/live every 1, live=http:/live every 1 x5", ""},
      {"no liveness", [](Scene& s) { s.app().liveness_probe.reset(); }, "live=tcp:8080 x4, start=tcp:8080 x60", ""},
      {"no liveness beside a startup probe", [](Scene& s) {
         s.app().liveness_probe.reset();
         s.app().startup_probe = s.app().readiness_probe;
       }, "live=tcp:8080 x4", ""},
      {"neither", [](Scene& s) {
         s.app().liveness_probe.reset();
         s.app().readiness_probe.reset();
       }, "ready=tcp:http, live=tcp:http x4, start=tcp:http x60", ""},
      {"neither, and no port", [](Scene& s) {
         s.app().liveness_probe.reset();
         s.app().readiness_probe.reset();
         s.app().ports.clear();
       }, "", "readiness-probe-missing/app liveness-probe-missing/app"},
      {"UDP is no port for a probe", [](Scene& s) {
         s.app().liveness_probe.reset();
         s.app().readiness_probe.reset();
         s.app().ports.front().protocol = "UDP";
       }, "", "readiness-probe-missing/app liveness-probe-missing/app"},
      {"identical", [](Scene& s) { s.app().liveness_probe = s.app().readiness_probe; }, "live=http:/ready x4", ""},
      {"always succeeds", [](Scene& s) { s.app().liveness_probe->handler = exec({"true"}); }, "live=tcp:8080 x4", ""},
      {"a port that has no such name", [](Scene& s) { s.app().readiness_probe->handler.http_get->port = percent("web"); },
       "ready=http:/ready", ""},
      {"refused", [](Scene& s) { s.app().readiness_probe->handler.http_get->port = percent("WEB"); }, "",
       "readiness-probe-missing/app"},
      {"a grace period of its own", [](Scene& s) { s.app().liveness_probe->termination_grace_period_seconds = 3; },
       "live=http:/live grace 55", ""},
  });
}

TEST(Fix, Programs) {
  expect_rows({
      {"gunicorn cuts what is declared to last longer", [](Scene& s) {
         s.app().command = {"gunicorn", "--graceful-timeout", "10", "app:app"};
       }, "command=gunicorn|--graceful-timeout|30|app:app", ""},
      {"its default cuts them", [](Scene& s) {
         s.app().command = {"gunicorn", "app:app"};
         s.workload.pod_template.meta.annotations.clear();
         s.declare("60", "20");
       }, "grace=90, command=gunicorn|app:app|--graceful-timeout=60", ""},
      {"the same in a script", [](Scene& s) {
         s.app().command = {"sh", "-c", "exec gunicorn app:app"};
         s.workload.pod_template.meta.annotations.clear();
         s.declare("60", "20");
       }, "grace=90, GUNICORN_CMD_ARGS=--graceful-timeout=60", ""},
      {"a variable that is written", [](Scene& s) {
         s.app().command = {"uvicorn", "app:app"};
         s.app().env.push_back({"UVICORN_TIMEOUT_GRACEFUL_SHUTDOWN", "10", false});
       }, "UVICORN_TIMEOUT_GRACEFUL_SHUTDOWN=30", ""},
      {"waits without a limit", [](Scene& s) { s.app().command = {"uvicorn", "app:app"}; },
       "UVICORN_TIMEOUT_GRACEFUL_SHUTDOWN=30", ""},
      {"a shell that passes nothing on", [](Scene& s) { s.app().command = {"sh", "-c", "sleep 1 && ./server --port 8080"}; },
       "command=sh|-c|sleep 1 && exec ./server --port 8080", ""},
      {"a pipe cannot be replaced by its program", [](Scene& s) { s.app().command = {"sh", "-c", "./server | tee log"}; },
       "", "signal-not-delivered/app"},
      {"nginx and SIGTERM", [](Scene& s) {
         s.app().command = {"nginx", "-g", "daemon off;"};
         s.app().image = "registry.local/team/edge:1";
       }, "", "signal-not-graceful/app"},
      {"nginx and SIGTERM where the manifest can say otherwise", [](Scene& s) {
         s.app().command = {"nginx", "-g", "daemon off;"};
         s.app().image = "registry.local/team/edge:1";
         s.options.kubernetes_minor = 37;
       }, "os=linux, signal=SIGQUIT", ""},
  });
}

TEST(Fix, Rollouts) {
  const auto all_at_once = [](Scene& s) {
    s.workload.strategy_type = "RollingUpdate";
    s.workload.max_unavailable = percent("100%");
  };
  expect_rows({
      {"all pods at once", all_at_once, "maxUnavailable=0, maxSurge=1", ""},
      {"refused", [](Scene& s) {
         s.workload.max_unavailable = number(0);
         s.workload.max_surge = number(0);
       }, "maxSurge=1", ""},
      {"a port of the node", [&](Scene& s) {
         all_at_once(s);
         s.app().ports.front().host_port = true;
       }, "", "rollout-unsafe"},
      {"the node's network", [&](Scene& s) {
         all_at_once(s);
         s.workload.pod_template.spec.host_network = true;
       }, "", "rollout-unsafe"},
      {"a volume", [&](Scene& s) {
         all_at_once(s);
         s.workload.pod_template.spec.mounts_persistent_volume_claim = true;
       }, "", "rollout-unsafe"},
      {"a DaemonSet", [&](Scene& s) {
         all_at_once(s);
         s.workload.kind = {"apps", "DaemonSet"};
         s.budgets.clear();
       }, "maxUnavailable=1", ""},
  });
}

}  // namespace
}  // namespace shutdown_auditor::audit::testing
