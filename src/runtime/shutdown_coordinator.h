#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/cancellation.h"
#include "base/clock.h"
#include "base/result.h"

namespace shutdown_auditor::runtime {

// One phase of a shutdown. `run` gets its own deadline and should return by it; half a second later it is abandoned.
struct ShutdownHandler {
  std::string name;
  int priority = 0;  // higher first; equal ones in order of registration
  base::Duration timeout = std::chrono::seconds(1);
  std::function<base::Result<void>(const base::Cancellation&)> run;
};

enum class PhaseOutcome {
  kDone,
  kFailed,     // returned an error or threw
  kAbandoned,  // did not return in time
  kSkipped,    // the budget was used up before it
};
std::string_view to_string(PhaseOutcome outcome);

struct PhaseReport {
  std::string name;
  PhaseOutcome outcome = PhaseOutcome::kDone;
  base::Duration took{};
  std::string error;  // for kFailed
};

struct ShutdownReport {
  std::vector<PhaseReport> phases;  // in the order they ran
  base::Duration took{};
  // A handler is still running: destroying objects it uses would wait for it or race with it, so the process has to leave
  // by std::_Exit.
  bool any_abandoned() const;
};

// Runs the phases of a shutdown once, one after the other, in order of priority, each on a thread of its own so that one
// that hangs costs its time-out only. Logs every phase with its duration. Safe from any thread.
class ShutdownCoordinator {
 public:
  // `budget` bounds all phases together. Keeps the reference.
  ShutdownCoordinator(base::Clock& clock, base::Duration budget);
  // Waits for abandoned handlers (their stop token is set), so that nothing dangles; see ShutdownReport::any_abandoned.
  ~ShutdownCoordinator();
  ShutdownCoordinator(const ShutdownCoordinator&) = delete;
  ShutdownCoordinator& operator=(const ShutdownCoordinator&) = delete;

  // Before run(); ignored with an error line after it began.
  void add(ShutdownHandler handler);
  // Runs everything and returns when it is over. Later and concurrent calls wait for the first one and return its report.
  ShutdownReport run();

  bool started() const;
  base::Duration budget() const { return budget_; }

 private:
  struct Phase;
  PhaseReport run_phase(ShutdownHandler handler, base::SteadyTime end);

  base::Clock& clock_;
  const base::Duration budget_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::vector<ShutdownHandler> handlers_;
  std::vector<std::unique_ptr<Phase>> abandoned_;
  bool started_ = false;
  bool finished_ = false;
  ShutdownReport report_;
};

}  // namespace shutdown_auditor::runtime
