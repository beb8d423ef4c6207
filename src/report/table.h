#pragma once

#include <cstddef>
#include <iosfwd>
#include <memory>

#include "report/printer.h"

namespace shutdown_auditor::report {

struct TableOptions {
  // Also passing workloads and exempted findings, the numbers of the sum, how long a drain and a rollout take (see
  // audit/stop_estimate.h), and what to set.
  bool wide = false;
  bool color = false;     // ANSI colours on the result column
  bool roll_up = true;    // the counts by check and by namespace and the last line
  std::size_t width = 0;  // columns of the terminal; 0: not a terminal, a line for each finding however long
};

// `check -o table|wide`: one row per finding, worst first, otherwise in the order of the input; then counts by check and by
// namespace, worst first, of the results that occur. On a terminal lines keep to its width: messages are wrapped, and where
// no room is left for them each finding becomes a paragraph. Control characters of hostile names do not reach the output.
// Nothing for no audits. Linear in the findings. Holds the cells until the end, because they decide how wide the columns are
// and the worst comes first: equal ones once.
std::unique_ptr<Printer> table_printer(std::ostream& out, const TableOptions& options);

}  // namespace shutdown_auditor::report
