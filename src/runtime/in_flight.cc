#include "runtime/in_flight.h"

namespace shutdown_auditor::runtime {

InFlight::Token InFlight::begin(std::string_view name) {
  const std::lock_guard lock(mutex_);
  return {this, names_.emplace(name)};
}

std::vector<std::string> InFlight::names() const {
  const std::lock_guard lock(mutex_);
  return {names_.begin(), names_.end()};
}

std::vector<std::string> InFlight::wait_idle(const base::Cancellation& cancel) {
  std::unique_lock lock(mutex_);
  clock_.wait_until(lock, idle_, cancel.stop, cancel.deadline, [this] { return names_.empty(); });
  return {names_.begin(), names_.end()};
}

void InFlight::end(Token::Entry entry) {
  const std::lock_guard lock(mutex_);
  names_.erase(entry);
  if (names_.empty()) {
    idle_.notify_all();
  }
}

}  // namespace shutdown_auditor::runtime
