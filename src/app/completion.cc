#include "app/completion.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "app/command_text.h"
#include "audit/check.h"
#include "report/one_line.h"

namespace shutdown_auditor::app {
namespace {

constexpr int kFiles = 0;    // the numbers of Cobra's protocol, which kubectl speaks
constexpr int kNoFiles = 4;

bool takes_value(const CLI::Option& option) { return option.get_items_expected_max() > 0; }

const CLI::Option* find_flag(const CLI::App& command, std::string_view name) {
  for (const CLI::Option* option : shown_options(command)) {
    const std::vector<std::string> names = flag_names(*option);
    if (std::find(names.begin(), names.end(), name) != names.end()) {
      return option;
    }
  }
  return nullptr;
}

// The flag whose value is the word after `word`: "--output", "-o", or the last of "-Ro".
const CLI::Option* flag_before_value(const CLI::App& command, std::string_view word) {
  if (word.size() < 2 || word[0] != '-' || word.find('=') != std::string_view::npos) {
    return nullptr;
  }
  if (word.starts_with("--")) {
    const CLI::Option* option = find_flag(command, word);
    return option != nullptr && takes_value(*option) ? option : nullptr;
  }
  for (std::size_t i = 1; i < word.size(); ++i) {
    const CLI::Option* option = find_flag(command, "-" + std::string(1, word[i]));
    if (option == nullptr || takes_value(*option)) {
      return option != nullptr && i + 1 == word.size() ? option : nullptr;  // else the rest of the word is its value
    }
  }
  return nullptr;
}

class Completer {
 public:
  explicit Completer(std::string_view typed) : typed_(typed) {}

  void add(const std::string& prefix, const std::string& text, std::string_view description) {
    const std::string whole = prefix + text;
    if (whole.starts_with(typed_)) {
      out_.candidates.push_back({whole, std::string(description)});
    }
  }

  // `prefix` stands before the value in the same word: "--output=", or "Deployment," of a list.
  void add_values(const CLI::Option& option, std::string prefix) {
    if (option.get_delimiter() != '\0') {
      const std::size_t comma = typed_.rfind(option.get_delimiter());
      if (comma != std::string_view::npos) {
        prefix = typed_.substr(0, comma + 1);
      }
    }
    for (const std::string& word : value_words(option)) {
      add(prefix, word, "");
    }
    const std::string name = value_name(option);
    if (name == "CHECK") {
      for (const audit::Check check : audit::all_checks()) {
        add(prefix, std::string(audit::id_of(check)), audit::title_of(check));
      }
    }
    out_.files = name == "PATH" || name == "FILE";
  }

  void add_flags(const CLI::App& command) {
    for (const CLI::Option* option : shown_options(command)) {
      for (const std::string& name : flag_names(*option)) {
        if (name.starts_with("--")) {
          add("", name, option_help(*option));
        }
      }
    }
  }

  Completion take() { return std::move(out_); }

 private:
  std::string_view typed_;
  Completion out_;
};

}  // namespace

Completion complete(const CLI::App& root, const std::vector<std::string>& words) {
  const std::string typed = words.empty() ? "" : words.back();
  Completer completer(typed);
  const CLI::App* command = &root;
  const CLI::Option* pending = nullptr;
  bool only_arguments = false;  // after "--"
  std::size_t arguments = 0;
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    const std::string& word = words[i];
    if (pending != nullptr) {
      pending = nullptr;
      continue;
    }
    if (!only_arguments && word.starts_with('-')) {
      only_arguments = word == "--";
      pending = flag_before_value(*command, word);
      continue;
    }
    const std::vector<const CLI::App*> commands = shown_commands(*command);
    const auto named = std::find_if(commands.begin(), commands.end(),
                                    [&](const CLI::App* each) { return each->get_name() == word; });
    if (named != commands.end()) {
      command = *named;
    } else {
      ++arguments;
    }
  }

  const std::size_t equals = typed.find('=');
  if (pending != nullptr) {
    completer.add_values(*pending, "");
  } else if (!only_arguments && typed.starts_with("--") && equals != std::string::npos) {
    const CLI::Option* option = find_flag(*command, typed.substr(0, equals));
    if (option != nullptr && takes_value(*option)) {
      completer.add_values(*option, typed.substr(0, equals + 1));
    }
  } else if (!only_arguments && typed.starts_with('-')) {
    completer.add_flags(*command);
  } else {
    for (const CLI::App* each : shown_commands(*command)) {
      completer.add("", each->get_name(), each->get_description());
    }
    for (const CLI::Option* option : shown_options(*command)) {
      // The last positional argument may be repeated.
      if (option->get_positional() && (arguments == 0 || option->get_expected_max() > 1)) {
        completer.add_values(*option, "");
      }
    }
  }
  return completer.take();
}

std::string completion_text(const Completion& completion) {
  std::string out;
  for (const Candidate& candidate : completion.candidates) {
    out += candidate.text;
    if (!candidate.description.empty()) {
      out += "\t" + report::one_line(candidate.description);
    }
    out += '\n';
  }
  return out + ":" + std::to_string(completion.files ? kFiles : kNoFiles) + "\n";
}

}  // namespace shutdown_auditor::app
