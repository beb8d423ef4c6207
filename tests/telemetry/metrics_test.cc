#include "telemetry/metrics.h"

#include <gmock/gmock.h>

#include <thread>

#include "base/text.h"
#include "telemetry/process_metrics.h"

namespace shutdown_auditor::telemetry {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

MetricsOptions options() {
  MetricsOptions out;
  out.version = "1.2.3";
  out.revision = "abc";
  out.host = "10.0.0.1:443";
  return out;
}

std::vector<std::string> lines(const Metrics& metrics) {
  std::vector<std::string> out;
  const std::string text = metrics.render();
  for (const std::string_view line : base::split(text, '\n')) {
    out.emplace_back(line);
  }
  return out;
}

TEST(Metrics, EverySeriesWithKnownLabelsIsThereAtZero) {
  const Metrics metrics(options());
  const std::vector<std::string> got = lines(metrics);
  for (const char* line : {
           "shutdown_auditor_build_info{revision=\"abc\",version=\"1.2.3\"} 1",
           "rest_client_requests_total{code=\"200\",host=\"10.0.0.1:443\",method=\"GET\"} 0",
           "rest_client_request_duration_seconds_count{host=\"10.0.0.1:443\",verb=\"PATCH\"} 0",
           "workqueue_depth{controller=\"workload\",name=\"workload\"} 0",
           "workqueue_adds_total{controller=\"workload\",name=\"workload\"} 0",
           "workqueue_queue_duration_seconds_count{controller=\"workload\",name=\"workload\"} 0",
           "workqueue_work_duration_seconds_count{controller=\"workload\",name=\"workload\"} 0",
           "workqueue_unfinished_work_seconds{controller=\"workload\",name=\"workload\"} 0",
           "workqueue_longest_running_processor_seconds{controller=\"workload\",name=\"workload\"} 0",
           "workqueue_retries_total{controller=\"workload\",name=\"workload\"} 0",
           "leader_election_master_status{name=\"shutdown-auditor\"} 0",
           "leader_election_slowpath_total{name=\"shutdown-auditor\"} 0",
           "shutdownaudit_reconcile_total{result=\"success\"} 0",
           "shutdownaudit_reconcile_errors_total 0",
           "shutdownaudit_reconcile_panics_total 0",
           "shutdownaudit_reconcile_time_seconds_count 0",
           "shutdownaudit_reconcile_active_workers 0",
           "shutdownaudit_audit_duration_seconds_count 0",
           "shutdownaudit_status_writes_total{result=\"success\"} 0",
           "shutdownaudit_status_writes_total{result=\"error\"} 0",
           "shutdownaudit_events_total{type=\"Warning\"} 0",
           "shutdownaudit_events_dropped_total 0",
           "shutdownaudit_last_full_audit_timestamp_seconds 0",
       }) {
    EXPECT_THAT(got, Contains(line));
  }
}

TEST(Metrics, CountsAndObserves) {
  Metrics metrics(options());
  metrics.count_request(200, "GET");
  metrics.count_request(0, "GET");
  metrics.count_request_retry(429, "PATCH");
  metrics.observe_request("GET", milliseconds(300));
  metrics.observe_rate_limiter("GET", seconds(1));
  metrics.observe_response_size("GET", 2000);
  metrics.queue_added();
  metrics.queue_taken(milliseconds(1));
  metrics.queue_done(seconds(2));
  metrics.queue_retried();
  metrics.set_queue(7, seconds(3), seconds(2));
  metrics.set_leader(true, 4);
  metrics.set_leader(true, 4);
  metrics.count_reconcile("error", milliseconds(10));
  metrics.count_reconcile_panic();
  metrics.set_workers(1, 2);
  metrics.observe_audit(std::chrono::microseconds(20));
  metrics.count_status_write("success");
  metrics.count_event("Warning");
  metrics.count_events_dropped(5);
  metrics.set_last_full_audit(base::WallTime(seconds(1700000000)));
  const std::vector<std::string> got = lines(metrics);
  for (const char* line : {
           "rest_client_requests_total{code=\"200\",host=\"10.0.0.1:443\",method=\"GET\"} 1",
           "rest_client_requests_total{code=\"<error>\",host=\"10.0.0.1:443\",method=\"GET\"} 1",
           "rest_client_request_retries_total{code=\"429\",host=\"10.0.0.1:443\",verb=\"PATCH\"} 1",
           "rest_client_request_duration_seconds_bucket{host=\"10.0.0.1:443\",verb=\"GET\",le=\"0.25\"} 0",
           "rest_client_request_duration_seconds_bucket{host=\"10.0.0.1:443\",verb=\"GET\",le=\"0.5\"} 1",
           "rest_client_rate_limiter_duration_seconds_sum{host=\"10.0.0.1:443\",verb=\"GET\"} 1",
           "rest_client_response_size_bytes_bucket{host=\"10.0.0.1:443\",verb=\"GET\",le=\"4096\"} 1",
           "workqueue_depth{controller=\"workload\",name=\"workload\"} 7",
           "workqueue_adds_total{controller=\"workload\",name=\"workload\"} 1",
           "workqueue_work_duration_seconds_sum{controller=\"workload\",name=\"workload\"} 2",
           "workqueue_longest_running_processor_seconds{controller=\"workload\",name=\"workload\"} 2",
           "workqueue_unfinished_work_seconds{controller=\"workload\",name=\"workload\"} 3",
           "workqueue_retries_total{controller=\"workload\",name=\"workload\"} 1",
           "leader_election_master_status{name=\"shutdown-auditor\"} 1",
           "leader_election_slowpath_total{name=\"shutdown-auditor\"} 4",
           "shutdownaudit_reconcile_total{result=\"error\"} 1",
           "shutdownaudit_reconcile_errors_total 1",
           "shutdownaudit_reconcile_panics_total 1",
           "shutdownaudit_reconcile_active_workers 1",
           "shutdownaudit_reconcile_max_concurrent 2",
           "shutdownaudit_audit_duration_seconds_count 1",
           "shutdownaudit_status_writes_total{result=\"success\"} 1",
           "shutdownaudit_events_total{type=\"Warning\"} 1",
           "shutdownaudit_events_dropped_total 5",
           "shutdownaudit_last_full_audit_timestamp_seconds 1700000000",
       }) {
    EXPECT_THAT(got, Contains(line));
  }
}

WorkloadSample sample(std::string name_space, std::string name, std::string verdict,
                      std::vector<std::pair<std::string, std::string>> findings, std::int64_t shortfall = 0) {
  return {std::move(name_space), "Deployment", std::move(name), std::move(verdict), std::move(findings), shortfall};
}

TEST(Metrics, WorkloadGaugesFollowEachWorkload) {
  Metrics metrics(options());
  metrics.set_workload("shop/web", sample("shop", "web", "Fail", {{"grace-budget", "Fail"}, {"pdb-missing", "Warn"}}));
  metrics.set_workload("shop/api", sample("shop", "api", "Fail", {{"grace-budget", "Fail"}}));
  metrics.set_workload("blog/web", sample("blog", "web", "Pass", {}));
  EXPECT_THAT(lines(metrics), Contains("shutdownaudit_workloads{namespace=\"shop\",verdict=\"Fail\"} 2"));
  EXPECT_THAT(lines(metrics), Contains("shutdownaudit_workloads{namespace=\"blog\",verdict=\"Pass\"} 1"));
  EXPECT_THAT(lines(metrics),
              Contains("shutdownaudit_findings{namespace=\"shop\",check=\"grace-budget\",result=\"Fail\"} 2"));

  metrics.set_workload("shop/web", sample("shop", "web", "Warn", {{"pdb-missing", "Warn"}}));
  metrics.remove_workload("blog/web");
  metrics.remove_workload("never/there");
  const std::string text = metrics.render();
  EXPECT_THAT(text, HasSubstr("shutdownaudit_workloads{namespace=\"shop\",verdict=\"Fail\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("shutdownaudit_workloads{namespace=\"shop\",verdict=\"Warn\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("check=\"grace-budget\",result=\"Fail\"} 1\n"));
  EXPECT_THAT(text, Not(HasSubstr("blog"))) << "series at 0 are gone";
  EXPECT_THAT(text, Not(HasSubstr("shutdownaudit_workload_shortfall_seconds"))) << "off by default";

  metrics.clear_workloads();
  EXPECT_THAT(metrics.render(), Not(HasSubstr("namespace=")));
}

TEST(Metrics, WithoutNamespacesAndWithWorkloads) {
  MetricsOptions changed = options();
  changed.by_namespace = false;
  changed.per_workload = true;
  Metrics metrics(changed);
  metrics.set_workload("a/web", sample("a", "web", "Fail", {{"grace-budget", "Fail"}}, 15));
  metrics.set_workload("b/web", sample("b", "web", "Fail", {{"grace-budget", "Fail"}}));
  const std::vector<std::string> got = lines(metrics);
  EXPECT_THAT(got, Contains("shutdownaudit_workloads{verdict=\"Fail\"} 2"));
  EXPECT_THAT(got, Contains("shutdownaudit_findings{check=\"grace-budget\",result=\"Fail\"} 2"));
  EXPECT_THAT(got,
              Contains("shutdownaudit_workload_shortfall_seconds{namespace=\"a\",kind=\"Deployment\",name=\"web\"} 15"));
}

TEST(Metrics, RefreshRunsBeforeEachRender) {
  Metrics metrics(options());
  std::size_t depth = 0;
  metrics.before_render([&] { metrics.set_queue(++depth, {}, {}); });
  EXPECT_THAT(lines(metrics), Contains("workqueue_depth{controller=\"workload\",name=\"workload\"} 1"));
  EXPECT_THAT(lines(metrics), Contains("workqueue_depth{controller=\"workload\",name=\"workload\"} 2"));
}

TEST(Metrics, EveryLineIsACommentOrASample) {
  Metrics metrics(options());
  metrics.set_workload("x", sample("a\"b\\c\nd", "web", "Fail", {}));
  const std::string text = metrics.render();
  ASSERT_EQ(text.back(), '\n');
  for (const std::string_view line : base::split(std::string_view(text).substr(0, text.size() - 1), '\n')) {
    if (line.starts_with("# HELP ") || line.starts_with("# TYPE ")) {
      continue;
    }
    ASSERT_NE(line.rfind(' '), std::string_view::npos) << line;
    ASSERT_TRUE(line[0] >= 'a' && line[0] <= 'z') << line;
  }
  EXPECT_THAT(text, HasSubstr("namespace=\"a\\\"b\\\\c\\nd\""));
}

TEST(Metrics, AreSafeFromSeveralThreads) {
  Metrics metrics(options());
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&metrics, i] {
        for (int n = 0; n < 300; ++n) {
          metrics.count_request(200 + n % 3, "GET");
          metrics.set_workload(std::to_string(n % 10), sample("ns" + std::to_string(i), "w", "Pass", {}));
          if (n % 100 == 0) {
            EXPECT_THAT(metrics.render(), StartsWith("# HELP"));
          }
        }
      });
    }
  }
  EXPECT_THAT(lines(metrics), Contains("rest_client_requests_total{code=\"200\",host=\"10.0.0.1:443\",method=\"GET\"} 400"));
}

