#include "report/github.h"

#include <array>
#include <ostream>
#include <string>
#include <string_view>

#include "report/finding_text.h"
#include "report/held_text.h"
#include "report/one_line.h"

namespace shutdown_auditor::report {
namespace {

// one_line() has already replaced line breaks, which would start another command.
std::string escape_message(std::string_view text) {
  std::string room;
  std::string out;
  out.reserve(text.size());
  for (const char c : one_line(text, room)) {
    if (c == '%') {
      out += "%25";
    } else {
      out += c;
    }
  }
  return out;
}

std::string escape_property(std::string_view text) {
  std::string out;
  for (const char c : escape_message(text)) {
    if (c == ':') {
      out += "%3A";
    } else if (c == ',') {
      out += "%2C";
    } else {
      out += c;
    }
  }
  return out;
}

std::string_view command_of(std::string_view result) {
  return result == "Error" || result == "Fail" ? "error" : result == "Warn" ? "warning" : "notice";
}

class GitHubPrinter final : public Printer {
 public:
  explicit GitHubPrinter(std::ostream& out) : out_(out) {}

  void add(const ShutdownAudit& audit) override {
    const std::string workload = workload_text(audit);
    for (const ReportedFinding& finding : audit.status.findings) {
      if (finding.result != "Skip" && finding.result != "Pass") {
        lines_[badness(finding.result)].add(line_of(workload, finding));
      }
    }
  }

  void finish() override {
    for (HeldText& lines : lines_) {
      lines.write(out_);
    }
  }

 private:
  static std::string line_of(const std::string& workload, const ReportedFinding& finding) {
    const Place& place = finding.place;
    std::string out = "::" + std::string(command_of(finding.result)) + " ";
    if (!place.file.empty()) {
      out += "file=" + escape_property(path_of(place)) + ",";
      if (place.line > 0) {
        out += "line=" + std::to_string(place.line) + ",";
      }
      if (place.column > 0) {
        out += "col=" + std::to_string(place.column) + ",";
      }
    }
    out += "title=" + escape_property(finding.id + " (" + workload + ")");
    return out + "::" + escape_message(finding_text(finding)) + "\n";
  }

  std::ostream& out_;
  std::array<HeldText, kResults.size() + 1> lines_;  // by badness
};

}  // namespace

std::unique_ptr<Printer> github_printer(std::ostream& out) { return std::make_unique<GitHubPrinter>(out); }

}  // namespace shutdown_auditor::report
