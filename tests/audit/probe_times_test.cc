#include "audit/probe_times.h"

#include "audit/builder.h"

namespace shutdown_auditor::audit {
namespace {

objects::Probe probe(std::optional<std::int64_t> period, std::optional<std::int64_t> timeout,
                     std::optional<std::int64_t> failures) {
  objects::Probe made{testing::http_get("/"), {}, {}, {}, {}, {}, {}};
  made.period_seconds = period;
  made.timeout_seconds = timeout;
  made.failure_threshold = failures;
  return made;
}

TEST(ProbeTimesTest, Defaults) {
  for (const objects::Probe& each : {probe({}, {}, {}), probe(0, 0, 0)}) {
    const ProbeNumbers numbers = numbers_of(each);
    EXPECT_EQ(numbers.initial_delay, 0);
    EXPECT_EQ(numbers.period, 10);
    EXPECT_EQ(numbers.timeout, 1);
    EXPECT_EQ(numbers.success_threshold, 1);
    EXPECT_EQ(numbers.failure_threshold, 3);
  }
}

TEST(ProbeTimesTest, Windows) {
  struct Row {
    std::int64_t period, timeout, failures;
    ProbeWindow (*window)(const ProbeNumbers&);
    std::int64_t min, max;
  };
  for (const Row& row : std::vector<Row>{{10, 1, 3, &window_of_errors, 20, 30},
                                         {10, 1, 3, &window_of_timeouts, 21, 31},
                                         {5, 1, 3, &window_of_errors, 10, 15},
                                         {5, 1, 3, &window_of_timeouts, 11, 16},
                                         {5, 2, 2, &window_of_timeouts, 7, 12},
                                         {1, 1, 1, &window_of_errors, 0, 1},
                                         {1, 1, 1, &window_of_timeouts, 1, 2},
                                         {10, 15, 3, &window_of_timeouts, 45, 55},
                                         {2, 5, 3, &window_of_timeouts, 15, 17},
                                         {5, 5, 3, &window_of_timeouts, 15, 20},
                                         {INT64_MAX, INT64_MAX, INT64_MAX, &window_of_timeouts, INT64_MAX, INT64_MAX},
                                         {INT64_MAX, 1, 2, &window_of_errors, INT64_MAX, INT64_MAX}}) {
    const ProbeWindow window = row.window(numbers_of(probe(row.period, row.timeout, row.failures)));
    EXPECT_EQ(window.min, row.min) << row.period << " " << row.timeout << " " << row.failures;
    EXPECT_EQ(window.max, row.max) << row.period << " " << row.timeout << " " << row.failures;
  }
}

TEST(ProbeTimesTest, WhatTheApiServerRefuses) {
  constexpr auto kReadiness = ProbeKind::kReadiness;
  constexpr auto kLiveness = ProbeKind::kLiveness;
  constexpr auto kStartup = ProbeKind::kStartup;
  struct Row {
    std::string what;
    ProbeKind kind;
    std::function<void(objects::Probe&)> change;
    std::string problem;  // empty: accepted
  };
  using P = objects::Probe;
  for (const Row& row : std::vector<Row>{
           {"handler only", kLiveness, [](P&) {}, ""},
           {"period 0", kLiveness, [](P& p) { p.period_seconds = 0; }, ""},
           {"timeout -1", kReadiness, [](P& p) { p.timeout_seconds = -1; }, "timeoutSeconds is -1"},
           {"over int32", kReadiness, [](P& p) { p.period_seconds = INT64_MAX; }, "periodSeconds is"},
           {"liveness, two successes", kLiveness, [](P& p) { p.success_threshold = 2; }, "successThreshold must be 1"},
           {"startup, two successes", kStartup, [](P& p) { p.success_threshold = 2; }, "successThreshold must be 1"},
           {"readiness, two successes", kReadiness, [](P& p) { p.success_threshold = 2; }, ""},
           {"no handler", kReadiness, [](P& p) { p.handler = {}; }, "no handler"},
           {"two handlers", kReadiness, [](P& p) { p.handler.exec = objects::ExecAction{{"true"}}; }, "more than one handler"},
           {"exec without a command", kReadiness, [](P& p) { p.handler = testing::exec({}); }, "no command"},
           {"port 0", kReadiness, [](P& p) { p.handler.http_get->port = testing::number(0); }, "port"},
           {"port 65536", kReadiness, [](P& p) { p.handler.http_get->port = testing::number(65536); }, "port"},
           {"port name", kReadiness, [](P& p) { p.handler.http_get->port = testing::percent("http-web"); }, ""},
           {"number as a name", kReadiness, [](P& p) { p.handler.http_get->port = testing::percent("8080"); }, "port"},
           {"name too long", kReadiness, [](P& p) { p.handler.http_get->port = testing::percent("sixteen-letters-"); }, "port"},
           {"grace in a readiness probe", kReadiness, [](P& p) { p.termination_grace_period_seconds = 5; }, "readiness"},
           {"grace 0", kLiveness, [](P& p) { p.termination_grace_period_seconds = 0; }, "terminationGracePeriodSeconds is 0"},
           {"grace", kLiveness, [](P& p) { p.termination_grace_period_seconds = 5; }, ""}}) {
    objects::Probe made = probe({}, {}, {});
    row.change(made);
    const std::string problem = probe_problem(row.kind, made);
    EXPECT_EQ(problem.empty(), row.problem.empty()) << row.what << ": " << problem;
    EXPECT_THAT(problem, ::testing::HasSubstr(row.problem)) << row.what;
  }
}

TEST(ProbeTimesTest, UnknownPorts) {
  objects::Container container = testing::container("app");  // declares http
  objects::Probe made = probe({}, {}, {});
  EXPECT_EQ(unknown_port(made, container), "");
  made.handler.http_get->port = testing::percent("http");
  EXPECT_EQ(unknown_port(made, container), "");
  made.handler.http_get->port = testing::percent("web");
  EXPECT_EQ(unknown_port(made, container), "web");
  made.handler = {};
  made.handler.tcp_socket = objects::TcpSocketAction{{}, testing::percent("db")};
  EXPECT_EQ(unknown_port(made, container), "db");
  made.handler = testing::exec({"true"});
  EXPECT_EQ(unknown_port(made, container), "");
}

}  // namespace
}  // namespace shutdown_auditor::audit