TEST(ProcessMetrics, ParsesTheStatLine) {
  const char* line =
      "42 (a) b (c) S 1 42 42 0 -1 4194560 1 2 3 4 250 50 0 0 20 0 8 0 1000 4096000 300 18446744073709551615";
  const auto numbers = parse_process_stat(line, 1000, 100, 4096);
  ASSERT_TRUE(numbers);
  EXPECT_EQ(numbers->cpu_seconds, 3);
  EXPECT_EQ(numbers->start_time_seconds, 1010);
  EXPECT_EQ(numbers->virtual_bytes, 4096000);
  EXPECT_EQ(numbers->resident_bytes, 1228800);
  EXPECT_EQ(numbers->threads, 8);
  EXPECT_FALSE(parse_process_stat("", 0, 100, 4096));
  EXPECT_FALSE(parse_process_stat("1 (x) S 1 2", 0, 100, 4096));
}

TEST(ProcessMetrics, OfThisProcess) {
  const Metrics metrics(options());
  const std::string text = metrics.render();
  for (const char* name : {"process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds",
                           "process_max_fds", "process_start_time_seconds", "process_threads"}) {
    EXPECT_THAT(text, HasSubstr(std::string("\n") + name + " ")) << name;
  }
}

}  // namespace
}  // namespace shutdown_auditor::telemetry
