#include "audit/shell_expansion.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "audit/excerpt.h"
#include "audit/shell_arithmetic.h"
#include "base/text.h"

namespace shutdown_auditor::audit {
namespace {

constexpr std::int64_t kMaxFields = 10'000;

bool is_name_start(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_name(char c) { return is_name_start(c) || (c >= '0' && c <= '9'); }
bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n'; }

// Behind the bracket that closes what opens at `begin`; the tokenizer has seen to it that there is one.
std::size_t end_of(std::string_view text, std::size_t begin, char open, char close) {
  int depth = 0;
  for (std::size_t i = begin; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\\') {
      ++i;
    } else if (c == '\'' && open == '(') {
      i = std::min(text.find('\'', i + 1), text.size());
    } else if (c == open) {
      ++depth;
    } else if (c == close && --depth == 0) {
      return i + 1;
    }
  }
  return text.size();
}

class Expander {
 public:
  Expander(const ShellToken& word, ShellVariables& variables, const ShellSubstitution& substitute)
      : text_(word.text), variables_(variables), substitute_(substitute) {}

  ShellFields expand() {
    while (at_ < text_.size()) step();
    if (open_) close_field();
    result_.least = result_.certain ? result_.fields.size() : 0;
    return std::move(result_);
  }

 private:
  void step() {
    const char c = text_[at_];
    if (c == '\'' && !quoted_) {
      const std::size_t end = std::min(text_.find('\'', at_ + 1), text_.size());
      add(text_.substr(at_ + 1, end - at_ - 1));
      at_ = std::min(end + 1, text_.size());
    } else if (c == '"') {
      quoted_ = !quoted_;
      open_ = true;
      ++at_;
    } else if (c == '\\') {
      backslash();
    } else if (c == '$') {
      dollar();
    } else if (c == '`') {
      const std::size_t end = std::min(text_.find('`', at_ + 1), text_.size());
      substitution(text_.substr(at_ + 1, end - at_ - 1), text_.substr(at_, end + 1 - at_));
      at_ = std::min(end + 1, text_.size());
    } else {
      add(text_.substr(at_, 1));
      ++at_;
    }
  }

  void backslash() {
    const char next = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
    if (next == '\n') {
      at_ += 2;
    } else if (next == '\0' || (quoted_ && std::string_view("$`\"\\").find(next) == std::string_view::npos)) {
      add("\\");
      ++at_;
    } else {
      add(text_.substr(at_ + 1, 1));
      at_ += 2;
    }
  }

  void dollar() {
    const std::size_t begin = at_;
    const char next = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
    if (next == '(') {
      at_ = end_of(text_, at_ + 1, '(', ')');
      const std::string_view whole = text_.substr(begin, at_ - begin);
      if (whole.starts_with("$((") && whole.ends_with("))")) {
        arithmetic(whole);
      } else {
        substitution(whole.size() >= 3 ? whole.substr(2, whole.size() - 3) : std::string_view(), whole);
      }
    } else if (next == '{') {
      at_ = end_of(text_, at_ + 1, '{', '}');
      braces(text_.substr(begin, at_ - begin));
    } else if (is_name_start(next)) {
      ++at_;
      while (at_ < text_.size() && is_name(text_[at_])) ++at_;
      parameter(text_.substr(begin + 1, at_ - begin - 1), text_.substr(begin, at_ - begin));
    } else if (next != '\0' && std::string_view("@*#?-$!0123456789").find(next) != std::string_view::npos) {
      at_ += 2;
      parameter(text_.substr(begin + 1, 1), text_.substr(begin, 2));
    } else {
      if (next == '\'' && !quoted_) not_known("the word " + excerpt(text_, 40) + " is not read", "");
      add("$");
      ++at_;
    }
  }

  // ${NAME}, ${NAME:-default} and its kin.
  void braces(std::string_view whole) {
    const std::string_view inner = whole.size() >= 3 ? whole.substr(2, whole.size() - 3) : std::string_view();
    std::size_t end = 0;
    while (end < inner.size() && is_name(inner[end])) ++end;
    const std::string_view name = inner.substr(0, end);
    std::string_view rest = inner.substr(end);
    if (name.empty() || (!rest.empty() && rest[0] != ':' && rest[0] != '-' && rest[0] != '=')) {
      not_known("the expansion " + excerpt(whole, 40) + " is not read", whole);
      return;
    }
    if (rest.empty()) {
      parameter(name, whole);
      return;
    }
    const bool colon = rest[0] == ':';
    if (colon) rest.remove_prefix(1);
    const char op = rest.empty() ? '\0' : rest[0];
    std::string_view word = rest.empty() ? rest : rest.substr(1);
    const bool literal = word.find_first_of("$`\\") == std::string_view::npos;
    if ((op != '-' && op != '=') || !literal) {
      not_known("the expansion " + excerpt(whole, 40) + " is not read", whole);
      return;
    }
    if (word.size() >= 2 && (word.front() == '"' || word.front() == '\'') && word.back() == word.front()) {
      word = word.substr(1, word.size() - 2);
    }
    const std::optional<std::string> value = variables_.get(name);
    if (value) {
      add_value(value->empty() && colon ? std::string(word) : *value);
      return;
    }
    result_.certain = false;
    say(variables_.why_not(name));
    add_value(std::string(word));
    if (op == '=') variables_.set(name, std::nullopt);
  }

