#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "kube/client.h"

namespace shutdown_auditor::testing_support {

// What a Client told its observer, as text: "GET 200", "retry GET 429".
class RecordingObserver final : public kube::ClientObserver {
 public:
  void attempt(std::string_view verb, int code, base::Duration) override { add(verb, code, ""); }
  void retry(std::string_view verb, int code) override { add(verb, code, "retry "); }
  void rate_limited(base::Duration waited) override {
    const std::lock_guard lock(mutex_);
    waited_ += waited;
    ++turns_;
  }
  void response_size(std::string_view, std::size_t bytes) override {
    const std::lock_guard lock(mutex_);
    bytes_ += bytes;
  }

  std::vector<std::string> seen() const {
    const std::lock_guard lock(mutex_);
    return seen_;
  }
  int turns() const {
    const std::lock_guard lock(mutex_);
    return turns_;
  }
  std::size_t bytes() const {
    const std::lock_guard lock(mutex_);
    return bytes_;
  }

 private:
  void add(std::string_view verb, int code, const char* prefix) {
    const std::lock_guard lock(mutex_);
    seen_.push_back(prefix + std::string(verb) + " " + std::to_string(code));
  }

  mutable std::mutex mutex_;
  std::vector<std::string> seen_;
  base::Duration waited_{};
  int turns_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace shutdown_auditor::testing_support
