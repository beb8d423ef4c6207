#pragma once

#include <cstddef>
#include <iosfwd>
#include <memory>
#include <string>

#include "report/printer.h"

namespace shutdown_auditor::report {

struct MarkdownOptions {
  // GitHub takes comments of up to 65,536 characters, GitLab far more. Counted in bytes, which are never fewer.
  std::size_t max_bytes = 65'000;
  std::string help_uri_base;  // where the pages of the checks are published, "https://…/"; empty: no links
};

// A comment for a pull request in GitHub's Markdown: the counts, a table of the workloads that do not pass, and for each
// workload its findings, folded in. What does not fit is counted at the end. The first line is a hidden marker by which a
// bot finds its earlier comment. Names and messages may quote a hostile file: they cannot mention people, link, or leave
// their table cell. Holds what may still find room, at most max_bytes for each verdict.
std::unique_ptr<Printer> markdown_printer(std::ostream& out, MarkdownOptions options);

}  // namespace shutdown_auditor::report
