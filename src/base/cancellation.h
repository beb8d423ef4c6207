#pragma once

#include <stop_token>

#include "base/clock.h"

namespace shutdown_auditor::base {

// What ends a blocking call early: a stop request or a point in time. Passed by value or const reference as the last
// parameter of everything that may block; a call that ends for either reason says which in its error.
struct Cancellation {
  std::stop_token stop = {};
  SteadyTime deadline = kNever;

  bool stop_requested() const { return stop.stop_requested(); }

  // The same with a deadline that is not later than `now + limit`.
  Cancellation limited(SteadyTime now, Duration limit) const {
    const SteadyTime other = after(now, limit);
    return {stop, other < deadline ? other : deadline};
  }
};

// A stop source that is also stopped by two others: one call must end when either the process or its own owner stops.
// The parents need not outlive it.
class LinkedStop {
 public:
  explicit LinkedStop(std::stop_token first, std::stop_token second = {})
      : first_(std::move(first), Forward{&source_}), second_(std::move(second), Forward{&source_}) {}
  LinkedStop(const LinkedStop&) = delete;
  LinkedStop& operator=(const LinkedStop&) = delete;

  std::stop_token token() const { return source_.get_token(); }
  void request_stop() { source_.request_stop(); }

 private:
  struct Forward {
    std::stop_source* target;
    void operator()() const { target->request_stop(); }
  };
  std::stop_source source_;
  std::stop_callback<Forward> first_;
  std::stop_callback<Forward> second_;
};

}  // namespace shutdown_auditor::base
