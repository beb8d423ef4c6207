#include "audit/framework_match.h"
#include "audit/words.h"

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <vector>

#include "base/text.h"

namespace shutdown_auditor::audit {
namespace {

using Words = std::span<const std::string>;

struct Interpreter {
  std::string_view name;  // pattern
  Runtime runtime;
};
constexpr std::array kInterpreters{
    Interpreter{"python*", Runtime::kPython}, Interpreter{"pypy*", Runtime::kPython}, Interpreter{"node", Runtime::kNode},
    Interpreter{"nodejs", Runtime::kNode},    Interpreter{"java", Runtime::kJava},    Interpreter{"ruby*", Runtime::kRuby},
    Interpreter{"php*", Runtime::kPhp},       Interpreter{"dotnet", Runtime::kDotnet}, Interpreter{"elixir",
        Runtime::kElixir},
    Interpreter{"iex", Runtime::kElixir},     Interpreter{"erl", Runtime::kElixir},   Interpreter{"beam.smp",
        Runtime::kElixir}};

// The patterns of all frameworks by their first character, so that a name is held against a few of them. Patterns that
// may begin like anything, or name the end of a path, stand apart. In the order of the knowledge base.
class PatternIndex {
 public:
  struct Entry {
    std::string_view pattern;
    const Framework* framework;
    char second;  // character of a matching name; '*': any
  };

  explicit PatternIndex(Names Framework::*list) {
    for (const Framework& each : frameworks()) {
      for (const std::string_view pattern : each.*list) {
        const std::string_view name = pattern.substr(0, pattern.find(' '));
        const bool anywhere = name.front() == '*' || name.front() == '?' || name.find('/') != std::string_view::npos;
        const char second = name.size() < 2 ? '\0' : name[1] == '?' ? '*' : name[1];
        (anywhere ? anywhere_ : begins_[slot(name.front())]).push_back({pattern, &each, second});
      }
    }
  }

  // Calls with every entry that can match a name with this first character.
  template <class Each>
  void visit(std::string_view name, const Each& each) const {
    if (!name.empty()) {
      const char second = name.size() > 1 ? name[1] : '\0';
      for (const Entry& entry : begins_[slot(name.front())]) {
        if (entry.second == '*' || entry.second == second) each(entry);
      }
    }
    for (const Entry& entry : anywhere_) each(entry);
  }

