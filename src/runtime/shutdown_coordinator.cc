#include "runtime/shutdown_coordinator.h"

#include <algorithm>
#include <exception>
#include <optional>
#include <utility>

#include "base/log.h"
#include "base/time.h"

namespace shutdown_auditor::runtime {
namespace {

constexpr base::Logger kLog("shutdown");
// A handler that returns at its deadline is in time.
constexpr base::Duration kOverrun = std::chrono::milliseconds(500);

base::Result<void> call(const ShutdownHandler& handler, const base::Cancellation& cancel) {
  try {
    return handler.run(cancel);
  } catch (const std::exception& exception) {
    return base::fail(base::ErrorKind::kInternal, exception.what());
  } catch (...) {
    return base::fail(base::ErrorKind::kInternal, "unknown exception");
  }
}

void log_phase(const PhaseReport& phase) {
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(phase.took).count();
  if (phase.outcome == PhaseOutcome::kDone) {
    kLog.info("shutdown phase", {{"phase", phase.name}, {"outcome", to_string(phase.outcome)}, {"ms", took}});
  } else {
    kLog.error("shutdown phase",
               {{"phase", phase.name}, {"outcome", to_string(phase.outcome)}, {"ms", took}, {"err", phase.error}});
  }
}

}  // namespace

// A handler on its own thread. Outlives run() when it is abandoned; then the coordinator owns it until the end.
struct ShutdownCoordinator::Phase {
  ShutdownHandler handler;
  std::mutex mutex;
  std::condition_variable_any changed;
  std::optional<base::Result<void>> result;
  std::stop_source stop;
  std::jthread thread;  // last: joined before the rest goes
};

std::string_view to_string(PhaseOutcome outcome) {
  switch (outcome) {
    case PhaseOutcome::kDone: return "done";
    case PhaseOutcome::kFailed: return "failed";
    case PhaseOutcome::kAbandoned: return "abandoned";
    case PhaseOutcome::kSkipped: return "skipped";
  }
  return "unknown";
}

bool ShutdownReport::any_abandoned() const {
  return std::any_of(phases.begin(), phases.end(),
                     [](const PhaseReport& phase) { return phase.outcome == PhaseOutcome::kAbandoned; });
}

ShutdownCoordinator::ShutdownCoordinator(base::Clock& clock, base::Duration budget) : clock_(clock), budget_(budget) {}

ShutdownCoordinator::~ShutdownCoordinator() = default;

void ShutdownCoordinator::add(ShutdownHandler handler) {
  const std::lock_guard lock(mutex_);
  if (started_) {
    kLog.error("shutdown handler came too late", {{"phase", handler.name}});
    return;
  }
  handlers_.push_back(std::move(handler));
}

ShutdownReport ShutdownCoordinator::run() {
  std::vector<ShutdownHandler> handlers;
  {
    std::unique_lock lock(mutex_);
    if (started_) {
      clock_.wait_until(lock, changed_, {}, base::kNever, [this] { return finished_; });
      return report_;
    }
    started_ = true;
    handlers = std::move(handlers_);
  }
  std::stable_sort(handlers.begin(), handlers.end(),
                   [](const ShutdownHandler& a, const ShutdownHandler& b) { return a.priority > b.priority; });
  const base::SteadyTime begin = clock_.now();
  const base::SteadyTime end = base::after(begin, budget_);
  kLog.info("shutting down", {{"phases", handlers.size()}, {"budget", base::format_duration(budget_)}});
  ShutdownReport report;
  for (ShutdownHandler& handler : handlers) {
    report.phases.push_back(run_phase(std::move(handler), end));
    log_phase(report.phases.back());
  }
  report.took = clock_.now() - begin;
  const std::lock_guard lock(mutex_);
  report_ = std::move(report);
  finished_ = true;
  changed_.notify_all();
  return report_;
}

PhaseReport ShutdownCoordinator::run_phase(ShutdownHandler handler, base::SteadyTime end) {
  const base::SteadyTime begin = clock_.now();
  PhaseReport report{handler.name, PhaseOutcome::kSkipped, {}, ""};
  if (begin >= end) {
    report.error = "the shutdown's time is used up";
    return report;
  }
  const base::SteadyTime deadline = std::min(end, base::after(begin, handler.timeout));
  auto phase = std::make_unique<Phase>();
  phase->handler = std::move(handler);
  phase->thread = std::jthread([self = phase.get(), deadline] {
    base::Result<void> result = call(self->handler, {self->stop.get_token(), deadline});
    const std::lock_guard lock(self->mutex);
    self->result = std::move(result);
    self->changed.notify_all();
  });
  {
    std::unique_lock lock(phase->mutex);
    const auto over = [&] { return phase->result.has_value(); };
    if (!clock_.wait_until(lock, phase->changed, {}, deadline, over)) {
      lock.unlock();
      phase->stop.request_stop();
      lock.lock();
      clock_.wait_until(lock, phase->changed, {}, base::after(deadline, kOverrun), over);
    }
    report.took = clock_.now() - begin;
    if (!phase->result) {
      report.outcome = PhaseOutcome::kAbandoned;
      report.error = "it did not return in time";
    } else if (!*phase->result) {
      report.outcome = PhaseOutcome::kFailed;
      report.error = phase->result->error().message;
    } else {
      report.outcome = PhaseOutcome::kDone;
    }
  }
  if (report.outcome == PhaseOutcome::kAbandoned) {
    const std::lock_guard lock(mutex_);
    abandoned_.push_back(std::move(phase));
  }
  return report;
}

bool ShutdownCoordinator::started() const {
  const std::lock_guard lock(mutex_);
  return started_;
}

}  // namespace shutdown_auditor::runtime
