#include "app/live_input.h"

#include <gmock/gmock.h>

#include <fmt/format.h>

#include "base/text.h"
#include "controller/cluster_view.h"
#include "kube_support/fake_api.h"

namespace shutdown_auditor::app {
namespace {

namespace known = kube::resources;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;
using testing_support::FakeApi;
using testing_support::SeenCall;

std::string object(const kube::Resource& resource, const std::string& ns, const std::string& name,
                   const std::string& spec = "{}", const std::string& labels = "{}") {
  const std::string space = ns.empty() ? "" : fmt::format(R"("namespace":"{}",)", ns);
  return fmt::format(R"({{"apiVersion":"{}","kind":"{}","metadata":{{{}"name":"{}","labels":{}}},"spec":{}}})",
                     resource.api_version(), resource.kind, space, name, labels, spec);
}

constexpr char kTemplate[] = R"({"template":{"spec":{"containers":[{"name":"app","image":"app:1"}]}}})";

class LiveInputTest : public testing::Test {
 protected:
  LiveInputTest() {
    for (const kube::Resource* resource :
         {&known::kDeployments, &known::kStatefulSets, &known::kDaemonSets, &known::kPodDisruptionBudgets,
          &known::kServices, &known::kHorizontalPodAutoscalers, &known::kJobs, &known::kCronJobs, &known::kNamespaces}) {
      api_.set_served(*resource, true);
    }
    for (const kube::Resource* resource : {&known::kScaledObjects, &known::kRollouts, &controller::kShutdownPolicies}) {
      api_.set_served(*resource, false);
    }
    for (const char* ns : {"shop", "bank"}) {
      api_.put(known::kNamespaces, object(known::kNamespaces, "", ns));
      api_.put(known::kDeployments, object(known::kDeployments, ns, "web", kTemplate, R"({"tier":"front"})"));
      api_.put(known::kDeployments, object(known::kDeployments, ns, "api", kTemplate));
      api_.put(known::kStatefulSets, object(known::kStatefulSets, ns, "web", kTemplate));
      api_.put(known::kPodDisruptionBudgets, object(known::kPodDisruptionBudgets, ns, "web"));
      api_.put(known::kServices, object(known::kServices, ns, "web"));
    }
  }

  kube::Result<LiveInput> read(const LiveQuery& query) {
    return read_live_input(api_, base::system_clock(), query, objects_read_);
  }
  void forbid(const std::string& plural) {
    api_.fail(-1, [plural](const SeenCall& call) { return call.path.find("/" + plural) != std::string::npos; },
              {.kind = kube::ErrorKind::kForbidden, .message = "list " + plural + ": forbidden", .code = 403});
  }
  static std::vector<LiveTarget> targets(const std::vector<std::string>& texts) {
    std::vector<LiveTarget> out;
    for (const std::string& text : texts) {
      out.push_back(*parse_live_target(text));
    }
    return out;
  }
  // "shop/Deployment/web" of what is to be audited.
  static std::vector<std::string> audited(const LiveInput& live) {
    std::vector<std::string> out;
    for (const InputWorkload& item : live.input.workloads) {
      if (item.audited) {
        const objects::ObjectMeta meta = WorkloadUnpacker().whole(item, "").meta;
        out.push_back(meta.namespace_ + "/" + item.kind.kind + "/" + meta.name);
      }
    }
    return out;
  }

