#include "runtime/work_queue.h"

#include <algorithm>

#include "base/backoff.h"

namespace shutdown_auditor::runtime {
namespace {

constexpr base::Duration kLongestDelay = std::chrono::hours(24 * 183);
constexpr std::size_t kKeptBuckets = 1024;

template <class Map>
void release_if_idle(Map& map) {
  if (map.empty() && map.bucket_count() > kKeptBuckets) {
    map = Map();
  }
}

}  // namespace

WorkQueue::WorkQueue(base::Clock& clock, WorkQueueOptions options, WorkQueueObserver* observer)
    : clock_(clock), options_(options), observer_(observer), tokens_(options.retry_burst), tokens_at_(clock.now()) {}

void WorkQueue::add(std::string_view key, Priority priority, std::uint32_t cause) {
  add_after(key, priority, cause, base::Duration::zero());
}

void WorkQueue::add_after(std::string_view key, Priority priority, std::uint32_t cause, base::Duration delay) {
  bool added = false;
  {
    const std::lock_guard lock(mutex_);
    added = enqueue(key, priority, cause, base::after(clock_.now(), std::min(delay, kLongestDelay)));
  }
  if (added && observer_ != nullptr) {
    observer_->on_added();
  }
}

base::Duration WorkQueue::add_rate_limited(std::string_view key, Priority priority, std::uint32_t cause) {
  base::Duration delay{};
  bool added = false;
  {
    const std::lock_guard lock(mutex_);
    if (shutting_down_) {
      return delay;
    }
    delay = retry_delay(key);
    added = enqueue(key, priority, cause, base::after(clock_.now(), delay));
  }
  if (observer_ != nullptr) {
    observer_->on_retry();
    if (added) {
      observer_->on_added();
    }
  }
  return delay;
}

void WorkQueue::forget(std::string_view key) {
  const std::lock_guard lock(mutex_);
  if (const auto found = failures_.find(key); found != failures_.end()) {
    failures_.erase(found);
    release_if_idle(failures_);
  }
}

std::uint32_t WorkQueue::failures(std::string_view key) const {
  const std::lock_guard lock(mutex_);
  const auto found = failures_.find(key);
  return found == failures_.end() ? 0 : found->second;
}

std::optional<WorkItem> WorkQueue::get(const std::stop_token& stop) {
  WorkItem item;
  base::Duration waited{};
  {
    std::unique_lock lock(mutex_);
    for (;;) {
      if (stop.stop_requested()) {
        return std::nullopt;
      }
      const base::SteadyTime now = clock_.now();
      promote_due(now);
      if (!ready_.empty()) {
        auto node = pending_.extract(*ready_.begin()->key);
        ready_.erase(ready_.begin());
        waited = now - node.mapped().due;
        item = {std::move(node.key()), node.mapped().priority, node.mapped().cause};
        processing_.emplace(item.key, now);
        release_idle_memory();
        if (!ready_.empty()) {
          changed_.notify_one();  // one waiter may have promoted keys for several
        }
        break;
      }
      if (shutting_down_) {
        return std::nullopt;
      }
      // Every waiter waits for the next due time, so a due key is served whichever of them is busy by then.
      const base::SteadyTime wake = next_due();
      clock_.wait_until(lock, changed_, stop, wake,
                        [&] { return !ready_.empty() || shutting_down_ || next_due() < wake; });
    }
  }
  if (observer_ != nullptr) {
    observer_->on_taken(waited);
  }
  return item;
}

void WorkQueue::done(std::string_view key) {
  base::Duration worked{};
  {
    const std::lock_guard lock(mutex_);
    const auto held = processing_.find(key);
    if (held == processing_.end()) {
      return;
    }
    const base::SteadyTime now = clock_.now();
    worked = now - held->second;
    processing_.erase(held);
    if (const auto again = pending_.find(key); again != pending_.end() && again->second.place == Place::kParked) {
      place(again->first, again->second, now);
    }
    if (processing_.empty()) {
      release_idle_memory();
      finished_.notify_all();
    }
  }
  if (observer_ != nullptr) {
    observer_->on_done(worked);
  }
}

void WorkQueue::shut_down() {
  const std::lock_guard lock(mutex_);
  shutting_down_ = true;
  promote_due(clock_.now());
  for (const DelayedOrder& order : delayed_) {
    pending_.erase(pending_.find(*order.key));
  }
  delayed_.clear();
  changed_.notify_all();
}

std::vector<std::string> WorkQueue::shut_down_with_drain(const base::Cancellation& cancel) {
  shut_down();
  {
    std::unique_lock lock(mutex_);
    clock_.wait_until(lock, finished_, cancel.stop, cancel.deadline, [this] { return processing_.empty(); });
  }
  return processing();
}

std::size_t WorkQueue::drop_queued() {
  const std::lock_guard lock(mutex_);
  const std::size_t dropped = pending_.size();
  ready_.clear();
  delayed_.clear();
  pending_.clear();
  release_idle_memory();
  return dropped;
}

WorkQueueStats WorkQueue::stats() const {
  const std::lock_guard lock(mutex_);
  const base::SteadyTime now = clock_.now();
  WorkQueueStats stats;
  for (const DelayedOrder& order : delayed_) {
    if (order.due > now) {
      break;
    }
    ++(processing_.contains(*order.key) ? stats.parked : stats.ready);  // due, but no waiter has looked yet
  }
  stats.delayed = delayed_.size() - stats.ready - stats.parked;
  stats.parked = pending_.size() - ready_.size() - stats.delayed - stats.ready;
  stats.ready += ready_.size();
  stats.processing = processing_.size();
  stats.failing = failures_.size();
  for (const auto& [key, since] : processing_) {
    stats.unfinished += now - since;
    stats.longest_running = std::max(stats.longest_running, now - since);
  }
  return stats;
}

std::vector<std::string> WorkQueue::processing() const {
  std::vector<std::string> keys;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [key, since] : processing_) {
      keys.push_back(key);
    }
  }
  std::sort(keys.begin(), keys.end());
  return keys;
}

