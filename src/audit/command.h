#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace shutdown_auditor::audit {

// How long an exec command takes, as far as its words tell.
struct CommandReading {
  enum class Outcome : std::uint8_t {
    kTimed,    // all of it was understood
    kUnknown,  // `reason` names what was not; min_ms is what certainly passed before that
    kBroken,   // a part can never do what was meant (`reason`); the times are those of what still runs
  };
  Outcome outcome = Outcome::kTimed;
  std::string reason;
  // Milliseconds: at least, normally (each command succeeds unless it cannot), at most. kEndless: never ends.
  std::int64_t min_ms = 0;
  std::int64_t nominal_ms = 0;
  std::int64_t max_ms = 0;
  // The exit status, when timed.
  bool can_succeed = true;
  bool can_fail = false;
};

// Reads the argv of an exec hook or probe: sleep with its operands, and the shells with -c and a script of simple
// commands (sleep, echo, printf, true, false, :, test, exit, exec, set) joined by ; && || and newlines. Everything else
// is kUnknown. A lifecycle command is started without a shell and without expansion of $(NAME) (Kubernetes, "Container
// Lifecycle Hooks"; core/v1 ExecAction). Linear in the size of the command; any input is fine.
CommandReading read_command(const std::vector<std::string>& argv);

}  // namespace shutdown_auditor::audit
