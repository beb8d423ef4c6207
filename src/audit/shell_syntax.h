#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "audit/shell_tokenizer.h"

namespace shutdown_auditor::audit {

// > file, 2>&1, <<EOF …
struct ShellRedirection {
  std::string_view op;            // "<" "<<" "<<<" ">" ">>" "<&" ">&" "<>" ">|", "&>" for bash
  int descriptor = -1;            // the number in front; -1: none is written
  ShellToken target;              // the file; the delimiter of a here-document
  std::string_view document;      // body of a here-document
  // Can neither fail nor block: the null device, another descriptor, a here-document.
  bool harmless() const;
};

// A command of the shell language (IEEE 1003.1, 2.9 Shell Commands). Children are other nodes of the same script.
struct ShellNode {
  enum class Kind : std::uint8_t {
    kSimple,      // assignments, words, redirections
    kTest,        // [[ words ]] of bash
    kArithmetic,  // (( … )) of bash: one word
    kPipeline,    // children run side by side
    kAndOr,       // children joined by && and ||: see `joiner` of each
    kSequence,    // children one after the other, those with `background` beside the rest
    kNot,         // ! child
    kTime,        // time child, a word of bash
    kGroup,       // { child }
    kSubshell,    // ( child )
    kIf,          // condition, then and, when written, else (of elif: another kIf)
    kWhile,       // condition, body
    kUntil,       // condition, body
    kFor,         // body; words: the variable, and the values after `in`
    kArithmeticFor,  // body; word: what stands in the brackets
    kCase,        // arms; words: the subject
    kCaseArm,     // body; words: the patterns
    kFunction,    // body; word: the name
  };
  enum class Joiner : std::uint8_t { kNone, kAnd, kOr };
  static constexpr std::uint32_t kNone = UINT32_MAX;

  Kind kind = Kind::kSimple;
  Joiner joiner = Joiner::kNone;  // of a child of kAndOr: what stands before it
  bool background = false;        // of a child of kSequence: & follows
  bool has_values = false;        // kFor with `in`
  std::uint32_t first_child = kNone;
  std::uint32_t next = kNone;     // the next child of the same parent
  std::uint32_t first_word = 0, words = 0;
  std::uint32_t assignments = 0;  // how many of the words are NAME=… in front of the command
  std::uint32_t first_redirection = 0, redirections = 0;
};

// A script as far as it was understood.
struct ShellScript {
  enum class End : std::uint8_t { kComplete, kUnsupported, kSyntaxError };
  // What a shell reads before it runs any of it: a kSequence, and the offset behind its newline (or the script's size).
  struct Line {
    std::uint32_t node = 0;
    std::size_t end = 0;
    bool newline = false;
  };

  std::vector<ShellNode> nodes;
  std::vector<ShellToken> words;
  std::vector<ShellRedirection> redirections;
  std::vector<Line> lines;  // up to `end`
  End end = End::kComplete;
  std::string what;         // for people, unless complete: `a single quote is not closed`, `an array`
  std::uint64_t steps = 0;  // characters looked at, for tests of the linear time

  const ShellNode& node(std::uint32_t index) const { return nodes[index]; }
  std::span<const ShellToken> words_of(const ShellNode& node) const;
  std::span<const ShellRedirection> redirections_of(const ShellNode& node) const;
  // The words of a command without the assignments in front.
  std::span<const ShellToken> command_of(const ShellNode& node) const;
};

// NAME=… or NAME+=… as the start of a word.
bool is_shell_assignment(std::string_view text);

// Reads a whole script. What the language offers beyond ShellNode (arrays, process substitution, coproc, select, more
// than 100 levels of nesting, more than 65536 words and commands) ends the reading with kUnsupported; a syntax error,
// which makes a shell refuse the line it is in, with kSyntaxError. Without `bash`, "&>" is & and a redirection, as in
// dash. The result borrows the script. Linear in it; recursion at most 100 levels; any input is fine.
ShellScript parse_shell(std::string_view script, bool bash = false);

}  // namespace shutdown_auditor::audit
