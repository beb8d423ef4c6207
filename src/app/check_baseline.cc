#include "app/check_baseline.h"

#include <ostream>
#include <string>
#include <string_view>

#include "app/baseline_file.h"
#include "base/file.h"
#include "report/one_line.h"

namespace shutdown_auditor::app {
namespace {

std::string findings_text(std::size_t count, std::string_view kind) {
  return std::to_string(count) + " " + std::string(kind) + (count == 1 ? "finding" : "findings");
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

void CheckBaselines::apply(report::ShutdownAudit& audit) {
  if (!options_.write_baseline_file.empty()) {
    writer_.add(audit);
  }
  if (known_) {
    known_->hide_known(audit);
  }
}

bool CheckBaselines::write(bool whole) {
  const std::string& path = options_.write_baseline_file;
  const base::Result<void> done =
      whole ? base::write_file(path, writer_.text())
            : base::fail(base::ErrorKind::kInvalid, path + ": not written, because not all of the input could be read");
  if (!done) {
    io_.err << report::one_line(done.error().message) << '\n';
  } else if (!options_.quiet) {
    io_.err << "note: the findings are written to " << report::one_line(path) << ": with --baseline they no longer count\n";
  }
  return done.has_value();
}

bool CheckBaselines::finish(bool whole) {
  const bool kept = options_.write_baseline_file.empty() || write(whole);
  if (known_ && !options_.quiet) {
    const report::BaselineCounts counts = known_->counts();
    io_.err << "note: " << findings_text(counts.hidden, "known ") << " hidden by the baseline";
    if (counts.gone > 0) {
      io_.err << "; " << counts.gone << " in it no longer " << (counts.gone == 1 ? "occurs" : "occur");
    }
    if (counts.elsewhere > 0) {
      io_.err << "; " << counts.elsewhere << " in it " << (counts.elsewhere == 1 ? "is" : "are")
              << " about workloads that are not in the input";
    }
    io_.err << '\n';
  }
  return kept;
}

}  // namespace shutdown_auditor::app
