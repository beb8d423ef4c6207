#include <gmock/gmock.h>
#include <signal.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/text.h"
#include "integration/support/cluster_test_base.h"

// Two controllers and one lease: who leads, how it is handed over, and that nobody writes without it.
namespace shutdown_auditor::testing_support {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::vector<std::string> kQuick{"--leader-elect-lease-duration=3s", "--leader-elect-renew-deadline=2s",
                                      "--leader-elect-retry-period=500ms"};

class LeaderTest : public ClusterTest {
 protected:
  json lease() const { return kubectl_json({"get", "lease", "shutdown-auditor"})["spec"]; }
  static std::string identity(const ControllerProcess& process) {
    return process.wait_for_log("leader election") ? process.logs("leader election")[0].value("identity", "") : "";
  }
  static std::string time_of(const ControllerProcess& process, const std::string& message) {
    return process.wait_for_log(message) ? process.logs(message)[0].value("ts", "") : "";
  }
};

TEST_F(LeaderTest, SigtermHandsTheLeaseOver) {
  const auto first = controller("hand-first");
  ASSERT_TRUE(first->wait_for_log("started leading"));
  const auto second = controller("hand-second");
  ASSERT_TRUE(second->wait_for_log("lease holder seen", {{"holder", identity(*first)}}));
  EXPECT_EQ(second->http_get("/readyz").status, 200) << "a standby is ready";
  EXPECT_EQ(first->metric("leader_election_master_status"), 1);
  EXPECT_EQ(second->metric("leader_election_master_status"), 0);
  apply(deployment({.name = "web"}));
  ASSERT_TRUE(await_verdict("web", "Warn"));
  EXPECT_THAT(second->logs("audited"), IsEmpty());

  first->signal(SIGTERM);
  EXPECT_EQ(first->wait_exit(), 0);
  ASSERT_TRUE(second->wait_for_log("started leading"));
  EXPECT_LT(time_of(*first, "released the lease"), time_of(*second, "leading"));
  EXPECT_EQ(lease()["holderIdentity"], identity(*second));
  EXPECT_EQ(lease()["leaseDurationSeconds"], 15);
  apply(deployment({.name = "web", .grace = "54"}));
  ASSERT_TRUE(await_verdict("web", "Fail"));
  EXPECT_GE(status_writes("hand-second", "web"), 1u);

  std::vector<std::string> phases;
  for (const json& line : first->logs("shutdown phase")) {
    phases.push_back(line["phase"]);
    EXPECT_EQ(line["outcome"], "done") << line;
  }
  EXPECT_THAT(phases, ElementsAre("readiness", "sources", "workers", "events", "lease", "servers"));
  EXPECT_LT(time_of(*first, "asked to stop"), time_of(*first, "shutdown begins"));
  EXPECT_LT(time_of(*first, "released the lease"), time_of(*first, "shutdown complete"));
}

TEST_F(LeaderTest, AReleasedLeaseIsEmptyAndAStandbyLeavesItAlone) {
  const auto first = controller("empty-first");
  ASSERT_TRUE(first->wait_for_log("started leading"));
  const auto second = controller("empty-second");
  ASSERT_TRUE(second->wait_for_log("lease holder seen"));
  second->signal(SIGSTOP);  // so that nobody takes it
  first->signal(SIGTERM);
  EXPECT_EQ(first->wait_exit(), 0);
  EXPECT_EQ(lease().value("holderIdentity", ""), "");
  EXPECT_EQ(lease()["leaseDurationSeconds"], 1);
  second->signal(SIGCONT);
  ASSERT_TRUE(second->wait_for_log("started leading"));

  const auto third = controller("empty-third");
  ASSERT_TRUE(third->wait_for_log("lease holder seen"));
  third->signal(SIGTERM);
  EXPECT_EQ(third->wait_exit(), 0);
  EXPECT_EQ(lease()["holderIdentity"], identity(*second));
  for (const AuditEntry& entry : writes_of("empty-third")) EXPECT_NE(entry.resource, "leases") << describe({entry});
}

TEST_F(LeaderTest, SigkillLeavesTheLeaseToExpire) {
  const auto first = controller("kill-first", kQuick);
  ASSERT_TRUE(first->wait_for_log("started leading"));
  const auto second = controller("kill-second", kQuick);
  ASSERT_TRUE(second->wait_for_log("lease holder seen"));
  first->signal(SIGKILL);
  EXPECT_EQ(first->wait_exit(), 128 + SIGKILL);
  EXPECT_EQ(lease()["holderIdentity"], identity(*first));
  ASSERT_TRUE(second->wait_for_log("started leading"));
  EXPECT_EQ(lease()["holderIdentity"], identity(*second));
  EXPECT_EQ(lease()["leaseTransitions"], 1);
}

// It wakes up after its lease has passed to another: it must leave, and nothing it had under way may reach the server.
TEST_F(LeaderTest, AFrozenLeaderLeavesWithoutWriting) {
  const auto first = controller("frozen", kQuick);
  apply(deployment({.name = "web", .grace = "60"}));
  ASSERT_TRUE(await_verdict("web", "Warn"));
  const auto second = controller("awake", kQuick);
  ASSERT_TRUE(second->wait_for_log("lease holder seen"));
  first->signal(SIGSTOP);
  ASSERT_TRUE(second->wait_for_log("started leading"));
  const std::size_t before = writes_of("frozen").size();
  // Work that waits for it when it wakes up.
  for (const char* grace : {"54", "60", "20"}) apply(deployment({.name = "web", .grace = grace}));
  for (int i = 0; i < 10; ++i) apply(deployment({.name = "more-" + std::to_string(i)}));
  ASSERT_TRUE(await_verdict("web", "Fail"));
  first->signal(SIGCONT);
  EXPECT_EQ(first->wait_exit(), 1);
  EXPECT_EQ(first->logs("leadership lost, leaving").size(), 1u);
  std::vector<AuditEntry> writes = writes_of("frozen");
  writes.erase(writes.begin(), writes.begin() + static_cast<std::ptrdiff_t>(before));
  // Renewals may be tried: they are refused (409), or, when the process was frozen or fenced in the middle of sending one,
  // the server gives it up unread (400, 500). The record below shows that none went through.
  std::erase_if(writes, [](const AuditEntry& entry) { return entry.resource == "leases" && entry.code >= 400; });
  EXPECT_THAT(writes, IsEmpty()) << describe(writes);
  EXPECT_EQ(lease()["holderIdentity"], identity(*second));
}

// The server hangs: the lease cannot be renewed, and then not be released either.
TEST_F(LeaderTest, AServerThatHangsEndsLeadershipAndASecondSignalEndsTheProcess) {
  const auto text = base::read_file(cluster().dir() + "/kube-apiserver.pid", 100);
  ASSERT_TRUE(text) << text.error().message;
  const auto server = base::parse_int64(base::trim(*text));
  ASSERT_TRUE(server && *server > 1);
  const auto impatient = controller("impatient");
  const auto loser = controller("loser", {"--leader-elect-lease-duration=3s", "--leader-elect-renew-deadline=2s",
                                          "--leader-elect-retry-period=500ms", "--leader-elect-resource-name=second"});
  ASSERT_TRUE(impatient->wait_for_log("started leading"));
  ASSERT_TRUE(loser->wait_for_log("started leading"));
  ::kill(static_cast<pid_t>(*server), SIGSTOP);
  impatient->signal(SIGTERM);
  EXPECT_TRUE(impatient->wait_for_log("shutdown begins"));
  impatient->signal(SIGTERM);
  const int impatient_status = impatient->wait_exit();
  const int loser_status = loser->wait_exit();
  ::kill(static_cast<pid_t>(*server), SIGCONT);
  EXPECT_EQ(impatient_status, 1);
  EXPECT_THAT(impatient->logs("shutdown complete"), IsEmpty());
  EXPECT_EQ(loser_status, 1);
  EXPECT_TRUE(loser->wait_for_log("leadership lost, leaving"));
}

TEST_F(LeaderTest, WithoutElectionThereIsNoLease) {
  const auto process = controller("alone", {"--leader-elect=false"});
  apply(deployment({.name = "web"}));
  ASSERT_TRUE(await_verdict("web", "Warn"));
  EXPECT_FALSE(cluster().kubectl({"--namespace=" + ns(), "get", "lease", "shutdown-auditor"}));
  process->signal(SIGINT);
  EXPECT_EQ(process->wait_exit(), 0);
}

// A process that loses against another from the start stops without a trace.
TEST_F(LeaderTest, AStandbyIsStoppedWithinMoments) {
  const auto first = controller("leader");
  ASSERT_TRUE(first->wait_for_log("started leading"));
  const auto standby = controller("standby");
  ASSERT_TRUE(standby->wait_for_log("lease holder seen"));
  standby->signal(SIGTERM);
  EXPECT_EQ(standby->wait_exit(), 0);
  EXPECT_THAT(standby->logs("started leading"), IsEmpty());
  EXPECT_THAT(writes_of("standby"), IsEmpty());
}

}  // namespace
}  // namespace shutdown_auditor::testing_support
