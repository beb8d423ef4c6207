#include "report/chart.h"

#include <algorithm>
#include <cmath>
#include <string_view>

#include "report/character.h"
#include "report/one_line.h"

namespace shutdown_auditor::report {
namespace {

constexpr std::size_t kMinWidth = 40;
constexpr std::size_t kMaxNameColumns = 24;
constexpr int kBisections = 48;

// One string of UTF-8 for each column; of a wide character the second one is empty.
using Cells = std::vector<std::string>;

Cells cells_of(std::string_view text, bool unicode) {
  Cells cells;
  const std::string line = one_line(text);
  for (std::string_view rest = line; !rest.empty();) {
    const Character character = first_character(rest);
    rest.remove_prefix(character.bytes.size());
    const std::size_t width = width_of(character.code);
    if (!unicode && character.bytes.size() > 1) {
      cells.emplace_back("?");
    } else if (width == 0 && !cells.empty()) {
      (cells.back().empty() ? cells[cells.size() - 2] : cells.back()) += character.bytes;
    } else {
      cells.emplace_back(character.bytes);
      if (width == 2) {
        cells.emplace_back();
      }
    }
  }
  return cells;
}

// At most `size` of them, not ending in half a wide character.
void cut(Cells& cells, std::size_t size) {
  if (cells.size() > size) {
    const bool half = size > 0 && cells[size].empty();
    cells.resize(size);
    if (half) {
      cells.back() = " ";
    }
  }
}

// Writes over `row` from `column` on, as far as `end`.
void write(Cells& row, std::size_t column, Cells text, std::size_t end) {
  end = std::min(end, row.size());
  cut(text, end - std::min(end, column));
  std::move(text.begin(), text.end(), row.begin() + static_cast<std::ptrdiff_t>(column));
}

std::string line_of(const Cells& row) {
  std::string out;
  for (const std::string& cell : row) {
    out += cell;
  }
  while (out.ends_with(' ')) {
    out.pop_back();
  }
  return out + "\n";
}

bool is_struck(const ChartSegment& segment, const ChartLane& lane) { return segment.to > lane.struck_after; }

// "45s", "1h", "1h0m5s": hours are not counted in seconds.
std::string tick_text(std::int64_t seconds) {
  constexpr std::int64_t kHour = 3600;
  if (seconds < kHour) {
    return std::to_string(seconds) + "s";
  }
  const std::int64_t minutes = seconds % kHour / 60;
  const std::int64_t rest = seconds % 60;
  return std::to_string(seconds / kHour) + "h" + (minutes > 0 || rest > 0 ? std::to_string(minutes) + "m" : "") +
         (rest > 0 ? std::to_string(rest) + "s" : "");
}

// The moments of a chart and the column of each.
class Axis {
 public:
  Axis(const Chart& chart, std::size_t width) {
    times_.push_back(0);
    for (const ChartMark& mark : chart.marks) {
      times_.push_back(mark.at);
    }
    for (const ChartLane& lane : chart.lanes) {
      for (const ChartSegment& segment : lane.segments) {
        times_.push_back(segment.from);
        times_.push_back(segment.to);
        if (is_struck(segment, lane)) {
          times_.push_back(std::max(segment.from, lane.struck_after));
        }
      }
    }
    std::sort(times_.begin(), times_.end());
    times_.erase(std::unique(times_.begin(), times_.end()), times_.end());
    lay_out(chart, width);
  }

  const std::vector<std::int64_t>& times() const { return times_; }
  std::size_t column(std::int64_t time) const { return columns_[index(time)]; }

 private:
  // Segment `from`-`to` (indices of moments) takes at least this many columns.
  struct Need {
    std::size_t from;
    std::size_t to;
    std::size_t columns;
  };

  std::size_t index(std::int64_t time) const {
    return static_cast<std::size_t>(std::lower_bound(times_.begin(), times_.end(), time) - times_.begin());
  }

  // Columns in proportion to time, pushed apart where `needs` (sorted by end) ask for it. Grows with the scale.
  std::vector<std::size_t> place(double scale, const std::vector<Need>& needs, std::size_t gap) const {
    std::vector<std::size_t> columns(times_.size(), 0);
    auto need = needs.begin();
    for (std::size_t i = 1; i < times_.size(); ++i) {
      const auto proportional = static_cast<std::size_t>(std::lround(static_cast<double>(times_[i]) * scale));
      columns[i] = std::max(columns[i - 1] + gap, proportional);
      for (; need != needs.end() && need->to == i; ++need) {
        columns[i] = std::max(columns[i], columns[need->from] + need->columns);
      }
    }
    return columns;
  }

  // The largest scale at which everything fits; false when none does.
  bool try_layout(std::size_t width, std::vector<Need> needs, std::size_t gap) {
    std::stable_sort(needs.begin(), needs.end(), [](const Need& a, const Need& b) { return a.to < b.to; });
    double low = 0;
    double high = times_.back() > 0 ? static_cast<double>(width - 1) / static_cast<double>(times_.back()) : 0;
    columns_ = place(low, needs, gap);
    if (columns_.back() >= width) {
      return false;
    }
    for (int i = 0; i <= kBisections; ++i) {
      const double scale = i == 0 ? high : (low + high) / 2;  // the largest first: it often fits
      std::vector<std::size_t> columns = place(scale, needs, gap);
      if (columns.back() < width) {
        columns_ = std::move(columns);
        low = scale;
      } else {
        high = scale;
      }
    }
    return true;
  }

