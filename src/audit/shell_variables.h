#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "objects/pod.h"

namespace shutdown_auditor::audit {

// What a shell in a container knows by name: the container's env, and what the script assigned since. References to
// other variables in env values, $(NAME), are expanded as the kubelet does (Kubernetes, "Define Dependent Environment
// Variables"). At most 128 assigned names of 1 KiB are kept; beyond that they are not
// known.
class ShellVariables {
 public:
  // Borrows the container, which may be null: then nothing is known.
  explicit ShellVariables(const objects::Container* container) : container_(container) {}

  // The value, when it is certain. A name that nobody sets here may still be set by the image.
  std::optional<std::string> get(std::string_view name) const;
  std::optional<std::int64_t> number(std::string_view name) const;
  // Whether get() ever gave a value of the container's env.
  bool env_used() const { return env_used_; }
  // Why there is none, in words: "DELAY comes from a ConfigMap, Secret or field".
  std::string why_not(std::string_view name) const;

  // Absent: no longer known.
  void set(std::string_view name, std::optional<std::string> value);
  void forget_assigned() {
    for (auto& [name, value] : assigned_) value.reset();
  }
  void forget_all() { forgotten_ = true; assigned_.clear(); }

  // What the script assigned, to go back to or to compare.
  struct State {
    std::map<std::string, std::optional<std::string>, std::less<>> assigned;
    bool forgotten = false;
    friend bool operator==(const State&, const State&) = default;
  };
  State state() const { return {assigned_, forgotten_}; }
  std::size_t size() const { return assigned_.size(); }
  void restore(const State& state) { assigned_ = state.assigned; forgotten_ = state.forgotten; }
  // Where the two states differ nothing is known.
  void merge(const State& other);

 private:
  std::optional<std::string> from_container(std::string_view name) const;

  const objects::Container* container_;
  std::map<std::string, std::optional<std::string>, std::less<>> assigned_;
  bool forgotten_ = false;
  mutable bool env_used_ = false;
};

}  // namespace shutdown_auditor::audit