 private:
  static std::size_t slot(char c) { return static_cast<unsigned char>(c) % 128; }
  std::array<std::vector<Entry>, 128> begins_;
  std::vector<Entry> anywhere_;
};

const PatternIndex& executables() {
  static const PatternIndex kIndex(&Framework::executables);
  return kIndex;
}
const PatternIndex& variables() {
  static const PatternIndex kIndex(&Framework::env);
  return kIndex;
}
const PatternIndex& container_names() {
  static const PatternIndex kIndex(&Framework::containers);
  return kIndex;
}

// Rules out most patterns at once.
bool may_match(std::string_view pattern, std::string_view text) {
  return pattern.front() == '*' || (!text.empty() && pattern.front() == text.front());
}

// What an interpreter was told to run.
struct Interpreted {
  Runtime runtime = Runtime::kNone;
  std::string_view module;  // python -m, main class, jar, script path, dll; empty: nothing seen
  bool named = false;       // python -m or a main class: a name and no file
};

// Options of the interpreters that take the next word.
bool takes_value(Runtime runtime, std::string_view option) {
  constexpr std::array<std::string_view, 4> kPython{"-W", "-X", "--check-hash-based-pycs", "-Q"};
  constexpr std::array<std::string_view, 8> kNode{"-r", "--require", "--import", "--loader", "--experimental-loader", "-C",
                                                  "--conditions", "--env-file"};
  constexpr std::array<std::string_view, 9> kJava{"-cp",          "-classpath",  "--class-path", "-p",
      "--module-path",
                                                  "--add-modules", "--add-opens", "--add-exports", "--add-reads"};
  constexpr std::array<std::string_view, 5> kRuby{"-I", "-r", "-C", "-E", "--encoding"};
  constexpr std::array<std::string_view, 3> kPhp{"-d", "-c", "-z"};
  const auto in = [&](const auto& list) { return std::find(list.begin(), list.end(), option) != list.end(); };
  switch (runtime) {
    case Runtime::kPython: return in(kPython);
    case Runtime::kNode: return in(kNode);
    case Runtime::kJava: return in(kJava);
    case Runtime::kRuby: return in(kRuby);
    case Runtime::kPhp: return in(kPhp);
    default: return false;
  }
}

Interpreted read_interpreter(Words argv) {
  Interpreted read;
  if (argv.empty()) return read;
  const std::string_view name = base_name(argv.front());
  for (const Interpreter& each : kInterpreters) {
    if (may_match(each.name, name) && glob_match(each.name, name)) read.runtime = each.runtime;
  }
  if (read.runtime == Runtime::kPhp && name.find("fpm") != std::string_view::npos) read.runtime = Runtime::kNone;
  if (read.runtime == Runtime::kNone) return read;
  for (std::size_t at = 1; at < argv.size(); ++at) {
    const std::string_view word = argv[at];
    const bool last = at + 1 >= argv.size();
    const bool python_module = read.runtime == Runtime::kPython && word.size() > 1 && word[0] == '-' && word[1] != '-' &&
                               word.back() == 'm';
    const bool java_module = read.runtime == Runtime::kJava && (word == "-m" || word == "--module");
    if (!last && (python_module || java_module)) return {read.runtime, argv[at + 1], true};
    if (!last && read.runtime == Runtime::kJava && word == "-jar") return {read.runtime, argv[at + 1], false};
    if (word == "-c" || word == "-e" || word == "--eval") return read;  // the program is on the command line
    if (!word.starts_with('-')) return {read.runtime, word, read.runtime == Runtime::kJava};
    if (takes_value(read.runtime, word)) ++at;
  }
  return read;
}

// Do the words of `rest` ("worker", "server *.yml") follow each other somewhere in the arguments?
bool has_sequence(std::string_view rest, Words words) {
  if (rest.empty()) return true;
  const auto patterns = base::split(rest, ' ');
  for (std::size_t start = 0; start + patterns.size() <= words.size(); ++start) {
    std::size_t at = 0;
    while (at < patterns.size() && glob_match(patterns[at], words[start + at])) ++at;
    if (at == patterns.size()) return true;
  }
  return false;
}

// "name word …" against a program's path and its arguments. A name with a slash is the end of the path.
bool matches_program(std::string_view rule, std::string_view path, std::string_view base, Words arguments) {
  // Most rules are out at once; "bin/jobs" is the only kind that does not begin like the base name.
  const bool begins = !base.empty() && rule.front() == base.front();
  if (!begins && path.size() == base.size()) return false;
  const std::size_t slash = rule.find('/');
  if (!begins && slash == std::string_view::npos) return false;
  const std::size_t blank = rule.find(' ');
  const std::string_view name = rule.substr(0, blank);
  if (slash < blank) {
    if (path != name && !(path.ends_with(name) && path.substr(0, path.size() - name.size()).ends_with('/'))) return false;
  } else {
    if (!begins || !glob_match(name, base)) return false;
  }
  return blank == std::string_view::npos || has_sequence(rule.substr(blank + 1), arguments);
}

// A file may be named with or without its folders.
bool matches_module(std::string_view rule, std::string_view module, Words arguments) {
  const std::size_t blank = rule.find(' ');
  const std::string_view name = rule.substr(0, blank);
  if (!glob_match(name, module) && !glob_match(name, base_name(module))) return false;
  return blank == std::string_view::npos || has_sequence(rule.substr(blank + 1), arguments);
}

bool any_image_hint(Names hints, const ImageName& image, std::string_view reference) {
  if (hints.empty()) return false;
  const std::string_view whole = reference.substr(0, reference.find('@'));
  const std::size_t end = image.tag.empty() ? whole.size() : whole.size() - image.tag.size() - 1;
  return std::any_of(hints.begin(), hints.end(), [&](std::string_view hint) {
    return glob_match(hint, hint.starts_with("*/") ? whole.substr(0, end) : image.repository);
  });
}

class Matcher {
 public:
  Matcher(const Program& program, const Environment& environment, const objects::Container& container)
      : environment_(environment), container_(container), argv_(program.argv), run_(read_interpreter(program.argv)),
        unseen_(program.opaque || program.args_only || program.argv.empty()) {}

  FrameworkMatch match() const {
    const Framework* bare = nullptr;
    if (!argv_.empty()) {
      if (const Framework* found = by_executable(bare)) return {found, MatchedBy::kExecutable, false};
      if (const Framework* found = by_module()) return {found, MatchedBy::kModule, false};
    }
    const Framework* named = nullptr;
    container_names().visit(container_.name, [&](const PatternIndex::Entry& entry) {
      if ((named == nullptr || entry.framework < named) && glob_match(entry.pattern, container_.name)) named = entry.framework;
    });
    if (named != nullptr) return {named, MatchedBy::kAnnotation, false};
    if (const Framework* found = by_environment()) return {found, MatchedBy::kEnvironment, false};
    if (unseen_ || run_.runtime != Runtime::kNone) {
      const FrameworkMatch found = by_image();
      if (found.framework != nullptr && (bare == nullptr || !found.framework->generic)) return found;
    }
    if (bare != nullptr) return {bare, MatchedBy::kExecutable, false};
    return {};
  }

 private:
  Words arguments() const { return argv_.subspan(1); }