// Merges into the key's pending entry or makes one; true when it made one. The lock is held.
bool WorkQueue::enqueue(std::string_view key, Priority priority, std::uint32_t cause, base::SteadyTime due) {
  if (shutting_down_) {
    return false;
  }
  auto found = pending_.find(key);
  if (found == pending_.end()) {
    found = pending_.emplace(std::string(key), Pending{priority, cause, Place::kReady, 0, due}).first;
    place(found->first, found->second, due);
    return true;
  }
  Pending& entry = found->second;
  entry.cause |= cause;
  const bool raised = priority > entry.priority;
  const bool earlier = entry.place == Place::kDelayed && due < entry.due;
  if ((raised && entry.place == Place::kReady) || earlier) {
    unplace(found->first, entry);
    entry.priority = std::max(entry.priority, priority);
    place(found->first, entry, earlier ? due : entry.due);
  }
  entry.priority = std::max(entry.priority, priority);
  return false;
}

void WorkQueue::place(const std::string& key, Pending& entry, base::SteadyTime due) {
  entry.sequence = ++sequence_;
  entry.due = due;
  if (due > clock_.now()) {
    entry.place = Place::kDelayed;
    const auto position = delayed_.insert({due, entry.sequence, &key}).first;
    if (position == delayed_.begin()) {
      changed_.notify_all();  // everyone waits for the earliest time
    }
  } else if (processing_.contains(key)) {
    entry.place = Place::kParked;
  } else {
    entry.place = Place::kReady;
    ready_.insert({entry.priority == Priority::kLow, entry.sequence, &key});
    changed_.notify_one();
  }
}

void WorkQueue::unplace(const std::string& key, const Pending& entry) {
  if (entry.place == Place::kReady) {
    ready_.erase({entry.priority == Priority::kLow, entry.sequence, &key});
  } else if (entry.place == Place::kDelayed) {
    delayed_.erase({entry.due, entry.sequence, &key});
  }
}

void WorkQueue::promote_due(base::SteadyTime now) {
  while (!delayed_.empty() && delayed_.begin()->due <= now) {
    const DelayedOrder first = *delayed_.begin();
    delayed_.erase(delayed_.begin());
    place(*first.key, pending_.find(*first.key)->second, first.due);
  }
}

base::SteadyTime WorkQueue::next_due() const { return delayed_.empty() ? base::kNever : delayed_.begin()->due; }

base::Duration WorkQueue::retry_delay(std::string_view key) {
  auto found = failures_.find(key);
  if (found == failures_.end()) {
    found = failures_.emplace(std::string(key), 0).first;
  }
  const base::BackoffPolicy policy{options_.backoff_base, options_.backoff_max, 2.0, 0.0, base::Duration::zero()};
  const base::Duration own = base::backoff_delay(policy, found->second, 0.0);
  if (found->second < UINT32_MAX) {
    ++found->second;
  }
  if (options_.retries_per_second <= 0) {
    return own;
  }
  const base::SteadyTime now = clock_.now();
  const double elapsed = std::chrono::duration<double>(now - tokens_at_).count();
  tokens_ = std::min(options_.retry_burst, tokens_ + elapsed * options_.retries_per_second) - 1.0;
  tokens_at_ = now;
  const std::chrono::duration<double> shared(tokens_ < 0 ? -tokens_ / options_.retries_per_second : 0.0);
  return std::max(own, std::chrono::duration_cast<base::Duration>(shared));
}

// A burst of keys (the first list) must not keep its hash tables for ever.
void WorkQueue::release_idle_memory() {
  release_if_idle(pending_);
  if (pending_.empty()) {
    release_if_idle(processing_);
  }
}

}  // namespace shutdown_auditor::runtime
