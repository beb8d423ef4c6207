#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "integration/support/cluster_test_base.h"

// A cluster in which nothing happens, and one that only scales, costs the API server nothing but the lease.
namespace shutdown_auditor::testing_support {
namespace {

using nlohmann::json;
using ::testing::IsEmpty;

class QuietTest : public ClusterTest {
 protected:
  static void SetUpTestSuite() { start_cluster({.controller_manager = true, .apiserver_args = {}}); }

  void populate() const {
    apply(deployment({.name = "scaled"}) + budget("scaled", 2) + service("scaled") + R"(---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: scaled}
spec: {minReplicas: 3, maxReplicas: 9, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: scaled}}
)");
    for (const char* grace : {"0", "20", "54", "59", "60", "700"}) {
      apply(deployment({.name = std::string("grace-") + grace, .grace = grace}) + service(std::string("grace-") + grace));
    }
    apply(deployment({.name = "undeclared", .grace = "", .declared = false}));
  }
  std::vector<std::string> names() const {
    return {"scaled", "grace-0", "grace-20", "grace-54", "grace-59", "grace-60", "grace-700", "undeclared"};
  }
  json statuses() const {
    json all = json::object();
    for (const std::string& name : names()) {
      all[name] = audit_of(name)["status"];
      all[name].erase("observedTargetGeneration");
    }
    return all;
  }
  static bool await_resyncs(const ControllerProcess& process, std::size_t count) {
    return eventually([&] { return process.logs("resync").size() >= count; });
  }
};

TEST_F(QuietTest, ResyncsALeaderChangeAndScalingWriteNothing) {
  populate();
  const auto first = controller("quiet-first", {"--sync-period=2s"});
  ASSERT_TRUE(await_audits(names()));
  ASSERT_TRUE(await_verdict("scaled", "Pass"));
  ASSERT_TRUE(await_resyncs(*first, first->logs("resync").size() + 1));
  const std::size_t settled = writes_of("quiet-first").size();
  const json before = statuses();

  // Two resyncs.
  ASSERT_TRUE(await_resyncs(*first, first->logs("resync").size() + 3));

  // One leader change.
  const auto second = controller("quiet-second", {"--sync-period=2s"});
  ASSERT_TRUE(second->wait_for_log("lease holder seen"));
  first->signal(SIGTERM);
  EXPECT_EQ(first->wait_exit(), 0);
  ASSERT_TRUE(second->wait_for_log("started leading"));
  EXPECT_TRUE(eventually([&] {
    return second->metric("shutdownaudit_status_writes_total{result=\"unchanged\"}") >= static_cast<double>(names().size());
  }));

  // A scale from 3 to 5 and back.
  for (const char* replicas : {"--replicas=5", "--replicas=3"}) {
    kubectl({"scale", "deployment", "scaled", replicas});
    ASSERT_TRUE(await_resyncs(*second, second->logs("resync").size() + 2));
  }

  std::vector<AuditEntry> writes = writes_of("quiet-first");
  writes.erase(writes.begin(), writes.begin() + static_cast<std::ptrdiff_t>(settled));
  const std::vector<AuditEntry> more = writes_of("quiet-second");
  writes.insert(writes.end(), more.begin(), more.end());
  std::map<std::string, int> caught_up;
  std::erase_if(writes, [&](const AuditEntry& entry) {
    if (entry.resource == "leases") return true;
    const bool catch_up = entry.resource == "shutdownaudits" && entry.subresource == "status" && entry.verb == "patch" &&
                          entry.name == "deployment-scaled";
    if (catch_up) ++caught_up[entry.name];
    return catch_up;
  });
  EXPECT_THAT(writes, IsEmpty()) << describe(writes);
  EXPECT_LE(caught_up["deployment-scaled"], 1) << "the generation is caught up at most once in 5 minutes";
  EXPECT_EQ(statuses(), before);
  EXPECT_THAT(events_of("scaled"), IsEmpty());
}

// What others write on an audited object is not ours to answer.
TEST_F(QuietTest, StatusAndMetadataOfWorkloadsAreIgnored) {
  populate();
  const auto process = controller("quiet-third");
  ASSERT_TRUE(await_audits(names()));
  ASSERT_TRUE(await_verdict("scaled", "Pass"));
  pass_a_sentinel("quiet-third");
  const std::size_t settled = status_writes("quiet-third");
  for (int i = 0; i < 5; ++i) {
    kubectl({"annotate", "--overwrite", "deployment", "scaled", "example.com/beat=" + std::to_string(i)});
    kubectl({"label", "--overwrite", "service", "scaled", "beat=" + std::to_string(i)});
    kubectl({"label", "--overwrite", "pdb", "scaled", "beat=" + std::to_string(i)});
    kubectl({"patch", "deployment", "scaled", "--subresource=status", "--type=merge", "-p",
             R"({"status": {"collisionCount": )" + std::to_string(i) + "}}"});
  }
  pass_a_sentinel("quiet-third");
  // The sentinel, and the generation: the API server raises a Deployment's with its annotations.
  EXPECT_EQ(status_writes("quiet-third", "scaled"), 2u);
  EXPECT_EQ(status_writes("quiet-third"), settled + 2) << describe(writes_of("quiet-third"));
}

}  // namespace
}  // namespace shutdown_auditor::testing_support
