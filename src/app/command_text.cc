#include "app/command_text.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "app/nearest.h"
#include "base/text.h"
#include "report/one_line.h"

namespace shutdown_auditor::app {
namespace {

constexpr std::size_t kWidth = 80;
constexpr std::size_t kWidestNames = 26;  // beyond it the description begins on its own line

// Appends `text` in lines of at most kWidth, from the column where `out` stands; further lines are indented.
void append_wrapped(std::string& out, std::string_view text, std::size_t indent) {
  std::size_t column = out.size() - std::min(out.size(), out.rfind('\n') + 1);
  bool first = true;
  for (const std::string_view word : base::split(text, ' ')) {
    if (!first && column + 1 + word.size() > kWidth) {
      out.append("\n").append(indent, ' ');
      column = indent;
    } else if (!first) {
      out += ' ';
      ++column;
    }
    out += word;
    column += word.size();
    first = false;
  }
  out += '\n';
}

struct Line {
  std::string names;
  std::string text;
};

void append_lines(std::string& out, const std::vector<Line>& lines) {
  std::size_t width = 0;
  for (const Line& line : lines) {
    width = std::max(width, std::min(line.names.size(), kWidestNames));
  }
  for (const Line& line : lines) {
    out.append("  ").append(line.names);
    if (line.names.size() > width) {
      out.append("\n").append(width + 4, ' ');
    } else {
      out.append(width + 2 - line.names.size(), ' ');
    }
    append_wrapped(out, line.text, width + 4);
  }
}

// Group of the flags that --help describes.
constexpr std::string_view kMainFlags = "Options";

// "-f, --filename PATH".
std::string names_text(const CLI::Option& option) {
  if (option.get_positional()) {
    return argument_name(option);
  }
  std::vector<std::string> names;
  for (const std::string& name : flag_names(option)) {
    if (!name.starts_with("--no-")) {
      names.push_back(name);
    }
  }
  const std::string value = value_name(option);
  return base::join(names, ", ") + (value.empty() ? "" : " " + value);
}

std::vector<Line> option_lines(const CLI::App& command, const std::string& group) {
  std::vector<Line> lines;
  const bool top = command.get_parent() == nullptr;
  for (const CLI::Option* option : shown_options(command)) {
    const bool help = option == command.get_help_ptr() || option == command.get_help_all_ptr();  // said once, at the top
    if (option->get_group() == group && (top || !help)) {
      lines.push_back({names_text(*option), option_help(*option)});
    }
  }
  return lines;
}

const CLI::App& deepest(const CLI::App& root) {
  const CLI::App* command = &root;
  while (!command->get_subcommands().empty()) {
    command = command->get_subcommands().front();
  }
  return *command;
}

std::string full_name(const CLI::App& command) {
  const CLI::App* parent = command.get_parent();
  return (parent == nullptr ? "" : full_name(*parent) + " ") + command.get_name();
}

// `text` with the name under which the program was called: a kubectl plugin has another.
std::string named_as_called(std::string text, const CLI::App& command) {
  constexpr std::string_view kName = "shutdown-auditor";
  const CLI::App* root = &command;
  while (root->get_parent() != nullptr) {
    root = root->get_parent();
  }
  const std::string& called = root->get_name();
  for (std::size_t at = text.find(kName); at != std::string::npos; at = text.find(kName, at + called.size())) {
    text.replace(at, kName.size(), called);
  }
  return text;
}

std::string unexpected_text(const CLI::App& root, const CLI::App& command) {
  const std::vector<std::string> rest = root.remaining(true);
  const auto flag = std::find_if(rest.begin(), rest.end(), [](const std::string& word) { return word.starts_with('-'); });
  if (flag == rest.end()) {
    return rest.empty() ? "something is not expected" : "unexpected argument " + base::quoted(rest.front());
  }
  std::vector<std::string> names;
  for (const CLI::Option* option : shown_options(command)) {
    for (const std::string& name : flag_names(*option)) {
      names.push_back(name);
    }
  }
  const std::string word = flag->substr(0, flag->find('='));
  return "there is no flag " + report::one_line(base::truncate_utf8(word, 80)) + did_you_mean(word, names);
}

// CLI11 counts; people want to know what is missing.
std::string mismatch_text(const std::string& what) {
  const std::size_t name_end = what.find(": ");
  const std::string name = what.substr(0, name_end);
  const std::size_t required = what.find(" required ");
  if (what.ends_with(" missing") && required != std::string::npos) {
    const std::size_t begin = required + std::string_view(" required ").size();
    return name + " needs a value: " + what.substr(begin, what.size() - begin - std::string_view(" missing").size());
  }
  return what.find("At Most 1 ") == std::string::npos ? what : name + " may be given once";
}

}  // namespace

std::vector<const CLI::Option*> shown_options(const CLI::App& command) {
  std::vector<const CLI::Option*> out;
  for (const CLI::Option* option : command.get_options()) {
    if (!option->get_group().empty()) {
      out.push_back(option);
    }
  }
  // CLI11 puts --help first; what a command is about comes first here.
  std::stable_partition(out.begin(), out.end(), [&](const CLI::Option* option) {
    return option != command.get_help_ptr() && option != command.get_help_all_ptr();
  });
  return out;
}

std::vector<const CLI::App*> shown_commands(const CLI::App& root) {
  return root.get_subcommands([](const CLI::App* command) { return !command->get_group().empty(); });
}

std::vector<std::string> flag_names(const CLI::Option& option) {
  std::vector<std::string> names;
  for (const std::string& name : option.get_snames()) {
    names.push_back("-" + name);
  }
  for (const std::string& name : option.get_lnames()) {
    names.push_back("--" + name);
  }
  return names;
}

std::string value_name(const CLI::Option& option) {
  if (option.get_items_expected_max() == 0) {
    return {};
  }
  const std::string name = option.get_type_name();
  return name.substr(0, name.find(':'));  // validators add what they check
}

std::vector<std::string> value_words(const CLI::Option& option) {
  const std::string name = value_name(option);
  std::vector<std::string> words;
  if (name.find('|') != std::string::npos) {
    for (const std::string_view word : base::split(name, '|')) {
      words.emplace_back(word);
    }
  }
  return words;
}

std::string argument_name(const CLI::Option& option) {
  return option.get_option_text().empty() ? option.get_name(true) : option.get_option_text();
}

std::string option_help(const CLI::Option& option) {
  const std::string& value = option.get_default_str();
  const bool has_default = !value.empty() && value != "\"\"" && value != "[]" && value != "{}";
  return option.get_description() + (has_default ? " (default " + value + ")" : "");
}

std::string help_text(const CLI::App& command, const std::string& parents, bool all) {
  std::string out;
  append_wrapped(out, command.get_description(), 0);
  std::string usage = "\nUsage: " + parents;
  const std::vector<const CLI::App*> commands = shown_commands(command);
  usage += commands.empty() ? " [flags]" : " COMMAND [flags]";
  for (const CLI::Option* option : shown_options(command)) {
    if (option->get_positional()) {
      usage += " " + argument_name(*option);
    }
  }
  out += usage + "\n\n";
  std::vector<Line> lines;
  for (const CLI::App* each : commands) {
    lines.push_back({each->get_name(), each->get_description()});
  }
  if (!lines.empty()) {
    append_lines(out, lines);
    out += '\n';
  }
  append_lines(out, option_lines(command, std::string(kMainFlags)));
  std::vector<std::string> names;
  for (const std::string& group : command.get_groups()) {
    const bool more = !group.empty() && group != kMainFlags;
    if (more && all) {
      out += "\n" + group + ":\n";
      append_lines(out, option_lines(command, group));
    }
    for (const CLI::Option* option : shown_options(command)) {
      if (more && !all && option->get_group() == group) {
        names.push_back("--" + option->get_lnames().front());
      }
    }
  }
  if (!names.empty()) {
    out += "\nMore (--help-all): ";
    append_wrapped(out, base::join(names, " "), 2);
  }
  if (const std::string footer = named_as_called(command.get_footer(), command); !footer.empty()) {
    out += '\n';
    for (const std::string_view line : base::split(footer, '\n')) {
      append_wrapped(out, line, 2);
    }
  }
  return out;
}

std::string usage_error_text(const CLI::App& root, const CLI::ParseError& error) {
  const CLI::App& command = deepest(root);
  const std::string& kind = error.get_name();
  const std::string what = report::one_line(error.what());
  std::string text = dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr        ? unexpected_text(root, command)
                     : dynamic_cast<const CLI::ArgumentMismatch*>(&error) != nullptr ? mismatch_text(what)
                                                                                     : what;
  if (kind == "RequiredError" && &command == &root) {
    text = "a command is missing";
  }
  return text + " (" + full_name(command) + " --help tells more)";
}

}  // namespace shutdown_auditor::app
