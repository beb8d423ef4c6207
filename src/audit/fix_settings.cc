#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "audit/application_facts.h"
#include "audit/fix_ways.h"
#include "audit/seconds.h"
#include "base/text.h"

namespace shutdown_auditor::audit {
namespace {

constexpr std::int64_t kLongestSetting = 86400;

// The time as the program wants it written; nothing when no plain form says exactly this.
std::optional<std::string> written_as(TimeSyntax syntax, std::int64_t seconds) {
  const std::array<std::string, 4> forms{std::to_string(seconds), fmt::format("{}s", seconds), fmt::format("PT{}S", seconds),
                                         std::to_string(seconds * 1000)};
  for (const std::string& form : forms) {
    const base::Result<WrittenTime> read = parse_time(syntax, form);
    if (read && read->note.empty() && read->ms == to_ms(seconds)) return form;
  }
  return std::nullopt;
}

bool is_plain(std::string_view name) { return name.find('*') == std::string_view::npos; }
bool is_long_flag(std::string_view flag) { return is_plain(flag) && flag.starts_with("--"); }

class SettingWays {
 public:
  SettingWays(const Finding& finding, const objects::Workload& workload, std::int64_t seconds)
      : finding_(finding), workload_(workload), container_(*container_named(workload, finding.container)),
        seconds_(seconds) {}

  Ways find(TimeRule::Kind kind) {
    Environment environment(container_);
    const Program program = read_program(container_, workload_.pod_template.spec.share_process_namespace, environment);
    const FrameworkMatch match = match_framework(program, environment, container_);
    if (match.framework == nullptr) {
      found_.none = "no setting is known for this program";
      return std::move(found_);
    }
    const ApplicationFacts facts{program, environment, workload_.pod_template.meta.annotations,
                                 parse_image(container_.image)};
    found_.none = fmt::format("no flag or variable of {} is known that could say it here", match.framework->id);
    for (const TimeRule& rule : match.framework->times) {
      if (rule.kind != kind || !applies(rule.when, rule.unless, facts)) continue;
      const std::optional<std::string> text = written_as(rule.syntax, seconds_);
      if (!text) continue;
      where_it_stands(rule, *text);
      variables(rule, *text);
      if (!program.opaque) new_flags(rule, *text);
      flags_variables(*match.framework, rule, *text);
    }
    return std::move(found_);
  }

 private:
  objects::Container& add(std::string field, const std::string& shown) {
    Way& way = found_.ways.emplace_back(Way{workload_, {}});
    way.reasons.push_back({container_.name, std::move(field), fmt::format("{}: {}", id_of(finding_.check), shown)});
    return *container_named(way.after, container_.name);
  }

  std::string shown(std::string_view setting) const {
    return fmt::format("{} for {} s", base::truncate_utf8(setting, 80), seconds_);
  }

  // Corrects the flag where it is written.
  void where_it_stands(const TimeRule& rule, const std::string& text) {
    for (const auto& [list, field] :
         {std::pair{&objects::Container::args, "args"}, {&objects::Container::command, "command"}}) {
      const std::vector<std::string>& words = container_.*list;
      for (const std::string_view flag : rule.flags) {
        if (!is_plain(flag)) continue;
        for (std::size_t i = 0; i < words.size(); ++i) {
          const bool joined = words[i].starts_with(std::string(flag) + "=");
          if (!joined && (words[i] != flag || i + 1 == words.size())) continue;
          objects::Container& changed = add(field, shown(flag));
          (changed.*list)[joined ? i : i + 1] = joined ? std::string(flag) + "=" + text : text;
        }
      }
    }
  }

  void set_variable(const std::string& name, const std::string& value) {
    objects::Container& changed = add("env", shown(name));
    for (objects::EnvVar& each : changed.env) {
      if (each.name != name) continue;
      each.value = value;
      return;
    }
    changed.env.push_back({name, value, false});
  }

  const objects::EnvVar* variable(std::string_view name) const {
    const auto own = std::find_if(container_.env.begin(), container_.env.end(),
                                  [&](const objects::EnvVar& each) { return each.name == name; });
    return own == container_.env.end() ? nullptr : &*own;
  }

  void variables(const TimeRule& rule, const std::string& text) {
    for (const std::string_view name : rule.env) {
      if (!is_plain(name)) continue;
      const objects::EnvVar* own = variable(name);
      if (own == nullptr || !own->from_source) set_variable(std::string(name), text);
    }
  }

  // Behind the words that are there; a flag alone would be no command.
  void new_flags(const TimeRule& rule, const std::string& text) {
    if (container_.command.empty() && container_.args.empty()) return;
    for (const std::string_view flag : rule.flags) {
      if (!is_long_flag(flag)) continue;
      const bool args = !container_.args.empty();
      objects::Container& changed = add(args ? "args" : "command", shown(flag));
      (args ? changed.args : changed.command).push_back(std::string(flag) + "=" + text);
    }
  }

  void flags_variables(const Framework& framework, const TimeRule& rule, const std::string& text) {
    for (const std::string_view name : framework.flags_env) {
      const objects::EnvVar* own = variable(name);
      if (own != nullptr && own->from_source) continue;
      for (const std::string_view flag : rule.flags) {
        if (!is_long_flag(flag)) continue;
        const std::string before = own != nullptr && own->value ? *own->value + " " : std::string();
        set_variable(std::string(name), before + std::string(flag) + "=" + text);
      }
    }
  }

  const Finding& finding_;
  const objects::Workload& workload_;
  const objects::Container& container_;
  std::int64_t seconds_;
  Ways found_;
};

}  // namespace

Ways ways_by_setting(const Finding& finding, const objects::Workload& workload, TimeRule::Kind kind, std::int64_t seconds) {
  if (seconds <= 0 || seconds > kLongestSetting) return {{}, "the time is out of range"};
  return SettingWays(finding, workload, seconds).find(kind);
}

}  // namespace shutdown_auditor::audit
