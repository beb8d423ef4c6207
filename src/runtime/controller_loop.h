#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/cancellation.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "runtime/work_queue.h"

namespace shutdown_auditor::runtime {

// What to reconcile. Says which object, never what happened: the reconciler reads the present state from its stores. The
// cause only tells why it is looked at.
struct Request {
  std::string key;
  std::uint32_t cause = 0;
  Priority priority = Priority::kLow;
};

// One pass. `cancel` ends at the reconcile deadline and when the process stops; pass it to every blocking call.
struct ReconcileContext {
  base::Cancellation cancel;
  std::string reconcile_id;  // 16 hex digits, in every log line of the pass
};

// What a successful pass asks for. `requeue_after` is jittered by 10 % either way unless `exact`; the key then comes back
// at low priority with `requeue_cause`.
struct Action {
  std::optional<base::Duration> requeue_after;
  std::uint32_t requeue_cause = 0;
  bool exact = false;

  static Action await_change() { return {}; }
  static Action again_after(base::Duration delay, std::uint32_t cause = 0) { return {delay, cause, false}; }
  // For a moment that matters, such as the end of something that was promised until then.
  static Action again_exactly_after(base::Duration delay, std::uint32_t cause) { return {delay, cause, true}; }
};

// A failed pass. Terminal: trying again cannot help, the key waits for its next change.
struct ReconcileError {
  std::string message;
  bool terminal = false;
};

class Reconciler {
 public:
  virtual ~Reconciler() = default;
  // Brings the world in line for one key. Called on several threads, never for the same key at once. An object that does
  // not exist is success. A retry after an error keeps the request's cause and priority.
  virtual base::Result<Action, ReconcileError> reconcile(const Request& request, ReconcileContext& context) = 0;
};

enum class ReconcileOutcome { kSuccess, kRequeueAfter, kError, kTerminal, kPanic };
// "success", "requeue_after", "error", "terminal_error", "panic": the label values of metrics.
std::string_view to_string(ReconcileOutcome outcome);

// What metrics want to know; called on workers without a lock held.
class ReconcileObserver {
 public:
  virtual ~ReconcileObserver() = default;
  virtual void on_reconcile(ReconcileOutcome /*outcome*/, base::Duration /*took*/) {}
  virtual void on_timeout() {}            // a pass lasted longer than the deadline
  virtual void on_active(int /*busy*/) {}  // workers that reconcile now
};

struct ControllerLoopOptions {
  std::string name;
  int workers = 4;
  base::Duration reconcile_timeout = std::chrono::seconds(60);
  // How long stop() waits for cancelled passes to return before it reports them.
  base::Duration cancel_grace = std::chrono::seconds(2);
  // More passes than this that threw within a minute make healthy() false.
  int max_panics_per_minute = 20;
  // Every key of `resync_keys` is added at low priority each resync_period ± 10 %; no function: no resync.
  base::Duration resync_period = std::chrono::hours(10);
  std::function<std::vector<std::string>()> resync_keys{};
  std::uint32_t resync_cause = 0;
};

// Workers that take keys from a queue and reconcile them. Whatever a pass does, its worker goes on: exceptions are caught,
// counted, logged with the reconcile id and retried with back-off. Success forgets the key's back-off.
class ControllerLoop {
 public:
  // Keeps references; `observer` may be null.
  ControllerLoop(ControllerLoopOptions options, WorkQueue& queue, Reconciler& reconciler, base::Clock& clock,
                 base::Random& random, ReconcileObserver* observer = nullptr);
  // Cancels what runs and waits for it.
  ~ControllerLoop();
  ControllerLoop(const ControllerLoop&) = delete;
  ControllerLoop& operator=(const ControllerLoop&) = delete;

  // Starts the workers. Once; without effect after stop().
  void start();
  // Drops what is queued and takes no more keys; those in work go on. Idempotent.
  void close();
  // close(), lets the keys in work finish until cancel.deadline, then cancels them and waits cancel_grace.
  // Returns the keys whose workers still run (their threads are then joined by the destructor). Also right when start()
  // was never called. Idempotent.
  std::vector<std::string> stop(const base::Cancellation& cancel);

  bool started() const;
  // False while passes keep throwing.
  bool healthy() const;
  const std::string& name() const { return options_.name; }
  base::Duration cancel_grace() const { return options_.cancel_grace; }

 private:
  void work(const std::stop_token& stop);
  void resync(const std::stop_token& stop);
  void run_one(const WorkItem& item, const std::stop_token& stop);
  void note_panic();
  std::string new_reconcile_id();

  const ControllerLoopOptions options_;
  WorkQueue& queue_;
  Reconciler& reconciler_;
  base::Clock& clock_;
  base::Random& random_;
  ReconcileObserver* const observer_;

  mutable std::mutex mutex_;
  std::condition_variable_any ended_;
  int running_ = 0;  // worker threads that have not returned
  bool started_ = false;
  bool stopped_ = false;
  std::deque<base::SteadyTime> panics_;  // of the last minute
  std::atomic<int> busy_{0};
  std::stop_source stop_;
  std::vector<std::jthread> threads_;
};

}  // namespace shutdown_auditor::runtime
