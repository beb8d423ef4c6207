#include "runtime/fence.h"

#include <algorithm>
#include <utility>

namespace shutdown_auditor::runtime {

bool Fence::valid() const {
  const std::lock_guard lock(mutex_);
  return !is_broken_ && clock_.now() < until_;
}

base::SteadyTime Fence::held_until() const {
  const std::lock_guard lock(mutex_);
  return is_broken_ ? base::SteadyTime::min() : until_;
}

bool Fence::hold_until(base::SteadyTime deadline) {
  const std::lock_guard lock(mutex_);
  const base::SteadyTime now = clock_.now();
  // A hold that ran out is as good as broken even when the watchdog has not looked yet.
  const bool ran_out = until_ != base::SteadyTime::min() && until_ <= now;
  if (is_broken_ || ran_out || deadline <= now) {
    return false;
  }
  until_ = std::max(until_, deadline);
  return true;
}

void Fence::break_now() {
  {
    const std::lock_guard lock(mutex_);
    is_broken_ = true;
  }
  broken_.request_stop();  // runs callbacks of others: not under the lock
}

bool Fence::break_if_expired() {
  {
    const std::lock_guard lock(mutex_);
    if (is_broken_ || until_ == base::SteadyTime::min() || clock_.now() < until_) {
      return false;
    }
    is_broken_ = true;
  }
  broken_.request_stop();
  return true;
}

kube::Result<kube::ApiResponse> FencedApi::call(const kube::ApiRequest& request, const base::Cancellation& cancel) {
  if (request.method == http::Method::kGet) {
    return api_.call(request, cancel);
  }
  if (!fence_.valid()) {
    kube::Error error;
    error.kind = kube::ErrorKind::kCancelled;
    error.message = "not sent: this process does not hold the lease";
    return base::unexpected(std::move(error));
  }
  const base::LinkedStop stop(cancel.stop, fence_.broken());
  return api_.call(request, {stop.token(), cancel.deadline});
}

kube::Result<objects::ListMeta> FencedApi::list(const kube::Resource& resource, const kube::ListOptions& options,
                                                objects::ItemSink& sink, const base::Cancellation& cancel) {
  return api_.list(resource, options, sink, cancel);
}

kube::Result<std::unique_ptr<kube::WatchStream>> FencedApi::watch(const kube::Resource& resource,
                                                                  const kube::WatchOptions& options,
                                                                  const base::Cancellation& cancel) {
  return api_.watch(resource, options, cancel);
}

}  // namespace shutdown_auditor::runtime
