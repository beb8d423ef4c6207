#pragma once

#include <functional>
#include <memory>
#include <thread>

#include "base/result.h"

namespace shutdown_auditor::runtime {

// Turns signals into calls on one thread of its own. The first SIGTERM or SIGINT calls on_terminate; a second one ends the
// process at once with status 1 (_exit), whatever the rest of it is doing. SIGUSR1 and SIGUSR2 call their functions
// whenever they come; without a function they are ignored. SIGPIPE is ignored for good.
class SignalWaiter {
 public:
  struct Actions {
    std::function<void(int signal)> on_terminate;  // required; quick
    std::function<void()> on_user1;
    std::function<void()> on_user2;
  };

  // Blocks SIGTERM, SIGINT, SIGUSR1 and SIGUSR2 in the calling thread and those it starts later. First thing in main,
  // before any other thread: a thread that has one of them unblocked would be killed by it.
  static void block_signals();

  // Starts the thread. Failures are the operating system's.
  static base::Result<std::unique_ptr<SignalWaiter>> create(Actions actions);
  // Ends the thread.
  ~SignalWaiter();
  SignalWaiter(const SignalWaiter&) = delete;
  SignalWaiter& operator=(const SignalWaiter&) = delete;

 private:
  SignalWaiter(Actions actions, int signals, int wake);
  void run();

  const Actions actions_;
  const int signals_;  // signalfd
  const int wake_;     // eventfd
  std::jthread thread_;
};

}  // namespace shutdown_auditor::runtime
