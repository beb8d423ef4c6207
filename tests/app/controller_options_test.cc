#include "app/controller_options.h"

#include <gtest/gtest.h>

#include <CLI/CLI.hpp>

#include <algorithm>

namespace shutdown_auditor::app {
namespace {

struct Parsed {
  ControllerOptions options;
  std::string problem;
};

Parsed parse(std::vector<std::string> arguments) {
  Parsed parsed;
  CLI::App command;
  add_controller_flags(command, parsed.options);
  std::reverse(arguments.begin(), arguments.end());
  try {
    command.parse(std::move(arguments));
  } catch (const CLI::ParseError& error) {
    parsed.problem = error.what();
  }
  return parsed;
}

TEST(ControllerOptions, DefaultsAreTheDocumentedOnes) {
  const Parsed parsed = parse({});
  EXPECT_EQ(parsed.problem, "");
  EXPECT_EQ(parsed.options.qps, 50);
  EXPECT_EQ(parsed.options.burst, 100);
  EXPECT_EQ(parsed.options.bulk_writes_per_second, 50);
  EXPECT_EQ(parsed.options.resync_period, std::chrono::hours(10));
  EXPECT_EQ(parsed.options.shutdown_timeout, std::chrono::seconds(25));
  EXPECT_EQ(parsed.options.lease_duration, std::chrono::seconds(15));
  EXPECT_EQ(parsed.options.renew_deadline, std::chrono::seconds(10));
  EXPECT_EQ(parsed.options.retry_period, std::chrono::seconds(2));
  EXPECT_TRUE(parsed.options.leader_elect);
}

TEST(ControllerOptions, ValuesArrive) {
  const Parsed parsed = parse({"--namespaces=a,b", "--events=Fail", "--sync-period=1h30m", "--no-leader-elect",
                               "--metrics-bind-address=0", "--health-probe-bind-address=[::1]:0", "--log-level=debug",
                               "--log-format=text", "--kube-api-qps=-1"});
  ASSERT_EQ(parsed.problem, "");
  EXPECT_EQ(parsed.options.namespaces, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(parsed.options.events, report::EventLevel::kFail);
  EXPECT_EQ(parsed.options.resync_period, std::chrono::minutes(90));
  EXPECT_FALSE(parsed.options.leader_elect);
  EXPECT_EQ(parsed.options.metrics_address, "0");
  EXPECT_EQ(parsed.options.health_address, "[::1]:0");
  EXPECT_EQ(parsed.options.log_level, base::LogLevel::kDebug);
  EXPECT_EQ(parsed.options.log_format, telemetry::LogFormat::kText);
  EXPECT_EQ(parsed.options.qps, -1);
}

TEST(ControllerOptions, NonsenseIsRefusedNamingTheFlag) {
  struct Row {
    const char* argument;
    const char* names;
  };
  for (const Row& row : {Row{"--events=Sometimes", "--events"}, Row{"--sync-period=10", "--sync-period"},
                         Row{"--sync-period=1ms", "--sync-period"}, Row{"--log-level=loud", "--log-level"},
                         Row{"--metrics-bind-address=8080", "--metrics-bind-address"},
                         Row{"--max-concurrent-reconciles=0", "--max-concurrent-reconciles"},
                         Row{"--bulk-writes-per-second=-1", "--bulk-writes-per-second"},
                         Row{"--kube-api-qps=many", "--kube-api-qps"}, Row{"--unknown=1", "--unknown"}}) {
    EXPECT_NE(parse({row.argument}).problem.find(row.names), std::string::npos)
        << row.argument << ": " << parse({row.argument}).problem;
  }
}

TEST(ControllerOptions, BindAddresses) {
  struct Row {
    const char* text;
    const char* host;
    int port;
  };
  for (const Row& row : {Row{":8080", "::", 8080}, Row{"127.0.0.1:0", "127.0.0.1", 0}, Row{"[::1]:81", "::1", 81},
                         Row{"localhost:80", "127.0.0.1", 80}}) {
    const auto address = parse_bind_address(row.text);
    ASSERT_TRUE(address) << row.text;
    EXPECT_EQ(address->host, row.host);
    EXPECT_EQ(address->port, row.port);
  }
  for (const char* text : {"", "8080", ":", ":65536", ":-1", "::1:80", "[]:80", "host:http", "[::1]"}) {
    EXPECT_FALSE(parse_bind_address(text)) << text;
  }
}

}  // namespace
}  // namespace shutdown_auditor::app
