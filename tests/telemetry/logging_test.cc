#include "telemetry/logging.h"

#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

#include "base/time.h"
#include "support/manual_clock.h"

namespace shutdown_auditor::telemetry {
namespace {

using base::LogField;
using base::LogLevel;
using nlohmann::json;
using testing_support::ManualClock;

struct Captured {
  explicit Captured(LogOptions options) : sink(make_log_sink(options, clock, [this](LogLevel, const std::string& line) {
    lines.push_back(line);
  })) {}
  void log(LogLevel level, std::string_view message, std::vector<LogField> fields = {}) {
    sink(level, "kube", message, fields.data(), fields.size());
  }

  ManualClock clock;
  std::vector<std::string> lines;
  base::LogSink sink;
};

TEST(Logging, JsonLines) {
  Captured log({});
  log.log(LogLevel::kWarn, "Watch ended", {{"resource", "deployments"}, {"code", 410}, {"resumed", true}, {"share", 0.5}});
  ASSERT_EQ(log.lines.size(), 1U);
  const json line = json::parse(log.lines[0]);
  EXPECT_EQ(line["level"], "warn");
  EXPECT_EQ(line["logger"], "kube");
  EXPECT_EQ(line["msg"], "Watch ended");
  EXPECT_EQ(line["resource"], "deployments");
  EXPECT_EQ(line["code"], 410);
  EXPECT_EQ(line["resumed"], true);
  EXPECT_EQ(line["share"], 0.5);
  EXPECT_EQ(line["ts"], base::format_rfc3339_micro(log.clock.wall_now()));
}

TEST(Logging, TextLines) {
  Captured log({.format = LogFormat::kText});
  log.log(LogLevel::kInfo, "Lease taken",
          {{"identity", "a_1"}, {"empty", ""}, {"words", "two words"}, {"quote", "a\"b"}, {"n", 3}});
  const std::string time = base::format_rfc3339_micro(log.clock.wall_now());
  ASSERT_EQ(log.lines.size(), 1U);
  EXPECT_EQ(log.lines[0],
            time + " INFO  kube: Lease taken identity=a_1 empty=\"\" words=\"two words\" quote=\"a\\\"b\" n=3");
}

TEST(Logging, HostileValuesStayInTheirLine) {
  const std::string kHostile[] = {
      "a\n2026 ERROR kube: forged", "\x1b[31mred", std::string("nul\0byte", 8), "\xff\xfe broken", "\r\n\t",
      std::string(100000, 'x'),
  };
  for (const LogFormat format : {LogFormat::kJson, LogFormat::kText}) {
    for (const std::string& value : kHostile) {
      Captured log({.format = format});
      log.log(LogLevel::kError, "Refused", {{"value", std::string_view(value)}});
      ASSERT_EQ(log.lines.size(), 1U);
      for (const char c : log.lines[0]) {
        ASSERT_FALSE(static_cast<unsigned char>(c) < 0x20 || c == 0x7F) << log.lines[0];
      }
      EXPECT_LT(log.lines[0].size(), 5000U);
      if (format == LogFormat::kJson) {
        EXPECT_TRUE(json::accept(log.lines[0])) << log.lines[0];
      }
    }
  }
}

TEST(Logging, NumbersThatJsonDoesNotKnowAreStrings) {
  Captured log({});
  log.log(LogLevel::kInfo, "x", {{"a", std::numeric_limits<double>::quiet_NaN()},
                                 {"b", -std::numeric_limits<double>::infinity()}});
  EXPECT_TRUE(json::accept(log.lines.at(0))) << log.lines[0];
}

TEST(Logging, RepeatsAreLeftOutAndCounted) {
  Captured log({.repeat_limit = 3, .repeat_window = std::chrono::seconds(10)});
  for (int i = 0; i < 10; ++i) {
    log.log(LogLevel::kError, "No connection");
  }
  log.log(LogLevel::kInfo, "Something else");
  ASSERT_EQ(log.lines.size(), 4U);
  EXPECT_EQ(json::parse(log.lines[3])["msg"], "Something else");
  log.clock.advance(std::chrono::seconds(10));
  log.log(LogLevel::kError, "No connection");
  log.log(LogLevel::kError, "No connection");
  ASSERT_EQ(log.lines.size(), 6U);
  EXPECT_EQ(json::parse(log.lines[4])["suppressed"], 7);
  EXPECT_FALSE(json::parse(log.lines[5]).contains("suppressed"));
}

TEST(Logging, VaryingMessagesTakeBoundedMemoryAndAllAreWritten) {
  Captured log({.repeat_limit = 1});
  for (int i = 0; i < 10000; ++i) {
    log.log(LogLevel::kInfo, "message " + std::to_string(i));
  }
  EXPECT_EQ(log.lines.size(), 10000U);
}

TEST(Logging, OneLineAtATimeFromSeveralThreads) {
  Captured log({.repeat_limit = 0});
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int n = 0; n < 250; ++n) {
          log.log(LogLevel::kInfo, "x", {{"n", n}});
        }
      });
    }
  }
  EXPECT_EQ(log.lines.size(), 1000U);
}

TEST(Logging, Words) {
  EXPECT_EQ(parse_log_level("debug"), LogLevel::kDebug);
  EXPECT_EQ(parse_log_level("error"), LogLevel::kError);
  EXPECT_EQ(parse_log_level("Warning"), std::nullopt);
  EXPECT_EQ(parse_log_format("json"), LogFormat::kJson);
  EXPECT_EQ(parse_log_format("text"), LogFormat::kText);
  EXPECT_EQ(parse_log_format("xml"), std::nullopt);
}

}  // namespace
}  // namespace shutdown_auditor::telemetry
