#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace CLI {
class App;
}

namespace shutdown_auditor::app {

struct Candidate {
  std::string text;
  std::string description;
};

struct Completion {
  std::vector<Candidate> candidates;
  bool files = false;  // names of files are meant as well
};

// What the last of `words` can become: commands, flags, the words a value may be, ids of checks. The words are those behind
// the program's name; the last is the one being typed, and may be empty. Reads the commands' definitions, so that a new flag
// is completed without further ado.
Completion complete(const CLI::App& root, const std::vector<std::string>& words);

// How kubectl and our shell scripts read it: a candidate a line, description behind a tab, then ":0" when files are meant
// and ":4" when not.
std::string completion_text(const Completion& completion);

// The script that teaches a shell ("bash", "zsh", "fish", "powershell") to ask this program; empty for any other name.
std::string_view completion_script(std::string_view shell);

}  // namespace shutdown_auditor::app
