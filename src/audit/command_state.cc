#include "audit/command_state.h"

#include <algorithm>
#include <utility>

#include "audit/excerpt.h"

namespace shutdown_auditor::audit {
namespace {

constexpr std::size_t kMaxNotes = 16;

void add_once(std::vector<std::string>& list, std::string text) {
  if (list.size() < kMaxNotes && std::find(list.begin(), list.end(), text) == list.end()) list.push_back(std::move(text));
}

}  // namespace

bool CommandState::charge(std::uint64_t count) {
  if (steps < kMaxSteps) {
    steps += count;
    return true;
  }
  if (unknown_reason.empty()) unknown_reason = "the command takes more than 100000 steps to read";
  return false;
}

std::string CommandState::shown(std::string_view text, std::size_t max_bytes) const {
  return env_used ? env_excerpt(text) : excerpt(text, max_bytes);
}
std::string CommandState::shown_operand(std::string_view text) const {
  return env_used ? env_excerpt(text) : operand_excerpt(text);
}

RunTime CommandState::not_known(std::string reason, std::optional<std::int64_t> nominal) {
  if (unknown_reason.empty()) unknown_reason = std::move(reason);
  return RunTime::unknown(nominal);
}

void CommandState::note_mistake(std::string text) {
  if (certain && mistake.empty()) mistake = text;
  add_once(problems, std::move(text));
}
void CommandState::note_problem(std::string text) { add_once(problems, std::move(text)); }
void CommandState::note_signal(std::string text) { add_once(signals, std::move(text)); }

}  // namespace shutdown_auditor::audit
