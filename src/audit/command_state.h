#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "audit/run_time.h"
#include "audit/shell_main.h"
#include "objects/pod.h"

namespace shutdown_auditor::audit {

// A word of a command after expansion.
struct CommandWord {
  std::string value;    // as written where it is not known
  bool certain = true;
  bool likely = true;   // not certain, but normally this value
  std::string why;      // unless certain: what is not known

  bool is(std::string_view text) const { return certain && value == text; }
};
using CommandWords = std::span<const CommandWord>;

// What all parts of one hook share while it is read: limits, effects, what was noticed.
struct CommandState {
  const objects::Container* container = nullptr;  // may be null: env and image not known
  LazyFlavor flavor;                              // of the script that is read

  // The work for one hook is bounded: then the rest is not known.
  static constexpr std::uint64_t kMaxSteps = 100'000;
  static constexpr int kMaxDepth = 120;
  static constexpr int kMaxScripts = 8;  // scripts in scripts: each level needs another round of quoting
  std::uint64_t steps = 0;
  int depth = 0;
  int scripts = 0;
  // False when the work is done; says so.
  bool charge(std::uint64_t count);

  bool certain = true;     // what is read now is reached for certain
  bool signalled = false;  // the main process was told to stop: the container may end, and the hook with it
  bool watches = false;    // something looked whether a process is still there

  bool starts_drain = false;
  bool waits_for_drain = false;
  std::vector<std::string> signals;
  std::vector<std::string> problems;
  std::string unknown_reason;  // the first
  std::string endless_reason;
  std::string mistake;         // the first that is certain

  // Commands in the background nobody waits for, which keep the hook's output open.
  struct Left {
    std::int64_t start = 0;  // at the latest
    RunTime run;
  };
  std::vector<Left> left;

  // How a word, an operand and a script may be shown: hardly at all once a value of env has come in, since what holds it
  // can then be anything. See audit/excerpt.h.
  bool env_used = false;
  std::string shown(std::string_view text, std::size_t max_bytes = 60) const;
  std::string shown_operand(std::string_view text) const;

  // A time that is not known, and why.
  RunTime not_known(std::string reason, std::optional<std::int64_t> nominal = std::nullopt);
  // Something that will not do what was meant; when it is reached for certain the hook is broken.
  void note_mistake(std::string text);
  void note_problem(std::string text);
  void note_signal(std::string text);
};

// Reads a program with its operands; `words` is not empty. Names of a shell's own commands count only `in_shell`.
RunTime read_command_words(CommandWords words, CommandState& state, bool in_shell);
// Reads the script of a shell started with `operands` ($0 first).
RunTime read_script(std::string_view script, CommandWords operands, bool exit_on_error, CommandState& state);

// Each gives nothing when the words are none of its commands.
std::optional<RunTime> read_signal_command(CommandWords words, CommandState& state, bool in_shell);
std::optional<RunTime> read_known_command(CommandWords words, CommandState& state);
std::optional<RunTime> read_interpreter(CommandWords words, CommandState& state);

}  // namespace shutdown_auditor::audit