  void parameter(std::string_view name, std::string_view whole) {
    const std::optional<std::string> value = variables_.get(name);
    if (value) {
      add_value(*value);
    } else {
      not_known(variables_.why_not(name), whole);
    }
  }

  void arithmetic(std::string_view whole) {
    const auto value = evaluate_arithmetic(
        whole.substr(3, whole.size() - 5), [this](std::string_view name) { return variables_.number(name); },
        [this](std::string_view name, std::optional<std::int64_t> number) {
          variables_.set(name, number ? std::optional(std::to_string(*number)) : std::nullopt);
        });
    if (value) {
      add(std::to_string(*value));
    } else {
      not_known("the value of " + excerpt(whole, 40) + " is not in the manifest", whole);
    }
  }

  void substitution(std::string_view script, std::string_view whole) {
    const auto upper = [](char c) { return (c >= 'A' && c <= 'Z') || c == '_' || (c >= '0' && c <= '9'); };
    if (whole.starts_with("$(") && !script.empty() && std::all_of(script.begin(), script.end(), upper)) {
      result_.not_expanded = true;
    }
    std::optional<std::string> value = substitute_(script);
    if (value) {
      while (!value->empty() && value->back() == '\n') value->pop_back();
      add_value(*value);
    } else {
      not_known("what " + excerpt(whole) + " gives is not in the manifest", whole);
    }
  }

  void say(std::string why) {
    if (result_.why.empty()) result_.why = std::move(why);
  }
  void not_known(std::string why, std::string_view written) {
    result_.certain = result_.likely = false;
    say(std::move(why));
    add(written);
  }

  void add(std::string_view text) {
    field_ += text;
    open_ = true;
  }
  // The value of an expansion: outside double quotes it is split.
  void add_value(std::string_view value) {
    if (quoted_) {
      add(value);
      return;
    }
    for (std::size_t i = 0; i < value.size();) {
      if (is_blank(value[i])) {
        if (open_) close_field();
        ++i;
        continue;
      }
      const std::size_t end = std::min(value.find_first_of(" \t\n", i), value.size());
      add(value.substr(i, end - i));
      i = end;
    }
  }
  void close_field() {
    result_.fields.push_back(std::exchange(field_, {}));
    open_ = false;
  }

  std::string_view text_;
  ShellVariables& variables_;
  const ShellSubstitution& substitute_;
  ShellFields result_;
  std::size_t at_ = 0;
  bool quoted_ = false;
  std::string field_;
  bool open_ = false;
};

// {1..10}, when the word is nothing else.
std::optional<std::pair<std::int64_t, std::int64_t>> range_of(std::string_view text) {
  if (text.size() < 6 || text.front() != '{' || text.back() != '}') return std::nullopt;
  const std::size_t dots = text.find("..");
  if (dots == std::string_view::npos) return std::nullopt;
  const auto first = base::parse_int64(text.substr(1, dots - 1));
  const auto last = base::parse_int64(text.substr(dots + 2, text.size() - dots - 3));
  if (!first || !last || *first < 0 || *last < 0 || *first > kMaxFields || *last > kMaxFields) return std::nullopt;
  return std::pair(*first, *last);
}

}  // namespace

ShellFields expand_word(const ShellToken& word, const LazyFlavor& flavor, ShellVariables& variables,
                        const ShellSubstitution& substitute) {
  ShellFields result;
  const bool plain = !word.parameter && !word.substitution;
  const auto range = plain && word.pattern && !word.quoted ? range_of(word.text) : std::nullopt;
  if (range && (flavor == ShellFlavor::kBash || flavor == ShellFlavor::kUnknown)) {
    const std::int64_t step = range->first <= range->second ? 1 : -1;
    for (std::int64_t i = range->first; i != range->second + step; i += step) result.fields.push_back(std::to_string(i));
    result.certain = flavor == ShellFlavor::kBash;
    result.least = result.certain ? result.fields.size() : 1;
    if (!result.certain) result.why = excerpt(word.text, 40) + " is expanded by bash only";
    return result;
  }
  if (plain) {
    result.fields.push_back(word.value);
    result.least = 1;
    return result;
  }
  return Expander(word, variables, substitute).expand();
}

}  // namespace shutdown_auditor::audit
