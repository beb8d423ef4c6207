#pragma once

#include <memory>
#include <mutex>

#include "audit/policy.h"

namespace shutdown_auditor::controller {

// The policy in force. Safe from any thread.
class PolicyKeeper {
 public:
  explicit PolicyKeeper(audit::Policy policy = {}) : policy_(std::make_shared<const audit::Policy>(std::move(policy))) {}

  // Shared: an audit keeps the policy it began with while a new one comes into force.
  std::shared_ptr<const audit::Policy> current() const {
    const std::lock_guard lock(mutex_);
    return policy_;
  }
  void replace(audit::Policy policy) {
    auto next = std::make_shared<const audit::Policy>(std::move(policy));
    const std::lock_guard lock(mutex_);
    policy_.swap(next);
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const audit::Policy> policy_;
};

}  // namespace shutdown_auditor::controller
