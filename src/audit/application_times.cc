#include "audit/application_times.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "audit/excerpt.h"
#include "audit/seconds.h"
#include "audit/time_syntax.h"
#include "base/text.h"

namespace shutdown_auditor::audit {
namespace {

constexpr std::size_t kMaxProblems = 8;

class TimeReader {
 public:
  TimeReader(const Framework& framework, const ApplicationFacts& facts, std::string_view signal, ApplicationReading& out)
      : framework_(framework), facts_(facts), signal_(signal), out_(out) {
    for (const std::string_view name : framework.flags_env) add_flags(name);
    if (facts.program.argv.empty() || facts.program.opaque) {
      for (const std::string_view name : framework.script_flags_env) add_flags(name);
    }
  }

  void read() {
    out_.delay = sum(TimeRule::Kind::kDelay);
    out_.drain = drain();
    out_.cleanup = sum(TimeRule::Kind::kCleanup);
    if (out_.hidden.empty() && unwritten_) say_what_may_hide();
  }

 private:
  struct FlagsVariable {
    std::string_view name;
    std::vector<std::string> words;
  };

  void add_flags(std::string_view name) {
    const Environment::Value value = facts_.environment.get(name);
    if (value.state == Environment::State::kLiteral) flags_.push_back({name, split_flags(value.text)});
    if (value.state == Environment::State::kHidden) hidden_flags_ = name;
  }

  void problem(std::string text) {
    if (out_.problems.size() < kMaxProblems) out_.problems.push_back(std::move(text));
  }

  bool rule_applies(const TimeRule& rule) const {
    return applies(rule.signals, signal_) && applies(rule.when, rule.unless, facts_);
  }

  // One written value. Nothing in ms and not unbounded: it cannot be read.
  ApplicationTime written(const TimeRule& rule, std::string_view text, TimeSource source, const std::string& where) {
    ApplicationTime time;
    const auto is = [&](Names names) { return std::find(names.begin(), names.end(), text) != names.end(); };
    if (text.find("$(") != std::string_view::npos || text.starts_with('$')) {
      hide(where + " takes its value from " + excerpt(text) + ", which the manifest does not tell");
      return time;
    }
    if (is(rule.default_values)) return by_default(rule);
    time.source = source;
    time.where = where;
    if (is(rule.unbounded_values)) {
      time.unbounded = true;
      return time;
    }
    const auto parsed = parse_time(rule.syntax, text);
    const std::string shown = source == TimeSource::kEnv ? env_excerpt(text) : operand_excerpt(text);
    if (!parsed) {
      problem(fmt::format("{} {} {}; {} refuses it.", where, shown, parsed.error().message, framework_.id));
      return {};
    }
    if (!parsed->note.empty()) problem(fmt::format("{} {} {}.", where, shown, parsed->note));
    time.ms = parsed->ms;
    return time;
  }

  ApplicationTime by_default(const TimeRule& rule) const {
    ApplicationTime time;
    if (rule.default_kind == TimeRule::Default::kMilliseconds) time.ms = rule.default_ms;
    time.unbounded = rule.default_kind == TimeRule::Default::kUnbounded;
    if (time.ms || time.unbounded) {
      time.source = TimeSource::kFrameworkDefault;
      time.where = "default of " + std::string(framework_.id);
    }
    return time;
  }

  // The last one wins; of names with a star the longest time does.
  std::optional<ApplicationTime> from_words(const TimeRule& rule, const std::vector<std::string>& words, TimeSource source,
                                            std::string_view variable) {
    std::optional<ApplicationTime> found;
    for (const std::string_view flag : rule.flags) {
      std::optional<std::string_view> last;
      const bool glob = flag.find('*') != std::string_view::npos;
      const std::string where = variable.empty() ? std::string(flag) : "env " + std::string(variable);
      each_flag(words, flag, [&](std::string_view value) {
        if (glob) found = longer(found, written(rule, value, source, where));
        last = value;
      });
      if (last && !glob) found = written(rule, *last, source, where);
    }
    return found;
  }

  static ApplicationTime longer(const std::optional<ApplicationTime>& a, ApplicationTime b) {
    if (!a || b.unbounded || (!b.ms && !a->unbounded)) return b;
    return a->unbounded || !a->ms || *a->ms >= *b.ms ? *a : b;
  }

  std::optional<ApplicationTime> from_flags_variables(const TimeRule& rule) {
    for (const FlagsVariable& each : flags_) {
      if (auto found = from_words(rule, each.words, TimeSource::kEnv, each.name)) return found;
    }
    if (!rule.flags.empty() && !hidden_flags_.empty()) hide_source(hidden_flags_);
    return std::nullopt;
  }

