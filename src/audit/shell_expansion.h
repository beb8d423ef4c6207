#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "audit/shell_main.h"
#include "audit/shell_tokenizer.h"
#include "audit/shell_variables.h"

namespace shutdown_auditor::audit {

// What a shell makes of a word: none, one or several fields.
struct ShellFields {
  std::vector<std::string> fields;
  bool certain = true;      // these are the fields
  bool likely = true;       // at least what they normally are; else parts of them are as written
  std::size_t least = 0;    // so many there are at least
  std::string why;          // in words, unless certain: what is not known
  bool not_expanded = false;  // holds $(NAME), which Kubernetes expands in a container's command but not in a hook
};

// Runs the script of a $( ) or ` ` and gives what it prints, when that is known.
using ShellSubstitution = std::function<std::optional<std::string>(std::string_view script)>;

// Expands a word of a script (IEEE 1003.1, 2.6 Word Expansions): parameters from `variables`, arithmetic, command
// substitution, field splitting at blanks, quote removal. Of braces only {a..b} of bash; patterns stay as written.
// Assigns what $((NAME = …)) and ${NAME:=…} assign. Linear in the word and the values.
ShellFields expand_word(const ShellToken& word, const LazyFlavor& flavor, ShellVariables& variables,
                        const ShellSubstitution& substitute);

}  // namespace shutdown_auditor::audit
