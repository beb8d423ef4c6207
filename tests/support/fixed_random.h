#pragma once

#include <atomic>

#include "base/random.h"

namespace shutdown_auditor::testing_support {

// Always the same `uniform()` (settable); `bits()` counts up from 1.
class FixedRandom final : public base::Random {
 public:
  explicit FixedRandom(double uniform = 0.5) : uniform_(uniform) {}
  double uniform() override { return uniform_; }
  std::uint64_t bits() override { return ++bits_; }
  void set(double uniform) { uniform_ = uniform; }

 private:
  std::atomic<double> uniform_;
  std::atomic<std::uint64_t> bits_{0};
};

}  // namespace shutdown_auditor::testing_support