  std::optional<ApplicationTime> from_variables(const TimeRule& rule) {
    std::optional<ApplicationTime> found;
    const auto take = [&](std::string_view name, const Environment::Value& value) {
      if (value.state == Environment::State::kHidden) {
        hide_source(name);
        if (!found) found = ApplicationTime{};
      } else if (value.state == Environment::State::kLiteral && !value.text.empty()) {
        found = longer(found, written(rule, value.text, TimeSource::kEnv, "env " + std::string(name)));
      }
    };
    for (const std::string_view pattern : rule.env) {
      if (pattern.find('*') == std::string_view::npos) {
        if (!found) take(pattern, facts_.environment.get(pattern));
        continue;
      }
      for (const Environment::Entry& entry : facts_.environment.entries()) {
        if (glob_match(pattern, entry.name)) take(entry.name, entry.value);
      }
    }
    return found;
  }

  std::optional<ApplicationTime> from_texts(const TimeRule& rule, bool annotations) {
    for (const TextKey& each : rule.texts) {
      if ((each.kind == Condition::Kind::kAnnotation) != annotations) continue;
      std::optional<std::string_view> value;
      TimeSource source = TimeSource::kFlag;
      if (each.kind == Condition::Kind::kFlag) {
        each_flag(facts_.program.argv, each.name, [&](std::string_view text) {
          if (const auto inner = value_of_key(text, each.key)) value = inner;
        });
      } else if (each.kind == Condition::Kind::kEnv) {
        source = TimeSource::kEnv;
        const Environment::Value variable = facts_.environment.get(each.name);
        if (variable.state == Environment::State::kHidden) hide_source(each.name);
        value = value_of_key(variable.text, each.key);
      } else if (const std::string* text = objects::find(facts_.annotations, each.name)) {
        source = TimeSource::kAnnotation;
        value = value_of_key(*text, each.key);
      }
      if (value) return written(rule, *value, source, std::string(each.name) + " " + std::string(each.key));
    }
    return std::nullopt;
  }

  std::optional<ApplicationTime> from_manifest(const TimeRule& rule) {
    if (auto found = from_words(rule, facts_.program.argv, TimeSource::kFlag, {})) return found;
    if (auto found = from_texts(rule, false)) return found;
    if (framework_.flags_env_first) {
      if (auto found = from_flags_variables(rule)) return found;
    }
    if (auto found = from_variables(rule)) return found;
    if (!framework_.flags_env_first) {
      if (auto found = from_flags_variables(rule)) return found;
    }
    for (const std::string_view key : rule.annotations) {
      if (const std::string* value = objects::find(facts_.annotations, key)) {
        return written(rule, *value, TimeSource::kAnnotation, "annotation " + std::string(key));
      }
    }
    return from_texts(rule, true);
  }

  // What is written, or the default; nothing when the rule counts only once written.
  std::optional<ApplicationTime> resolve(const TimeRule& rule) {
    if (!rule_applies(rule)) return std::nullopt;
    if (auto found = from_manifest(rule)) return found;
    const bool optional = rule.default_kind == TimeRule::Default::kNone;
    unwritten_ = unwritten_ || !optional || rule.kind == TimeRule::Kind::kDrain;
    if (optional) return std::nullopt;
    return by_default(rule);
  }

  ApplicationTime drain() {
    for (const TimeRule& rule : framework_.times) {
      if (rule.kind != TimeRule::Kind::kDrain) continue;
      if (const auto found = resolve(rule)) return *found;
    }
    return {};
  }

  ApplicationTime sum(TimeRule::Kind kind) {
    ApplicationTime total;
    total.ms = 0;
    total.source = TimeSource::kFrameworkDefault;
    total.where = "default of " + std::string(framework_.id);
    bool any = false;
    for (const TimeRule& rule : framework_.times) {
      if (rule.kind != kind) continue;
      const std::optional<ApplicationTime> part = resolve(rule);
      if (!part) continue;
      if (!part->ms) return *part;
      total.ms = saturating_add(*total.ms, *part->ms);
      // The source of a sum is that of its weakest part which counts.
      if (*part->ms > 0 && (!any || part->source == TimeSource::kFrameworkDefault)) {
        total.source = part->source;
        total.where = part->where;
        any = true;
      }
    }
    return total;
  }

  void hide(std::string text) {
    if (out_.hidden.empty()) out_.hidden = std::move(text);
  }
  void hide_source(std::string_view variable) {
    hide("env " + std::string(variable) + " comes from a ConfigMap, Secret or field, which is not read");
  }

  void say_what_may_hide() {
    const bool by_env = !framework_.flags_env.empty() ||
                        std::any_of(framework_.times.begin(), framework_.times.end(),
                                    [](const TimeRule& rule) { return !rule.env.empty(); });
    if (facts_.environment.open() && by_env) {
      hide("envFrom names a ConfigMap or Secret that may hold a setting and is not read");
    } else if (!framework_.config.empty()) {
      hide(std::string(framework_.config) + " may say otherwise, unseen by this audit");
    }
  }

  const Framework& framework_;
  const ApplicationFacts& facts_;
  std::string_view signal_;
  ApplicationReading& out_;
  std::vector<FlagsVariable> flags_;
  std::string_view hidden_flags_;
  bool unwritten_ = false;
};

}  // namespace

void read_times(const Framework& framework, const ApplicationFacts& facts, std::string_view signal,
                ApplicationReading& reading) {
  TimeReader(framework, facts, signal, reading).read();
}

}  // namespace shutdown_auditor::audit
