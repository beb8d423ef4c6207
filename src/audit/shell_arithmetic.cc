#include "audit/shell_arithmetic.h"

#include <array>
#include <string>

namespace shutdown_auditor::audit {
namespace {

using Value = std::optional<std::int64_t>;

constexpr int kMaxDepth = 32;
constexpr std::int64_t kLimit = 1'000'000'000'000;  // far from overflow in every operation

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

struct Operator {
  std::string_view text;
  int rank;  // binds tighter
};
constexpr std::array<Operator, 13> kOperators{{{"||", 1}, {"&&", 2}, {"==", 3}, {"!=", 3}, {"<=", 4}, {">=", 4}, {"<", 4},
                                               {">", 4}, {"+", 5}, {"-", 5}, {"*", 6}, {"/", 6}, {"%", 6}}};

Value applied(std::string_view op, std::int64_t a, std::int64_t b) {
  if (op == "||") return (a != 0 || b != 0) ? 1 : 0;
  if (op == "&&") return (a != 0 && b != 0) ? 1 : 0;
  if (op == "==") return a == b ? 1 : 0;
  if (op == "!=") return a != b ? 1 : 0;
  if (op == "<=") return a <= b ? 1 : 0;
  if (op == ">=") return a >= b ? 1 : 0;
  if (op == "<") return a < b ? 1 : 0;
  if (op == ">") return a > b ? 1 : 0;
  if (op == "+") return a + b;
  if (op == "-") return a - b;
  if (op == "*") return (a > 1'000'000 || a < -1'000'000 || b > 1'000'000 || b < -1'000'000) ? Value() : Value(a * b);
  if (b == 0) return std::nullopt;
  return op == "/" ? a / b : a % b;
}

class Evaluator {
 public:
  Evaluator(std::string_view text, const ArithmeticLookup& lookup, const ArithmeticAssign& assign)
      : text_(text), lookup_(lookup), assign_(assign) {}

  Value evaluate() {
    Value value = expression(1, 0);
    while (take(",")) value = expression(1, 0);
    blanks();
    return at_ == text_.size() && !failed_ ? checked(value) : std::nullopt;
  }

 private:
  static Value checked(Value value) { return value && *value <= kLimit && *value >= -kLimit ? value : std::nullopt; }

  void blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n')) ++at_;
  }
  bool take(std::string_view text) {
    blanks();
    if (text_.substr(at_, text.size()) != text) return false;
    at_ += text.size();
    return true;
  }

  Value expression(int rank, int depth) {
    if (depth > kMaxDepth) return fail();
    Value left = operand(depth);
    while (true) {
      blanks();
      const Operator* found = nullptr;
      for (const Operator& each : kOperators) {
        if (text_.substr(at_, each.text.size()) == each.text) {
          found = &each;
          break;
        }
      }
      if (found == nullptr || found->rank < rank) return left;
      at_ += found->text.size();
      const Value right = expression(found->rank + 1, depth + 1);
      left = left && right ? checked(applied(found->text, *left, *right)) : std::nullopt;
    }
  }

  Value operand(int depth) {
    if (take("(")) {
      const Value value = expression(1, depth + 1);
      return take(")") ? value : fail();
    }
    if (take("++") || take("--")) {
      const bool up = text_[at_ - 1] == '+';
      const std::string_view name = read_name();
      return name.empty() ? fail() : changed(name, lookup_(name), up ? 1 : -1);
    }
    for (const std::string_view sign : {"-", "+", "!"}) {
      if (!take(sign)) continue;
      const Value value = depth < kMaxDepth ? operand(depth + 1) : fail();
      if (!value) return value;
      return sign == "-" ? -*value : sign == "!" ? (*value == 0 ? 1 : 0) : *value;
    }
    blanks();
    if (at_ < text_.size() && is_digit(text_[at_])) return number();
    const std::string_view name = read_name();
    return name.empty() ? fail() : variable(name, depth);
  }

  Value number() {
    std::int64_t value = 0;
    const bool octal = text_[at_] == '0' && at_ + 1 < text_.size() && (is_digit(text_[at_ + 1]) || text_[at_ + 1] == 'x');
    for (; at_ < text_.size() && is_digit(text_[at_]); ++at_) {
      if (value <= kLimit) value = value * 10 + (text_[at_] - '0');
    }
    return octal ? fail() : checked(value);
  }

  // NAME, $NAME, ${NAME}
  std::string_view read_name() {
    blanks();
    const bool dollar = at_ < text_.size() && text_[at_] == '$';
    if (dollar) ++at_;
    const bool brace = dollar && at_ < text_.size() && text_[at_] == '{';
    if (brace) ++at_;
    const std::size_t begin = at_;
    while (at_ < text_.size() && (is_name(text_[at_]) || (is_digit(text_[at_]) && (at_ > begin || dollar)))) ++at_;
    const std::string_view name = text_.substr(begin, at_ - begin);
    if (brace && (at_ >= text_.size() || text_[at_++] != '}')) return {};
    return name;
  }

  Value variable(std::string_view name, int depth) {
    if (take("++")) return changed(name, lookup_(name), 1, lookup_(name));
    if (take("--")) return changed(name, lookup_(name), -1, lookup_(name));
    for (const std::string_view op : {"+=", "-="}) {
      if (!take(op)) continue;
      const Value by = expression(1, depth + 1);
      return changed(name, lookup_(name), 0, std::nullopt, by && op == "-=" ? Value(-*by) : by);
    }
    blanks();
    if (text_.substr(at_, 1) == "=" && text_.substr(at_, 2) != "==") {
      ++at_;
      const Value value = checked(expression(1, depth + 1));
      assign_(name, value);
      return value;
    }
    return lookup_(name);
  }

  // Adds to a variable; the value of the expression is the new one unless `before` is given.
  Value changed(std::string_view name, Value old, std::int64_t by, Value before = std::nullopt, Value more = 0) {
    const Value value = old && more ? checked(*old + by + *more) : std::nullopt;
    assign_(name, value);
    return before ? before : value;
  }

  Value fail() {
    failed_ = true;
    at_ = text_.size();
    return std::nullopt;
  }

  std::string_view text_;
  const ArithmeticLookup& lookup_;
  const ArithmeticAssign& assign_;
  std::size_t at_ = 0;
  bool failed_ = false;
};

}  // namespace

std::optional<std::int64_t> evaluate_arithmetic(std::string_view expression, const ArithmeticLookup& lookup,
                                                const ArithmeticAssign& assign) {
  return Evaluator(expression, lookup, assign).evaluate();
}

}  // namespace shutdown_auditor::audit
