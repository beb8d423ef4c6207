#include "report/github.h"

#include "report/finding_text.h"
#include "report/one_line.h"

namespace shutdown_auditor::report {
namespace {

// one_line() has already replaced line breaks, which would start another command.
std::string escape_message(std::string_view text) {
  std::string out;
  for (const char c : one_line(text)) {
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

}  // namespace

std::string github_annotations(const std::vector<ShutdownAudit>& audits) {
  std::string out;
  for (const auto& [audit, finding] : worst_first(audits)) {
    if (finding->result == "Skip" || finding->result == "Pass") {
      continue;
    }
    const Place& place = finding->place;
    out.append("::").append(command_of(finding->result)).append(" ");
    if (!place.file.empty()) {
      out += "file=" + escape_property(path_of(place)) + ",";
      if (place.line > 0) {
        out += "line=" + std::to_string(place.line) + ",";
      }
      if (place.column > 0) {
        out += "col=" + std::to_string(place.column) + ",";
      }
    }
    out += "title=" + escape_property(finding->id + " (" + workload_text(*audit) + ")");
    out += "::" + escape_message(finding_text(*finding)) + "\n";
  }
  return out;
}

}  // namespace shutdown_auditor::report
