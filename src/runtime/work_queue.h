#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "base/cancellation.h"
#include "base/clock.h"

namespace shutdown_auditor::runtime {

// kHigh is for live changes, kLow for initial lists, resyncs and timers: any ready kHigh key overtakes all kLow ones.
enum class Priority { kLow, kHigh };

// A key handed to a worker. `cause` is the union of what every add since the last delivery said; its bits belong to the
// consumer.
struct WorkItem {
  std::string key;
  Priority priority = Priority::kLow;
  std::uint32_t cause = 0;
};

struct WorkQueueOptions {
  // Retries (add_rate_limited): per key base * 2^failures up to max, and over all keys a token bucket; the larger wins.
  base::Duration backoff_base = std::chrono::milliseconds(5);
  base::Duration backoff_max = std::chrono::seconds(1000);
  double retries_per_second = 10;
  double retry_burst = 100;
};

// What metrics want to know. Called on the thread that used the queue, without its lock; must be quick.
class WorkQueueObserver {
 public:
  virtual ~WorkQueueObserver() = default;
  virtual void on_added() {}
  virtual void on_taken(base::Duration /*waited*/) {}
  virtual void on_done(base::Duration /*worked*/) {}
  virtual void on_retry() {}
};

// A moment's view, for metrics and /debug.
struct WorkQueueStats {
  std::size_t ready = 0;       // deliverable now
  std::size_t delayed = 0;     // waiting for their time
  std::size_t processing = 0;  // held by workers
  std::size_t parked = 0;      // added again while held
  std::size_t failing = 0;     // keys with a retry count
  base::Duration unfinished{};       // sum of how long the held keys are held
  base::Duration longest_running{};
};

// A queue of keys that delivers each key once for any number of adds, never gives the same key to two workers, and
// delivers a key that was added while held exactly once more after done(). First in, first out within a priority; a key
// that is raised to kHigh goes behind the kHigh keys already there. A key has one pending entry: the earliest time, the
// highest priority and the union of the causes of its adds. Same guarantees as client-go's util/workqueue.
// Safe from any thread; must outlive its waiters. One mutex, never held across a callback.
class WorkQueue {
 public:
  // Keeps references; `observer` may be null.
  explicit WorkQueue(base::Clock& clock, WorkQueueOptions options = {}, WorkQueueObserver* observer = nullptr);
  WorkQueue(const WorkQueue&) = delete;
  WorkQueue& operator=(const WorkQueue&) = delete;

  // Ignored after shut_down().
  void add(std::string_view key, Priority priority, std::uint32_t cause);
  // Delays over six months count as six months, delays of zero or less as now.
  void add_after(std::string_view key, Priority priority, std::uint32_t cause, base::Duration delay);
  // A retry: adds after the key's back-off and returns that delay. Counts one failure of the key.
  base::Duration add_rate_limited(std::string_view key, Priority priority, std::uint32_t cause);
  // Ends the key's back-off. To be called on success and when the object is gone.
  void forget(std::string_view key);
  // Failures counted since the last forget().
  std::uint32_t failures(std::string_view key) const;

  // Blocks for the next key; nullopt when `stop` is requested, or after shut_down() once nothing is ready. Every key got
  // must be given back by done().
  std::optional<WorkItem> get(const std::stop_token& stop);
  void done(std::string_view key);

  // Adds are ignored from now on, delayed keys are dropped, ready ones are still delivered, waiters wake. Idempotent.
  void shut_down();
  // shut_down(), then waits until no key is held. Returns the keys still held when `cancel` ended the wait.
  std::vector<std::string> shut_down_with_drain(const base::Cancellation& cancel);
  // Forgets everything that waits: ready, delayed and parked keys. Returns how many there were.
  std::size_t drop_queued();

  WorkQueueStats stats() const;
  // The keys workers hold, sorted.
  std::vector<std::string> processing() const;

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };
  template <class T>
  using Map = std::unordered_map<std::string, T, Hash, std::equal_to<>>;

  enum class Place { kReady, kDelayed, kParked };
  struct Pending {
    Priority priority = Priority::kLow;
    std::uint32_t cause = 0;
    Place place = Place::kReady;
    std::uint64_t sequence = 0;    // order of arrival at its place
    base::SteadyTime due{};        // when it was or will be ready
  };
  // Kept in the ordered sets below; `key` points into pending_, whose nodes do not move.
  struct ReadyOrder {
    bool low;
    std::uint64_t sequence;
    const std::string* key;
    bool operator<(const ReadyOrder& o) const { return std::tie(low, sequence) < std::tie(o.low, o.sequence); }
  };
  struct DelayedOrder {
    base::SteadyTime due;
    std::uint64_t sequence;
    const std::string* key;
    bool operator<(const DelayedOrder& o) const { return std::tie(due, sequence) < std::tie(o.due, o.sequence); }
  };

  bool enqueue(std::string_view key, Priority priority, std::uint32_t cause, base::SteadyTime due);
  void place(const std::string& key, Pending& entry, base::SteadyTime due);
  void unplace(const std::string& key, const Pending& entry);
  void promote_due(base::SteadyTime now);
  base::SteadyTime next_due() const;
  base::Duration retry_delay(std::string_view key);
  void release_idle_memory();

  base::Clock& clock_;
  const WorkQueueOptions options_;
  WorkQueueObserver* const observer_;

  mutable std::mutex mutex_;
  std::condition_variable_any changed_;   // for get()
  std::condition_variable_any finished_;  // for shut_down_with_drain()
  Map<Pending> pending_;
  Map<base::SteadyTime> processing_;      // since when
  Map<std::uint32_t> failures_;
  std::set<ReadyOrder> ready_;
  std::set<DelayedOrder> delayed_;
  std::uint64_t sequence_ = 0;
  double tokens_;
  base::SteadyTime tokens_at_;
  bool shutting_down_ = false;
};

}  // namespace shutdown_auditor::runtime
