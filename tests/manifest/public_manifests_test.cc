#include <gmock/gmock.h>

#include "base/file.h"
#include "manifest/loaded.h"

// Manifests as public projects publish them.
namespace shutdown_auditor::manifest {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;

Loaded load_data(const std::string& name) {
  const auto text = base::read_file(std::string(SA_SOURCE_DIR) + "/tests/manifest/data/" + name, std::size_t{1} << 20U);
  EXPECT_TRUE(text) << name;
  return text ? load_text(*text) : Loaded();
}

const Object* find_object(const Loaded& loaded, std::string_view kind, std::string_view name) {
  for (const Object& object : loaded.objects) {
    if (object.kind.kind == kind && meta_of(object).name == name) return &object;
  }
  return nullptr;
}

TEST(PublicManifestsTest, MetricsServer) {
  const Loaded loaded = load_data("metrics-server.yaml");
  EXPECT_THAT(loaded.problems, IsEmpty());
  EXPECT_THAT(loaded.kinds(), ElementsAre(Pair("APIService", 1), Pair("ClusterRole", 2), Pair("ClusterRoleBinding", 2),
                                          Pair("Deployment", 1), Pair("RoleBinding", 1), Pair("Service", 1),
                                          Pair("ServiceAccount", 1)));
}

TEST(PublicManifestsTest, Traefik) {
  const Loaded loaded = load_data("traefik.yaml");
  EXPECT_THAT(loaded.problems, IsEmpty());
  EXPECT_THAT(loaded.kinds(), ElementsAre(Pair("ClusterRole", 1), Pair("ClusterRoleBinding", 1), Pair("Deployment", 1),
                                          Pair("IngressClass", 1), Pair("Service", 1), Pair("ServiceAccount", 1)));
  const Object* traefik = find_object(loaded, "Deployment", "traefik");
  ASSERT_NE(traefik, nullptr);
  EXPECT_EQ(std::get<objects::Workload>(traefik->value).pod_template.spec.termination_grace_period_seconds, 60);
}

TEST(PublicManifestsTest, OnlineBoutique) {
  const Loaded loaded = load_data("online-boutique.yaml");
  EXPECT_THAT(loaded.problems, IsEmpty());
  EXPECT_THAT(loaded.kinds(), ElementsAre(Pair("Deployment", 12), Pair("Service", 12), Pair("ServiceAccount", 11)));
  const Object* cart = find_object(loaded, "Deployment", "cartservice");
  ASSERT_NE(cart, nullptr);
  const auto& workload = std::get<objects::Workload>(cart->value);
  EXPECT_EQ(workload.pod_template.spec.termination_grace_period_seconds, 5);
  ASSERT_EQ(workload.pod_template.spec.containers.size(), 1U);
  EXPECT_EQ(workload.pod_template.spec.containers[0].env.at(0).name, "REDIS_ADDR");
  EXPECT_EQ(workload.pod_template.spec.containers[0].readiness_probe->handler.grpc->port, 7070);
}

// The place of every grace period is the line that a search through the text finds.
TEST(PublicManifestsTest, PositionsAreTheLinesOfTheText) {
  for (const char* name : {"metrics-server.yaml", "traefik.yaml", "online-boutique.yaml"}) {
    const auto text = base::read_file(std::string(SA_SOURCE_DIR) + "/tests/manifest/data/" + name, std::size_t{1} << 20U);
    ASSERT_TRUE(text);
    std::vector<objects::Mark> expected;
    std::uint32_t line = 1;
    for (std::size_t at = 0; at < text->size(); ++line) {
      const std::size_t end = std::min(text->find('\n', at), text->size());
      const std::size_t key = text->substr(at, end - at).find("terminationGracePeriodSeconds:");
      if (key != std::string::npos) expected.push_back({line, static_cast<std::uint32_t>(key) + 1});
      at = end + 1;
    }
    std::vector<objects::Mark> found;
    for (const Object& object : load_text(*text).objects) {
      const auto* workload = std::get_if<objects::Workload>(&object.value);
      if (workload == nullptr || !workload->pod_template.spec.termination_grace_period_seconds) continue;
      found.push_back(object.positions.find("spec.template.spec.terminationGracePeriodSeconds"));
    }
    EXPECT_EQ(found, expected) << name;
  }
}

}  // namespace
}  // namespace shutdown_auditor::manifest
