#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "audit/command_state.h"
#include "audit/shell_expansion.h"
#include "audit/shell_syntax.h"

namespace shutdown_auditor::audit {

// Walks a script as a shell would run it and adds up what certainly, normally and at most passes. A condition is decided
// only inside a loop, from variables the manifest tells; elsewhere both ways count. For one script; the work is bounded
// by the state's steps and depth.
class ScriptReader {
 public:
  ScriptReader(std::string_view text, CommandState& state, bool exit_on_error);

  void set_positional(CommandWords operands);
  RunTime read();

 private:
  using Index = std::uint32_t;
  using Turn = std::function<RunTime()>;

  struct Job {
    RunTime run;
    RunTime started;    // what had passed by then
    std::uint64_t level = 0;
    bool holds_output = true;
  };
  // While a part is read that is not `reached` for certain.
  class Scope {
   public:
    Scope(CommandState& state, bool reached) : state_(state), certain_(state.certain) {
      state.certain = certain_ && reached;
    }
    ~Scope() { state_.certain = certain_; }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    CommandState& state_;
    bool certain_;
  };

  RunTime read_end_of_script(RunTime run);
  // As a process that runs what it set for its EXIT.
  RunTime with_exit_trap(RunTime run);
  void add_item(RunTime& passed, Index item, std::uint64_t level);
  RunTime read_node(Index index);
  RunTime read_kind(const ShellNode& node);
  RunTime read_list(const ShellNode& node);
  RunTime read_and_or(const ShellNode& node);
  RunTime read_pipeline(const ShellNode& node);
  RunTime read_if(const ShellNode& node);
  RunTime read_case(const ShellNode& node);
  RunTime read_for(const ShellNode& node);
  RunTime read_arithmetic_for(const ShellNode& node);
  RunTime run_turns(const Turn& condition, const Turn& body);
  RunTime read_process(Index index);
  RunTime read_condition(Index index);
  RunTime with_redirections(RunTime run, const ShellNode& node);

  RunTime read_simple(const ShellNode& node);
  RunTime read_words(const ShellNode& node, std::vector<CommandWord>& words);
  std::optional<RunTime> read_control(std::vector<CommandWord>& words);
  std::optional<RunTime> read_variables(std::string_view name, CommandWords operands);
  RunTime read_function(Index body, CommandWords words);
  RunTime read_wait(CommandWords operands, const RunTime* passed, std::uint64_t level);
  void read_trap(CommandWords operands);
  RunTime read_exit(CommandWords operands);
  RunTime read_return(CommandWords operands);
  std::optional<bool> decided(CommandWords words) const;
  ShellFields expand(const ShellToken& word);
  std::optional<std::string> substitute(std::string_view script);
  void assign(const ShellToken& word);
  void declare(CommandWords operands);
  // The variables as they are; nothing when the work is done.
  ShellVariables::State snapshot();
  std::optional<std::int64_t> arithmetic(std::string_view text);
  bool is_wait(const ShellNode& node) const;

  CommandState& state_;
  ShellScript script_;
  ShellVariables variables_;
  std::unordered_map<std::string_view, Index> functions_;
  std::vector<Job> jobs_;
  RunTime substituted_;             // what the substitutions of the current command took
  RunTime last_;                    // for the status
  std::optional<std::string> exit_trap_;
  bool exit_trap_certain_ = false;
  bool exit_on_error_;
  int conditions_ = 0;              // inside: set -e does not look
  int turns_ = 0;                   // inside loops
  int breakable_ = 0;               // inside loops of the same process
  int calls_ = 0;                   // inside functions
  bool exited_in_call_ = false;
  std::uint64_t levels_ = 0;
};

}  // namespace shutdown_auditor::audit
