// Roles of containers that run beside an application, and sidecars that do not last as long as it.
#include "audit/judged.h"

namespace shutdown_auditor::audit {
namespace {

using testing::container;
using testing::gunicorn;
using testing::judge;
using testing::Judged;
using testing::known;
using testing::proxy;
using testing::Scene;

constexpr CheckResult kNone = CheckResult::kNotApplicable;
constexpr CheckResult kPass = CheckResult::kPass;
constexpr CheckResult kWarn = CheckResult::kWarn;

objects::Container beside(std::string name, std::string image = "registry.local/x:1") {
  objects::Container made = container(std::move(name));
  made.image = std::move(image);
  made.ports.clear();
  return made;
}

Scene& add(Scene& scene, objects::Container made) {
  scene.workload.pod_template.spec.containers.push_back(std::move(made));
  return scene;
}

TEST(SidecarChecksTest, KnownByImageOrReservedName) {
  struct Row {
    std::string_view name, image;
    SidecarKind kind;
  };
  for (const Row& row : std::vector<Row>{
           {"x", "prom/node-exporter:v1", SidecarKind::kHelper},
           {"x", "registry.local:5000/a/postgres_exporter@sha256:00", SidecarKind::kHelper},
           {"x", "exporter:1", SidecarKind::kNone},
           {"x", "fluent/fluent-bit:3", SidecarKind::kHelper},
           {"x", "fluent-bit-app:3", SidecarKind::kNone},
           {"x", "registry.local/cloud-sql-connectors/cloud-sql-proxy:2", SidecarKind::kTraffic},
           {"x", "istio/proxyv2:1.24", SidecarKind::kTraffic},
           {"istio-proxy", "registry.local/own:1", SidecarKind::kTraffic},
           {"linkerd-proxy", "", SidecarKind::kTraffic},
           {"vault-agent", "hashicorp/vault:1", SidecarKind::kHelper},
           {"proxy", "registry.local/own:1", SidecarKind::kNone},
           {"oauth2-proxy", "oauth2-proxy/oauth2-proxy:v7", SidecarKind::kNone},
           {"", "", SidecarKind::kNone},
           {"x", "/:@", SidecarKind::kNone}}) {
    EXPECT_EQ(known_sidecar(beside(std::string(row.name), std::string(row.image))), row.kind) << row.name << " " << row.image;
  }
}

TEST(SidecarChecksTest, Roles) {
  const auto logs = [] { return beside("logs", "fluent/fluent-bit:3"); };
  const auto metrics = [] {
    objects::Container made = beside("metrics", "prom/node-exporter:v1");
    made.ports.push_back({"metrics", 9100, {}});
    return made;
  };
  const auto envoy = [] {
    objects::Container made = beside("envoy");
    made.ports.push_back({"edge", 9000, {}});
    return made;
  };
  const auto port = [](Scene& s, std::string name, std::int64_t number) {
    s.services[0].ports.push_back({std::move(name), number, {}, {}});
  };
  struct Row {
    std::string_view what;
    std::function<void(Scene&)> change;
    std::vector<Role> roles;
    std::vector<bool> defaults;
  };
  constexpr Role kServing = Role::kServing, kMain = Role::kMain, kSidecar = Role::kSidecar;
  for (const Row& row : std::vector<Row>{
           {"a log shipper beside the server", [&](Scene& s) { add(s, logs()); }, {kServing, kSidecar}, {true, false}},
           {"and no Service", [&](Scene& s) { add(s, logs()); s.services.clear(); }, {kMain, kSidecar}, {true, false}},
           {"Service without a port anybody has", [&](Scene& s) { add(s, logs()); s.services[0].ports[0].target_port = testing::number(1); }, {kServing, kSidecar}, {true, false}},
           {"Services not readable", [&](Scene& s) { add(s, logs()); s.services_readable = false; }, {kServing, kSidecar}, {true, false}},
           {"an exporter owns a metrics port", [&](Scene& s) { add(s, metrics()); port(s, "http-metrics", 9100); }, {kServing, kSidecar}, {true, false}},
           {"an exporter owns another port", [&](Scene& s) { add(s, metrics()); port(s, "web", 9100); }, {kServing, kServing}, {true, true}},
           {"a log shipper for its own sake", [&](Scene& s) { s.workload.pod_template.spec.containers = {logs()}; s.services.clear(); }, {kMain}, {true}},
           {"two of them", [&](Scene& s) { s.workload.pod_template.spec.containers = {logs(), metrics()}; s.services.clear(); }, {kMain, kMain}, {false, false}},
           {"a proxy that the Service sends to", [&](Scene& s) { add(s, envoy()); s.services[0].ports[0].target_port = testing::number(9000); }, {kMain, kServing}, {false, true}}}) {
    Scene scene;
    row.change(scene);
    Judged judged = judge(scene, {});
    std::vector<Role> roles;
    std::vector<bool> defaults;
    for (const ContainerView& view : judged.views) {
      roles.push_back(view.role);
      defaults.push_back(view.takes_defaults);
    }
    EXPECT_EQ(roles, row.roles) << row.what;
    EXPECT_EQ(defaults, row.defaults) << row.what;
  }
  Scene native;
  native.workload.pod_template.spec.init_containers = {beside("logs"), beside("setup")};
  native.workload.pod_template.spec.init_containers[0].restart_policy = "Always";
  Judged judged = judge(native, {});
  ASSERT_EQ(judged.views.size(), 2u);
  EXPECT_EQ(judged.views[1].role, Role::kSidecar);
  EXPECT_EQ(judged.views[1].path, "spec.template.spec.initContainers[0]");
}

// The application serves for 5 s of hook and 30 s of drain.
TEST(SidecarChecksTest, StopsFirst) {
  struct Row {
    std::string_view what;
    std::function<void(Scene&)> change;
    ApplicationReading application, sidecar;
    CheckResult result;
    std::string in_message;
  };
  const auto nothing = [](Scene&) {};
  const auto hook = [](std::int64_t seconds) {
    return [seconds](Scene& s) { s.workload.pod_template.spec.containers[1].pre_stop = testing::native_sleep(seconds); };
  };
  ApplicationReading fast = proxy({});
  fast.signal_handling = SignalHandling::kFast;
  ApplicationReading helper = proxy(0);
  helper.sidecar = SidecarKind::kHelper;
  ApplicationReading forever = proxy({});
  forever.hold.unbounded = true;
  for (const Row& row : std::vector<Row>{
           {"5 s are too short", nothing, gunicorn(), proxy(5), kWarn, "sidecar \"mesh\" (istio-proxy) carries traffic for 5 s (terminationDrainDuration), and container \"app\" serves for 35 s"},
           {"35 s are enough", nothing, gunicorn(), proxy(35), kPass, ""},
           {"its own hook counts", hook(30), gunicorn(), proxy(5), kPass, ""},
           {"its own hook, too short", hook(29), gunicorn(), proxy(5), kWarn, "for 34 s"},
           {"stops at once", nothing, gunicorn(), fast, kWarn, "stops carrying traffic at once"},
           {"assumed requests alone warn nobody", [](Scene& s) { s.workload.pod_template.meta.annotations.clear(); }, {}, proxy(5), kPass, ""},
           {"except of one that stops at once", [](Scene& s) { s.workload.pod_template.meta.annotations.clear(); }, {}, proxy(0), kWarn, "35 s (assumed)"},
           {"not known how long", nothing, gunicorn(), proxy({}), kPass, ""},
           {"without a limit", nothing, gunicorn(), forever, kPass, ""},
           {"a log shipper", nothing, gunicorn(), helper, kNone, ""},
           {"no sidecar", [](Scene& s) { s.workload.pod_template.spec.containers.pop_back(); }, gunicorn(), {}, kNone, ""}}) {
    Scene scene = testing::perfect();
    add(scene, beside("mesh"));
    row.change(scene);
    Judged judged = judge(scene, {row.application, row.sidecar});
    EXPECT_EQ(judged.result(Check::kSidecarStopsFirst), row.result) << row.what;
    if (row.in_message.empty()) continue;
    EXPECT_THAT(judged.find(Check::kSidecarStopsFirst)->message, ::testing::HasSubstr(row.in_message)) << row.what;
    EXPECT_EQ(judged.find(Check::kSidecarStopsFirst)->container, "mesh");
  }
}

TEST(SidecarChecksTest, NativeSidecarsStopLast) {
  Scene scene = testing::perfect();
  objects::Container mesh = beside("mesh");
  mesh.restart_policy = "Always";
  scene.workload.pod_template.spec.init_containers = {mesh};
  EXPECT_EQ(judge(scene, {gunicorn(), proxy(5)}).result(Check::kSidecarStopsFirst), kPass);
  scene.options.kubernetes_minor = 28;
  EXPECT_EQ(judge(scene, {gunicorn(), proxy(5)}).result(Check::kSidecarStopsFirst), kWarn) << "1.28 stops all together";
  scene.options.kubernetes_minor = 34;

  scene.workload.pod_template.spec.init_containers[0].pre_stop = testing::native_sleep(1);
  Judged judged = judge(scene, {gunicorn(), proxy(5)});
  EXPECT_EQ(judged.result(Check::kSidecarStopsFirst), kPass);
  judged.terms.containers[1].hook_drains = true;
  judged.terms.containers[1].hook.signals = {"SIGTERM to process 1"};
  Collector collected;
  check_sidecars(judged.views, judged.terms, collected);
  ASSERT_EQ(collected.findings().size(), 1u);
  EXPECT_EQ(collected.findings()[0].reason, "SidecarStoppedByHook");
  EXPECT_THAT(collected.findings()[0].message, ::testing::HasSubstr("by its own preStop hook after 1 s"));
}

TEST(SidecarChecksTest, Injected) {
  Judged judged = judge(testing::perfect(), {gunicorn()});
  Collector collected;
  check_injection({}, judged.terms, collected);
  EXPECT_FALSE(collected.applied(Check::kSidecarInjected));
  check_injection({{"istio-proxy", SidecarKind::kTraffic, "label sidecar.istio.io/inject=true",
                    known(5, TimeSource::kFrameworkDefault, "default of istio-proxy")},
                   {"vault-agent", SidecarKind::kHelper, "annotation vault.hashicorp.com/agent-inject=true", {}}},
                  judged.terms, collected);
  ASSERT_EQ(collected.findings().size(), 2u);
  EXPECT_EQ(collected.findings()[0].result, CheckResult::kInfo);
  EXPECT_EQ(collected.findings()[0].id(), "sidecar-injected/istio-proxy");
  EXPECT_THAT(collected.findings()[0].message, ::testing::HasSubstr("carries traffic for 5 s after its stop signal"));
  EXPECT_THAT(collected.findings()[0].message, ::testing::HasSubstr("the application serves for 35 s"));
  EXPECT_THAT(collected.findings()[1].message, ::testing::EndsWith("is not part of the sum."));
}

}  // namespace
}  // namespace shutdown_auditor::audit
