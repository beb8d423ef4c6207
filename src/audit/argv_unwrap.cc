#include <algorithm>
#include <span>

#include <fmt/format.h>

#include "audit/argv.h"
#include "audit/framework_match.h"
#include "audit/framework_table.h"
#include "audit/shell_main.h"
#include "audit/words.h"
#include "base/text.h"

namespace shutdown_auditor::audit {
namespace {

using Words = std::vector<std::string>;

constexpr int kMaxLayers = 32;
constexpr int kMaxShells = 8;  // each script is read once a layer
constexpr std::size_t kMaxWords = 1 << 16;
constexpr std::size_t kMaxWordBytes = 1 << 20;  // of all that variables add

bool contains(Names names, std::string_view name) { return std::find(names.begin(), names.end(), name) != names.end(); }

bool is_assignment(std::string_view word) {
  const std::size_t equals = word.find('=');
  return equals != std::string_view::npos && equals > 0 && word.front() != '-';
}

// Where the script stands in the words of a shell with -c: the first operand after the options. 0: there is none.
std::size_t script_position(std::span<const std::string> words) {
  bool command = false;
  std::size_t at = 1;
  for (; at < words.size(); ++at) {
    const std::string& word = words[at];
    if (word.size() < 2 || (word.front() != '-' && word.front() != '+')) break;
    if (word == "--") {
      ++at;
      break;
    }
    if (word.starts_with("--")) {
      if (word == "--rcfile" || word == "--init-file") ++at;
      continue;
    }
    command = command || (word.front() == '-' && word.find('c') != std::string::npos);
    if (word.back() == 'o' || word.back() == 'O') ++at;  // -o pipefail
  }
  return command && at < words.size() ? at : 0;
}

// The words of a command inside a script: expanded, and split where a whole word was a variable.
Words expand_command(const Words& words, std::span<const std::string> positional, const Environment& environment) {
  Words made;
  std::size_t bytes = 0;
  for (const std::string& word : words) {
    if (bytes > kMaxWordBytes || made.size() > kMaxWords) break;
    if (word == "\"$@\"" || word == "$@" || word == "$*") {
      for (const std::string& each : positional) {
        if (made.size() <= kMaxWords) bytes += made.emplace_back(each).size();
      }
      continue;
    }
    if (word.find('$') == std::string::npos) {
      made.push_back(word);
      continue;
    }
    const std::string value = expand_parameters(word, environment, kMaxWordBytes);
    bytes += value.size();
    const bool whole = word.front() == '$' && word.find_first_of(" \t") == std::string::npos;
    if (!whole || value == word) {
      made.push_back(value);
      continue;
    }
    for (const std::string_view part : base::split(value, ' ')) {
      if (!base::trim(part).empty()) made.emplace_back(base::trim(part));
    }
  }
  return made;
}

class Unwrapper {
 public:
  Unwrapper(const objects::Container& container, Environment& environment, Program& program)
      : container_(container), environment_(environment), program_(program) {}

  void run() {
    for (int layer = 0; layer < kMaxLayers && at_ < program_.argv.size(); ++layer) {
      if (!step()) break;
    }
    program_.argv.erase(program_.argv.begin(), program_.argv.begin() + static_cast<std::ptrdiff_t>(at_));
    if (program_.argv.empty()) return;
    const std::string_view name = base_name(program_.argv.front());
    if (name.ends_with(".sh") && name != "catalina.sh" && !name.starts_with("kafka-")) {
      program_.opaque = true;
      settle(Program::Delivery::kUnknown);
    }
  }

 private:
  std::span<const std::string> words() const { return std::span(program_.argv).subspan(at_); }

  // What stands further outside decides.
  void settle(Program::Delivery delivery, std::string reason = {}, std::string remedy = {}) {
    if (program_.delivery != Program::Delivery::kDirect) return;
    program_.delivery = delivery;
    program_.reason = std::move(reason);
    program_.remedy = std::move(remedy);
  }

  bool step() {
    const std::string_view name = base_name(program_.argv[at_]);
    if (contains(entrypoint_scripts(), name)) {
      if (!is_image(entrypoint_images(), parse_image(container_.image))) settle(Program::Delivery::kUnknown);
      ++at_;
      return true;
    }
    for (const Wrapper& wrapper : wrappers()) {
      if (!contains(wrapper.names, name)) continue;
      return wrapper.shell ? step_shell(name) : step_wrapper(wrapper);
    }
    return false;
  }

  // Moves over options; false when the command is not where it should be.
  bool skip_options(const Wrapper& wrapper) {
    while (at_ < program_.argv.size()) {
      const std::string& word = program_.argv[at_];
      if (word == "--") {
        ++at_;
        return true;
      }
      if (wrapper.assignments && is_assignment(word)) {
        const std::size_t equals = word.find('=');
        environment_.set(std::string_view(word).substr(0, equals), std::string_view(word).substr(equals + 1));
      } else if (word.size() < 2 || word.front() != '-') {
        return true;
      } else if (wrapper.assignments && (word.starts_with("-S") || word.starts_with("--split-string"))) {
        return false;
      } else {
        option(wrapper, word);
      }
      ++at_;
    }
    return true;
  }

  void option(const Wrapper& wrapper, const std::string& word) {
    const bool separate = contains(wrapper.value_options, word) && at_ + 1 < program_.argv.size();
    if (wrapper.rewrites) {
      std::string_view value;
      if (separate) {
        value = program_.argv[at_ + 1];
      } else if (word.starts_with("--rewrite=")) {
        value = std::string_view(word).substr(10);
      } else if (word.starts_with("-r")) {
        value = std::string_view(word).substr(2);
      }
      const auto parts = base::split(value, ':');
      if (parts.size() == 2 && program_.rewrites.size() < 32) {
        program_.rewrites.emplace_back(signal_name(parts[0]), signal_name(parts[1]));
      }
    }
    if (separate) ++at_;
  }

