#include "audit/application_facts.h"

#include <algorithm>

#include "base/text.h"

namespace shutdown_auditor::audit {
namespace {

constexpr std::size_t kMaxText = 65536;

bool digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// The value a word gives to a flag; nothing: it is another word. `separate`: the value is the next word.
std::optional<std::string_view> value_in(std::string_view word, std::string_view flag, bool& separate) {
  separate = false;
  const std::size_t equals = word.find('=');
  const std::string_view name = word.substr(0, equals);
  const bool glob = flag.find('*') != std::string_view::npos;
  const bool named = glob ? glob_match(base::to_lower(flag), base::to_lower(name)) : name == flag;
  if (named && equals != std::string_view::npos) return word.substr(equals + 1);
  if (named) {
    separate = flag.starts_with('-') && !flag.starts_with("-D");
    return std::string_view();
  }
  if (flag.size() == 2 && word.size() > 2 && word.starts_with(flag) && digits(word.substr(2))) return word.substr(2);
  return std::nullopt;
}

bool is_false(std::string_view value) { return value == "false" || value == "0" || value == "no" || value == "off"; }

bool flag_holds(const Condition& condition, const std::vector<std::string>& words) {
  bool found = false;
  each_flag(words, condition.name, [&](std::string_view value) {
    found = condition.value.empty() ? value != "false" : glob_match(condition.value, value);
  });
  return found;
}

}  // namespace

void each_flag(const std::vector<std::string>& words, std::string_view flag,
               const std::function<void(std::string_view value)>& use) {
  for (std::size_t at = 0; at < words.size(); ++at) {
    if (words[at].empty() || (words[at].front() == '-') != flag.starts_with('-')) continue;
    bool separate = false;
    const auto value = value_in(words[at], flag, separate);
    if (!value) continue;
    const bool next = separate && at + 1 < words.size();
    use(next ? std::string_view(words[at + 1]) : *value);
  }
}

bool holds(const Condition& condition, const ApplicationFacts& facts) {
  const auto value_fits = [&](std::string_view value) {
    return condition.value.empty() ? !value.empty() && !is_false(value) : glob_match(condition.value, value);
  };
  switch (condition.kind) {
    case Condition::Kind::kFlag: return flag_holds(condition, facts.program.argv);
    case Condition::Kind::kEnv: {
      const Environment::Value value = facts.environment.get(condition.name);
      return value.state == Environment::State::kLiteral && value_fits(value.text);
    }
    case Condition::Kind::kAnnotation: {
      const std::string* value = objects::find(facts.annotations, condition.name);
      return value != nullptr && value_fits(*value);
    }
    case Condition::Kind::kArg:
      return std::any_of(facts.program.argv.begin(), facts.program.argv.end(),
                         [&](const std::string& word) { return glob_match(condition.name, word); });
    case Condition::Kind::kImage: return is_image(std::span(&condition.name, 1), facts.image);
    case Condition::Kind::kNotProcessOne: return !facts.program.process_one;
    case Condition::Kind::kLabel:
    case Condition::Kind::kNamespaceLabel: return false;  // only for injection
  }
  return false;
}

bool applies(Conditions when, Conditions unless, const ApplicationFacts& facts) {
  const auto any = [&](Conditions list) {
    return std::any_of(list.begin(), list.end(), [&](const Condition& each) { return holds(each, facts); });
  };
  return (when.empty() || any(when)) && !any(unless);
}

bool applies(Names signals, std::string_view signal) {
  return signals.empty() || std::find(signals.begin(), signals.end(), signal) != signals.end();
}

std::optional<std::string_view> value_of_key(std::string_view text, std::string_view key) {
  text = text.substr(0, kMaxText);
  const std::size_t found = text.find(key);
  if (found == std::string_view::npos) return std::nullopt;
  std::string_view rest = text.substr(found + key.size());
  const std::size_t start = rest.find_first_not_of(" \t:=\"'");
  if (start == std::string_view::npos || start == 0) return std::nullopt;
  rest.remove_prefix(start);
  return rest.substr(0, rest.find_first_of(" \t\r\n;,}\"'"));
}

std::vector<std::string> split_flags(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  bool in_word = false;
  char quote = '\0';
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (quote != '\0') {
      if (c == quote) {
        quote = '\0';
      } else {
        word += c;
      }
    } else if (c == '\'' || c == '"') {
      quote = c;
      in_word = true;
    } else if (c == '\\' && at + 1 < text.size()) {
      word += text[++at];
      in_word = true;
    } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      if (in_word) words.push_back(std::move(word));
      word.clear();
      in_word = false;
    } else {
      word += c;
      in_word = true;
    }
  }
  if (in_word) words.push_back(std::move(word));
  return words;
}

}  // namespace shutdown_auditor::audit
