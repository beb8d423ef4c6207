#include "controller/workload_key.h"

#include <gtest/gtest.h>

namespace shutdown_auditor::controller {
namespace {

TEST(WorkloadKey, RoundTrips) {
  const WorkloadKey key{{"apps", "Deployment"}, "shop", "web"};
  EXPECT_EQ(key.to_string(), "Deployment.apps/shop/web");
  EXPECT_EQ(WorkloadKey::parse("Deployment.apps/shop/web"), key);
  const WorkloadKey dotted{{"argoproj.io", "Rollout"}, "shop", "web.v2"};
  EXPECT_EQ(WorkloadKey::parse(dotted.to_string()), dotted);
}

TEST(WorkloadKey, AnythingElseIsNoKey) {
  for (const char* text : {"", "web", "Deployment/shop/web", ".apps/shop/web", "Deployment.apps//web",
                           "Deployment.apps/shop/", "Deployment.apps/shop/web/x"}) {
    EXPECT_FALSE(WorkloadKey::parse(text)) << text;
  }
}

}  // namespace
}  // namespace shutdown_auditor::controller
