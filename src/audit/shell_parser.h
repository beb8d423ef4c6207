#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "audit/shell_tokenizer.h"

namespace shutdown_auditor::audit {

// A simple command: its words without assignments in front and without harmless redirections.
struct ShellCommand {
  std::vector<ShellToken> words;  // empty: assignments only
  bool assigns_substitution = false;  // an assignment runs a command: x=$(…)
  std::string redirection;        // one that may fail or block, as written; empty: none
};

// Commands joined by && and ||, up to the ; or newline that ends them.
struct ShellList {
  enum class Joiner : std::uint8_t { kFirst, kAnd, kOr };
  struct Item {
    Joiner joiner = Joiner::kFirst;
    ShellCommand command;
  };
  std::vector<Item> items;
};

// Reads a script as lists of simple commands. What the language offers beyond that (pipelines, background, groups,
// loops, functions, here-documents) ends the reading with kUnsupported; a syntax error, which makes a shell refuse the
// whole line, with kSyntaxError. Linear, no recursion. Borrows the script; for one thread.
class ShellParser {
 public:
  enum class End : std::uint8_t { kNone, kScript, kUnsupported, kSyntaxError };

  explicit ShellParser(std::string_view script) : script_(script), tokenizer_(script) { advance(); }

  // Reads the next list into `list`; false when there is none. The list before an unsupported construct is returned as
  // far as it goes; then `end()` is set at once.
  bool next(ShellList& list);
  // How the reading ended, so far.
  End end() const { return end_; }
  // What was met, for people: `a pipeline`, `if`, `a single quote is not closed`.
  const std::string& what() const { return what_; }
  // True when the list returned last was followed by a newline or the end: a shell has read it before it reads on.
  bool line_complete() const { return line_complete_; }
  std::uint64_t steps() const { return tokenizer_.steps(); }

 private:
  void advance() { token_ = tokenizer_.next(); }
  bool finish(End end, std::string what);
  bool read_command(ShellCommand& command);
  bool read_redirection(ShellCommand& command);
  bool background_follows() const;

  std::string_view script_;
  ShellTokenizer tokenizer_;
  ShellToken token_;
  End end_ = End::kNone;
  std::string what_;
  bool line_complete_ = false;
};

}  // namespace shutdown_auditor::audit
