#include "runtime/leader_elector.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/log.h"
#include "base/text.h"
#include "base/time.h"

namespace shutdown_auditor::runtime {
namespace {

constexpr base::Logger kLog("leader-elector");
constexpr std::size_t kAttemptsKept = 16;
constexpr base::Duration kHealthSlack = std::chrono::seconds(20);
constexpr base::Duration kReleaseRetry = std::chrono::milliseconds(200);

std::int64_t whole_seconds(base::Duration duration) {
  return std::chrono::duration_cast<std::chrono::seconds>(duration).count();
}

// What another holder promises is trusted whatever its size: waiting too long is safe, too short is not.
base::SteadyTime expiry(base::SteadyTime changed, std::int64_t duration_seconds) {
  constexpr std::int64_t kMost = 1'000'000'000;
  return base::after(changed, std::chrono::seconds(std::clamp<std::int64_t>(duration_seconds, 0, kMost)));
}

}  // namespace

std::string_view to_string(LeaderState state) {
  switch (state) {
    case LeaderState::kStandby: return "Standby";
    case LeaderState::kLeading: return "Leading";
    case LeaderState::kLost: return "Lost";
    case LeaderState::kStopped: return "Stopped";
  }
  return "Unknown";
}

base::Result<void> LeaderElector::validate(const LeaderElectionOptions& options) {
  const auto refuse = [](std::string message) { return base::fail(base::ErrorKind::kInvalid, std::move(message)); };
  if (options.name.empty() || options.name_space.empty() || options.identity.empty()) {
    return refuse("leader election needs a lease name, a namespace and an identity");
  }
  if (options.lease_duration < std::chrono::seconds(1) ||
      options.lease_duration % std::chrono::seconds(1) != base::Duration::zero()) {
    return refuse(fmt::format("the lease duration must be whole seconds, at least 1s, not {}",
                              base::format_duration(options.lease_duration)));
  }
  if (options.lease_duration <= options.renew_deadline) {
    return refuse(fmt::format("the lease duration ({}) must be longer than the renew deadline ({})",
                              base::format_duration(options.lease_duration),
                              base::format_duration(options.renew_deadline)));
  }
  if (options.retry_period <= base::Duration::zero() || options.renew_deadline <= options.retry_period * 6 / 5) {
    return refuse(fmt::format("the renew deadline ({}) must be longer than 1.2 times the retry period ({})",
                              base::format_duration(options.renew_deadline),
                              base::format_duration(options.retry_period)));
  }
  return {};
}

base::Duration LeaderElector::request_timeout(const LeaderElectionOptions& options) {
  return std::max<base::Duration>(std::chrono::seconds(1), options.renew_deadline / 2);
}

base::Result<std::unique_ptr<LeaderElector>> LeaderElector::create(LeaderElectionOptions options, kube::Api& api,
                                                                   Fence& fence, base::Clock& clock,
                                                                   base::Random& random, OnLost on_lost) {
  if (auto valid = validate(options); !valid) {
    return base::unexpected(valid.error());
  }
  return std::unique_ptr<LeaderElector>(
      new LeaderElector(std::move(options), api, fence, clock, random, std::move(on_lost)));
}

LeaderElector::LeaderElector(LeaderElectionOptions options, kube::Api& api, Fence& fence, base::Clock& clock,
                             base::Random& random, OnLost on_lost)
    : options_(std::move(options)), lock_(api, options_.name_space, options_.name), fence_(fence), clock_(clock),
      random_(random), on_lost_(std::move(on_lost)) {}

LeaderElector::~LeaderElector() { stop(); }

void LeaderElector::start() {
  elector_ = std::jthread([this] { run(); });
  watchdog_ = std::jthread([this] { watch(); });
}

bool LeaderElector::wait_leading(const base::Cancellation& cancel) {
  std::unique_lock lock(mutex_);
  clock_.wait_until(lock, changed_, cancel.stop, cancel.deadline,
                    [this] { return stopping_ || status_.state != LeaderState::kStandby; });
  return status_.state == LeaderState::kLeading && !stopping_;
}

void LeaderElector::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  fence_.break_now();
  stop_.request_stop();
  for (std::jthread* thread : {&elector_, &watchdog_}) {
    if (thread->joinable()) {
      thread->join();
    }
  }
  const std::lock_guard lock(mutex_);
  if (status_.state != LeaderState::kLost) {
    status_.state = LeaderState::kStopped;
  }
}

