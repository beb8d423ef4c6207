#include "telemetry/health.h"

#include <gtest/gtest.h>

#include <atomic>
#include <nlohmann/json.hpp>
#include <thread>

#include "support/manual_clock.h"

namespace shutdown_auditor::telemetry {
namespace {

using base::ErrorKind;
using nlohmann::json;
using testing_support::ManualClock;

Health::Check passes() {
  return []() -> base::Result<void> { return {}; };
}
Health::Check fails(std::string why) {
  return [why = std::move(why)]() -> base::Result<void> { return base::fail(ErrorKind::kInternal, why); };
}

TEST(Health, AnswersOkWithoutChecks) {
  ManualClock clock;
  const Health health(clock);
  EXPECT_EQ(health.livez("").status, 200);
  EXPECT_EQ(health.livez("").body, "ok");
  EXPECT_EQ(health.readyz("").body, "ok");
}

TEST(Health, Questions) {
  ManualClock clock;
  Health health(clock);
  health.add_ready_check("caches", passes());
  health.add_ready_check("policy", fails("secret reason"));
  const struct {
    const char* query;
    int status;
    const char* body;
  } kCases[] = {
      {"", 503, "[+]caches ok\n[-]policy failed: reason withheld\n[+]shutdown ok\ncheck failed\n"},
      {"verbose", 503, "[+]caches ok\n[-]policy failed: reason withheld\n[+]shutdown ok\ncheck failed\n"},
      {"exclude=caches", 503,
       "[+]caches excluded: ok\n[-]policy failed: reason withheld\n[+]shutdown ok\ncheck failed\n"},
      {"exclude=policy", 200, "ok"},
      {"verbose=1&exclude=policy", 200, "[+]caches ok\n[+]policy excluded: ok\n[+]shutdown ok\ncheck passed\n"},
      {"exclude=policy&exclude=caches", 200, "ok"},
      {"exclude=policy&exclude=nothing", 200,
       "[+]caches ok\n[+]policy excluded: ok\n[+]shutdown ok\n"
       "warn: some health checks cannot be excluded: no matches for \"nothing\"\ncheck passed\n"},
      {"exclude", 503, "[+]caches ok\n[-]policy failed: reason withheld\n[+]shutdown ok\ncheck failed\n"},
      {"&&=&x=y", 503, "[+]caches ok\n[-]policy failed: reason withheld\n[+]shutdown ok\ncheck failed\n"},
  };
  for (const auto& test : kCases) {
    const HealthResponse response = health.readyz(test.query);
    EXPECT_EQ(response.status, test.status) << test.query;
    EXPECT_EQ(response.body, test.body) << test.query;
  }
}

TEST(Health, ReadinessEndsWithTheShutdownAndLivenessDoesNot) {
  ManualClock clock;
  Health health(clock);
  health.add_live_check("lease", passes());
  health.begin_shutdown();
  EXPECT_EQ(health.readyz("").status, 503);
  EXPECT_EQ(health.readyz("exclude=shutdown").status, 503) << "nobody may exclude it";
  EXPECT_EQ(health.livez("").status, 200);
}

TEST(Health, ComponentsAsJson) {
  ManualClock clock;
  Health health(clock);
  ComponentState api{HealthStatus::kHealthy, "", std::chrono::microseconds(1500)};
  health.add_component("api-server", [&api] { return api; });
  health.add_component("slow", [&clock] {
    clock.advance(std::chrono::milliseconds(20));
    return ComponentState{};
  });
  const struct {
    HealthStatus status;
    const char* error;
    int code;
    const char* overall;
    const char* last_error;
  } kCases[] = {
      {HealthStatus::kHealthy, "", 200, "Healthy", ""},
      {HealthStatus::kDegraded, "no right to list daemonsets", 200, "Degraded", "no right to list daemonsets"},
      {HealthStatus::kUnhealthy, "connection \"refused\"\n", 503, "Unhealthy", "connection \"refused\"\n"},
      {HealthStatus::kHealthy, "", 200, "Healthy", "connection \"refused\"\n"},
  };
  for (const auto& test : kCases) {
    api.status = test.status;
    api.error = test.error;
    const HealthResponse response = health.health();
    EXPECT_EQ(response.status, test.code);
    EXPECT_EQ(response.content_type, "application/json");
    const json body = json::parse(response.body);
    EXPECT_EQ(body["status"], test.overall);
    EXPECT_EQ(body["components"]["api-server"]["status"], to_string(test.status));
    EXPECT_EQ(body["components"]["api-server"]["latencyMs"], 1.5);
    EXPECT_EQ(body["components"]["api-server"].value("lastError", ""), test.last_error);
    EXPECT_EQ(body["components"]["slow"]["latencyMs"], 20.0);
  }
}

TEST(Health, IsSafeFromSeveralThreads) {
  ManualClock clock;
  Health health(clock);
  health.add_component("api-server", [] { return ComponentState{HealthStatus::kDegraded, "slow", {}}; });
  std::atomic<int> answers = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int n = 0; n < 200; ++n) {
          answers += health.health().status == 200 && !health.readyz("verbose").body.empty() ? 1 : 0;
        }
      });
    }
    health.begin_shutdown();
  }
  EXPECT_EQ(answers, 800);
  EXPECT_EQ(health.readyz("").status, 503);
}

}  // namespace
}  // namespace shutdown_auditor::telemetry
