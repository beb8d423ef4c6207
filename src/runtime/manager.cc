#include "runtime/manager.h"

#include <condition_variable>
#include <mutex>
#include <utility>

#include <fmt/format.h>

#include "base/log.h"
#include "base/text.h"
#include "base/time.h"

namespace shutdown_auditor::runtime {
namespace {

constexpr base::Logger kLog("manager");

}  // namespace

std::string_view to_string(ManagerPhase phase) {
  switch (phase) {
    case ManagerPhase::kCreated: return "Created";
    case ManagerPhase::kSyncing: return "Syncing";
    case ManagerPhase::kStandby: return "Standby";
    case ManagerPhase::kLeading: return "Leading";
    case ManagerPhase::kStopping: return "Stopping";
  }
  return "Unknown";
}

Manager::Manager(ManagerOptions options, base::Clock& clock, Fence& fence, LeaderElector* elector,
                 ShutdownCoordinator& coordinator)
    : options_(options), clock_(clock), fence_(fence), elector_(elector), coordinator_(coordinator) {}

void Manager::add_source(Source& source) { sources_.push_back(&source); }
void Manager::add_loop(ControllerLoop& loop) { loops_.push_back(&loop); }
void Manager::add_recorder(EventRecorder& recorder) { recorders_.push_back(&recorder); }
void Manager::on_leading(std::function<void()> action) { on_leading_ = std::move(action); }

base::Result<void> Manager::run(const std::stop_token& stop) {
  register_handlers();
  enter(ManagerPhase::kSyncing);
  for (Source* source : sources_) {
    source->start();
  }
  if (auto settled = wait_settled(stop); !settled) {
    return settled;
  }
  // Each step looks at `stop` anew: a standby that is told to stop must never begin elected work.
  if (stop.stop_requested()) {
    return {};
  }
  enter(ManagerPhase::kStandby);
  bool leading = false;
  if (elector_ != nullptr) {
    elector_->start();
    leading = elector_->wait_leading({stop});
  } else {
    leading = fence_.hold_until(base::kNever);
  }
  if (!leading || stop.stop_requested()) {
    wait_for_stop(stop);
    return {};
  }
  if (on_leading_) {
    on_leading_();
  }
  for (EventRecorder* recorder : recorders_) {
    recorder->start();
  }
  for (ControllerLoop* loop : loops_) {
    loop->start();
  }
  enter(ManagerPhase::kLeading);
  kLog.info("elected work started", {{"controllers", loops_.size()}});
  wait_for_stop(stop);
  return {};
}

bool Manager::ready() const { return phase_ == ManagerPhase::kStandby || phase_ == ManagerPhase::kLeading; }

// Stopping is final, should the coordinator run before run() has returned.
void Manager::enter(ManagerPhase phase) {
  ManagerPhase now = phase_;
  while (now != ManagerPhase::kStopping && !phase_.compare_exchange_weak(now, phase)) {
  }
}

void Manager::wait_for_stop(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any never_notified;
  std::unique_lock lock(mutex);
  clock_.wait_until(lock, never_notified, stop, base::kNever, [] { return false; });
}

base::Result<void> Manager::wait_settled(const std::stop_token& stop) {
  const base::Cancellation cancel{stop, base::after(clock_.now(), options_.sync_timeout)};
  std::vector<std::string> missing;
  for (Source* source : sources_) {
    if (!source->wait_settled(cancel) && !stop.stop_requested()) {
      const std::string error = source->last_error();
      missing.push_back(error.empty() ? std::string(source->name()) : fmt::format("{} ({})", source->name(), error));
    }
  }
  if (missing.empty()) {
    return {};
  }
  return base::fail(base::ErrorKind::kTimeout,
                    fmt::format("no complete list within {} of: {}", base::format_duration(options_.sync_timeout),
                                base::join(missing, ", ")));
}

void Manager::register_handlers() {
  const base::Duration drain = coordinator_.budget() / 2;
  base::Duration grace{};
  for (const ControllerLoop* loop : loops_) {
    grace += loop->cancel_grace();
  }
  coordinator_.add({"readiness", stop_order::kReadiness, std::chrono::seconds(1), [this](const base::Cancellation&) {
                      phase_ = ManagerPhase::kStopping;
                      return base::Result<void>();
                    }});
  coordinator_.add({"sources", stop_order::kSources, options_.source_stop,
                    [this](const base::Cancellation&) { return stop_sources(); }});
  coordinator_.add({"workers", stop_order::kWorkers, drain + grace, [this, drain](const base::Cancellation& cancel) {
                      return stop_loops(cancel.limited(clock_.now(), drain));
                    }});
  coordinator_.add({"events", stop_order::kEvents, options_.event_flush,
                    [this](const base::Cancellation& cancel) { return stop_recorders(cancel); }});
  if (elector_ != nullptr) {
    coordinator_.add({"lease", stop_order::kLease, options_.lease_release,
                      [this](const base::Cancellation& cancel) { return stop_lease(cancel); }});
  }
}

base::Result<void> Manager::stop_sources() {
  for (Source* source : sources_) {
    source->request_stop();
  }
  for (Source* source : sources_) {
    source->stop();
  }
  return {};
}

base::Result<void> Manager::stop_loops(const base::Cancellation& cancel) {
  loops_stopped_ = false;
  std::vector<std::string> left;
  for (ControllerLoop* loop : loops_) {
    loop->close();  // all of them before the first is waited for
  }
  for (ControllerLoop* loop : loops_) {
    for (const std::string& key : loop->stop(cancel)) {
      left.push_back(fmt::format("{} in {}", key, loop->name()));
    }
  }
  if (!left.empty()) {
    return base::fail(base::ErrorKind::kTimeout, "still in work: " + base::join(left, ", "));
  }
  loops_stopped_ = true;
  return {};
}

base::Result<void> Manager::stop_recorders(const base::Cancellation& cancel) {
  std::size_t dropped = 0;
  for (EventRecorder* recorder : recorders_) {
    dropped += recorder->stop(cancel);
  }
  if (dropped > 0) {
    return base::fail(base::ErrorKind::kTimeout, fmt::format("{} events were not sent", dropped));
  }
  return {};
}

// Another process may lead from the moment of the release: not before the last worker has ended.
base::Result<void> Manager::stop_lease(const base::Cancellation& cancel) {
  if (loops_stopped_) {
    return elector_->release(cancel);
  }
  elector_->stop();
  return base::fail(base::ErrorKind::kCancelled, "a worker still runs: the lease is left to expire");
}

}  // namespace shutdown_auditor::runtime
