#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
class ParseError;
}

// What is said about the program's commands, read from their definitions, so that it cannot differ from them.
//
// Conventions: a flag's type name says what its value is (`a|b|c` are words, PATH and FILE name a file, CHECK is a check's
// id); groups like "More flags" hold what few people need; an empty group hides; the footer is shown below the flags.
namespace shutdown_auditor::app {

inline constexpr const char* kMoreFlags = "More flags";

// The flags and positional arguments of a command that people are told about, in the order of their definition.
std::vector<const CLI::Option*> shown_options(const CLI::App& command);
// The commands that people are told about.
std::vector<const CLI::App*> shown_commands(const CLI::App& root);

// "-f", "--filename"; positional arguments have none. Negations ("--no-leader-elect") are among them.
std::vector<std::string> flag_names(const CLI::Option& option);
// "PATH", "json|yaml"; empty for a flag without a value.
std::string value_name(const CLI::Option& option);
// "CHECK", "[KIND/NAME ...]": how a positional argument is written.
std::string argument_name(const CLI::Option& option);
// The words a value may be; empty when it is free.
std::vector<std::string> value_words(const CLI::Option& option);
// The description and the default.
std::string option_help(const CLI::Option& option);

// Help for a command, 80 columns wide. `all`: with what "More flags" are about; otherwise they are named only.
std::string help_text(const CLI::App& command, const std::string& parents, bool all);

// Why the command line was refused, in one line, with what was probably meant.
std::string usage_error_text(const CLI::App& root, const CLI::ParseError& error);

}  // namespace shutdown_auditor::app
