#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <vector>

#include "audit/exemptions.h"

namespace shutdown_auditor::audit {
namespace {

using std::chrono::seconds;

const base::WallTime kNow{seconds(1'800'000'000)};

Exemption ends(std::optional<int> at, const std::string& name = "web") {
  Exemption exemption;
  exemption.target_kind = {"apps", "Deployment"};
  exemption.target_namespace = "shop";
  exemption.target_name = name;
  exemption.reason = "agreed";
  if (at) exemption.expiration = kNow + seconds(*at);
  return exemption;
}

Exemption by_labels(int at, bool of_namespace) {
  Exemption exemption = ends(at, "");
  exemption.target_kind.reset();
  objects::LabelSelector selector;
  selector.match_labels = {{"team", "x"}};
  (of_namespace ? exemption.namespace_selector : exemption.workload_selector) = selector;
  return exemption;
}

TEST(NextExpiry, IsTheEarliestToComeOfThoseThatCoverTheWorkload) {
  struct Row {
    const char* name;
    std::vector<Exemption> exemptions;
    std::optional<int> next;
  };
  const std::vector<Row> rows{
      {"none", {}, {}},
      {"one without an end", {ends({})}, {}},
      {"one to come", {ends(90)}, 90},
      {"over", {ends(-1)}, {}},
      {"over this very moment", {ends(0)}, {}},
      {"the earliest of several", {ends(90), ends(30), ends({}), ends(60), ends(-5)}, 30},
      {"another workload's", {ends(10, "other"), ends(90)}, 90},
      {"any name", {ends(10, "")}, 10},
      {"by the workload's labels", {by_labels(20, false)}, 20},
      {"by the namespace's labels", {by_labels(20, true)}, 20},
  };
  objects::Workload workload;
  workload.kind = {"apps", "Deployment"};
  workload.meta.namespace_ = "shop";
  workload.meta.name = "web";
  workload.meta.labels = {{"team", "x"}};
  const objects::StringMap namespace_labels{{"team", "x"}};
  for (const Row& row : rows) {
    Policy policy;
    policy.exemptions = row.exemptions;
    const auto expected = row.next ? std::optional(kNow + seconds(*row.next)) : std::nullopt;
    EXPECT_EQ(next_expiry(workload, &namespace_labels, policy, kNow), expected) << row.name;
  }
  Policy policy;
  policy.exemptions = {by_labels(20, true)};
  EXPECT_FALSE(next_expiry(workload, nullptr, policy, kNow)) << "namespaces that cannot be read match nothing";
}

}  // namespace
}  // namespace shutdown_auditor::audit
