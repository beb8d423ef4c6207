#pragma once

#include <memory>
#include <mutex>
#include <stop_token>

#include "base/clock.h"
#include "kube/api.h"

namespace shutdown_auditor::runtime {

// The right to write, with an end in time. Starts closed; a leader holds it open until the moment after which another
// process may have taken over; once broken it never opens again (leadership has a hard deadline: the process must leave).
// Safe from any thread.
class Fence {
 public:
  // Keeps the reference.
  explicit Fence(const base::Clock& clock) : clock_(clock) {}

  // May a write be sent now?
  bool valid() const;
  // Stop is requested on it when the fence breaks; what is in flight then must end.
  std::stop_token broken() const { return broken_.get_token(); }
  // The end of the current hold; a time in the past when closed.
  base::SteadyTime held_until() const;

  // Opens or prolongs. kNever: for a process that runs without leader election. False, and without effect, when the fence
  // is broken or `deadline` has passed already: a renewal that arrives too late is no leadership.
  bool hold_until(base::SteadyTime deadline);
  // Breaks it for good.
  void break_now();
  // Breaks it when a hold has run out; true when this call broke it.
  bool break_if_expired();

 private:
  const base::Clock& clock_;
  mutable std::mutex mutex_;
  base::SteadyTime until_ = base::SteadyTime::min();  // min: never held
  bool is_broken_ = false;
  std::stop_source broken_;
};

// An Api that sends nothing but reads while its fence is not valid: such calls fail with kCancelled. Calls already under
// way (waiting for the rate limit, a retry or the network) are cancelled when the fence breaks. The elector itself must
// not use it. Safe from any thread.
class FencedApi final : public kube::Api {
 public:
  // Keeps references.
  FencedApi(kube::Api& api, const Fence& fence) : api_(api), fence_(fence) {}

  kube::Result<kube::ApiResponse> call(const kube::ApiRequest& request, const base::Cancellation& cancel) override;
  kube::Result<objects::ListMeta> list(const kube::Resource& resource, const kube::ListOptions& options,
                                       objects::ItemSink& sink, const base::Cancellation& cancel) override;
  kube::Result<std::unique_ptr<kube::WatchStream>> watch(const kube::Resource& resource,
                                                         const kube::WatchOptions& options,
                                                         const base::Cancellation& cancel) override;

 private:
  kube::Api& api_;
  const Fence& fence_;
};

}  // namespace shutdown_auditor::runtime
