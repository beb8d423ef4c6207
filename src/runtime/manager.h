#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/cancellation.h"
#include "base/clock.h"
#include "base/result.h"
#include "runtime/controller_loop.h"
#include "runtime/event_recorder.h"
#include "runtime/leader_elector.h"
#include "runtime/shutdown_coordinator.h"
#include "runtime/source.h"

namespace shutdown_auditor::runtime {

// The order in which a process takes itself down: the priorities of its shutdown handlers, highest first.
namespace stop_order {
inline constexpr int kReadiness = 100;  // say "not ready" before anything stops
inline constexpr int kSources = 90;     // no new work
inline constexpr int kWorkers = 80;     // drop queued keys, finish those in work
inline constexpr int kEvents = 70;      // flush: still needs the lease
inline constexpr int kLease = 60;       // hand over, only when no worker runs any more
inline constexpr int kServers = 50;     // metrics and health last
}  // namespace stop_order

struct ManagerOptions {
  base::Duration sync_timeout = std::chrono::minutes(2);
  // Shares of the shutdown's budget. Workers get half of it.
  base::Duration source_stop = std::chrono::seconds(3);
  base::Duration event_flush = std::chrono::seconds(2);
  base::Duration lease_release = std::chrono::seconds(3);
};

enum class ManagerPhase { kCreated, kSyncing, kStandby, kLeading, kStopping };
std::string_view to_string(ManagerPhase phase);

// Starts the parts of a controller process in order: sources, wait until all have settled, leader election, then the
// elected loops. Stopping is the coordinator's: the manager registers its phases there. One run.
class Manager {
 public:
  // Keeps references. `elector` null: runs without leader election, the fence is then held for ever.
  Manager(ManagerOptions options, base::Clock& clock, Fence& fence, LeaderElector* elector,
          ShutdownCoordinator& coordinator);
  Manager(const Manager&) = delete;
  Manager& operator=(const Manager&) = delete;

  // Before run(). Keep references.
  void add_source(Source& source);
  void add_loop(ControllerLoop& loop);      // elected work
  void add_recorder(EventRecorder& recorder);
  // Called once on run()'s thread when leadership is held, before the loops start.
  void on_leading(std::function<void()> action);

  // Starts everything and blocks until `stop`; success then. Fails when a source has not settled within sync_timeout
  // (names all such sources). Elected loops start only while this process leads and never once `stop` was requested. The
  // caller then runs the coordinator, in both cases.
  base::Result<void> run(const std::stop_token& stop);

  ManagerPhase phase() const { return phase_; }
  // Caches were complete once and shutdown has not begun; a standby is ready.
  bool ready() const;

 private:
  base::Result<void> wait_settled(const std::stop_token& stop);
  void register_handlers();
  base::Result<void> stop_sources();
  base::Result<void> stop_loops(const base::Cancellation& cancel);
  base::Result<void> stop_recorders(const base::Cancellation& cancel);
  base::Result<void> stop_lease(const base::Cancellation& cancel);
  void wait_for_stop(const std::stop_token& stop);
  void enter(ManagerPhase phase);

  const ManagerOptions options_;
  base::Clock& clock_;
  Fence& fence_;
  LeaderElector* const elector_;
  ShutdownCoordinator& coordinator_;
  std::vector<Source*> sources_;
  std::vector<ControllerLoop*> loops_;
  std::vector<EventRecorder*> recorders_;
  std::function<void()> on_leading_;
  std::atomic<ManagerPhase> phase_{ManagerPhase::kCreated};
  std::atomic<bool> loops_stopped_{false};
};

}  // namespace shutdown_auditor::runtime
