#include "report/junit.h"

#include <algorithm>
#include <map>

#include "report/finding_text.h"
#include "report/one_line.h"

namespace shutdown_auditor::report {
namespace {

// U+FFFE and U+FFFF are the only characters that one_line() leaves and XML 1.0 forbids.
bool is_forbidden(std::string_view rest) { return rest.starts_with("\xEF\xBF\xBE") || rest.starts_with("\xEF\xBF\xBF"); }

// `text` as one line of an attribute or of content.
std::string xml(std::string_view text) {
  const std::string clean = one_line(text);
  std::string out;
  for (std::size_t i = 0; i < clean.size(); ++i) {
    switch (clean[i]) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&apos;"; break;
      default:
        if (is_forbidden(std::string_view(clean).substr(i))) {
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
  std::string cases;
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

class Writer {
 public:
  explicit Writer(const JUnitOptions& options) : options_(options) {}

  void add(const ShutdownAudit& audit) {
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
      open_test(suite, audit, tests.empty() ? "all checks" : "other checks", audit.place);
      suite.cases += "<system-out>" + std::to_string(passed) + (passed == 1 ? " check" : " checks") +
                     " passed</system-out>\n    </testcase>\n";
    }
  }

  std::string text() const {
    Suite all;
    for (const Suite& suite : suites_) {
      all.tests += suite.tests;
      all.failures += suite.failures;
      all.errors += suite.errors;
    }
    std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
    out += "<testsuites name=\"shutdown-auditor\"" + counts(all) + ">\n";
    for (const Suite& suite : suites_) {
      out += "  <testsuite name=\"" + xml(suite.name) + "\"" + counts(suite) + attribute("skipped", suite.skipped) +
             ">\n" + suite.cases + "  </testsuite>\n";
    }
    return out + "</testsuites>\n";
  }

 private:
  Suite& suite_of(const std::string& name_space) {
    const auto [entry, is_new] = by_namespace_.emplace(name_space, suites_.size());
    if (is_new) {
      suites_.push_back({name_space, {}});
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

  static void open_test(Suite& suite, const ShutdownAudit& audit, std::string_view name, const Place& place) {
    ++suite.tests;
    // Jenkins takes what stands before the last dot for the package: the namespace.
    const std::string class_name = audit.meta.namespace_ + "." + audit.target.kind + "/" + audit.target.name;
    suite.cases += "    <testcase classname=\"" + xml(class_name) + "\" name=\"" + xml(name) + "\"";
    if (!place.file.empty()) {
      suite.cases += " file=\"" + xml(path_of(place)) + "\"";
      suite.cases += place.line > 0 ? " line=\"" + std::to_string(place.line) + "\"" : "";
    }
    suite.cases += " time=\"0\">\n      ";
  }

  void add_test(Suite& suite, const ShutdownAudit& audit, const std::vector<const ReportedFinding*>& findings) const {
    const ReportedFinding& worst = **std::max_element(
        findings.begin(), findings.end(),
        [this](const auto* a, const auto* b) { return outcome_of(*a) < outcome_of(*b); });
    open_test(suite, audit, worst.id, worst.place);
    const Outcome outcome = outcome_of(worst);
    if (outcome == Outcome::kSkipped) {
      ++suite.skipped;
      suite.cases += "<skipped message=\"" + xml(finding_text(worst)) + "\"/>";
    } else {
      const std::string_view element = outcome == Outcome::kError    ? "error"
                                       : outcome == Outcome::kFailed ? "failure"
                                                                     : "system-out";
      suite.errors += outcome == Outcome::kError ? 1U : 0U;
      suite.failures += outcome == Outcome::kFailed ? 1U : 0U;
      suite.cases.append("<").append(element);
      if (outcome != Outcome::kPassed) {
        suite.cases += " message=\"" + xml(worst.message) + "\" type=\"" + xml(worst.reason) + "\"";
      }
      suite.cases += ">";
      for (const ReportedFinding* finding : findings) {
        suite.cases += finding == findings.front() ? "" : "\n";
        suite.cases += xml(finding->result + ": " + finding_text(*finding));
        suite.cases += finding->place.file.empty() ? "" : "\n" + xml(to_string(finding->place));
      }
      suite.cases.append("</").append(element).append(">");
    }
    suite.cases += "\n    </testcase>\n";
  }

  const JUnitOptions& options_;
  std::vector<Suite> suites_;  // in order of appearance
  std::map<std::string, std::size_t> by_namespace_;
};

}  // namespace

std::string junit_xml(const std::vector<ShutdownAudit>& audits, const JUnitOptions& options) {
  Writer writer(options);
  for (const ShutdownAudit& audit : audits) {
    writer.add(audit);
  }
  return writer.text();
}

}  // namespace shutdown_auditor::report
