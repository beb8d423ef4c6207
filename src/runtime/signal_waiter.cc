#include "runtime/signal_waiter.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>

namespace shutdown_auditor::runtime {
namespace {

sigset_t handled_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGUSR1, SIGUSR2}) {
    sigaddset(&set, signal);
  }
  return set;
}

}  // namespace

void SignalWaiter::block_signals() {
  const sigset_t set = handled_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

base::Result<std::unique_ptr<SignalWaiter>> SignalWaiter::create(Actions actions) {
  const sigset_t set = handled_signals();
  const int signals = ::signalfd(-1, &set, SFD_CLOEXEC);
  const int wake = signals < 0 ? -1 : ::eventfd(0, EFD_CLOEXEC);
  if (wake < 0) {
    const std::string why = std::strerror(errno);
    if (signals >= 0) {
      ::close(signals);
    }
    return base::fail(base::ErrorKind::kIo, "cannot wait for signals: " + why);
  }
  return std::unique_ptr<SignalWaiter>(new SignalWaiter(std::move(actions), signals, wake));
}

SignalWaiter::SignalWaiter(Actions actions, int signals, int wake)
    : actions_(std::move(actions)), signals_(signals), wake_(wake), thread_([this] { run(); }) {}

SignalWaiter::~SignalWaiter() {
  const std::uint64_t one = 1;
  while (::write(wake_, &one, sizeof one) < 0 && errno == EINTR) {
  }
  thread_.join();
  ::close(wake_);
  ::close(signals_);
}

void SignalWaiter::run() {
  bool terminating = false;
  std::array<pollfd, 2> polled{pollfd{signals_, POLLIN, 0}, pollfd{wake_, POLLIN, 0}};
  for (;;) {
    if (::poll(polled.data(), polled.size(), -1) < 0) {
      continue;  // EINTR
    }
    if (polled[1].revents != 0) {
      return;
    }
    signalfd_siginfo info{};
    if (::read(signals_, &info, sizeof info) != sizeof info) {
      continue;
    }
    const int signal = static_cast<int>(info.ssi_signo);
    if (signal == SIGTERM || signal == SIGINT) {
      if (std::exchange(terminating, true)) {
        ::_exit(1);
      }
      actions_.on_terminate(signal);
    } else if (signal == SIGUSR1 && actions_.on_user1) {
      actions_.on_user1();
    } else if (signal == SIGUSR2 && actions_.on_user2) {
      actions_.on_user2();
    }
  }
}

}  // namespace shutdown_auditor::runtime
