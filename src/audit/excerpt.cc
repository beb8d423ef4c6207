#include "audit/excerpt.h"

#include <algorithm>
#include <array>
#include <vector>

#include "audit/words.h"
#include "base/text.h"

namespace shutdown_auditor::audit {
namespace {

constexpr std::string_view kCut = "…";
constexpr std::size_t kMaxWords = 8;
constexpr std::size_t kMaxMixed = 20;      // letters and digits in a row: longer ones look like a token
constexpr std::size_t kMaxOperand = 12;
constexpr std::size_t kMaxTimeOperand = 20;
constexpr std::array<std::string_view, 6> kShells{"sh", "bash", "ash", "dash", "zsh", "ksh"};
constexpr std::array<std::string_view, 3> kPlainOperands{"sleep", "kill", "nginx"};
constexpr std::array<std::string_view, 4> kOrders{"quit", "stop", "reload", "reopen"};
constexpr std::array<std::string_view, 10> kSignals{"TERM", "INT",  "QUIT",  "HUP",  "KILL",
                                                    "USR1", "USR2", "WINCH", "STOP", "CONT"};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_name(char c) { return is_digit(c) || is_letter(c) || c == '_'; }
bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// The first words; more than kMaxWords are not needed.
std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  while (words.size() < kMaxWords) {
    const auto begin = std::find_if_not(text.begin(), text.end(), is_blank);
    const auto end = std::find_if(begin, text.end(), is_blank);
    if (begin == end) break;
    words.push_back(text.substr(static_cast<std::size_t>(begin - text.begin()), static_cast<std::size_t>(end - begin)));
    text.remove_prefix(static_cast<std::size_t>(end - text.begin()));
  }
  return words;
}

bool looks_like_token(std::string_view text) {
  std::size_t row = 0;
  bool digit = false;
  for (const char c : text) {
    const bool counts = is_digit(c) || is_letter(c);
    row = counts ? row + 1 : 0;
    digit = counts && (digit || is_digit(c));
    if (row > kMaxMixed && digit) return true;
  }
  return false;
}

// "$NAME", "${NAME}", "$(NAME)", "`NAME`" whole; of longer expansions the name alone.
std::string reference(std::string_view text, std::string_view open, char close) {
  const std::string_view inner = text.substr(open.size());
  const std::size_t end = static_cast<std::size_t>(std::find_if_not(inner.begin(), inner.end(), is_name) - inner.begin());
  if (looks_like_token(inner.substr(0, end))) return std::string(kCut);
  std::string out = std::string(open) + std::string(inner.substr(0, end));
  if (close == '\0') return inner.size() == end ? out : out + std::string(kCut);
  const bool whole = inner.size() == end + 1 && inner[end] == close;
  return out + (whole ? std::string() : std::string(kCut)) + close;
}

// A program or a function as far as it is one.
std::string program(std::string_view word) {
  if (word.starts_with("$((")) return "$((" + std::string(kCut) + "))";
  if (word.starts_with("${")) return reference(word, "${", '}');
  if (word.starts_with("$(")) return reference(word, "$(", ')');
  if (word.starts_with("$")) return reference(word, "$", '\0');
  if (word.starts_with("`")) return reference(word, "`", '`');
  const auto operators = [](char c) { return std::string_view("&|;<>(){}[]!:").find(c) != std::string_view::npos; };
  if (word.size() <= 3 && std::all_of(word.begin(), word.end(), operators)) return std::string(word);
  const auto plain = [](char c) { return is_name(c) || std::string_view("./+-").find(c) != std::string_view::npos; };
  const std::size_t end = static_cast<std::size_t>(std::find_if_not(word.begin(), word.end(), plain) - word.begin());
  const std::string_view shown = word.substr(0, end);
  if (looks_like_token(shown)) return std::string(kCut);
  return std::string(shown) + (end < word.size() ? std::string(kCut) : std::string());
}

bool is_operand(std::string_view word) {
  if (word.ends_with(';')) word.remove_suffix(1);
  if (word.empty() || word.size() > kMaxOperand) return false;
  if (word.starts_with("-")) {
    word.remove_prefix(1);
    if (word.size() == 1) return true;
    if (word.starts_with("SIG")) word.remove_prefix(3);
    return is_one_of(word, kSignals) || std::all_of(word.begin(), word.end(), is_digit);
  }
  return is_one_of(word, kOrders) || (word.starts_with("$") && program(word) == word) ||
         (is_digit(word.front()) && std::all_of(word.begin(), word.end(), [](char c) { return is_name(c) || c == '.'; })) ||
         word == "infinity";
}

bool is_number_with_unit(std::string_view text) {
  if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
  const auto number = [](char c) { return is_digit(c) || c == '.'; };
  const auto unit = std::find_if_not(text.begin(), text.end(), number);
  const bool short_enough = text.size() <= kMaxOperand && text.end() - unit <= 2;
  return unit != text.begin() && short_enough && std::all_of(unit, text.end(), is_letter);
}

}  // namespace

std::string excerpt(std::string_view text, std::size_t max_bytes) {
  const std::vector<std::string_view> words = words_of(text.substr(0, std::min<std::size_t>(text.size(), 4096)));
  std::string out;
  const auto add = [&out](std::string_view word) { out.append(out.empty() ? "" : " ").append(word); };
  for (std::size_t i = 0; i < words.size();) {
    const std::string name = program(words[i]);
    add(name);
    if (name != words[i]) break;
    const std::string_view base = base_name(words[i++]);
    const bool options = i < words.size() && words[i].size() > 1 && words[i].size() <= 5 && words[i][0] == '-' &&
                         std::all_of(words[i].begin() + 1, words[i].end(), is_letter);
    if (is_one_of(base, kShells) && options && words[i].find('c') != std::string_view::npos) {
      add(words[i++]);
      continue;
    }
    while (is_one_of(base, kPlainOperands) && i < words.size() && is_operand(words[i])) add(words[i++]);
    if (i < words.size()) add(kCut);
    break;
  }
  return base::quoted(out, max_bytes);
}

std::string operand_excerpt(std::string_view text) {
  const bool time = !text.empty() && text.size() <= kMaxTimeOperand &&
                    (is_digit(text[0]) || (text.size() > 1 && (text[0] == '-' || text[0] == '.') && is_digit(text[1])));
  return time ? base::quoted(text) : excerpt(text);
}

std::string env_excerpt(std::string_view text) {
  return is_number_with_unit(text) ? base::quoted(text) : std::string("(not a number, and not shown)");
}

std::string path_excerpt(std::string_view path, std::size_t max_bytes) {
  const std::size_t query = path.find_first_of("?#");
  std::string out(path.substr(0, query));
  if (looks_like_token(out)) out = std::string(kCut);
  return base::quoted(out + (query == std::string_view::npos ? "" : std::string(kCut)), max_bytes);
}

}  // namespace shutdown_auditor::audit
