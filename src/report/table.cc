#include "report/table.h"

#include <algorithm>
#include <array>
#include <deque>
#include <limits>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "audit/stop_estimate.h"
#include "base/text.h"
#include "report/finding_text.h"
#include "report/one_line.h"
#include "report/roll_up.h"
#include "report/text_pool.h"
#include "report/text_row.h"

namespace shutdown_auditor::report {
namespace {

constexpr std::size_t kMinMessage = 40;   // columns; with less a finding becomes a paragraph
constexpr std::string_view kReset = "\x1b[0m";
// By badness.
constexpr std::array<std::string_view, kResults.size()> kColors{"\x1b[1;31m", "\x1b[31m", "\x1b[33m", "\x1b[36m",
                                                                "\x1b[36m",   "\x1b[2m",  "\x1b[32m"};
constexpr std::array<std::string_view, 12> kWideHead{"RESULT",   "CHECK", "WORKLOAD", "GRACE",  "NEEDS",   "AFTERSIGNAL",
                                                     "EVIDENCE", "DRAIN", "ROLLOUT",  "SOURCE", "MESSAGE", "WHAT TO SET"};
constexpr std::array<std::string_view, 5> kHead{"RESULT", "CHECK", "WORKLOAD", "SOURCE", "MESSAGE"};
constexpr std::size_t kWorkload = 2;   // the cells up to it and from SOURCE on are in both tables
constexpr std::size_t kSource = 3;
constexpr std::size_t kWideSource = 9;

std::string number_text(const std::optional<std::int64_t>& number) { return number ? std::to_string(*number) : "-"; }

class TablePrinter final : public Printer {
 public:
  TablePrinter(std::ostream& out, const TableOptions& options)
      : out_(out), options_(options),
        head_(options.wide ? std::span<const std::string_view>(kWideHead) : std::span<const std::string_view>(kHead)),
        source_(options.wide ? kWideSource : kSource), cells_(head_.size() + 2), widths_(head_.size()) {}

  void add(const ShutdownAudit& audit) override {
    any_audit_ = true;
    if (options_.roll_up) {
      roll_up_.add(audit);
    }
    bool named = false;
    for (const ReportedFinding& finding : audit.status.findings) {
      if (options_.wide || finding.result != "Skip") {
        if (!std::exchange(named, true)) {
          set_workload(audit);
        }
        add_row(finding.result, finding.id, finding.place, &finding);
      }
    }
    if (options_.wide && (audit.status.verdict == "Pass" || audit.status.findings.empty())) {
      if (!named) {
        set_workload(audit);
      }
      add_row(audit.status.verdict, "-", audit.place, nullptr);
    }
  }

  void finish() override {
    const bool any_row = std::any_of(rows_.begin(), rows_.end(), [](const auto& rows) { return !rows.empty(); });
    if (any_row) {
      write_rows();
    }
    if (any_audit_ && options_.roll_up) {
      out_ << (any_row ? "\n" : "") << roll_up_.text(options_.width);
    }
  }

 private:
  // Puts a printable text into the row that is being made.
  void set(std::size_t column, std::string_view text) {
    cells_[column] = pool_.add(text);
    const bool counts = column + 1 < head_.size() || options_.width > 0;
    widths_[column] = counts ? std::max(widths_[column], columns(text)) : 0;
  }

  // Numbers stay numbers: as a text, each place would be one of its own.
  void set_place(const Place& place) {
    std::string room;
    set(source_, place.file.empty() ? "-" : one_line(path_of(place), room));
    constexpr std::int64_t kMax = std::numeric_limits<TextPool::Id>::max();
    cells_[head_.size()] = static_cast<TextPool::Id>(place.file.empty() ? 0 : std::clamp<std::int64_t>(place.line, 0, kMax));
    cells_[head_.size() + 1] = static_cast<TextPool::Id>(std::clamp<std::int64_t>(place.column, 0, kMax));
    room.clear();
    add_position(room, cells_[head_.size()], cells_[head_.size() + 1]);
    widths_[source_] = std::max(widths_[source_], columns(pool_[cells_[source_]]) + room.size());
  }

  // As to_string(Place) ends.
  static void add_position(std::string& text, TextPool::Id line, TextPool::Id column) {
    if (line > 0) {
      text.append(":").append(std::to_string(line));
      text.append(column > 0 ? ":" + std::to_string(column) : "");
    }
  }

  // The cells that are the same in all rows of an audit.
  void set_workload(const ShutdownAudit& audit) {
    set(kWorkload, workload_text(audit));
    if (!options_.wide) {
      return;
    }
    const ReportedBudget budget = audit.status.budget.value_or(ReportedBudget{});
    const std::array<std::string, kWideSource - kWorkload - 1> numbers{
        number_text(budget.grace_period_seconds), budget.required_text.empty() ? "-" : budget.required_text,
        number_text(budget.seconds_after_signal), budget.evidence.empty() ? "-" : budget.evidence,
        audit::to_string(audit.estimate.drain),   audit::to_string(audit.estimate.rollout)};
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      set(kWorkload + 1 + i, numbers[i]);
    }
  }

