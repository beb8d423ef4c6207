#include "app/page_text.h"

#include <algorithm>
#include <vector>

#include "base/text.h"
#include "report/one_line.h"

namespace shutdown_auditor::app {
namespace {

constexpr std::size_t kLeastColumns = 40;
constexpr std::size_t kMostColumns = 100;  // longer lines are hard to read

// Without code marks, emphasis and link targets.
std::string plain(std::string_view text) {
  std::string out;
  bool code = false;
  while (!text.empty()) {
    const char c = text.front();
    if (c == '[' && !code) {
      const std::size_t middle = text.find("](");
      const std::size_t end = middle == std::string_view::npos ? middle : text.find(')', middle);
      if (end != std::string_view::npos) {
        const std::string_view target = text.substr(middle + 2, end - middle - 2);
        out += plain(text.substr(1, middle - 1));
        if (target.starts_with("http")) {
          out.append(" <").append(target).append(">");
        }
        text.remove_prefix(end + 1);
        continue;
      }
    }
    text.remove_prefix(1);
    code = code != (c == '`');
    const bool alone = (out.empty() || out.back() == ' ') && (text.empty() || text.front() == ' ');
    if (c != '`' && (c != '*' || code || alone)) {
      out += c;
    }
  }
  return out;
}

bool is_table_rule(std::string_view line) { return line.find_first_not_of("|-: ") == std::string_view::npos; }

// The cells of "| a | b |"; a bar in code ("`a|b`") does not end a cell.
std::vector<std::string> cells(std::string_view line) {
  std::vector<std::string> out;
  std::string cell;
  bool code = false;
  for (const char c : line.substr(1)) {
    code = code != (c == '`');
    if (c == '|' && !code) {
      out.push_back(plain(base::trim(cell)));
      cell.clear();
    } else {
      cell += c;
    }
  }
  return out;
}

class Page {
 public:
  explicit Page(const PageStyle& style) : style_(style), width_(std::clamp(style.columns, kLeastColumns, kMostColumns)) {}

  std::string text(std::string_view markdown) {
    for (const std::string_view line : base::split(markdown, '\n')) {
      add(line);
    }
    end_paragraph();
    while (out_.ends_with("\n\n") || out_ == "\n") {
      out_.pop_back();
    }
    return std::move(out_);
  }

 private:
  void add(std::string_view line) {
    if (line.starts_with('|')) {
      end_paragraph();
      add_table_line(line);
      return;
    }
    head_.clear();
    if (line.starts_with('#')) {
      end_paragraph();
      add_heading(plain(base::trim(line.substr(line.find_first_not_of('#')))));
    } else if (line.starts_with("    ")) {
      end_paragraph();
      out_.append(line).append("\n");
    } else if (base::trim(line).empty()) {
      end_paragraph();
      if (!out_.ends_with("\n\n")) {
        out_ += '\n';
      }
    } else {
      if (line.starts_with("- ")) {
        end_paragraph();
        indent_ = 2;
      }
      paragraph_.append(paragraph_.empty() ? "" : " ").append(base::trim(line));
    }
  }

  void add_heading(std::string text) {
    if (style_.bold) {
      out_.append("\x1b[1m").append(text).append("\x1b[0m\n");
      return;
    }
    std::transform(text.begin(), text.end(), text.begin(),
                   [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
    out_ += text + "\n";
  }

  // A row reads "first: rest", the columns' names being told by the page's text around it.
  void add_table_line(std::string_view line) {
    if (is_table_rule(line)) {
      return;
    }
    const std::vector<std::string> row = cells(line);
    if (head_.empty()) {
      head_ = row;
      return;
    }
    if (row.empty()) {
      return;
    }
    paragraph_ = "- " + row[0] + ":";
    for (std::size_t i = 1; i < row.size(); ++i) {
      paragraph_ += (i > 1 ? "; " : " ") + row[i];
    }
    indent_ = 2;
    end_paragraph();
  }

  void end_paragraph() {
    if (paragraph_.empty()) {
      return;
    }
    const std::string text = plain(paragraph_);
    std::size_t column = 0;
    for (const std::string_view word : base::split(text, ' ')) {
      const std::size_t wide = report::columns(word);
      if (column > 0 && column + 1 + wide > width_) {
        out_.append("\n").append(indent_, ' ');
        column = indent_;
      } else if (column > 0) {
        out_ += ' ';
        ++column;
      }
      out_ += word;
      column += wide;
    }
    out_ += '\n';
    paragraph_.clear();
    indent_ = 0;
  }

  const PageStyle style_;
  const std::size_t width_;
  std::string out_;
  std::string paragraph_;
  std::size_t indent_ = 0;
  std::vector<std::string> head_;  // of the table that is being read
};

}  // namespace

std::string page_text(std::string_view markdown, const PageStyle& style) { return Page(style).text(markdown); }

}  // namespace shutdown_auditor::app
