#include "frameworks/knowledge.h"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <set>
#include <stdexcept>

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include "base/text.h"

namespace shutdown_auditor::tools {
namespace {

using Words = std::vector<std::string>;

constexpr std::array<std::string_view, 10> kSignals{"SIGHUP",  "SIGINT",  "SIGQUIT", "SIGKILL",  "SIGUSR1",
                                                    "SIGUSR2", "SIGTERM", "SIGCHLD", "SIGWINCH", "SIGPWR"};
constexpr std::array<std::string_view, 15> kSyntaxes{"int_seconds", "float_seconds", "int_millis", "go",
    "go_or_seconds",
                                                     "spring",      "quarkus",       "micronaut",  "iso8601",  "dropwizard",
                                                     "protobuf",    "granian",       "nginx",      "haproxy",  "php_fpm"};
constexpr std::array<std::string_view, 7> kRuntimes{"python", "node", "java", "ruby", "php", "elixir", "dotnet"};
constexpr std::array<std::string_view, 7> kNamedConditions{"flag",  "env",             "annotation", "arg",
                                                           "image", "namespace-label", "label"};

// Leaves the nested readers; caught in read_knowledge.
class Refused : public std::runtime_error {
 public:
  Refused(const YAML::Node& node, const std::string& message) : std::runtime_error(message), line(node.Mark().line + 1) {}
  int line;
};

template <class List>
bool one_of(const List& list, std::string_view value) {
  return std::find(std::begin(list), std::end(list), value) != std::end(list);
}

// A map whose keys are all known; remembers nothing.
class Fields {
 public:
  Fields(const YAML::Node& node, std::initializer_list<std::string_view> known) : node_(node) {
    if (!node.IsMap()) throw Refused(node, "has to be a map");
    std::set<std::string> seen;
    for (const auto& entry : node) {
      const auto key = entry.first.as<std::string>();
      if (!one_of(known, key)) throw Refused(entry.first, "unknown key " + key);
      if (!seen.insert(key).second) throw Refused(entry.first, "repeated key " + key);
    }
  }

  std::string text(const char* key) const {
    const YAML::Node value = node_[key];
    if (!value) return {};
    if (!value.IsScalar() || value.Scalar().empty()) throw Refused(value, std::string(key) + " has to be a text");
    const std::string& text = value.Scalar();
    if (std::any_of(text.begin(), text.end(), [](char c) { return c >= 0 && c < ' '; })) {
      throw Refused(value, std::string(key) + " has a control character");
    }
    return text;
  }
  std::string needed(const char* key) const {
    if (!node_[key]) throw Refused(node_, std::string("has no ") + key);
    return text(key);
  }
  template <class List>
  std::string choice(const char* key, const List& choices) const {
    const std::string value = text(key);
    if (!value.empty() && !one_of(choices, value)) throw Refused(node_[key], std::string("unknown ") + key + " " + value);
    return value;
  }
  bool flag(const char* key, bool fallback = false) const {
    const std::string value = text(key);
    if (!value.empty() && value != "true" && value != "false") throw Refused(node_[key],
        std::string(key) + " is not a bool");
    return value.empty() ? fallback : value == "true";
  }
  Words words(const char* key) const {
    const YAML::Node value = node_[key];
    Words list;
    if (!value) return list;
    if (!value.IsSequence()) throw Refused(value, std::string(key) + " has to be a list");
    for (const YAML::Node& each : value) {
      if (!each.IsScalar() || each.Scalar().empty()) throw Refused(each, std::string(key) + " has an empty entry");
      list.push_back(each.Scalar());
    }
    return list;
  }
  // Names with * and ?; one that matches everything is a mistake.
  Words patterns(const char* key) const {
    Words list = words(key);
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (list[i].find_first_not_of("*? ") == std::string::npos || list[i].find("**") != std::string::npos) {
        throw Refused(node_[key][i], "bad pattern " + list[i]);
      }
    }
    return list;
  }
  Words signals(const char* key) const {
    Words list = words(key);
    for (std::size_t i = 0; i < list.size(); ++i) {
      if (!one_of(kSignals, list[i])) throw Refused(node_[key][i], "unknown signal " + list[i]);
    }
    return list;
  }
  std::vector<Condition> conditions(const char* key, bool annotations_only = false) const {
    std::vector<Condition> list;
    const Words written = words(key);
    for (std::size_t i = 0; i < written.size(); ++i) {
      const std::size_t blank = written[i].find(' ');
      Condition each{written[i].substr(0, blank), {}, {}};
      if (each.kind != "not-process-1") {
        if (!one_of(kNamedConditions, each.kind) || blank == std::string::npos) {
          throw Refused(node_[key][i], "unknown condition " + written[i]);
        }
        each.name = written[i].substr(blank + 1);
        if (const std::size_t equals = each.name.find('='); equals != std::string::npos) {
          each.value = each.name.substr(equals + 1);
          each.name.erase(equals);
        }
      }
      const bool metadata = each.kind.ends_with("label") || each.kind == "annotation";
      if (each.name.find(' ') != std::string::npos || (annotations_only && !metadata) ||
          (!annotations_only && each.kind.ends_with("label"))) {
        throw Refused(node_[key][i], "condition not possible here: " + written[i]);
      }
      list.push_back(std::move(each));
    }
    return list;
  }
  YAML::Node list(const char* key) const {
    const YAML::Node value = node_[key];
    if (value && !value.IsSequence()) throw Refused(value, std::string(key) + " has to be a list");
    return value;
  }
  [[noreturn]] void refuse(const std::string& message) const { throw Refused(node_, message); }
  YAML::Node at(const char* key) const { return node_[key]; }

