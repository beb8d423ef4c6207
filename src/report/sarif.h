#pragma once

#include <iosfwd>
#include <memory>
#include <string>
#include <vector>

#include "report/printer.h"

namespace shutdown_auditor::report {

// The page of docs/checks about one check. Its first line after the title is "Fail or Warn: what is wrong.".
struct RulePage {
  std::string check;
  std::string markdown;
};

struct SarifOptions {
  std::string tool_version;
  std::string help_uri_base;    // where the pages are published, "https://…/"; empty: rules carry no address
  std::vector<RulePage> pages;  // help texts; a check without one has its title only
};

// The audits as SARIF 2.1.0 (OASIS, errata 01): one run, a rule for every check this version performs, a result for every
// finding. Levels: error for Error and Fail, warning for Warn, note for Info; an exempted finding has its rule's level and
// a suppression with the reason. A fingerprint depends on the workload, check, container, reason and path, not on numbers
// in messages or on lines, so that code scanning knows a finding again after an edit. Each result is written when it comes;
// held are the fingerprints, which have to differ.
std::unique_ptr<Printer> sarif_printer(std::ostream& out, SarifOptions options);

}  // namespace shutdown_auditor::report
