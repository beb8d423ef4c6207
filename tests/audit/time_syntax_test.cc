#include "audit/time_syntax.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace shutdown_auditor::audit {
namespace {

using S = TimeSyntax;
constexpr std::optional<std::int64_t> kRefused = std::nullopt;
constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

struct Row {
  TimeSyntax syntax;
  std::string text;
  std::optional<std::int64_t> ms;
};

TEST(TimeSyntax, ReadsWhatEachProgramReads) {
  const std::vector<Row> rows{
      {S::kIntSeconds, "30", 30000}, {S::kIntSeconds, " 30 ", 30000}, {S::kIntSeconds, "+5", 5000}, {S::kIntSeconds, "0", 0},
      {S::kIntSeconds, "30s", kRefused}, {S::kIntSeconds, "1.5", kRefused}, {S::kIntSeconds, "-1", kRefused},
      {S::kIntSeconds, "", kRefused}, {S::kIntSeconds, "+", kRefused}, {S::kIntSeconds, "99999999999999999999", kMost},
      {S::kFloatSeconds, "2.5", 2500}, {S::kFloatSeconds, ".5", 500}, {S::kFloatSeconds, "3", 3000},
      {S::kFloatSeconds, "1.0004", 1001}, {S::kFloatSeconds, ".", kRefused}, {S::kFloatSeconds, "1e3", kRefused},
      {S::kIntMillis, "600000", 600000}, {S::kIntMillis, "1s", kRefused},
      {S::kGo, "1h2m3.5s", 3723500}, {S::kGo, "300ms", 300}, {S::kGo, "1us", 1}, {S::kGo, "1\xC2\xB5s", 1}, {S::kGo, "0", 0},
      {S::kGo, "1.5h", 5400000}, {S::kGo, "2m", 120000}, {S::kGo, "30", kRefused}, {S::kGo, "1d", kRefused},
      {S::kGo, "1h-2m", kRefused}, {S::kGo, "s", kRefused}, {S::kGo, "1m1h", 3660000}, {S::kGo, "99999999999999999h", kMost},
      {S::kProtobuf, "5s", 5000}, {S::kProtobuf, "1.5s", 1500}, {S::kProtobuf, "5m0s", 300000}, {S::kProtobuf, "30",
       kRefused},
      {S::kGoOrSeconds, "30", 30000}, {S::kGoOrSeconds, "30s", 30000}, {S::kGoOrSeconds, "1x", kRefused},
      {S::kSpring, "45s", 45000}, {S::kSpring, "45", 45}, {S::kSpring, "1m", 60000}, {S::kSpring, "PT30S", 30000},
      {S::kSpring, "1m30s", kRefused}, {S::kSpring, "45 s", kRefused}, {S::kSpring, "2d", 172800000}, {S::kSpring, "1us", 1},
      {S::kQuarkus, "45", 45000}, {S::kQuarkus, "500ms", 500}, {S::kQuarkus, "PT1M", 60000}, {S::kQuarkus, "1y", kRefused},
      {S::kMicronaut, "15s", 15000}, {S::kMicronaut, "PT0.5S", 500}, {S::kMicronaut, "15", kRefused},
      {S::kIso8601, "PT0.5S", 500}, {S::kIso8601, "pt1h2m", 3720000}, {S::kIso8601, "P1DT1S", 86401000},
      {S::kIso8601, "30", kRefused}, {S::kIso8601, "P", kRefused}, {S::kIso8601, "PT", kRefused}, {S::kIso8601, "PT1S1M",
       kRefused},
      {S::kIso8601, "P1DT", kRefused}, {S::kIso8601, "P1M", kRefused}, {S::kIso8601, "PT1.5M", kRefused},
      {S::kDropwizard, "30s", 30000}, {S::kDropwizard, "30 seconds", 30000}, {S::kDropwizard, "5m", 300000},
      {S::kDropwizard, "500ms", 500}, {S::kDropwizard, "30", kRefused}, {S::kDropwizard, "1 fortnight", kRefused},
      {S::kGranian, "90", 90000}, {S::kGranian, "1m30s", 90000}, {S::kGranian, "0", kRefused}, {S::kGranian, "31m",
       kRefused},
      {S::kGranian, "30s1m", kRefused},
      {S::kNginx, "30", 30000}, {S::kNginx, "1m30s", 90000}, {S::kNginx, "500ms", 500}, {S::kNginx, "1M", 2592000000},
      {S::kNginx, "1s1m", kRefused}, {S::kNginx, "1.5s", kRefused},
      {S::kHaproxy, "30s", 30000}, {S::kHaproxy, "30", 30}, {S::kHaproxy, "5us", 1}, {S::kHaproxy, "1w", kRefused},
      {S::kPhpFpm, "10", 10000}, {S::kPhpFpm, "10s", 10000}, {S::kPhpFpm, "1m", 60000}, {S::kPhpFpm, "10ms", kRefused},
  };
  for (const Row& row : rows) {
    const auto result = parse_time(row.syntax, row.text);
    EXPECT_EQ(result ? std::optional(result->ms) : std::nullopt, row.ms) << static_cast<int>(row.syntax) << " " << row.text;
    if (!result) { EXPECT_FALSE(result.error().message.empty()); }
  }
}

TEST(TimeSyntax, SaysWhenABareNumberIsNotSeconds) {
  EXPECT_EQ(parse_time(S::kSpring, "45")->note, "has no unit and means milliseconds; for seconds write 45s");
  EXPECT_EQ(parse_time(S::kSpring, "45s")->note, "");
  EXPECT_EQ(parse_time(S::kSpring, "0")->note, "");
}

TEST(TimeSyntax, SurvivesGarbage) {
  std::mt19937 random(11);
  const std::string letters = "0123456789.smhdwMyPT+-u \xC2\xB5";
  for (int round = 0; round < 20000; ++round) {
    std::string text;
    for (auto left = random() % 12; left > 0; --left) text += letters[random() % letters.size()];
    for (int syntax = 0; syntax <= static_cast<int>(S::kPhpFpm); ++syntax) {
      const auto result = parse_time(static_cast<S>(syntax), text);
      if (result) { EXPECT_GE(result->ms, 0) << text; }
    }
  }
}

}  // namespace
}  // namespace shutdown_auditor::audit