 private:
  YAML::Node node_;
};

std::vector<TextKey> read_texts(const Fields& fields) {
  std::vector<TextKey> list;
  for (const std::string& each : fields.words("texts")) {
    const auto parts = base::split(each, ' ');
    if (parts.size() != 3 || !one_of(std::array<std::string_view, 3>{"flag", "env", "annotation"}, parts[0])) {
      fields.refuse("a text is \"flag|env|annotation NAME KEY\": " + each);
    }
    list.push_back({std::string(parts[0]), std::string(parts[1]), std::string(parts[2])});
  }
  return list;
}

void read_default(const Fields& fields, Time& time) {
  const std::string written = fields.needed("default");
  if (written == "none" || written == "unbounded" || written == "unknown") {
    time.default_kind = written;
    return;
  }
  const auto parts = base::split(written, '.');
  const auto whole = base::parse_int64(parts[0]);
  const auto tenths = parts.size() == 2 &&
      parts[1].size() == 1 ? base::parse_int64(parts[1]) : base::Result<std::int64_t>(0);
  if (!whole || !tenths || parts.size() > 2 || (parts.size() == 2 && parts[1].size() != 1) || *whole < 0 || *whole > 86400) {
    throw Refused(fields.at("default"), "default " + written + " is not seconds with at most one decimal, 0 to 86400");
  }
  time.default_kind = "milliseconds";
  time.default_ms = *whole * 1000 + *tenths * 100;
}

Time read_time(const YAML::Node& node) {
  const Fields fields(node, {"kind", "flags", "env", "annotations", "texts", "syntax", "default", "unbounded_values",
                             "default_values", "signals", "when", "unless", "why", "source"});
  Time time;
  time.kind = fields.choice("kind", std::array<std::string_view, 3>{"delay", "drain", "cleanup"});
  time.syntax = fields.choice("syntax", kSyntaxes);
  time.flags = fields.patterns("flags");
  time.env = fields.patterns("env");
  time.annotations = fields.patterns("annotations");
  time.texts = read_texts(fields);
  time.unbounded_values = fields.words("unbounded_values");
  time.default_values = fields.words("default_values");
  time.signals = fields.signals("signals");
  time.when = fields.conditions("when");
  time.unless = fields.conditions("unless");
  time.source = fields.needed("source");
  read_default(fields, time);
  const bool writable = !time.flags.empty() || !time.env.empty() || !time.annotations.empty() || !time.texts.empty();
  if (time.kind.empty()) fields.refuse("a time has no kind");
  if (writable != !time.syntax.empty()) fields.refuse("a time needs a syntax exactly when it can be written");
  if (!writable && time.default_kind == "none") fields.refuse("a time that cannot be written needs a default");
  return time;
}

Behaviour read_behaviour(const YAML::Node& node) {
  const Fields fields(node, {"on", "is", "certain", "when", "unless", "reason", "remedy", "why"});
  Behaviour behaviour;
  behaviour.signals = fields.signals("on");
  behaviour.handling =
      fields.choice("is", std::array<std::string_view, 5>{"graceful", "fast", "ignored", "reload", "unknown"});
  behaviour.certain = fields.flag("certain", true);
  behaviour.when = fields.conditions("when");
  behaviour.unless = fields.conditions("unless");
  behaviour.reason = fields.text("reason");
  behaviour.remedy = fields.text("remedy");
  if (behaviour.signals.empty() || behaviour.handling.empty()) fields.refuse("a behaviour needs on and is");
  const bool bad = behaviour.handling != "graceful" && behaviour.handling != "unknown";
  if (bad && behaviour.reason.empty()) fields.refuse("a behaviour that loses work needs a reason");
  if (behaviour.reason.empty() != behaviour.remedy.empty()) fields.refuse("reason and remedy go together");
  if (behaviour.reason.size() + behaviour.remedy.size() > 360) fields.refuse("reason and remedy are too long");
  return behaviour;
}

Framework read_framework(const YAML::Node& node) {
  const Fields fields(node, {"id", "executables", "modules", "args", "runtime", "generic", "sidecar", "images",
      "image_hints",
                             "env", "containers", "injected_by", "not_injected_by", "graceful_signal", "stop_signal",
                             "flags_env", "script_flags_env", "flags_env_first", "config", "behaviour", "times", "unmatched",
                             "source", "confidence"});
  Framework made;
  made.id = fields.needed("id");
  made.source = fields.needed("source");
  fields.needed("confidence");
  made.confidence = fields.choice("confidence", std::array<std::string_view, 2>{"verified", "unverified"});
  made.runtime = fields.choice("runtime", kRuntimes);
  made.generic = fields.flag("generic");
  made.sidecar = fields.choice("sidecar", std::array<std::string_view, 2>{"traffic", "helper"});
  made.executables = fields.patterns("executables");
  made.modules = fields.patterns("modules");
  made.args = fields.patterns("args");
  made.images = fields.patterns("images");
  made.image_hints = fields.patterns("image_hints");
  made.env = fields.patterns("env");
  made.containers = fields.patterns("containers");
  made.injected_by = fields.conditions("injected_by", true);
  made.not_injected_by = fields.conditions("not_injected_by", true);
  made.graceful_signal = fields.choice("graceful_signal", kSignals);
  made.flags_env = fields.words("flags_env");
  made.script_flags_env = fields.words("script_flags_env");
  made.flags_env_first = fields.flag("flags_env_first");
  made.config = fields.text("config");
  made.unmatched = fields.text("unmatched");
  if (const YAML::Node stop = fields.at("stop_signal")) {
    const Fields inner(stop, {"is", "images"});
    inner.needed("is");
    made.image_signal = inner.choice("is", kSignals);
    made.image_signal_images = inner.patterns("images");
    if (made.image_signal_images.empty()) inner.refuse("stop_signal has no images");
  }
  for (const YAML::Node& each : fields.list("behaviour")) made.behaviour.push_back(read_behaviour(each));
  for (const YAML::Node& each : fields.list("times")) made.times.push_back(read_time(each));

  const bool matched = !made.executables.empty() || !made.modules.empty() || !made.args.empty() || !made.images.empty() ||
                       !made.image_hints.empty() || !made.env.empty() || !made.containers.empty();
  if (matched == !made.unmatched.empty()) fields.refuse(made.id + " needs either a rule to match or unmatched");
  if (matched && made.behaviour.empty()) fields.refuse(made.id + " has no behaviour");
  if (made.generic && !made.times.empty()) fields.refuse(made.id + " is generic and has times");
  if (!made.args.empty() && made.runtime.empty()) fields.refuse(made.id + " has args without a runtime");
  return made;
}

Wrapper read_wrapper(const YAML::Node& node) {
  const Fields fields(node, {"id", "names", "value_options", "subcommand", "process", "operands", "init", "rewrites",
                             "assignments", "shell", "source"});
  Wrapper made;
  made.id = fields.needed("id");
  made.source = fields.needed("source");
  made.names = fields.patterns("names");
  made.value_options = fields.words("value_options");
  made.subcommand = fields.text("subcommand");
  fields.needed("process");
  made.process = fields.choice("process", std::array<std::string_view, 3>{"exec", "child", "unknown"});
  const std::string operands = fields.text("operands");
  if (operands.size() > 1 || (!operands.empty() && (operands[0] < '0' || operands[0] > '9'))) fields.refuse("bad operands");
  made.operands = operands.empty() ? 0 : operands[0] - '0';
  made.init = fields.flag("init");
  made.rewrites = fields.flag("rewrites");
  made.assignments = fields.flag("assignments");
  made.shell = fields.flag("shell");
  if (made.names.empty()) fields.refuse(made.id + " has no names");
  return made;
}

Knowledge read_document(const YAML::Node& document) {
  const Fields fields(document, {"version", "wrappers", "entrypoints", "frameworks"});
  if (fields.needed("version") != "1") throw Refused(fields.at("version"), "only version 1 is known");
  Knowledge knowledge;
  std::set<std::string> ids;
  const auto once = [&](const std::string& id, const YAML::Node& node) {
    if (!ids.insert(id).second) throw Refused(node, "repeated id " + id);
  };
  for (const YAML::Node& each : fields.list("wrappers")) {
    knowledge.wrappers.push_back(read_wrapper(each));
    once(knowledge.wrappers.back().id, each);
  }
  if (const YAML::Node entrypoints = fields.at("entrypoints")) {
    const Fields inner(entrypoints, {"scripts", "images", "source"});
    inner.needed("source");
    knowledge.entrypoint_scripts = inner.patterns("scripts");
    knowledge.entrypoint_images = inner.patterns("images");
  }
  for (const YAML::Node& each : fields.list("frameworks")) {
    knowledge.frameworks.push_back(read_framework(each));
    once(knowledge.frameworks.back().id, each);
  }
  if (knowledge.frameworks.empty()) fields.refuse("lists no frameworks");
  return knowledge;
}

}  // namespace

base::Result<Knowledge> read_knowledge(const std::string& text, const std::string& name) {
  try {
    return read_document(YAML::Load(text));
  } catch (const Refused& refused) {
    return base::fail(base::ErrorKind::kInvalid, fmt::format("{}:{}: {}", name, refused.line, refused.what()));
  } catch (const YAML::Exception& error) {
    return base::fail(base::ErrorKind::kInvalid, fmt::format("{}:{}: {}", name, error.mark.line + 1, error.msg));
  }
}

}  // namespace shutdown_auditor::tools
