#include "audit/injection.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "audit/application_cases.h"

namespace shutdown_auditor::audit {
namespace {

using testing::Variables;

struct Row {
  Variables annotations, labels, namespace_labels;
  std::vector<std::string> found;  // framework, by, hold
};

TEST(Injection, ReadsWhatAsksForASidecar) {
  const std::vector<Row> rows{
      {{}, {}, {}, {}},
      {{}, {{"sidecar.istio.io/inject", "true"}}, {}, {"istio-proxy", "label sidecar.istio.io/inject=true", "5000"}},
      {{}, {}, {{"istio-injection", "enabled"}}, {"istio-proxy", "namespace label istio-injection=enabled", "5000"}},
      {{}, {{"sidecar.istio.io/inject", "false"}}, {{"istio-injection", "enabled"}}, {}},
      {{{"sidecar.istio.io/inject", "false"}}, {}, {{"istio.io/rev", "stable"}}, {}},
      {{{"proxy.istio.io/config", "terminationDrainDuration: 30s\n"}}, {}, {{"istio.io/rev", "stable"}},
       {"istio-proxy", "namespace label istio.io/rev", "30000"}},
      {{{"linkerd.io/inject", "enabled"}}, {}, {}, {"linkerd-proxy", "annotation linkerd.io/inject=enabled", "120000"}},
      {{{"linkerd.io/inject", "enabled"}, {"config.linkerd.io/shutdown-grace-period", "20s"}}, {}, {},
       {"linkerd-proxy", "annotation linkerd.io/inject=enabled", "20000"}},
      {{{"linkerd.io/inject", "disabled"}}, {}, {}, {}},
      {{{"consul.hashicorp.com/connect-inject", "true"}}, {}, {},
       {"consul-dataplane", "annotation consul.hashicorp.com/connect-inject=true", "-"}},
      {{{"consul.hashicorp.com/connect-inject", "true"}, {"consul.hashicorp.com/enable-sidecar-proxy-lifecycle", "true"},
        {"consul.hashicorp.com/sidecar-proxy-lifecycle-shutdown-grace-period-seconds", "45"}}, {}, {},
       {"consul-dataplane", "annotation consul.hashicorp.com/connect-inject=true", "45000"}},
      {{{"vault.hashicorp.com/agent-inject", "true"}}, {}, {}, {"vault-agent",
       "annotation vault.hashicorp.com/agent-inject=true", "-"}},
      {{{"vault.hashicorp.com/agent-inject", "true"}, {"vault.hashicorp.com/agent-pre-populate-only", "true"}}, {}, {}, {}},
      {{{"dapr.io/enabled", "true"}}, {}, {}, {"dapr", "annotation dapr.io/enabled=true", "5000"}},
      {{{"dapr.io/enabled", "true"}, {"dapr.io/block-shutdown-duration", "10s"}, {"dapr.io/graceful-shutdown-seconds",
       "-1"}}, {}, {},
       {"dapr", "annotation dapr.io/enabled=true", "15000"}},
      {{{"dapr.io/enabled", "true"}, {"dapr.io/graceful-shutdown-seconds", "0"}}, {}, {},
       {"dapr", "annotation dapr.io/enabled=true", "unbounded"}},
      {{{"dapr.io/enabled", "false"}}, {}, {}, {}},
  };
  for (const Row& row : rows) {
    objects::Workload workload;
    const auto fill = [](objects::StringMap& map, const Variables& entries) {
      for (const auto& entry : entries) map.push_back(entry);
      objects::normalize(map);
    };
    fill(workload.pod_template.meta.annotations, row.annotations);
    fill(workload.pod_template.meta.labels, row.labels);
    objects::StringMap labels;
    fill(labels, row.namespace_labels);
    std::vector<std::string> found;
    for (const InjectedSidecar& each : injected_sidecars(workload, &labels)) {
      found.insert(found.end(), {each.framework, each.by, testing::in_words(each.hold)});
    }
    EXPECT_EQ(found, row.found);
    if (!row.namespace_labels.empty() && !row.found.empty()) { EXPECT_TRUE(injected_sidecars(workload, nullptr).empty()); }
    for (const auto& [key, value] : row.annotations) EXPECT_TRUE(reads_annotation(key)) << key;
  }
}

TEST(Injection, AContainerThatIsThereIsNotInjected) {
  objects::Workload workload;
  workload.pod_template.meta.labels = testing::map_of({{"sidecar.istio.io/inject", "true"}});
  workload.pod_template.spec.containers.push_back(testing::container("istio-proxy"));
  EXPECT_TRUE(injected_sidecars(workload, nullptr).empty());
  workload.pod_template.spec.containers.front().name = "proxy";
  EXPECT_EQ(injected_sidecars(workload, nullptr).size(), 1u);
  workload.pod_template.spec.containers.front().image = "docker.io/istio/proxyv2:1.30.0";
  EXPECT_TRUE(injected_sidecars(workload, nullptr).empty());
}

}  // namespace
}  // namespace shutdown_auditor::audit
