#include "runtime/reflector_loop.h"

#include <pthread.h>

#include <exception>
#include <utility>

#include "base/log.h"
#include "runtime/reflector_run.h"

namespace shutdown_auditor::runtime {
namespace {

constexpr base::Logger kLog("reflector");
// A failure that lasts is said again this often.
constexpr std::chrono::minutes kComplainEvery{1};

std::string name_of(const kube::Resource& resource, const std::string& name_space) {
  std::string name = resource.plural;
  if (!resource.group.empty()) name += "." + resource.group;
  if (!name_space.empty()) name += " in " + name_space;
  return name;
}

}  // namespace

std::string_view to_string(SourceState state) {
  switch (state) {
    case SourceState::kSyncing: return "Syncing";
    case SourceState::kSynced: return "Synced";
    case SourceState::kForbidden: return "Forbidden";
    case SourceState::kAbsent: return "Absent";
  }
  return "Unknown";
}

void log_handler_failure(std::string_view source, const ObjectKey& key, const char* what) {
  kLog.error("a change handler failed", {{"source", source}, {"object", key.to_string()}, {"err", what}});
}

ReflectorLoop::ReflectorLoop(Context context, kube::Resource resource, ReflectorOptions options)
    : context_(context),
      resource_(std::move(resource)),
      options_(std::move(options)),
      name_(name_of(resource_, options_.name_space)) {}

ReflectorLoop::~ReflectorLoop() = default;

void ReflectorLoop::start() {
  thread_ = std::jthread([this](const std::stop_token& stop) { thread_main(stop); });
}

void ReflectorLoop::request_stop() { thread_.request_stop(); }

void ReflectorLoop::stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void ReflectorLoop::thread_main(const std::stop_token& stop) {
  pthread_setname_np(pthread_self(), "reflector");
  Run run(*this, stop);
  bool going = true;
  while (going && !stop.stop_requested()) {
    try {
      run.follow();
      break;
    } catch (const std::exception& e) {
      // Out of memory or a bug: a reflector that ends would leave a store that is stale for ever.
      kLog.error("a reflector failed and begins again", {{"source", name_}, {"err", e.what()}});
      going = run.pause();
    }
  }
  const std::lock_guard lock(mutex_);
  ended_ = true;
  changed_.notify_all();
}

void ReflectorLoop::list_succeeded(const std::string& version) {
  {
    const std::lock_guard lock(mutex_);
    synced_ = true;
    status_.last_list = context_.clock.now();
    status_.resource_version = version;
  }
  recovered();
}

void ReflectorLoop::recovered() {
  std::unique_lock lock(mutex_);
  status_.last_error.clear();
  last_complaint_.reset();
  suppressed_ = 0;
  set_state(lock, SourceState::kSynced);
}

void ReflectorLoop::failed(const kube::Error& error, std::string_view verb) {
  // Our stop, and an old version: neither is anybody's failure.
  if (error.kind == kube::ErrorKind::kCancelled || error.kind == kube::ErrorKind::kExpired) return;
  const base::SteadyTime now = context_.clock.now();
  std::unique_lock lock(mutex_);
  status_.last_error = error.message;
  SourceState state = status_.state;
  if (error.kind == kube::ErrorKind::kForbidden) state = SourceState::kForbidden;
  if (error.kind == kube::ErrorKind::kNotFound) state = SourceState::kAbsent;
  const bool due = !last_complaint_ || now - *last_complaint_ >= kComplainEvery;
  const bool say = state != status_.state || (due && error.kind != kube::ErrorKind::kNotFound);
  const std::uint64_t suppressed = suppressed_;
  suppressed_ = say ? 0 : suppressed_ + 1;
  if (say) last_complaint_ = now;
  set_state(lock, state);  // unlocks
  if (error.kind == kube::ErrorKind::kNotFound) {
    // Ordinary for optional types; state() and metrics tell for how long.
    if (say) kLog.info("the server does not know this resource type", {{"source", name_}});
  } else if (!say) {
    return;
  } else if (error.kind == kube::ErrorKind::kForbidden) {
    kLog.error("no permission",
               {{"source", name_}, {"verb", verb}, {"err", error.message}, {"suppressed", suppressed}});
  } else {
    kLog.warn("a request failed",
              {{"source", name_}, {"verb", verb}, {"err", error.message}, {"suppressed", suppressed}});
  }
}

void ReflectorLoop::set_state(std::unique_lock<std::mutex>& lock, SourceState state) {
  const bool differs = state != status_.state;
  status_.state = state;
  changed_.notify_all();
  lock.unlock();
  if (differs && context_.observer != nullptr) context_.observer->state_changed(name_, state);
}

SourceState ReflectorLoop::state() const {
  const std::lock_guard lock(mutex_);
  return status_.state;
}

bool ReflectorLoop::has_synced() const {
  const std::lock_guard lock(mutex_);
  return synced_;
}

std::string ReflectorLoop::last_error() const {
  const std::lock_guard lock(mutex_);
  return status_.last_error;
}

ReflectorStatus ReflectorLoop::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

bool ReflectorLoop::wait_synced(const base::Cancellation& cancel) {
  return wait_for(cancel, [this] { return synced_; });
}

bool ReflectorLoop::wait_settled(const base::Cancellation& cancel) {
  return wait_for(cancel, [this] {
    return synced_ || status_.state == SourceState::kForbidden || status_.state == SourceState::kAbsent;
  });
}

bool ReflectorLoop::wait_for(const base::Cancellation& cancel, const std::function<bool()>& ready) {
  std::unique_lock lock(mutex_);
  context_.clock.wait_until(lock, changed_, cancel.stop, cancel.deadline, [&] { return ready() || ended_; });
  return ready();
}

}  // namespace shutdown_auditor::runtime
