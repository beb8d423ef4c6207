#include "frameworks/table_writer.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>

#include <fmt/format.h>

namespace shutdown_auditor::tools {
namespace {

using Words = std::vector<std::string>;

// A C++ string literal; the data holds no control characters.
std::string literal(const std::string& text) {
  std::string made = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') made += '\\';
    made += c;
  }
  return made + "\"";
}

// "go_or_seconds" -> "kGoOrSeconds".
std::string enumerator(const std::string& name) {
  std::string made = "k";
  bool upper = true;
  for (const char c : name) {
    if (c == '_' || c == '-') {
      upper = true;
    } else {
      made += upper && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
      upper = false;
    }
  }
  return made;
}

std::string yes_no(bool value) { return value ? "true" : "false"; }

class Writer {
 public:
  std::string write(const Knowledge& knowledge) {
    std::string frameworks;
    for (const Framework& each : knowledge.frameworks) frameworks += framework(each);
    std::string wrappers;
    for (const Wrapper& each : knowledge.wrappers) wrappers += wrapper(each);
    const std::string scripts = names(knowledge.entrypoint_scripts);
    const std::string images = names(knowledge.entrypoint_images);
    const std::string keys = names(Words(annotations_.begin(), annotations_.end()));
    return "// Written by sa_compile_frameworks from src/audit/frameworks.yaml.\n#include \"audit/framework_table.h\"\n\n"
           "namespace shutdown_auditor::audit {\nnamespace {\n" +
           pools_ + "constexpr Framework kFrameworks[]{\n" + frameworks + "};\nconstexpr Wrapper kWrappers[]{\n" + wrappers +
           "};\n}  // namespace\n\nstd::span<const Framework> frameworks() { return kFrameworks; }\n" +
           "std::span<const Wrapper> wrappers() { return kWrappers; }\nNames entrypoint_scripts() { return " + scripts +
           "; }\nNames entrypoint_images() { return " + images + "; }\nNames annotation_keys() { return " + keys +
           "; }\n\n}  // namespace shutdown_auditor::audit\n";
  }

 private:
  // Declares an array of these elements, once for equal ones, and names it.
  std::string pool(const std::string& type, const Words& elements) {
    if (elements.empty()) return "{}";
    std::string text = "{";
    for (const std::string& each : elements) text += each + ",";
    text += "}";
    const auto [place, fresh] = known_.try_emplace(type + text, fmt::format("kPool{}", known_.size()));
    if (fresh) pools_ += fmt::format("constexpr {} {}[]{};\n", type, place->second, text);
    return place->second;
  }

  std::string names(const Words& words) {
    Words elements;
    std::transform(words.begin(), words.end(), std::back_inserter(elements), literal);
    return pool("std::string_view", elements);
  }

  std::string conditions(const std::vector<Condition>& list) {
    Words elements;
    for (const Condition& each : list) {
      if (each.kind == "annotation") annotations_.insert(each.name);
      const std::string kind = each.kind == "not-process-1" ? "kNotProcessOne" : enumerator(each.kind);
      elements.push_back(fmt::format("{{Condition::Kind::{}, {}, {}}}", kind, literal(each.name), literal(each.value)));
    }
    return pool("Condition", elements);
  }

  std::string texts(const std::vector<TextKey>& list) {
    Words elements;
    for (const TextKey& each : list) {
      if (each.kind == "annotation") annotations_.insert(each.name);
      elements.push_back(fmt::format("{{Condition::Kind::{}, {}, {}}}", enumerator(each.kind), literal(each.name),
          literal(each.key)));
    }
    return pool("TextKey", elements);
  }

  std::string time(const Time& time) {
    annotations_.insert(time.annotations.begin(), time.annotations.end());
    const std::string values[]{"TimeRule::Kind::" + enumerator(time.kind),
                               "TimeSyntax::" + (time.syntax.empty() ? "kIntSeconds" : enumerator(time.syntax)),
                               "TimeRule::Default::" + enumerator(time.default_kind),
                               std::to_string(time.default_ms),
                               names(time.flags),
                               names(time.env),
                               names(time.annotations),
                               texts(time.texts),
                               names(time.unbounded_values),
                               names(time.default_values),
                               names(time.signals),
                               conditions(time.when),
                               conditions(time.unless)};
    return fmt::format("{{{}}}", fmt::join(values, ", "));
  }

  std::string behaviour(const Behaviour& row) {
    return fmt::format("{{{}, SignalHandling::{}, {}, {}, {}, {}, {}}}", names(row.signals), enumerator(row.handling),
                       yes_no(row.certain), conditions(row.when), conditions(row.unless), literal(row.reason),
                       literal(row.remedy));
  }

  std::string framework(const Framework& each) {
    Words rows;
    for (const Behaviour& row : each.behaviour) rows.push_back(behaviour(row));
    Words times;
    for (const Time& row : each.times) times.push_back(time(row));
    const std::string values[]{literal(each.id),
                               "Runtime::" + (each.runtime.empty() ? "kNone" : enumerator(each.runtime)),
                               yes_no(each.generic),
                               "SidecarKind::" + (each.sidecar.empty() ? "kNone" : enumerator(each.sidecar)),
                               names(each.executables),
                               names(each.modules),
                               names(each.args),
                               names(each.images),
                               names(each.image_hints),
                               names(each.env),
                               names(each.containers),
                               conditions(each.injected_by),
                               conditions(each.not_injected_by),
                               literal(each.graceful_signal),
                               literal(each.image_signal),
                               names(each.image_signal_images),
                               names(each.flags_env),
                               names(each.script_flags_env),
                               yes_no(each.flags_env_first),
                               literal(each.config),
                               pool("BehaviourRule", rows),
                               pool("TimeRule", times)};
    return fmt::format("  {{{}}},\n", fmt::join(values, ", "));
  }

  std::string wrapper(const Wrapper& each) {
    return fmt::format("  {{{}, {}, {}, {}, Wrapper::Process::{}, {}, {}, {}, {}, {}}},\n", literal(each.id),
        names(each.names),
                       names(each.value_options), literal(each.subcommand), enumerator(each.process), each.operands,
                       yes_no(each.init), yes_no(each.rewrites), yes_no(each.assignments), yes_no(each.shell));
  }

  std::string pools_;
  std::map<std::string, std::string> known_;
  std::set<std::string> annotations_;
};

}  // namespace

std::string write_tables(const Knowledge& knowledge) { return Writer().write(knowledge); }

}  // namespace shutdown_auditor::tools
