#pragma once

#include <condition_variable>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/cancellation.h"
#include "base/clock.h"

namespace shutdown_auditor::runtime {

// Names what is being worked on, so that a shutdown can wait for it and say what it did not wait for. Safe from any
// thread; must outlive its tokens.
class InFlight {
 public:
  // One piece of work; ends with its scope.
  class Token {
   public:
    Token(Token&& other) noexcept : owner_(std::exchange(other.owner_, nullptr)), entry_(other.entry_) {}
    Token& operator=(Token&&) = delete;
    ~Token() {
      if (owner_ != nullptr) {
        owner_->end(entry_);
      }
    }

   private:
    friend class InFlight;
    using Entry = std::multiset<std::string>::iterator;
    Token(InFlight* owner, Entry entry) : owner_(owner), entry_(entry) {}
    InFlight* owner_;
    Entry entry_;
  };

  // Keeps the reference.
  explicit InFlight(base::Clock& clock) : clock_(clock) {}

  [[nodiscard]] Token begin(std::string_view name);
  // Sorted; a name appears once for each piece of work.
  std::vector<std::string> names() const;
  // Waits until nothing is in flight; what still is when `cancel` ends the wait.
  std::vector<std::string> wait_idle(const base::Cancellation& cancel);

 private:
  void end(Token::Entry entry);

  base::Clock& clock_;
  mutable std::mutex mutex_;
  std::condition_variable_any idle_;
  std::multiset<std::string> names_;
};

}  // namespace shutdown_auditor::runtime