  bool step_wrapper(const Wrapper& wrapper) {
    const std::size_t start = at_;
    ++at_;
    bool found = skip_options(wrapper);
    if (found && !wrapper.subcommand.empty()) {
      found = at_ < program_.argv.size() && program_.argv[at_] == wrapper.subcommand;
      ++at_;
      found = found && skip_options(wrapper);
    }
    if (!found && !wrapper.subcommand.empty()) {
      at_ = start;  // another subcommand: the program itself
      return false;
    }
    at_ += wrapper.operands;
    if (wrapper.process != Wrapper::Process::kExec) program_.process_one = false;
    if (wrapper.process == Wrapper::Process::kUnknown || !found) settle(Program::Delivery::kUnknown);
    if (!found || at_ >= program_.argv.size()) {
      at_ = program_.argv.size();  // of nothing: the image, or a string that is not read, says what follows
      program_.opaque = true;
      return false;
    }
    return true;
  }

  bool step_shell(std::string_view name) {
    if (name == "busybox") {
      busybox_ = true;
      ++at_;
      return true;
    }
    const std::size_t position = script_position(words());
    if (position == 0 || ++shells_ > kMaxShells) {
      // sh script.sh: whether the script ends in exec cannot be seen.
      program_.opaque = true;
      settle(Program::Delivery::kUnknown);
      return false;
    }
    const std::string script = program_.argv[at_ + position];
    const ShellMain main = shell_main(script, busybox_ ? ShellFlavor::kAsh : shell_flavor(container_, program_.argv[at_]));
    busybox_ = false;
    const Words positional(program_.argv.begin() + static_cast<std::ptrdiff_t>(std::min(at_ + position + 2,
        program_.argv.size())),
                           program_.argv.end());
    judge(name, script, main);
    for (const auto& [variable, value] : main.assignments) {
      if (value.find('$') == std::string::npos) environment_.set(variable, value);
    }
    program_.argv = expand_command(main.argv, positional, environment_);
    at_ = 0;
    if (program_.argv.empty()) program_.opaque = true;
    return true;
  }

  void judge(std::string_view name, const std::string& script, const ShellMain& main) {
    using Fate = ShellMain::Fate;
    constexpr std::string_view kRemedy = "Write exec before the program, or start it without a shell.";
    const std::string why = main.reason.empty() ? std::string() : " (" + main.reason + ")";
    switch (main.fate) {
      case Fate::kReplaced: return;
      case Fate::kTraps: return settle_unknown();
      case Fate::kDies:
        return stay(Program::Delivery::kCut,
                    fmt::format("the shell {} ends at once on the stop signal and takes the program along{}", name, why),
                        kRemedy);
      case Fate::kStays:
        if (program_.process_one) {
          return stay(Program::Delivery::kLost,
                      fmt::format("process 1 is the shell {}, which waits for the program and passes no signal on{}", name,
                          why),
                      kRemedy);
        }
        return stay(Program::Delivery::kCut,
                    fmt::format("the shell {} is not process 1, so it dies of the stop signal at once and the program is "
                                "killed{}",
                                name, why),
                    kRemedy);
      case Fate::kUnknown: break;
    }
    if (main.argv.empty()) return settle_unknown();
    const auto stays = [&](ShellFlavor flavor) { return shell_main(script, flavor).fate == Fate::kStays; };
    std::string where;
    if (stays(ShellFlavor::kDash)) where = "Debian's dash";
    if (stays(ShellFlavor::kBash)) where += where.empty() ? "bash" : " or bash";
    if (stays(ShellFlavor::kAsh)) where += where.empty() ? "busybox ash" : " or busybox ash";
    if (where.empty()) return settle_unknown();
    const std::string_view then = program_.process_one ? "the shell stays process 1 and the signal is lost"
                                                       : "the shell dies at once and the program is killed";
    stay(Program::Delivery::kUnsure, fmt::format("where {} is {}, {}", name, where, then), kRemedy);
  }

  void settle_unknown() { settle(Program::Delivery::kUnknown); }
  void stay(Program::Delivery delivery, std::string reason, std::string_view remedy) {
    settle(delivery, std::move(reason), std::string(remedy));
    program_.process_one = false;
  }

  const objects::Container& container_;
  Environment& environment_;
  Program& program_;
  std::size_t at_ = 0;
  int shells_ = 0;
  bool busybox_ = false;
};

}  // namespace

Program read_program(const objects::Container& container, bool shared_process_namespace, Environment& environment) {
  Program program;
  program.process_one = !shared_process_namespace;
  std::size_t room = kMaxWordBytes;
  const auto add = [&](const Words& words) {
    for (const std::string& word : words) {
      if (word.find('$') == std::string::npos || room == 0) {
        program.argv.push_back(word);
        continue;
      }
      program.argv.push_back(expand_references(word, environment, std::max(room, word.size())));
      room -= std::min(room, program.argv.back().size());
    }
  };
  program.argv.reserve(container.command.size() + container.args.size());
  add(container.command);
  add(container.args);
  // Arguments alone go to an ENTRYPOINT that cannot be seen, unless the image is known to run them as they are.
  if (container.command.empty()) {
    program.args_only = true;
    if (!is_image(entrypoint_images(), parse_image(container.image))) program.delivery = Program::Delivery::kUnknown;
    if (program.argv.empty() || program.argv.front().starts_with('-')) return program;
  }
  Unwrapper(container, environment, program).run();
  return program;
}

}  // namespace shutdown_auditor::audit
