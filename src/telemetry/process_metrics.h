#pragma once

#include <prometheus/metric_family.h>

#include <string_view>
#include <vector>

#include "base/result.h"

namespace shutdown_auditor::telemetry {

struct ProcessNumbers {
  double cpu_seconds = 0;
  double start_time_seconds = 0;  // Unix time
  double virtual_bytes = 0;
  double resident_bytes = 0;
  double threads = 0;
};

// The fields of proc(5)'s /proc/PID/stat line; `boot_time` (Unix seconds, "btime" of /proc/stat), ticks per second and
// the page size turn them into units. kInvalid when the line is not of that form.
base::Result<ProcessNumbers> parse_process_stat(std::string_view stat_line, double boot_time, double ticks_per_second,
                                                double page_bytes);

// The process_* families of the Prometheus client libraries for this process, read from /proc; what cannot be read is
// left out.
std::vector<prometheus::MetricFamily> process_metrics();

}  // namespace shutdown_auditor::telemetry
