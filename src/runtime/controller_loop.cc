#include "runtime/controller_loop.h"

#include <exception>
#include <utility>

#include <fmt/format.h>

#include "base/log.h"
#include "base/time.h"

namespace shutdown_auditor::runtime {
namespace {

constexpr base::Logger kLog("controller");

// Within 10 % of `delay` either way, so that many timers set together do not fire together for ever.
base::Duration jittered(base::Duration delay, base::Random& random) {
  const double share = 0.9 + 0.2 * random.uniform();
  const double count = static_cast<double>(delay.count()) * share;
  constexpr double kMost = 4e18;
  return count < kMost ? base::Duration(static_cast<base::Duration::rep>(count)) : base::Duration::max();
}

}  // namespace

std::string_view to_string(ReconcileOutcome outcome) {
  switch (outcome) {
    case ReconcileOutcome::kSuccess: return "success";
    case ReconcileOutcome::kRequeueAfter: return "requeue_after";
    case ReconcileOutcome::kError: return "error";
    case ReconcileOutcome::kTerminal: return "terminal_error";
    case ReconcileOutcome::kPanic: return "panic";
  }
  return "unknown";
}

ControllerLoop::ControllerLoop(ControllerLoopOptions options, WorkQueue& queue, Reconciler& reconciler,
                               base::Clock& clock, base::Random& random, ReconcileObserver* observer)
    : options_(std::move(options)), queue_(queue), reconciler_(reconciler), clock_(clock), random_(random),
      observer_(observer) {}

ControllerLoop::~ControllerLoop() {
  queue_.shut_down();
  stop_.request_stop();
}

void ControllerLoop::start() {
  const std::lock_guard lock(mutex_);
  if (started_ || stopped_) {
    return;
  }
  started_ = true;
  running_ = options_.workers;
  for (int i = 0; i < options_.workers; ++i) {
    threads_.emplace_back([this] { work(stop_.get_token()); });
  }
  if (options_.resync_keys) {
    threads_.emplace_back([this] { resync(stop_.get_token()); });
  }
}

void ControllerLoop::close() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  const std::size_t dropped = queue_.drop_queued();
  queue_.shut_down();
  queue_.drop_queued();  // what came in between
  if (dropped > 0) {
    kLog.info("dropped queued keys", {{"controller", options_.name}, {"keys", dropped}});
  }
}

std::vector<std::string> ControllerLoop::stop(const base::Cancellation& cancel) {
  close();
  std::vector<std::string> left = queue_.shut_down_with_drain(cancel);
  if (!left.empty()) {
    kLog.warn("cancelling keys still in work", {{"controller", options_.name}, {"keys", left.size()}});
  }
  stop_.request_stop();
  {
    std::unique_lock lock(mutex_);
    clock_.wait_until(lock, ended_, {}, base::after(clock_.now(), options_.cancel_grace),
                      [this] { return running_ == 0; });
  }
  left = queue_.processing();
  kLog.info("workers stopped", {{"controller", options_.name}, {"left", left.size()}});
  return left;
}

bool ControllerLoop::started() const {
  const std::lock_guard lock(mutex_);
  return started_;
}

bool ControllerLoop::healthy() const {
  const std::lock_guard lock(mutex_);
  const base::SteadyTime now = clock_.now();
  int recent = 0;
  for (const base::SteadyTime at : panics_) {
    recent += now - at < std::chrono::minutes(1) ? 1 : 0;
  }
  return recent <= options_.max_panics_per_minute;
}

void ControllerLoop::work(const std::stop_token& stop) {
  while (const std::optional<WorkItem> item = queue_.get(stop)) {
    run_one(*item, stop);
    queue_.done(item->key);
  }
  const std::lock_guard lock(mutex_);
  --running_;
  ended_.notify_all();
}

void ControllerLoop::resync(const std::stop_token& stop) {
  while (clock_.sleep_for(jittered(options_.resync_period, random_), stop)) {
    try {
      const std::vector<std::string> keys = options_.resync_keys();
      for (const std::string& key : keys) {
        queue_.add(key, Priority::kLow, options_.resync_cause);
      }
      kLog.info("resync", {{"controller", options_.name}, {"keys", keys.size()}});
    } catch (const std::exception& exception) {
      kLog.error("resync failed", {{"controller", options_.name}, {"err", exception.what()}});
    }
  }
}

// One pass and what follows from it. Nothing may escape: a worker that dies would be missed by nobody.
void ControllerLoop::run_one(const WorkItem& item, const std::stop_token& stop) {
  const base::SteadyTime begin = clock_.now();
  ReconcileContext context{base::Cancellation{stop}.limited(begin, options_.reconcile_timeout), new_reconcile_id()};
  if (observer_ != nullptr) {
    observer_->on_active(++busy_);
  } else {
    ++busy_;
  }
  ReconcileOutcome outcome = ReconcileOutcome::kSuccess;
  std::string problem;
  try {
    const base::Result<Action, ReconcileError> result =
        reconciler_.reconcile({item.key, item.cause, item.priority}, context);
    if (!result) {
      outcome = result.error().terminal ? ReconcileOutcome::kTerminal : ReconcileOutcome::kError;
      problem = result.error().message;
    } else if (result->requeue_after) {
      outcome = ReconcileOutcome::kRequeueAfter;
      queue_.forget(item.key);
      const base::Duration delay = result->exact ? *result->requeue_after : jittered(*result->requeue_after, random_);
      queue_.add_after(item.key, Priority::kLow, result->requeue_cause, delay);
    }
  } catch (const std::exception& exception) {
    outcome = ReconcileOutcome::kPanic;
    problem = exception.what();
  } catch (...) {
    outcome = ReconcileOutcome::kPanic;
    problem = "unknown exception";
  }
  const base::Duration took = clock_.now() - begin;
  --busy_;
  if (outcome == ReconcileOutcome::kSuccess || outcome == ReconcileOutcome::kTerminal) {
    queue_.forget(item.key);
  } else if (outcome != ReconcileOutcome::kRequeueAfter) {
    if (outcome == ReconcileOutcome::kPanic) {
      note_panic();
    }
    const base::Duration delay = queue_.add_rate_limited(item.key, item.priority, item.cause);
    if (!stop.stop_requested()) {
      kLog.error("reconcile failed", {{"controller", options_.name},
                                      {"key", item.key},
                                      {"reconcileID", context.reconcile_id},
                                      {"result", to_string(outcome)},
                                      {"err", problem},
                                      {"retryIn", base::format_duration(delay)}});
    }
  }
  if (outcome == ReconcileOutcome::kTerminal) {
    kLog.error("reconcile failed for good", {{"controller", options_.name},
                                             {"key", item.key},
                                             {"reconcileID", context.reconcile_id},
                                             {"err", problem}});
  }
  if (observer_ != nullptr) {
    observer_->on_reconcile(outcome, took);
    observer_->on_active(busy_);
    if (took >= options_.reconcile_timeout) {
      observer_->on_timeout();
    }
  }
}

void ControllerLoop::note_panic() {
  const std::lock_guard lock(mutex_);
  panics_.push_back(clock_.now());
  if (panics_.size() > static_cast<std::size_t>(options_.max_panics_per_minute) + 1) {
    panics_.pop_front();
  }
}

std::string ControllerLoop::new_reconcile_id() { return fmt::format("{:016x}", random_.bits()); }

}  // namespace shutdown_auditor::runtime
