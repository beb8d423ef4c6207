#include "report/chart.h"

#include <gmock/gmock.h>

#include <limits>

#include "base/text.h"
#include "report/one_line.h"

namespace shutdown_auditor::report {
namespace {

Chart two_lanes() {
  Chart chart;
  chart.lanes = {{"pod", {{0, 5, "preStop", false}, {5, 35, "requests", false}}, 30},
                 {"log", {{0, 20, "waits", true}}, 30}};
  chart.marks = {{0, "Killing"}, {5, "SIGTERM"}, {30, "SIGKILL"}};
  return chart;
}

TEST(Chart, Ascii) {
  EXPECT_EQ(draw_chart(two_lanes(), {60, false}),
            "     0s      5s                     20s            30s   35s\n"
            "pod  |preStop|requests                             xxxxxxxx|\n"
            "     Killing SIGTERM                               SIGKILL\n"
            "log  |waits ~~~~~~~~~~~~~~~~~~~~~~~~>\n");
}

TEST(Chart, LinesNeverExceedTheWidth) {
  std::vector<Chart> charts{two_lanes(), Chart{}};
  Chart endless = two_lanes();
  endless.lanes[0].segments.push_back({35, std::numeric_limits<std::int64_t>::max(), "cleanup", false});
  charts.push_back(endless);
  Chart crowded;
  for (std::int64_t i = 0; i < 500; ++i) crowded.lanes.push_back({std::string(200, 'n'),
                                                                       {{i, i * i + 1, "label", false}}, 100});
  charts.push_back(crowded);
  for (const Chart& chart : charts) {
    for (const std::size_t width : {std::size_t{0}, std::size_t{40}, std::size_t{80}, std::size_t{333}}) {
      for (const bool unicode : {false, true}) {
        const std::string text = draw_chart(chart, {width, unicode});
        for (const std::string_view line : base::split(text, '\n')) {
          EXPECT_LE(columns(line), std::max<std::size_t>(width, 40)) << line;
        }
        EXPECT_TRUE(base::is_utf8(text));
        if (!unicode) {
          EXPECT_TRUE(std::all_of(text.begin(), text.end(), [](char c) { return c == '\n' || (c >= 0x20 && c < 0x7F); }));
        }
      }
    }
  }
}

TEST(Chart, NamesAreCutAndPrintable) {
  Chart chart = two_lanes();
  chart.lanes[1].name = "a\x1b[2J-very-long-name-of-a-container";
  const std::string text = draw_chart(chart, {80, true});
  EXPECT_THAT(text, ::testing::HasSubstr("a [2J-very-long-nam…  │waits"));
  EXPECT_THAT(draw_chart(chart, {80, false}), ::testing::HasSubstr("a [2J-very-long-nam~  |waits"));
}

}  // namespace
}  // namespace shutdown_auditor::report
