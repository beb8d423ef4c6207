#include "report/junit.h"

#include <algorithm>
#include <functional>
#include <map>
#include <ostream>
#include <string_view>
#include <vector>

#include "report/finding_text.h"
#include "report/held_text.h"
#include "report/one_line.h"

namespace shutdown_auditor::report {
namespace {

// U+FFFE and U+FFFF are the only characters that one_line() leaves and XML 1.0 forbids.
bool is_forbidden(std::string_view rest) { return rest.starts_with("\xEF\xBF\xBE") || rest.starts_with("\xEF\xBF\xBF"); }

// `text` as one line of an attribute or of content.
std::string xml(std::string_view text) {
  std::string room;
  const std::string_view clean = one_line(text, room);
  std::string out;
  out.reserve(clean.size());
  for (std::size_t i = 0; i < clean.size(); ++i) {
    switch (clean[i]) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&apos;"; break;
      default:
        if (clean[i] == '\xEF' && is_forbidden(clean.substr(i))) {
          out += "\xEF\xBF\xBD";
          i += 2;
        } else {
          out += clean[i];
        }
    }
  }
  return out;
}

enum class Outcome { kPassed, kSkipped, kFailed, kError };

struct Suite {
  std::string name;
  HeldText cases;
  std::size_t tests = 0, failures = 0, errors = 0, skipped = 0;
};

std::string attribute(std::string_view name, std::size_t count) {
  return " " + std::string(name) + "=\"" + std::to_string(count) + "\"";
}

// Of a suite and of all: what the schema knows in both places.
std::string counts(const Suite& suite) {
  return attribute("tests", suite.tests) + attribute("failures", suite.failures) + attribute("errors", suite.errors) +
         attribute("time", 0);
}

class JUnitPrinter final : public Printer {
 public:
  JUnitPrinter(std::ostream& out, const JUnitOptions& options) : out_(out), options_(options) {}

  void add(const ShutdownAudit& audit) override {
    Suite& suite = suite_of(audit.meta.namespace_);
    // Readers tell tests apart by name: several findings of one check in one container are one test.
    std::vector<std::vector<const ReportedFinding*>> tests;
    std::map<std::string_view, std::size_t> index;
    for (const ReportedFinding& finding : audit.status.findings) {
      const auto [entry, is_new] = index.emplace(finding.id, tests.size());
      if (is_new) {
        tests.emplace_back();
      }
      tests[entry->second].push_back(&finding);
    }
    for (const std::vector<const ReportedFinding*>& findings : tests) {
      add_test(suite, audit, findings);
    }
    const std::int64_t passed = audit.status.summary ? audit.status.summary->pass : 0;
    if (passed > 0 || tests.empty()) {
      ++suite.tests;
      suite.cases.add(opening(audit, tests.empty() ? "all checks" : "other checks", audit.place) + "<system-out>" +
                      std::to_string(passed) + (passed == 1 ? " check" : " checks") +
                      " passed</system-out>\n    </testcase>\n");
    }
  }

  void finish() override {
    Suite all;
    for (const Suite& suite : suites_) {
      all.tests += suite.tests;
      all.failures += suite.failures;
      all.errors += suite.errors;
    }
    out_ << "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"shutdown-auditor\"" << counts(all) << ">\n";
    for (Suite& suite : suites_) {
      out_ << "  <testsuite name=\"" << xml(suite.name) << '"' << counts(suite) << attribute("skipped", suite.skipped)
           << ">\n";
      suite.cases.write(out_);
      out_ << "  </testsuite>\n";
    }
    out_ << "</testsuites>\n";
  }

 private:
  Suite& suite_of(const std::string& name_space) {
    const auto [entry, is_new] = by_namespace_.try_emplace(name_space, suites_.size());
    if (is_new) {
      suites_.emplace_back().name = name_space;
    }
    return suites_[entry->second];
  }

  Outcome outcome_of(const ReportedFinding& finding) const {
    if (finding.result == "Error") {
      return Outcome::kError;
    }
    if (finding.result == "Fail" || (finding.result == "Warn" && options_.warn_fails)) {
      return Outcome::kFailed;
    }
    return finding.result == "Skip" ? Outcome::kSkipped : Outcome::kPassed;
  }

  static std::string opening(const ShutdownAudit& audit, std::string_view name, const Place& place) {
    // Jenkins takes what stands before the last dot for the package: the namespace.
    const std::string class_name = audit.meta.namespace_ + "." + audit.target.kind + "/" + audit.target.name;
    std::string out = "    <testcase classname=\"" + xml(class_name) + "\" name=\"" + xml(name) + "\"";
    if (!place.file.empty()) {
      out += " file=\"" + xml(path_of(place)) + "\"";
      out += place.line > 0 ? " line=\"" + std::to_string(place.line) + "\"" : "";
    }
    return out + " time=\"0\">\n      ";
  }

  void add_test(Suite& suite, const ShutdownAudit& audit, const std::vector<const ReportedFinding*>& findings) const {
    const ReportedFinding& worst = **std::max_element(
        findings.begin(), findings.end(),
        [this](const auto* a, const auto* b) { return outcome_of(*a) < outcome_of(*b); });
    std::string text = opening(audit, worst.id, worst.place);
    ++suite.tests;
    const Outcome outcome = outcome_of(worst);
    if (outcome == Outcome::kSkipped) {
      ++suite.skipped;
      text += "<skipped message=\"" + xml(finding_text(worst)) + "\"/>";
    } else {
      const std::string_view element = outcome == Outcome::kError    ? "error"
                                       : outcome == Outcome::kFailed ? "failure"
                                                                     : "system-out";
      suite.errors += outcome == Outcome::kError ? 1U : 0U;
      suite.failures += outcome == Outcome::kFailed ? 1U : 0U;
      text.append("<").append(element);
      if (outcome != Outcome::kPassed) {
        text += " message=\"" + xml(worst.message) + "\" type=\"" + xml(worst.reason) + "\"";
      }
      text += ">";
      for (const ReportedFinding* finding : findings) {
        text += finding == findings.front() ? "" : "\n";
        text += xml(finding->result + ": " + finding_text(*finding));
        text += finding->place.file.empty() ? "" : "\n" + xml(to_string(finding->place));
      }
      text.append("</").append(element).append(">");
    }
    suite.cases.add(text + "\n    </testcase>\n");
  }

  std::ostream& out_;
  const JUnitOptions options_;
  std::vector<Suite> suites_;  // in order of appearance
  std::map<std::string, std::size_t> by_namespace_;
};

}  // namespace

std::unique_ptr<Printer> junit_printer(std::ostream& out, const JUnitOptions& options) {
  return std::make_unique<JUnitPrinter>(out, options);
}

}  // namespace shutdown_auditor::report
