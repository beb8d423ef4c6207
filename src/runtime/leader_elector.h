#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "runtime/fence.h"
#include "runtime/lease_lock.h"

namespace shutdown_auditor::runtime {

struct LeaderElectionOptions {
  std::string name_space;
  std::string name;
  std::string identity;  // unique to this process: "<hostname>_<uuid>"
  base::Duration lease_duration = std::chrono::seconds(15);
  base::Duration renew_deadline = std::chrono::seconds(10);
  base::Duration retry_period = std::chrono::seconds(2);
};

// kLost and kStopped are final: a process leads at most once.
enum class LeaderState { kStandby, kLeading, kLost, kStopped };
std::string_view to_string(LeaderState state);

// A moment's view, for metrics, health and /debug.
struct LeaderStatus {
  LeaderState state = LeaderState::kStandby;
  std::string holder;                   // last seen in the lease
  base::Duration since_renewal{};       // since the start of the last renewal that succeeded; 0 unless leading
  std::uint64_t slow_paths = 0;         // tries that had to read the lease (leader_election_slowpath_total)
  std::uint64_t failed_tries = 0;       // tries that ended in an error, a lease held by another not counted
  std::string last_error;               // of the last try; empty when it had none
};

// Competes for a Lease like client-go's tools/leaderelection, with a fence. Another's lease counts as expired when it has
// not been seen to change for its own duration on our monotonic clock; the times inside it are never compared with ours.
// The fence is held until the start of the last successful renewal + renew_deadline; a watchdog thread breaks it then,
// even when a request hangs, and calls on_lost: the process must exit at once, because after lease_duration another
// one leads.
class LeaderElector {
 public:
  // kInvalid unless lease > renew_deadline > retry_period * 1.2, the lease is whole seconds of at least 1, and name,
  // namespace and identity are given.
  static base::Result<void> validate(const LeaderElectionOptions& options);
  // A request's time-out: max(1 s, renew_deadline / 2).
  static base::Duration request_timeout(const LeaderElectionOptions& options);

  // Called once at most, on the watchdog's or the elector's thread, with no lock held, after the fence broke. Never after
  // release() or stop() began. Must not call either.
  using OnLost = std::function<void(std::string_view why)>;

  // Validates as above. Keeps references. `api` must not be fenced.
  static base::Result<std::unique_ptr<LeaderElector>> create(LeaderElectionOptions options, kube::Api& api,
                                                             Fence& fence, base::Clock& clock, base::Random& random,
                                                             OnLost on_lost);
  // Stops without release.
  ~LeaderElector();
  LeaderElector(const LeaderElector&) = delete;
  LeaderElector& operator=(const LeaderElector&) = delete;

  // Starts the two threads. Once.
  void start();
  // Blocks until this process leads (true), or until stopped, lost or `cancel` (false).
  bool wait_leading(const base::Cancellation& cancel);

  // Breaks the fence and ends both threads; the lease is left to expire. Idempotent; by one owner, like release().
  void stop();
  // stop(), then, when this process led, empties the lease (holder "", duration 1 s) so that the next candidate takes it
  // at its next try. Only after all elected work has ended. Conflicts and lost connections are retried until `cancel`.
  // Success without any request when this process does not hold the lease.
  base::Result<void> release(const base::Cancellation& cancel);

  LeaderStatus status() const;
  // For liveness: false when leading and not renewed for lease_duration + 20 s.
  bool healthy() const;

 private:
  struct Attempt {
    std::string renew_time;
    base::SteadyTime started;
  };
  LeaderElector(LeaderElectionOptions options, kube::Api& api, Fence& fence, base::Clock& clock, base::Random& random,
                OnLost on_lost);
  void run();
  void watch();
  void try_once();
  void try_slow();
  kube::ErrorKind write(LeaseRecord next);
  void succeeded(StoredLease lease, base::SteadyTime started);
  void failed(const kube::Error& error);
  void observe(StoredLease lease);
  void lost(std::string_view why);
  bool leading() const;
  base::SteadyTime watch_until() const;
  base::Cancellation limited(const base::Cancellation& cancel) const;

  const LeaderElectionOptions options_;
  const LeaseLock lock_;
  Fence& fence_;
  base::Clock& clock_;
  base::Random& random_;
  const OnLost on_lost_;

  // Only the elector's thread touches these, and release() after that thread ended.
  std::optional<StoredLease> seen_;
  base::SteadyTime seen_changed_{};
  std::deque<Attempt> attempts_;  // writes whose outcome is not known

  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  LeaderStatus status_;
  base::SteadyTime renewed_{};
  bool stopping_ = false;
  std::stop_source stop_;

  std::jthread elector_;
  std::jthread watchdog_;
};

}  // namespace shutdown_auditor::runtime
