#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "objects/pod.h"

namespace shutdown_auditor::audit {

// How long an exec command takes, as far as its words tell, and what it does besides.
struct CommandReading {
  enum class Outcome : std::uint8_t {
    kTimed,    // there is a limit: all of it was understood
    kEndless,  // goes on until something outside it happens (`reason`)
    kUnknown,  // `reason` names what was not understood
    kBroken,   // a part can never do what was meant (`reason`); the times are those of what still runs
  };
  Outcome outcome = Outcome::kTimed;
  std::string reason;
  // Milliseconds: at least, normally (each command succeeds unless it cannot; absent: nobody can tell), at most
  // (kEndless: no limit known).
  std::int64_t min_ms = 0;
  std::optional<std::int64_t> nominal_ms = 0;
  std::int64_t max_ms = 0;
  bool never_ends = false;  // for certain; min_ms is then what passes before that part
  // The exit status, should it end.
  bool can_succeed = true;
  bool can_fail = false;
  // As in PreStopReading.
  bool starts_drain = false;
  bool waits_for_drain = false;
  std::vector<std::string> signals;
  std::vector<std::string> problems;
  std::uint64_t steps = 0;  // the work it took, for tests of its limit
};

// Reads the argv of an exec hook or probe: sleep and other known programs, wrappers such as timeout, one-liners of
// interpreters, and the shells with -c and a script (Shell Command Language, IEEE 1003.1, and what bash, dash and busybox
// make of it). Variables come from the env of `container`, which may be null, and the flavour of sh from its image. A
// lifecycle command is started without a shell and without expansion of $(NAME) (Kubernetes, "Container Lifecycle Hooks";
// core/v1 ExecAction). The work is bounded by the size of the command plus a constant; any input is fine.
CommandReading read_command(const std::vector<std::string>& argv, const objects::Container* container = nullptr);

}  // namespace shutdown_auditor::audit
