#pragma once

#include <iosfwd>
#include <memory>

#include "report/printer.h"

namespace shutdown_auditor::report {

struct JUnitOptions {
  bool warn_fails = false;  // a Warn is a failed test, as with --fail-on warn; otherwise its text is the test's output
};

// The audits as JUnit XML, in the form that Jenkins, GitLab and the test reporters of GitHub read: a testsuite for each
// namespace, in it a testcase for each workload and check that had something to say, and one that counts the checks that
// passed. Fail is a failure, Error an error, an exempted finding is skipped with its reason; Info is output of a passed
// test. Well-formed XML 1.0 whatever the names hold. Holds the text until the end: how many tests there are stands before
// them.
std::unique_ptr<Printer> junit_printer(std::ostream& out, const JUnitOptions& options);

}  // namespace shutdown_auditor::report