  void lay_out(const Chart& chart, std::size_t width) {
    std::vector<Need> labels;
    for (const ChartLane& lane : chart.lanes) {
      for (const ChartSegment& segment : lane.segments) {
        if (segment.to > segment.from) {
          const std::size_t crosses = is_struck(segment, lane) ? 2 : 0;  // a space and one cross
          labels.push_back({index(segment.from), index(segment.to), report::columns(segment.label) + 1 + crosses});
        }
      }
    }
    std::vector<Need> all = labels;
    for (std::size_t i = 1; i < times_.size(); ++i) {
      all.push_back({i - 1, i, tick_text(times_[i - 1]).size() + 1});
    }
    if (!try_layout(width, std::move(all), 1) && !try_layout(width, std::move(labels), 1) && !try_layout(width, {}, 1)) {
      try_layout(width, {}, 0);
    }
  }

  std::vector<std::int64_t> times_;  // sorted, each once
  std::vector<std::size_t> columns_;
};

class Drawing {
 public:
  Drawing(const Chart& chart, const ChartOptions& options)
      : chart_(chart), unicode_(options.unicode), width_(std::max(options.width, kMinWidth)), name_columns_(name_columns()),
        axis_(chart, width_ - name_columns_) {}

  std::string text() {
    std::string out = line_of(ticks());
    for (std::size_t i = 0; i < chart_.lanes.size(); ++i) {
      out += line_of(lane(chart_.lanes[i]));
      if (i == 0) {
        for (const Cells& row : mark_rows()) {
          out += line_of(row);
        }
      }
    }
    return out;
  }

 private:
  // The column of the names, with two spaces; none when no lane has one.
  std::size_t name_columns() const {
    std::size_t longest = 0;
    for (const ChartLane& lane : chart_.lanes) {
      longest = std::max(longest, cells_of(lane.name, unicode_).size());
    }
    return longest == 0 ? 0 : std::min({longest, kMaxNameColumns, width_ / 4}) + 2;
  }

  Cells blank() const { return {width_, " "}; }
  std::size_t column(std::int64_t time) const { return name_columns_ + axis_.column(time); }
  std::string look(std::string_view utf8, std::string_view ascii) const { return std::string(unicode_ ? utf8 : ascii); }

  // As many as fit: the ends and the marked moments before the others.
  Cells ticks() const {
    Cells row = blank();
    std::vector<std::int64_t> order{0, axis_.times().back()};
    for (auto mark = chart_.marks.rbegin(); mark != chart_.marks.rend(); ++mark) {
      order.push_back(mark->at);
    }
    order.insert(order.end(), axis_.times().begin(), axis_.times().end());
    std::vector<bool> taken(width_ + 1, false);
    for (const std::int64_t time : order) {
      const Cells text = cells_of(tick_text(time), unicode_);
      std::size_t begin = column(time);
      if (begin + text.size() > width_) {
        begin = width_ - std::min(width_, text.size());
      }
      const std::size_t end = std::min(begin + text.size() + 1, width_ + 1);
      const auto first = taken.begin() + static_cast<std::ptrdiff_t>(begin);
      const auto last = taken.begin() + static_cast<std::ptrdiff_t>(end);
      if (std::find(first, last, true) == last) {
        write(row, begin, text, width_);
        std::fill(first, last, true);
      }
    }
    return row;
  }

  Cells lane(const ChartLane& lane) const {
    Cells row = blank();
    if (name_columns_ > 0) {
      Cells name = cells_of(lane.name, unicode_);
      if (name.size() > name_columns_ - 2) {
        cut(name, name_columns_ - 3);
        name.push_back(look("…", "~"));
      }
      write(row, 0, name, name_columns_ - 2);
    }
    const std::string bar = look("│", "|");
    for (const ChartSegment& segment : lane.segments) {
      const std::size_t struck = is_struck(segment, lane) ? column(std::max(segment.from, lane.struck_after)) : width_;
      const std::size_t from = column(segment.from);
      const std::size_t to = column(segment.to);
      for (std::size_t at = from; at < to; ++at) {
        row[at] = at >= struck ? look("×", "x") : segment.open ? look("·", "~") : " ";
      }
      row[from] = bar;
      row[to] = segment.open ? look("▶", ">") : bar;
      write(row, from + 1, cells_of(segment.label + " ", unicode_), to);
    }
    if (lane.segments.empty()) {
      row[name_columns_] = bar;
    }
    return row;
  }

  // Marks begin under their moment, or end there where the page is too narrow; one that the one before is in the way of
  // goes a line down.
  std::vector<Cells> mark_rows() const {
    std::vector<Cells> rows;
    std::vector<std::size_t> ends;  // first free column of each row
    for (const ChartMark& mark : chart_.marks) {
      const Cells text = cells_of(mark.text, unicode_);
      const std::size_t at = column(mark.at);
      const std::size_t begin = at + text.size() <= width_ ? at : at + 1 - std::min(at + 1, text.size());
      std::size_t row = 0;
      while (row < rows.size() && ends[row] > begin) {
        ++row;
      }
      if (row == rows.size()) {
        rows.push_back(blank());
        ends.push_back(0);
      }
      write(rows[row], begin, text, width_);
      ends[row] = begin + text.size() + 1;
    }
    return rows;
  }

  const Chart& chart_;
  const bool unicode_;
  const std::size_t width_;
  const std::size_t name_columns_;
  const Axis axis_;
};

}  // namespace

std::string draw_chart(const Chart& chart, const ChartOptions& options) { return Drawing(chart, options).text(); }

}  // namespace shutdown_auditor::report
