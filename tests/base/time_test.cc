#include "base/time.h"

#include <gtest/gtest.h>

namespace shutdown_auditor::base {
namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

TEST(Time, Rfc3339RoundTrips) {
  struct Row { const char* text; const char* micro; };
  const Row rows[] = {
      {"2026-11-22T18:17:03Z", "2026-11-22T18:17:03.000000Z"},
      {"2026-11-22T18:17:03.123456789Z", "2026-11-22T18:17:03.123456Z"},
      {"2026-11-22T20:17:03.5+02:00", "2026-11-22T18:17:03.500000Z"},
      {"2024-02-29T00:00:00-01:30", "2024-02-29T01:30:00.000000Z"},
      {"1969-12-31T23:59:59.999999Z", "1969-12-31T23:59:59.999999Z"},
      {"2016-12-31T23:59:60Z", "2016-12-31T23:59:59.000000Z"},
  };
  for (const Row& row : rows) {
    const auto time = parse_rfc3339(row.text);
    ASSERT_TRUE(time) << row.text;
    EXPECT_EQ(format_rfc3339_micro(*time), row.micro);
    EXPECT_EQ(format_rfc3339(*time), std::string(row.micro).substr(0, 19) + "Z");
  }
}

TEST(Time, YearsBeyondTheClockSaturate) {
  struct Row { const char* text; const char* read; };
  const Row rows[] = {
      {"9999-12-31T23:59:59Z", "2262-04-11T23:47:16.854775Z"},
      {"2262-04-11T23:47:16.854775Z", "2262-04-11T23:47:16.854775Z"},
      {"2262-04-11T23:47:16.854776Z", "2262-04-11T23:47:16.854775Z"},
      {"0001-01-01T00:00:00Z", "1677-09-21T00:12:43.145225Z"},
      {"0000-01-01T00:00:00+23:59", "1677-09-21T00:12:43.145225Z"},
  };
  for (const Row& row : rows) {
    const auto time = parse_rfc3339(row.text);
    ASSERT_TRUE(time) << row.text;
    EXPECT_EQ(format_rfc3339_micro(*time), row.read) << row.text;
  }
}

TEST(Time, Rfc3339RefusesEverythingElse) {
  for (const char* bad : {"", "2026", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z", "2026-01-01T24:00:00Z",
                          "2026-01-01T00:00:00", "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00Zx",
                          "2026-01-01T00:00:00+24:00", "-026-01-01T00:00:00Z"}) {
    EXPECT_FALSE(parse_rfc3339(bad)) << bad;
  }
}

TEST(Time, DurationsReadAsGoReadsThem) {
  struct Row { const char* text; Duration value; const char* shortest; };
  const Row rows[] = {
      {"0", Duration::zero(), "0s"},        {"15s", seconds(15), "15s"},
      {"1h30m", minutes(90), "1h30m0s"},    {"1.5s", milliseconds(1500), "1.5s"},
      {"250ms", milliseconds(250), "250ms"}, {"-2m", minutes(-2), "-2m0s"},
      {"3us", microseconds(3), "3µs"},      {"10h", hours(10), "10h0m0s"},
      {"1m0.05s", milliseconds(60050), "1m0.05s"},
  };
  for (const Row& row : rows) {
    const auto duration = parse_duration(row.text);
    ASSERT_TRUE(duration) << row.text;
    EXPECT_EQ(*duration, row.value) << row.text;
    EXPECT_EQ(format_duration(*duration), row.shortest);
  }
  for (const char* bad : {"", "-", "5", "s", "1x", "1s5", "..5s", "1.2.3s", ".s", "9999999999h"}) {
    EXPECT_FALSE(parse_duration(bad)) << bad;
  }
  EXPECT_EQ(format_duration(Duration::min()), "-2562047h47m16.854775808s");
}

}  // namespace
}  // namespace shutdown_auditor::base