base::Result<void> LeaderElector::release(const base::Cancellation& cancel) {
  stop();
  if (status().state == LeaderState::kLost) {
    return {};  // others may still be writing in our name: the lease has to expire
  }
  // A write of unknown outcome may have taken the lease.
  bool read_first = !attempts_.empty();
  if (!read_first && (!seen_ || seen_->record.holder != options_.identity)) {
    return {};
  }
  std::string problem = "no time left";
  while (!cancel.stop_requested() && clock_.now() < cancel.deadline) {
    if (read_first) {
      kube::Result<StoredLease> current = lock_.get(limited(cancel));
      if (current) {
        if (current->record.holder != options_.identity) {
          return {};
        }
        seen_ = std::move(*current);
        read_first = false;
      } else if (current.error().kind == kube::ErrorKind::kNotFound) {
        return {};
      } else {
        problem = current.error().message;
      }
    }
    if (!read_first) {
      const std::string now = base::format_rfc3339_micro(clock_.wall_now());
      const LeaseRecord free{"", 1, now, now, seen_->record.transitions};
      const kube::Result<StoredLease> written = lock_.update(*seen_, free, limited(cancel));
      if (written || written.error().kind == kube::ErrorKind::kNotFound) {
        kLog.info("released the lease", {{"lease", lock_.name()}, {"namespace", lock_.name_space()}});
        return {};
      }
      problem = written.error().message;
      read_first = true;
      if (written.error().kind == kube::ErrorKind::kConflict) {
        continue;
      }
    }
    clock_.sleep_for(kReleaseRetry, cancel.stop);
  }
  return base::fail(base::ErrorKind::kTimeout, fmt::format("lease {}/{} not released, it expires by itself: {}",
                                                           lock_.name_space(), lock_.name(), problem));
}

LeaderStatus LeaderElector::status() const {
  const std::lock_guard lock(mutex_);
  LeaderStatus copy = status_;
  if (copy.state == LeaderState::kLeading) {
    copy.since_renewal = clock_.now() - renewed_;
  }
  return copy;
}

bool LeaderElector::healthy() const { return status().since_renewal <= options_.lease_duration + kHealthSlack; }

void LeaderElector::run() {
  const std::stop_token stop = stop_.get_token();
  while (!stop.stop_requested()) {
    try_once();
    base::Duration wait = options_.retry_period;
    if (!leading()) {
      const double share = 0.8 + 0.2 * random_.uniform();
      wait = base::Duration(static_cast<base::Duration::rep>(static_cast<double>(wait.count()) * share));
    }
    clock_.sleep_for(wait, stop);
  }
}

// One try to take or keep the lease.
void LeaderElector::try_once() {
  if (seen_ && seen_->record.holder == options_.identity) {
    // Fast path: nobody else may have written since, so one PUT on the version we know is enough.
    const kube::ErrorKind problem = write(seen_->record);
    if (problem != kube::ErrorKind::kConflict && problem != kube::ErrorKind::kNotFound) {
      return;
    }
  }
  try_slow();
}

void LeaderElector::try_slow() {
  {
    const std::lock_guard lock(mutex_);
    ++status_.slow_paths;
  }
  kube::Result<StoredLease> current = lock_.get(limited({stop_.get_token()}));
  if (!current && current.error().kind == kube::ErrorKind::kNotFound) {
    seen_.reset();
    write({});
    return;
  }
  if (!current) {
    failed(current.error());
    return;
  }
  observe(std::move(*current));
  const LeaseRecord& record = seen_->record;
  if (record.holder == options_.identity) {
    const auto ours = std::find_if(attempts_.begin(), attempts_.end(),
                                   [&](const Attempt& attempt) { return attempt.renew_time == record.renew_time; });
    if (ours != attempts_.end()) {
      succeeded(*seen_, ours->started);  // its answer was lost, or the client sent it twice
    } else {
      write(record);
    }
  } else if (leading()) {
    lost(fmt::format("the lease is held by {}", base::quoted(record.holder)));
  } else if (record.holder.empty() || clock_.now() >= expiry(seen_changed_, record.duration_seconds)) {
    write(record);
  }
}

