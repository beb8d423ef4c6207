#pragma once

#include <cstdint>

namespace shutdown_auditor::base {

// Randomness for jitter and identities, passed in so that tests can fix it. Safe to call from any thread.
class Random {
 public:
  virtual ~Random() = default;
  // Uniform in [0, 1).
  virtual double uniform() = 0;
  // 64 uniform bits.
  virtual std::uint64_t bits() = 0;
};

// Seeded from the operating system; lives until the process ends. Not for secrets.
Random& system_random();

}  // namespace shutdown_auditor::base
