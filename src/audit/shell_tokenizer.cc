#include "audit/shell_tokenizer.h"

#include <algorithm>
#include <array>

namespace shutdown_auditor::audit {
namespace {

using Kind = ShellToken::Kind;

bool is_blank(char c) { return c == ' ' || c == '\t'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_upper_name(char c) { return (c >= 'A' && c <= 'Z') || c == '_' || is_digit(c); }
bool starts_operator(char c) { return c != '\0' && std::string_view("&|;<>()").find(c) != std::string_view::npos; }

constexpr std::array<std::string_view, 18> kOperators{"<<-", "<<<", "&&", "||", ";;", ";&", "<<", ">>", "<&",
                                                      ">&",  "<>",  ">|", "&",  "|",  ";",  "<",  ">",  "("};

// What a word with $(…) holds that ends the substitution elsewhere than a count of brackets tells.
bool misleads(std::string_view text) {
  const std::size_t document = text.find("<<");
  return text.find("case") != std::string_view::npos ||
         (document != std::string_view::npos && text.find("$((") == std::string_view::npos);
}

}  // namespace

// Inside an expansion everything is kept as written.
bool ShellTokenizer::raw() const { return nested_ > 0; }

void ShellTokenizer::take(ShellToken& token, std::size_t count) {
  const std::size_t end = std::min(at_ + count, script_.size());
  token.value.append(script_.substr(at_, end - at_));
  steps_ += end - at_;
  at_ = end;
}

void ShellTokenizer::skip(std::size_t count) {
  const std::size_t end = std::min(at_ + count, script_.size());
  steps_ += end - at_;
  at_ = end;
}

void ShellTokenizer::skip_blanks() {
  while (!at_end()) {
    if (is_blank(peek())) {
      skip(1);
    } else if (peek() == '\\' && peek(1) == '\n') {
      skip(2);
    } else if (peek() == '#') {
      while (!at_end() && peek() != '\n') skip(1);
    } else {
      return;
    }
  }
}

ShellToken ShellTokenizer::next() {
  skip_blanks();
  ShellToken token;
  token.position = at_;
  if (at_end()) return token;
  if (peek() == '\n') {
    token.kind = Kind::kNewline;
    token.text = script_.substr(at_, 1);
    skip(1);
    read_here_documents();
    return token;
  }
  return starts_operator(peek()) ? read_operator() : read_word();
}

std::size_t ShellTokenizer::expect_here_document(const ShellToken& delimiter, bool strip_tabs) {
  documents_.push_back({delimiter.value, strip_tabs, {}});
  return documents_.size() - 1;
}

// A body that is not closed reaches to the end: shells warn and go on.
void ShellTokenizer::read_here_documents() {
  for (; documents_read_ < documents_.size(); ++documents_read_) {
    HereDocument& document = documents_[documents_read_];
    const std::size_t begin = at_;
    while (!at_end()) {
      const std::size_t start = at_;
      const std::size_t newline = std::min(script_.find('\n', start), script_.size());
      std::string_view line = script_.substr(start, newline - start);
      skip(std::min(newline + 1, script_.size()) - start);
      if (document.strip_tabs) line.remove_prefix(std::min(line.find_first_not_of('\t'), line.size()));
      if (line == document.delimiter) {
        document.body = script_.substr(begin, start - begin);
        break;
      }
      document.body = script_.substr(begin, at_ - begin);
    }
  }
}

std::optional<std::string_view> ShellTokenizer::arithmetic() {
  skip(1);
  const std::size_t begin = at_;
  std::size_t open = 0;
  while (!at_end()) {
    const char c = peek();
    if (c == ')' && open == 0) {
      if (peek(1) != ')') return std::nullopt;
      skip(2);
      return script_.substr(begin, at_ - 2 - begin);
    }
    if (c == '(') ++open;
    if (c == ')') --open;
    skip(1);
  }
  return std::nullopt;
}

ShellToken ShellTokenizer::read_operator() {
  ShellToken token;
  token.kind = Kind::kOperator;
  token.position = at_;
  const auto* found = std::find_if(kOperators.begin(), kOperators.end(), [&](std::string_view candidate) {
    return script_.substr(at_, candidate.size()) == candidate;
  });
  token.text = script_.substr(at_, found == kOperators.end() ? 1 : found->size());  // ")" is the one not listed
  skip(token.text.size());
  return token;
}

ShellToken ShellTokenizer::read_word() {
  ShellToken token;
  token.kind = Kind::kWord;
  token.position = at_;
  open_.clear();
  nested_ = 0;
  while (!at_end()) {
    const char c = peek();
    if (open_.empty() && (is_blank(c) || c == '\n' || starts_operator(c))) break;
    if (c == '\\') {
      read_backslash(token);
    } else if (c == '\'' || c == '"' || c == '`') {
      if (read_quotes(token)) continue;
      ShellToken error;
      error.kind = Kind::kError;
      error.position = token.position;
      doubtful_ = doubtful_ || (token.substitution && misleads(script_.substr(token.position)));
      error.value = std::string(unclosed_) + " is not closed";
      at_ = script_.size();
      return error;
    } else if (c == '$') {
      read_dollar(token);
    } else {
      const char inner = open_.empty() ? '\0' : open_.back();
      if ((inner == '(' && c == ')') || (inner == '{' && c == '}')) {
        open_.pop_back();
        --nested_;
      } else if (inner == '(' && c == '(') {
        open_.push_back('(');
        ++nested_;
      } else if (inner == '(' && c == '#' && std::string_view(" \t\n;(").find(script_[at_ - 1]) != std::string_view::npos) {
        while (!at_end() && peek() != '\n') take(token, 1);
        continue;
      } else if (open_.empty()) {
        token.pattern = token.pattern || c == '*' || c == '?' || c == '[' || c == '{' || (c == '~' && token.value.empty());
      }
      take(token, 1);
    }
  }
  token.text = script_.substr(token.position, at_ - token.position);
  doubtful_ = doubtful_ || (token.substitution && misleads(token.text));
  if (token.text == "[") token.pattern = false;  // the command, not a bracket expression
  if (!open_.empty()) {
    token.kind = Kind::kError;
    token.value = open_.front() == '"' ? "a double quote is not closed" : "an expansion is not closed";
  } else if ((peek() == '<' || peek() == '>') && !token.text.empty() &&
             std::all_of(token.text.begin(), token.text.end(), is_digit)) {
    token.kind = Kind::kIoNumber;
  }
  return token;
}

void ShellTokenizer::read_backslash(ShellToken& token) {
  if (raw()) {
    take(token, 2);
    return;
  }
  if (peek(1) == '\n') {
    skip(2);
    return;
  }
  token.quoted = true;
  const bool special = std::string_view("$`\"\\").find(peek(1)) != std::string_view::npos;
  if (at_ + 1 >= script_.size() || (in_double_quotes() && !special)) {
    take(token, 1);
    return;
  }
  skip(1);
  take(token, 1);
}

// At a quote character: takes it, and for '…' and `…` all up to the closing one. False when that is missing.
bool ShellTokenizer::read_quotes(ShellToken& token) {
  const char quote = peek();
  if (quote == '"') {
    token.quoted = true;
    if (in_double_quotes()) {
      open_.pop_back();
    } else {
      open_.push_back('"');
    }
    raw() ? take(token, 1) : skip(1);
    return true;
  }
  const bool literal_in = in_double_quotes() || (open_.size() >= 2 && open_.back() == '{' && open_[open_.size() - 2] == '"');
  if (quote == '\'' && literal_in) {
    take(token, 1);
    return true;
  }
  const bool keep = raw() || quote == '`';
  token.quoted = true;
  token.substitution = token.substitution || quote == '`';
  keep ? take(token, 1) : skip(1);
  while (!at_end() && peek() != quote) take(token, quote == '`' && peek() == '\\' ? 2 : 1);
  if (at_end()) {
    unclosed_ = quote == '`' ? "a backquote" : "a single quote";
    return false;
  }
  keep ? take(token, 1) : skip(1);
  return true;
}

void ShellTokenizer::read_dollar(ShellToken& token) {
  const char after = peek(1);
  if (after == '(') {
    token.substitution = true;
    std::size_t end = at_ + 2;
    while (end < script_.size() && is_upper_name(script_[end])) ++end;
    steps_ += end - at_;
    if (end > at_ + 2 && end < script_.size() && script_[end] == ')' && !is_digit(script_[at_ + 2])) {
      token.variable_reference = true;
    }
    open_.push_back('(');
    ++nested_;
    take(token, 2);
  } else if (after == '{') {
    token.parameter = true;
    open_.push_back('{');
    ++nested_;
    take(token, 2);
  } else {
    const bool special = after != '\0' && std::string_view("@*#?-$!").find(after) != std::string_view::npos;
    const bool name = (after >= 'a' && after <= 'z') || is_upper_name(after);
    token.parameter = token.parameter || special || name || (after == '\'' && !in_double_quotes());
    // "$$" and "$?" are whole: what follows must not mean something of its own.
    take(token, special ? 2 : 1);
  }
}

}  // namespace shutdown_auditor::audit
