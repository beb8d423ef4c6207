#pragma once

#include <cstddef>
#include <iosfwd>
#include <memory>

#include "report/printer.h"

namespace shutdown_auditor::report {

struct TimelineOptions {
  std::size_t width = 80;  // columns of the terminal; less than 40 is taken as 40
  bool unicode = true;     // false: ASCII alone, for a terminal that does not say UTF-8
};

// `check --timeline`: second by second, what happens from the moment the kubelet is told to stop a pod of this
// workload. A line for the whole sum (the deciding container, the native sidecars, the buffer), under it the stop signal,
// the end of the grace period and SIGKILL, then a line for each container when there are several, each with its own delay;
// native sidecars come last, in the order in which they stop (Kubernetes 1.29 and later, KEP-753). A hook or a stop whose end
// nobody knows is open to the right, assumed times begin with "~", and what comes after SIGKILL is struck out.
// SIGKILL comes at the end of the grace period, but no sooner than 2 s after the stop signal (kubelet,
// minimumGracePeriodInSeconds). Every line ends with a line break and fits the width; an empty one stands between workloads.
// Each is written when it comes; nothing is held.
std::unique_ptr<Printer> timeline_printer(std::ostream& out, const TimelineOptions& options);

}  // namespace shutdown_auditor::report