  FakeApi api_;
  std::atomic<std::size_t> objects_read_{0};
};

TEST_F(LiveInputTest, OneNamespaceIsReadWithRequestsToThatNamespaceOnly) {
  const auto live = read({.name_space = "shop"});
  ASSERT_TRUE(live) << live.error().message;
  EXPECT_THAT(audited(*live), ElementsAre("shop/Deployment/api", "shop/Deployment/web", "shop/StatefulSet/web"));
  EXPECT_TRUE(live->input.live);
  EXPECT_THAT(live->remarks, IsEmpty());
  EXPECT_FALSE(live->failed);
  EXPECT_EQ(live->input.size(), 6u);
  EXPECT_GE(objects_read_, 5u);
  for (const SeenCall& call : api_.calls()) {
    EXPECT_THAT(call.verb, testing::AnyOf("get", "list")) << call.path;
    const bool policy = call.path.find("/shutdownpolicies/default") != std::string::npos;
    EXPECT_TRUE(policy || call.path.find("/namespaces/shop") != std::string::npos) << call.path;
    EXPECT_EQ(call.path.find("secrets"), std::string::npos);
  }
}

TEST_F(LiveInputTest, TheWholeClusterIsReadWithOneListAKind) {
  const auto live = read({});
  ASSERT_TRUE(live) << live.error().message;
  EXPECT_EQ(audited(*live).size(), 6u);
  EXPECT_EQ(api_.count("list"), 11u);
  EXPECT_EQ(api_.calls().size(), 12u) << "and the policy";
}

TEST_F(LiveInputTest, OnlyWhatWasAskedForIsAuditedInTheSameSurroundings) {
  const struct {
    std::vector<std::string> targets;
    std::string selector;
    std::vector<std::string> audited;
  } kCases[] = {
      {{"deploy/web"}, "", {"shop/Deployment/web"}},
      {{"deploy"}, "", {"shop/Deployment/api", "shop/Deployment/web"}},
      {{"sts/web", "deploy/api"}, "", {"shop/Deployment/api", "shop/StatefulSet/web"}},
      {{"deploy", "deploy/web"}, "", {"shop/Deployment/api", "shop/Deployment/web"}},
      {{}, "tier=front", {"shop/Deployment/web"}},
      {{"sts"}, "tier=front", {}},
  };
  for (const auto& test : kCases) {
    const auto live = read({.name_space = "shop", .targets = targets(test.targets), .selector = test.selector});
    ASSERT_TRUE(live) << live.error().message;
    EXPECT_THAT(audited(*live), testing::ElementsAreArray(test.audited));
    EXPECT_EQ(live->input.size(), 6u);
    EXPECT_FALSE(live->failed);
  }
}

TEST_F(LiveInputTest, ANameThatIsNotThereIsSaidAndTheOthersAreAudited) {
  const auto live = read({.name_space = "shop", .targets = targets({"deploy/gone", "deploy/web", "rollout/x"})});
  ASSERT_TRUE(live) << live.error().message;
  EXPECT_TRUE(live->failed);
  EXPECT_THAT(audited(*live), ElementsAre("shop/Deployment/web"));
  EXPECT_THAT(live->remarks, UnorderedElementsAre(R"(there is no deployment "gone" in namespace "shop")",
                                                  "this server has no rollouts.argoproj.io: Rollouts are not audited"));
}

TEST_F(LiveInputTest, WhatMayNotBeReadIsMarkedAndSaidInOneLine) {
  const struct {
    const char* plural;
    bool Unread::* mark;
    const char* line;
  } kCases[] = {
      {"poddisruptionbudgets", &Unread::budgets,
       "no permission to list poddisruptionbudgets.policy in namespace \"shop\": the pdb-* checks cannot tell"},
      {"services", &Unread::services,
       "no permission to list services in namespace \"shop\": which containers serve is assumed from their ports"},
      {"horizontalpodautoscalers", &Unread::autoscalers,
       "no permission to list horizontalpodautoscalers.autoscaling in namespace \"shop\": spec.replicas is taken for the "
       "number of pods"},
      {"namespaces/shop", &Unread::namespaces, "no permission to get namespaces: namespace selectors match nothing"},
  };
  for (const auto& test : kCases) {
    api_.clear_faults();
    const std::string plural = test.plural;
    api_.fail(-1, [plural](const SeenCall& call) { return call.path.ends_with("/" + plural); },
              {.kind = kube::ErrorKind::kForbidden, .message = "forbidden", .code = 403});
    const auto live = read({.name_space = "shop"});
    ASSERT_TRUE(live) << live.error().message;
    EXPECT_THAT(live->remarks, ElementsAre(test.line));
    EXPECT_TRUE(live->input.unread.*test.mark) << test.plural;
    EXPECT_FALSE(live->failed);
    EXPECT_EQ(audited(*live).size(), 3u);
  }
}

TEST_F(LiveInputTest, AKindThatMayNotBeReadIsNotAuditedAndAFailureWhenItWasAskedFor) {
  forbid("statefulsets");
  auto live = read({});
  ASSERT_TRUE(live) << live.error().message;
  EXPECT_EQ(audited(*live).size(), 4u);
  EXPECT_FALSE(live->failed);
  EXPECT_FALSE(live->input.unread.workloads);
  EXPECT_THAT(live->remarks,
              ElementsAre("no permission to list statefulsets.apps in all namespaces: StatefulSets are not audited",
                          "you may not list all of the cluster: -n NAMESPACE audits one namespace"));

  live = read({.name_space = "shop", .targets = targets({"deploy"})});
  ASSERT_TRUE(live);
  EXPECT_FALSE(live->failed);
  EXPECT_THAT(live->remarks, ElementsAre(HasSubstr("StatefulSets are not seen under any budget")));

  live = read({.name_space = "shop", .targets = targets({"deploy", "sts/web"})});
  ASSERT_TRUE(live);
  EXPECT_TRUE(live->failed);
}

TEST_F(LiveInputTest, WhatTheServerDoesNotHaveIsNotCalledForbidden) {
  forbid("rollouts");
  forbid("scaledobjects");
  forbid("shutdownpolicies/");
  auto live = read({});
  ASSERT_TRUE(live);
  EXPECT_THAT(live->remarks, IsEmpty());

  api_.set_served(known::kRollouts, true);
  live = read({.name_space = "shop"});
  ASSERT_TRUE(live);
  EXPECT_THAT(live->remarks, ElementsAre("no permission to list rollouts.argoproj.io in namespace \"shop\": Rollouts are "
                                         "not audited"));
}

TEST_F(LiveInputTest, NothingToAuditIsAnError) {
  for (const char* plural : {"deployments", "statefulsets", "daemonsets"}) {
    forbid(plural);
  }
  const auto live = read({.name_space = "shop"});
  ASSERT_FALSE(live);
  EXPECT_EQ(live.error().kind, kube::ErrorKind::kForbidden);
}

TEST_F(LiveInputTest, AFailureOfTheServerIsAFailureOfTheCheckButNotOfTheRest) {
  api_.fail(-1, [](const SeenCall& call) { return call.path.ends_with("/services"); },
            {.kind = kube::ErrorKind::kUnavailable, .message = "list services: HTTP 500: no", .code = 500});
  const auto live = read({.name_space = "shop"});
  ASSERT_TRUE(live);
  EXPECT_TRUE(live->failed);
  EXPECT_THAT(live->remarks, ElementsAre(AllOf(HasSubstr("HTTP 500: no"), HasSubstr("assumed from their ports"))));
  EXPECT_EQ(audited(*live).size(), 3u);
}

TEST_F(LiveInputTest, ABusyServerIsAskedAgain) {
  api_.fail(2, [](const SeenCall& call) { return call.path.ends_with("/deployments"); },
            {.kind = kube::ErrorKind::kTooManyRequests, .message = "busy", .code = 429, .retry_after = base::Duration(1)});
  const auto live = read({.name_space = "shop"});
  ASSERT_TRUE(live) << live.error().message;
  EXPECT_THAT(live->remarks, IsEmpty());
  EXPECT_EQ(audited(*live).size(), 3u);
}

TEST_F(LiveInputTest, ALostConnectionAndRefusedCredentialsEndIt) {
  for (const auto kind : {kube::ErrorKind::kUnavailable, kube::ErrorKind::kTls, kube::ErrorKind::kUnauthorized}) {
    api_.clear_faults();
    api_.fail(-1, [](const SeenCall& call) { return call.path.ends_with("/services"); },
              {.kind = kind, .message = "gone", .code = kind == kube::ErrorKind::kUnauthorized ? 401 : 0});
    const auto live = read({.name_space = "shop"});
    ASSERT_FALSE(live);
    EXPECT_EQ(live.error().kind, kind);
  }
}

TEST_F(LiveInputTest, AMissingNamespaceIsNamed) {
  const auto live = read({.name_space = "shopp"});
  ASSERT_FALSE(live);
  EXPECT_EQ(live.error().message, "there is no namespace \"shopp\"");
}

TEST_F(LiveInputTest, TheClustersPolicyIsTakenOrItsAbsenceSaid) {
  api_.set_served(controller::kShutdownPolicies, true);
  auto live = read({.name_space = "shop"});
  ASSERT_TRUE(live);
  EXPECT_FALSE(live->policy);
  EXPECT_THAT(live->remarks, IsEmpty()) << "none is no fault";

  api_.put(controller::kShutdownPolicies,
           object(controller::kShutdownPolicies, "", "default", R"({"defaults":{"maxRequestSeconds":7}})"));
  live = read({.name_space = "shop"});
  ASSERT_TRUE(live && live->policy);
  EXPECT_EQ(live->policy->max_request_seconds, 7);
  EXPECT_EQ(live->policy->name, "default");
  EXPECT_FALSE(read({.name_space = "shop", .read_policy = false})->policy);

  api_.put(controller::kShutdownPolicies,
           object(controller::kShutdownPolicies, "", "default", R"({"defaults":{"maxRequestSeconds":-7}})"));
  live = read({.name_space = "shop"});
  ASSERT_TRUE(live);
  EXPECT_TRUE(live->failed);
  EXPECT_THAT(live->remarks, ElementsAre(HasSubstr("maxRequestSeconds")));

  forbid("shutdownpolicies/default");
  live = read({.name_space = "shop"});
  ASSERT_TRUE(live);
  EXPECT_FALSE(live->failed);
  EXPECT_THAT(live->remarks, ElementsAre(HasSubstr("no permission to get shutdownpolicies")));
}

TEST_F(LiveInputTest, AnObjectThatCannotBeReadIsNamedAndTheOthersAreAudited) {
  api_.set_served(known::kRollouts, true);
  api_.put(known::kRollouts, object(known::kRollouts, "shop", "odd", R"({"replicas":"three"})"));
  api_.put(known::kRollouts, object(known::kRollouts, "shop", "even", kTemplate));
  const auto live = read({.name_space = "shop"});
  ASSERT_TRUE(live);
  EXPECT_THAT(audited(*live), Contains("shop/Rollout/even"));
  ASSERT_EQ(live->input.problems.size(), 1u);
  EXPECT_THAT(manifest::to_string(live->input.problems[0]), AllOf(HasSubstr("shop/odd"), HasSubstr("replicas")));
  EXPECT_TRUE(live->input.failed());
}

}  // namespace
}  // namespace shutdown_auditor::app
