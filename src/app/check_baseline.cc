#include "app/check_baseline.h"

#include <algorithm>
#include <iterator>
#include <ostream>
#include <string_view>
#include <utility>

#include "app/baseline_file.h"
#include "base/file.h"
#include "report/one_line.h"

namespace shutdown_auditor::app {
namespace {

std::string findings_text(std::size_t count, std::string_view kind) {
  return std::to_string(count) + " " + std::string(kind) + (count == 1 ? "finding" : "findings");
}

std::vector<report::ShutdownAudit> take_audits(CheckResult& result) {
  std::vector<report::ShutdownAudit> audits;
  std::transform(result.workloads.begin(), result.workloads.end(), std::back_inserter(audits),
                 [](CheckedWorkload& workload) { return std::move(workload.audit); });
  return audits;
}

void give_audits(CheckResult& result, std::vector<report::ShutdownAudit> audits) {
  for (std::size_t i = 0; i < audits.size(); ++i) {
    result.workloads[i].audit = std::move(audits[i]);
  }
}

}  // namespace

base::Result<std::optional<report::Baseline>> read_given_baseline(const CheckOptions& options) {
  if (options.baseline_file.empty()) {
    return std::optional<report::Baseline>();
  }
  base::Result<report::Baseline> read = read_baseline_file(options.baseline_file);
  if (!read) {
    return base::unexpected(read.error());
  }
  return std::optional<report::Baseline>(*std::move(read));
}

bool keep_baselines(CheckResult& result, const std::optional<report::Baseline>& baseline, bool whole,
                    const CheckOptions& options, Io& io) {
  std::vector<report::ShutdownAudit> audits = take_audits(result);
  bool written = true;
  if (const std::string& path = options.write_baseline_file; !path.empty()) {
    const base::Result<void> done =
        whole ? base::write_file(path, report::baseline_text(audits))
              : base::fail(base::ErrorKind::kInvalid, path + ": not written, because not all of the input could be read");
    written = done.has_value();
    if (!written) {
      io.err << report::one_line(done.error().message) << '\n';
    } else if (!options.quiet) {
      io.err << "note: the findings are written to " << report::one_line(path) << ": with --baseline they no longer count\n";
    }
  }
  if (baseline) {
    const report::BaselineCounts counts = baseline->hide_known(audits);
    if (!options.quiet) {
      io.err << "note: " << findings_text(counts.hidden, "known ") << " hidden by the baseline";
      if (counts.gone > 0) {
        io.err << "; " << counts.gone << " in it no longer " << (counts.gone == 1 ? "occurs" : "occur");
      }
      if (counts.elsewhere > 0) {
        io.err << "; " << counts.elsewhere << " in it " << (counts.elsewhere == 1 ? "is" : "are")
               << " about workloads that are not in the input";
      }
      io.err << '\n';
    }
  }
  give_audits(result, std::move(audits));
  return written;
}

}  // namespace shutdown_auditor::app
