#include "controller/known_audit.h"

#include <gtest/gtest.h>

namespace shutdown_auditor::controller {
namespace {

report::ShutdownAudit sample(std::string verdict = "Pass") {
  report::ShutdownAudit audit;
  audit.meta.name = "deployment-web";
  audit.meta.namespace_ = "shop";
  audit.meta.labels = {{std::string(report::kManagedByLabel), std::string(report::kManagedByValue)}};
  audit.meta.owners = {{"apps/v1", "Deployment", "web", "uid-1", false}};
  audit.target = {"apps", "Deployment", "web"};
  audit.status.verdict = std::move(verdict);
  return audit;
}

KnownAudit at_version(KnownAudit known, std::string version) {
  known.audit.meta.resource_version = std::move(version);
  return known;
}

class Ledger : public testing::Test {
 protected:
  void store(const KnownAudit& known) {
    store_.put("", key_, {std::make_shared<const KnownAudit>(known), known.audit.meta.resource_version});
  }
  const runtime::ObjectKey key_{"shop", "deployment-web"};
  runtime::Store<KnownAudit> store_;
  AuditLedger ledger_{store_};
};

TEST(KnownAudit, SaysWhoseAuditItIs) {
  const KnownAudit known = known_from(sample("Fail"));
  EXPECT_EQ(known.target, (WorkloadKey{{"apps", "Deployment"}, "shop", "web"}));
  EXPECT_TRUE(known.managed);
  EXPECT_EQ(known.owner_uid, "uid-1");
  EXPECT_EQ(known.audit.verdict, "Fail");
}

TEST(KnownAudit, DigestsSeeOurPartOnly) {
  const KnownAudit plain = known_from(sample());
  report::ShutdownAudit decorated = sample();
  decorated.meta.labels.emplace_back("team", "a");
  decorated.meta.owners.push_back({"v1", "ConfigMap", "other", "uid-9", false});
  decorated.meta.uid = "server-side";
  decorated.meta.resource_version = "77";
  EXPECT_EQ(known_from(decorated).main_digest, plain.main_digest);

  report::ShutdownAudit orphaned = sample();
  orphaned.meta.owners.clear();
  EXPECT_NE(known_from(orphaned).main_digest, plain.main_digest);
  report::ShutdownAudit unlabelled = sample();
  unlabelled.meta.labels.clear();
  EXPECT_NE(known_from(unlabelled).main_digest, plain.main_digest);
  EXPECT_NE(known_from(sample("Fail")).audit.digest, plain.audit.digest);
  EXPECT_EQ(known_from(sample("Fail")).main_digest, plain.main_digest);
}

TEST_F(Ledger, AnOwnWriteCountsUntilTheStoreHasIt) {
  store(at_version(known_from(sample("Pass")), "5"));
  EXPECT_EQ(ledger_.current("shop", "deployment-web")->audit.verdict, "Pass");
  ledger_.wrote("shop", "deployment-web", at_version(known_from(sample("Fail")), "9"));
  EXPECT_EQ(ledger_.current("shop", "deployment-web")->audit.verdict, "Fail");
  EXPECT_EQ(ledger_.pending(), 1U);

  const KnownAudit on_the_way = at_version(known_from(sample("Pass")), "7");
  store(on_the_way);
  EXPECT_FALSE(ledger_.observe(key_, &on_the_way));
  EXPECT_EQ(ledger_.current("shop", "deployment-web")->audit.verdict, "Fail");

  const KnownAudit echo = at_version(known_from(sample("Fail")), "9");
  store(echo);
  EXPECT_FALSE(ledger_.observe(key_, &echo));
  EXPECT_EQ(ledger_.pending(), 0U);
}

TEST_F(Ledger, AForeignChangeIsNews) {
  ledger_.wrote("shop", "deployment-web", at_version(known_from(sample("Fail")), "9"));
  const KnownAudit tampered = at_version(known_from(sample("Pass")), "10");
  store(tampered);
  EXPECT_TRUE(ledger_.observe(key_, &tampered));
  EXPECT_EQ(ledger_.current("shop", "deployment-web")->audit.verdict, "Pass");
  EXPECT_TRUE(ledger_.observe(key_, nullptr));
}

TEST_F(Ledger, AWatchFasterThanTheAnswerLeavesNothingPending) {
  store(at_version(known_from(sample("Fail")), "9"));
  ledger_.wrote("shop", "deployment-web", at_version(known_from(sample("Fail")), "9"));
  EXPECT_EQ(ledger_.pending(), 0U);
}

TEST_F(Ledger, WhatTheWatchShowsOfAWriteUnderWayIsNoNews) {
  const KnownAudit target = known_from(sample("Fail"));
  ledger_.writing("shop", "deployment-web", target);
  const KnownAudit without_status = at_version(known_from(sample("")), "8");
  EXPECT_FALSE(ledger_.observe(key_, &without_status));
  const KnownAudit whole = at_version(target, "9");
  EXPECT_FALSE(ledger_.observe(key_, &whole));
  const KnownAudit other = at_version(known_from(sample("Pass")), "10");
  EXPECT_TRUE(ledger_.observe(key_, &other));
  EXPECT_TRUE(ledger_.observe(key_, nullptr));
  ledger_.gave_up("shop", "deployment-web");
  EXPECT_TRUE(ledger_.observe(key_, &whole)) << "a write that failed explains nothing";
}

// The store has it before the handlers hear of it: the answer may come in between.
TEST_F(Ledger, AnEchoAfterTheAnswerIsNoNewsEither) {
  ledger_.writing("shop", "deployment-web", known_from(sample("Fail")));
  const KnownAudit echo = at_version(known_from(sample("Fail")), "9");
  store(echo);
  ledger_.wrote("shop", "deployment-web", echo);
  EXPECT_FALSE(ledger_.observe(key_, &echo));
  EXPECT_EQ(ledger_.pending(), 0U);
}

TEST_F(Ledger, AWriteThatTheWatchHasShownOrWillNeverShowLeavesNothingPending) {
  const KnownAudit whole = at_version(known_from(sample("Fail")), "9");
  ledger_.writing("shop", "deployment-web", known_from(sample("Fail")));
  store(whole);
  EXPECT_FALSE(ledger_.observe(key_, &whole));
  ledger_.wrote("shop", "deployment-web", whole);
  EXPECT_EQ(ledger_.pending(), 0U);
  // Applied again without a difference: the version stays.
  ledger_.writing("shop", "deployment-web", known_from(sample("Fail")));
  ledger_.wrote("shop", "deployment-web", whole);
  EXPECT_EQ(ledger_.pending(), 0U);
}

TEST_F(Ledger, AnAuditThatCameAndWentDuringItsWriteIsNotBelieved) {
  const KnownAudit whole = at_version(known_from(sample("Fail")), "9");
  ledger_.writing("shop", "deployment-web", known_from(sample("Fail")));
  EXPECT_TRUE(ledger_.observe(key_, nullptr)) << "a predecessor";
  EXPECT_FALSE(ledger_.observe(key_, &whole));
  EXPECT_TRUE(ledger_.observe(key_, nullptr));
  ledger_.wrote("shop", "deployment-web", whole);
  EXPECT_FALSE(ledger_.current("shop", "deployment-web"));
}

TEST_F(Ledger, TheUidComesFromTheServersCopy) {
  KnownAudit seen = at_version(known_from(sample("Pass")), "5");
  seen.audit.meta.uid = "audit-uid";
  store(seen);
  ledger_.wrote("shop", "deployment-web", at_version(known_from(sample("Fail")), "9"));
  EXPECT_EQ(ledger_.current("shop", "deployment-web")->audit.meta.uid, "audit-uid");
}

}  // namespace
}  // namespace shutdown_auditor::controller