  // `finding` is null for a workload that has none to show.
  void add_row(std::string_view result, std::string_view id, const Place& place, const ReportedFinding* finding) {
    std::string room;
    set(0, result);
    set(1, one_line(id, room));
    set_place(place);
    if (finding != nullptr && finding->exemption) {
      set(source_ + 1, one_line(finding->message) + " (exempt: " + one_line(finding->exemption->reason) + ")");
    } else {
      set(source_ + 1, finding == nullptr ? "" : one_line(finding->message, room));
    }
    if (options_.wide) {
      set(source_ + 2, finding == nullptr ? "" : one_line(finding->remediation, room));
    }
    std::deque<TextPool::Id>& rows = rows_[badness(result)];
    rows.insert(rows.end(), cells_.begin(), cells_.end());
  }

  // The first column of messages; those before it are short.
  std::size_t texts() const { return source_ + 1; }

  // Calls `write` with the cells of every row, worst first.
  template <class Write>
  void for_each_row(Write write) const {
    std::vector<std::string_view> cells(head_.size());
    std::string place;
    for (const std::deque<TextPool::Id>& rows : rows_) {
      for (auto cell = rows.begin(); cell != rows.end();) {
        for (std::string_view& text : cells) {
          text = pool_[*cell++];
        }
        place = cells[source_];
        const TextPool::Id line = *cell++;
        add_position(place, line, *cell++);
        cells[source_] = place;
        write(cells);
      }
    }
  }

  // On a paper as wide as needed with a line each, else within the width.
  void write_rows() {
    std::size_t before = 0;
    std::size_t all = 0;
    std::vector<std::size_t> widths(widths_);
    for (std::size_t i = 0; i < widths.size(); ++i) {
      widths[i] = std::max(widths[i], columns(head_[i]));
      before += i < texts() ? widths[i] + kColumnGap : 0;
      all += widths[i] + kColumnGap;
    }
    const bool fits = options_.width == 0 || all - kColumnGap <= options_.width;
    if (fits || (!options_.wide && before + kMinMessage <= options_.width)) {
      const std::size_t last_width = fits ? 0 : options_.width - before;
      write_columns(std::vector<std::string_view>(head_.begin(), head_.end()), widths, last_width);
      for_each_row([&](const std::vector<std::string_view>& cells) { write_columns(cells, widths, last_width); });
    } else {
      for_each_row([&](const std::vector<std::string_view>& cells) { write_paragraph(cells); });
    }
  }

  void add_result(std::string_view result) {
    const std::size_t color = badness(result);
    if (options_.color && color < kColors.size()) {
      line_.append(kColors[color]).append(result).append(kReset);
    } else {
      line_ += result;
    }
  }

  // The last cell is broken into lines of `last_width` when that is not 0.
  void write_columns(const std::vector<std::string_view>& cells, const std::vector<std::size_t>& widths,
                     std::size_t last_width) {
    line_.clear();
    add_result(cells.front());
    line_.append(widths.front() - columns(cells.front()) + kColumnGap, ' ');
    std::size_t indent = widths.front() + kColumnGap;
    for (std::size_t i = 1; i + 1 < cells.size(); ++i) {
      add_cell(line_, cells[i], widths[i]);
      indent += widths[i] + kColumnGap;
    }
    if (last_width == 0) {
      line_ += cells.back();
      end_line(line_);
    } else {
      bool first = true;
      for (const std::string& part : wrapped(cells.back(), last_width)) {
        line_.append(std::exchange(first, false) ? 0 : indent, ' ').append(part);
        end_line(line_);
      }
    }
    out_ << line_;
  }

  // Beside its result: what names the finding on as few lines as it takes, then its texts.
  void write_paragraph(const std::vector<std::string_view>& cells) {
    const std::size_t indent = widths_.front() + kColumnGap;
    const std::size_t room = options_.width > indent ? options_.width - indent : 1;
    std::vector<std::string> lines(1);
    for (std::size_t i = 1; i < texts(); ++i) {
      const bool number = i > kWorkload && i + 1 < texts();
      const std::string cell = (number ? base::to_lower(head_[i]) + " " : "") + std::string(cells[i]);
      const bool fits = columns(lines.back()) + kColumnGap + columns(cell) <= room;
      if (lines.back().empty() || fits) {
        lines.back() += (lines.back().empty() ? "" : std::string(kColumnGap, ' ')) + cell;
      } else {
        lines.push_back(cell);
      }
    }
    for (std::size_t i = texts(); i < cells.size(); ++i) {
      if (!cells[i].empty()) {
        lines.emplace_back(cells[i]);
      }
    }
    line_.clear();
    add_result(cells.front());
    line_.append(indent - columns(cells.front()), ' ');
    bool first = true;
    for (const std::string& line : lines) {
      for (const std::string& part : columns(line) > room ? wrapped(line, room) : std::vector<std::string>{line}) {
        line_.append(std::exchange(first, false) ? 0 : indent, ' ').append(part);
        end_line(line_);
      }
    }
    out_ << line_;
  }

  std::ostream& out_;
  const TableOptions options_;
  const std::span<const std::string_view> head_;
  const std::size_t source_;  // its column
  TextPool pool_;
  std::vector<TextPool::Id> cells_;  // of the row that is being made; behind them line and column of its place
  std::vector<std::size_t> widths_;  // of the columns without their heads
  std::array<std::deque<TextPool::Id>, kResults.size() + 1> rows_;  // by badness; cell after cell
  RollUp roll_up_;
  bool any_audit_ = false;
  std::string line_;  // what is being written
};

}  // namespace

std::unique_ptr<Printer> table_printer(std::ostream& out, const TableOptions& options) {
  return std::make_unique<TablePrinter>(out, options);
}

}  // namespace shutdown_auditor::report
