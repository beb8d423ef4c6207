#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace shutdown_auditor::report {

// A stretch of time with a name, in seconds; `to` is at least `from`. Segments of a lane do not overlap.
struct ChartSegment {
  std::int64_t from = 0;
  std::int64_t to = 0;
  std::string label;
  bool open = false;  // goes on for nobody knows how long: drawn without an end
};

// One line of a chart.
struct ChartLane {
  std::string name;
  std::vector<ChartSegment> segments;
  std::int64_t struck_after = 0;  // segments after this moment are filled with crosses
};

// A moment with a word for it, written under the first lane.
struct ChartMark {
  std::int64_t at = 0;
  std::string text;
};

struct Chart {
  std::vector<ChartLane> lanes;
  std::vector<ChartMark> marks;  // earlier ones first
};

struct ChartOptions {
  std::size_t width = 80;
  bool unicode = true;
};

// Draws the lanes over one axis with the moments above. Stretches are in proportion as far as their labels leave room;
// where even the labels do not fit, they are cut. Lines never exceed the width, which is taken as at least 40.
std::string draw_chart(const Chart& chart, const ChartOptions& options);

}  // namespace shutdown_auditor::report
