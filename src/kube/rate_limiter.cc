#include "kube/rate_limiter.h"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

namespace shutdown_auditor::kube {
namespace {

double seconds(base::Duration duration) { return std::chrono::duration<double>(duration).count(); }

}  // namespace

RateLimiter::RateLimiter(double qps, int burst, base::Clock& clock)
    : clock_(clock), qps_(qps), burst_(std::max(burst, 1)), tokens_(burst_), updated_(clock.now()) {}

Result<base::Duration> RateLimiter::acquire(const base::Cancellation& cancel) {
  if (cancel.stop_requested()) {
    return base::unexpected(Error{.kind = ErrorKind::kCancelled, .message = "stopped before the request"});
  }
  if (qps_ < 0) {
    return base::Duration::zero();
  }
  std::unique_lock lock(mutex_);
  const base::SteadyTime now = clock_.now();
  tokens_ = std::min(burst_, tokens_ + seconds(now - updated_) * qps_);
  updated_ = now;
  if (tokens_ >= 1) {
    tokens_ -= 1;
    return base::Duration::zero();
  }
  // A qps of 0 would never give a token; an hour stands for that.
  const double wait_seconds = qps_ > 0 ? std::min((1 - tokens_) / qps_, 3600.0) : 3600.0;
  const auto wait = std::chrono::duration_cast<base::Duration>(std::chrono::duration<double>(wait_seconds)) +
                    base::Duration(1);  // rounded up
  const base::SteadyTime ready = base::after(now, wait);
  if (ready > cancel.deadline) {
    return base::unexpected(
        Error{.kind = ErrorKind::kTimeout,
              .message = fmt::format("client-side rate limit: a wait of {:.1f} s would pass the deadline; raise "
                                     "--kube-api-qps", wait_seconds)});
  }
  tokens_ -= 1;
  clock_.wait_until(lock, never_notified_, cancel.stop, ready, [] { return false; });
  if (clock_.now() < ready) {
    tokens_ = std::min(burst_, tokens_ + 1);
    return base::unexpected(Error{.kind = ErrorKind::kCancelled, .message = "stopped while rate limited"});
  }
  return wait;
}

}  // namespace shutdown_auditor::kube
