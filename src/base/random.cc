#include "base/random.h"

#include <mutex>
#include <random>

namespace shutdown_auditor::base {
namespace {

class SystemRandom final : public Random {
 public:
  SystemRandom() {
    std::random_device device;
    std::seed_seq seed{device(), device(), device(), device()};
    engine_.seed(seed);
  }

  double uniform() override {
    // 53 bits fill a double's mantissa; the quotient is below 1 by construction.
    return static_cast<double>(bits() >> 11) / 9007199254740992.0;
  }

  std::uint64_t bits() override {
    const std::lock_guard lock(mutex_);
    return engine_();
  }

 private:
  std::mutex mutex_;
  std::mt19937_64 engine_;
};

}  // namespace

Random& system_random() {
  static SystemRandom random;
  return random;
}

}  // namespace shutdown_auditor::base
