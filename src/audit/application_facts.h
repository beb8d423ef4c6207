#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/argv.h"
#include "audit/framework_match.h"
#include "audit/framework_table.h"
#include "objects/workload.h"

namespace shutdown_auditor::audit {

// What the conditions and knobs of the knowledge base look at. Borrows everything, for one call.
struct ApplicationFacts {
  const Program& program;
  const Environment& environment;
  const objects::StringMap& annotations;  // of the pod template
  ImageName image;
};

// Calls `use` with the value of each occurrence of a flag, in order: --x=1, --x 1, -t 60, -t60, -Dx=1, x=1. A flag without
// a value gives an empty one. Names with a star ignore case, as Traefik does.
void each_flag(const std::vector<std::string>& words, std::string_view flag,
               const std::function<void(std::string_view value)>& use);

bool holds(const Condition& condition, const ApplicationFacts& facts);
// True for `when` when there is none or one of them holds, and none of `unless` does.
bool applies(Conditions when, Conditions unless, const ApplicationFacts& facts);
// Empty means all signals.
bool applies(Names signals, std::string_view signal);

// The value of `key` in nginx directives, JSON or YAML; nothing when the key is not there. Looks at the first 64 KiB.
std::optional<std::string_view> value_of_key(std::string_view text, std::string_view key);

// Splits a variable full of flags like a shell: blanks, quotes, backslashes; no expansion.
std::vector<std::string> split_flags(std::string_view text);

}  // namespace shutdown_auditor::audit
