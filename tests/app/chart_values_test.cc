// The chart writes out numbers of the program: its shutdown phases as the reason for the pods' grace period, and the
// defaults of flags. Here they are compared with the program's own.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <fstream>
#include <iterator>
#include <regex>
#include <string>

#include "app/controller_options.h"
#include "base/time.h"
#include "runtime/manager.h"

namespace shutdown_auditor::app {
namespace {

std::string chart_values() {
  std::ifstream file(SA_SOURCE_DIR "/charts/shutdown-auditor/values.yaml", std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

std::string shown(base::Duration duration) { return fmt::format("{:g}", std::chrono::duration<double>(duration).count()); }

// The value of a key that stands once at this depth of the file, without quotes; what is said about it comes before it.
std::string value_of(const std::string& values, const std::string& indent, const std::string& key) {
  const std::string start = "\n" + indent + key + ": ";
  const std::size_t found = values.find(start);
  if (found == std::string::npos || values.find(start, found + 1) != std::string::npos) return "not there once";
  const std::size_t begin = found + start.size();
  return values.substr(begin, values.find('\n', begin) - begin);
}

TEST(ChartValues, DefaultsAreTheProgramsOwn) {
  const std::string values = chart_values();
  const ControllerOptions options;
  const struct {
    std::string indent, key, expected;
  } kRows[] = {
      {"", "shutdownTimeoutSeconds", shown(options.shutdown_timeout)},
      {"", "resyncPeriodSeconds", shown(options.resync_period)},
      {"", "bulkWritesPerSecond", std::to_string(options.bulk_writes_per_second)},
      {"  ", "qps", fmt::format("{:g}", options.qps)},
      {"  ", "burst", std::to_string(options.burst)},
      {"  ", "leaseDurationSeconds", shown(options.lease_duration)},
      {"  ", "renewDeadlineSeconds", shown(options.renew_deadline)},
      {"  ", "retryPeriodSeconds", shown(options.retry_period)},
      {"  ", "byNamespace", options.metrics_by_namespace ? "true" : "false"},
      {"  ", "perWorkloadSeries", options.metrics_per_workload ? "true" : "false"},
      {"", "events", "Warn"},
      {"  ", "level", "info"},
      {"  ", "format", "json"},
  };
  for (const auto& row : kRows) {
    EXPECT_EQ(value_of(values, row.indent, row.key), row.expected) << row.key;
  }
}

TEST(ChartValues, GracePeriodIsTheDocumentedSumOfTheShutdownPhases) {
  const std::string values = chart_values();
  const ControllerOptions options;
  const runtime::ManagerOptions manager;
  const base::Duration half = options.shutdown_timeout / 2;
  const struct {
    const char* phase;
    base::Duration limit;
  } kPhases[] = {
      {"sources", manager.source_stop},
      {"workers", half},
      {"events", manager.event_flush},
      {"lease", manager.lease_release},
  };
  for (const auto& [phase, limit] : kPhases) {
    std::smatch found;
    ASSERT_TRUE(std::regex_search(values, found, std::regex(fmt::format("\n#     {} +([0-9.]+) s ", phase)))) << phase;
    EXPECT_EQ(found[1], shown(limit)) << phase;
  }
  const auto buffer = std::chrono::seconds(5);
  const std::string sum =
      fmt::format("preStop 0 + requests {} + everything else {} = shutdownTimeoutSeconds {}", shown(half),
                  shown(options.shutdown_timeout - half), shown(options.shutdown_timeout));
  EXPECT_NE(values.find(sum), std::string::npos) << sum;
  EXPECT_EQ(value_of(values, "", "terminationGracePeriodSeconds"), shown(options.shutdown_timeout + buffer));
}

}  // namespace
}  // namespace shutdown_auditor::app