// Writes our record over `next` (the one last seen; default: the lease does not exist) and takes in the outcome. Returns
// kConflict or kNotFound for the caller to look again, anything else when the try is over.
kube::ErrorKind LeaderElector::write(LeaseRecord next) {
  const std::string now = base::format_rfc3339_micro(clock_.wall_now());
  if (next.holder != options_.identity) {
    next.acquire_time = now;
    if (seen_ && next.transitions < INT32_MAX) {
      ++next.transitions;
    }
  }
  next.holder = options_.identity;
  next.duration_seconds = whole_seconds(options_.lease_duration);
  next.renew_time = now;
  const base::SteadyTime started = clock_.now();
  attempts_.push_back({now, started});
  if (attempts_.size() > kAttemptsKept) {
    attempts_.pop_front();
  }
  const base::Cancellation limit = limited({stop_.get_token()});
  kube::Result<StoredLease> written = seen_ ? lock_.update(*seen_, next, limit) : lock_.create(next, limit);
  if (written) {
    succeeded(std::move(*written), started);
    return kube::ErrorKind::kCancelled;
  }
  const kube::ErrorKind kind = written.error().kind;
  if (kind != kube::ErrorKind::kConflict && kind != kube::ErrorKind::kAlreadyExists) {
    failed(written.error());
  }
  return kind;
}

void LeaderElector::observe(StoredLease lease) {
  if (!seen_ || !(seen_->record == lease.record)) {
    seen_changed_ = clock_.now();
  }
  seen_ = std::move(lease);
  const std::lock_guard lock(mutex_);
  status_.last_error.clear();
  if (status_.holder != seen_->record.holder) {
    status_.holder = seen_->record.holder;
    kLog.info("lease holder seen", {{"lease", lock_.name()}, {"holder", status_.holder}});
  }
}

void LeaderElector::succeeded(StoredLease lease, base::SteadyTime started) {
  attempts_.clear();
  observe(std::move(lease));
  if (!fence_.hold_until(base::after(started, options_.renew_deadline))) {
    return;  // too late to count as leadership
  }
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || status_.state == LeaderState::kLost) {
      return;
    }
    first = status_.state == LeaderState::kStandby;
    status_.state = LeaderState::kLeading;
    renewed_ = started;
    changed_.notify_all();
  }
  if (first) {
    kLog.info("leading", {{"lease", lock_.name()}, {"identity", options_.identity}});
  }
}

void LeaderElector::failed(const kube::Error& error) {
  if (error.kind == kube::ErrorKind::kCancelled) {
    return;
  }
  bool changed = false;
  {
    const std::lock_guard lock(mutex_);
    ++status_.failed_tries;
    changed = std::exchange(status_.last_error, error.message) != error.message;
  }
  if (changed) {
    kLog.warn("lease request failed", {{"lease", lock_.name()}, {"err", error.message}});
  }
}

// Runs beside the elector because a request that hangs must not keep the fence open.
void LeaderElector::watch() {
  const std::stop_token stop = stop_.get_token();
  while (!stop.stop_requested()) {
    {
      std::unique_lock lock(mutex_);
      const base::SteadyTime deadline = watch_until();
      clock_.wait_until(lock, changed_, stop, deadline, [&] { return stopping_ || watch_until() != deadline; });
    }
    if (fence_.break_if_expired()) {
      lost(fmt::format("no renewal succeeded within {}", base::format_duration(options_.renew_deadline)));
    }
  }
}

base::SteadyTime LeaderElector::watch_until() const {
  const base::SteadyTime until = fence_.held_until();
  return status_.state == LeaderState::kLeading && until != base::SteadyTime::min() ? until : base::kNever;
}

void LeaderElector::lost(std::string_view why) {
  fence_.break_now();
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || status_.state == LeaderState::kLost) {
      return;
    }
    status_.state = LeaderState::kLost;
    changed_.notify_all();
  }
  stop_.request_stop();
  kLog.error("leadership lost", {{"lease", lock_.name()}, {"identity", options_.identity}, {"err", why}});
  if (on_lost_) {
    on_lost_(why);
  }
}

bool LeaderElector::leading() const {
  const std::lock_guard lock(mutex_);
  return status_.state == LeaderState::kLeading;
}

base::Cancellation LeaderElector::limited(const base::Cancellation& cancel) const {
  return cancel.limited(clock_.now(), request_timeout(options_));
}

}  // namespace shutdown_auditor::runtime