  // The most telling rule wins: the one with the most words, of equals the first. The interpreter itself is only
  // remembered.
  const Framework* by_executable(const Framework*& bare) const {
    const Framework* best = nullptr;
    std::ptrdiff_t best_words = -1;
    const auto consider = [&](const PatternIndex::Entry& entry, std::string_view path, std::string_view base, bool script) {
      const Framework& each = *entry.framework;
      if ((script && each.generic) || !matches_program(entry.pattern, path, base, arguments())) return;
      const auto words = std::count(entry.pattern.begin(), entry.pattern.end(), ' ');
      // python, java and the like by themselves: whatever they run says more.
      if (!script && words == 0 && run_.runtime != Runtime::kNone && each.runtime == run_.runtime) {
        if (bare == nullptr || entry.framework > bare) bare = entry.framework;
        return;
      }
      if (words > best_words || (words == best_words && entry.framework < best)) {
        best = entry.framework;
        best_words = words;
      }
    };
    const std::string_view program = argv_.front();
    const std::string_view program_base = base_name(program);
    executables().visit(program_base, [&](const auto& entry) { consider(entry, program, program_base, false); });
    if (run_.named || run_.module.empty()) return best;
    const std::string_view script_base = base_name(run_.module);
    executables().visit(script_base, [&](const auto& entry) { consider(entry, run_.module, script_base, true); });
    return best;
  }

  const Framework* by_module() const {
    if (run_.module.empty()) return nullptr;
    const Framework* best = nullptr;
    for (const Framework& each : frameworks()) {
      if (each.runtime != run_.runtime && each.runtime != Runtime::kNone) continue;
      const bool named = std::any_of(each.modules.begin(), each.modules.end(), [&](std::string_view rule) {
        return matches_module(rule, run_.module, arguments());
      });
      const bool told = each.runtime == run_.runtime &&
                        std::any_of(each.args.begin(), each.args.end(),
                                    [&](std::string_view rule) { return has_sequence(rule, arguments()); });
      if ((named || told) && best == nullptr) best = &each;
    }
    return best;
  }

  const Framework* by_environment() const {
    const Framework* found = nullptr;
    for (const Environment::Entry& variable : environment_.entries()) {
      variables().visit(variable.name, [&](const PatternIndex::Entry& entry) {
        if (run_.runtime != Runtime::kNone && entry.framework->runtime != run_.runtime) return;
        if ((found == nullptr || entry.framework < found) && glob_match(entry.pattern, variable.name)) found = entry.framework;
      });
    }
    return found;
  }

  FrameworkMatch by_image() const {
    const ImageName image = parse_image(container_.image);
    FrameworkMatch hinted;
    for (const Framework& each : frameworks()) {
      if (run_.runtime != Runtime::kNone && each.runtime != run_.runtime) continue;
      if (!each.images.empty() && is_image(each.images, image)) return {&each, MatchedBy::kImage, false};
      if (hinted.framework == nullptr && any_image_hint(each.image_hints, image, container_.image)) {
        hinted = {&each, MatchedBy::kImage, true};
      }
    }
    return hinted;
  }

  const Environment& environment_;
  const objects::Container& container_;
  Words argv_;
  Interpreted run_;
  bool unseen_;
};

}  // namespace

ImageName parse_image(std::string_view reference) {
  ImageName image;
  std::string_view rest = reference.substr(0, reference.find('@'));
  if (const std::size_t slash = rest.find('/'); slash != std::string_view::npos) {
    const std::string_view first = rest.substr(0, slash);
    if (first.find_first_of(".:") != std::string_view::npos || first == "localhost") {
      image.registry = first;
      rest.remove_prefix(slash + 1);
    }
  }
  const std::size_t colon = rest.rfind(':');
  if (colon != std::string_view::npos && rest.find('/', colon) == std::string_view::npos) {
    image.tag = rest.substr(colon + 1);
    rest = rest.substr(0, colon);
  }
  image.docker_hub = image.registry.empty() || image.registry == "docker.io" || image.registry == "index.docker.io";
  for (const std::string_view prefix : {"docker/library/", "library/"}) {
    if (rest.starts_with(prefix) && rest.find('/', prefix.size()) == std::string_view::npos) {
      rest.remove_prefix(prefix.size());
      image.docker_hub = true;
    }
  }
  image.repository = rest;
  return image;
}

bool glob_match(std::string_view pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;
  std::size_t resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

bool is_image(Names patterns, const ImageName& image) {
  return std::any_of(patterns.begin(), patterns.end(), [&](std::string_view pattern) {
    if (!may_match(pattern, image.repository)) return false;
    const std::size_t colon = pattern.find(':');
    const std::string_view name = pattern.substr(0, colon);
    if (colon != std::string_view::npos && !glob_match(pattern.substr(colon + 1), image.tag)) return false;
    if (name.find('/') == std::string_view::npos) return image.docker_hub && glob_match(name, image.repository);
    return glob_match(name, image.repository);
  });
}

FrameworkMatch match_framework(const Program& program, const Environment& environment, const objects::Container& container) {
  return Matcher(program, environment, container).match();
}

}  // namespace shutdown_auditor::audit
