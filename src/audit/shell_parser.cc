#include "audit/shell_syntax.h"

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "audit/excerpt.h"
#include "base/text.h"

namespace shutdown_auditor::audit {
namespace {

using Kind = ShellToken::Kind;
using Node = ShellNode;
using Index = std::uint32_t;
using Words = std::initializer_list<std::string_view>;

constexpr Index kNone = Node::kNone;
constexpr int kMaxDepth = 100;
constexpr std::size_t kMaxParts = 65536;

bool is_redirection(const ShellToken& token) {
  return token.kind == Kind::kOperator && !token.text.empty() && (token.text[0] == '<' || token.text[0] == '>');
}

// Functions that read a part return its node, or kNone after the reading ended.
class Parser {
 public:
  Parser(std::string_view text, bool bash) : tokenizer_(text), bash_(bash) { advance(); }

  ShellScript parse() {
    // Enough for most hooks.
    script_.nodes.reserve(8);
    script_.words.reserve(8);
    while (true) {
      skip_newlines();
      if (token_.kind == Kind::kEnd) break;
      const Index list = read_list({}, true);
      if (list == kNone) break;
      if (token_.kind != Kind::kEnd && token_.kind != Kind::kNewline) {
        error(token_.kind == Kind::kError ? token_.value : excerpt(token_.text, 20) + " is out of place");
        break;
      }
      if (tokenizer_.doubtful()) {
        unsupported("a here-document or case inside $( )");
        break;
      }
      const bool newline = token_.kind == Kind::kNewline;
      script_.lines.push_back({list, token_.position + (newline ? 1 : 0), newline});
      if (newline) advance();
    }
    for (const auto& [redirection, number] : documents_) {
      script_.redirections[redirection].document = tokenizer_.here_document(number);
    }
    script_.steps = tokenizer_.steps();
    return std::move(script_);
  }

 private:
  void advance() { token_ = tokenizer_.next(); }
  void skip_newlines() {
    while (token_.kind == Kind::kNewline) advance();
  }

  Index finish(ShellScript::End end, std::string what) {
    if (script_.end == ShellScript::End::kComplete) {
      script_.end = end;
      script_.what = std::move(what);
    }
    return kNone;
  }
  Index unsupported(std::string what) { return finish(ShellScript::End::kUnsupported, std::move(what)); }
  // Where words may have been read wrongly, an error may be none.
  Index error(std::string what) {
    return finish(tokenizer_.doubtful() ? ShellScript::End::kUnsupported : ShellScript::End::kSyntaxError, std::move(what));
  }
  Index missing(std::string_view what) {
    if (token_.kind == Kind::kError) return error(token_.value);
    if (token_.kind == Kind::kEnd) return error(std::string(what) + " is missing at the end");
    if (token_.kind == Kind::kNewline) return error(std::string(what) + " is missing at the end of a line");
    return error(std::string(what) + " is missing before " + excerpt(token_.text, 20));
  }
  bool refuse(std::string_view what) {
    missing(what);
    return false;
  }

  Node& at(Index index) { return script_.nodes[index]; }
  Index add(Node::Kind kind) {
    Node node;
    node.kind = kind;
    node.first_word = static_cast<Index>(script_.words.size());
    node.first_redirection = static_cast<Index>(script_.redirections.size());
    script_.nodes.push_back(node);
    return static_cast<Index>(script_.nodes.size() - 1);
  }
  void add_word(Index index) {
    script_.words.push_back(std::move(token_));
    ++at(index).words;
    advance();
  }
  // Children are appended in order; `last` is the one before.
  void append(Index parent, Index& last, Index child) {
    (last == kNone ? at(parent).first_child : at(last).next) = child;
    last = child;
  }
  Index wrap(Node::Kind kind, Index child) {
    if (child == kNone) return kNone;
    const Index parent = add(kind);
    at(parent).first_child = child;
    return parent;
  }
  bool full() const { return script_.nodes.size() + script_.words.size() + script_.redirections.size() > kMaxParts; }

  bool at_word(std::string_view word) const { return token_.kind == Kind::kWord && !token_.quoted && token_.text == word; }
  bool at_end_of(Words ends) const {
    return std::any_of(ends.begin(), ends.end(),
                       [&](std::string_view end) { return token_.is_operator(end) || at_word(end); });
  }
  bool take_word(std::string_view word) {
    if (!at_word(word)) return refuse(base::quoted(word));
    advance();
    return true;
  }
  bool take_operator(std::string_view text) {
    if (!token_.is_operator(text)) return refuse(base::quoted(text));
    advance();
    return true;
  }

  // Commands up to a word or operator of `ends`; of a `line`, up to the newline.
  Index read_list(Words ends, bool line) {
    const Index list = add(Node::Kind::kSequence);
    Index last = kNone;
    if (!line) skip_newlines();
    while (!at_end_of(ends) && token_.kind != Kind::kEnd) {
      const Index item = read_and_or();
      if (item == kNone) return kNone;
      append(list, last, item);
      if (token_.is_operator("&")) {
        at(item).background = true;
      } else if (!token_.is_operator(";") && token_.kind != Kind::kNewline) {
        break;
      }
      if (line && token_.kind == Kind::kNewline) break;
      advance();
      if (line && token_.kind == Kind::kNewline) break;
      if (!line) skip_newlines();
    }
    if (last == kNone) return missing("a command");
    return list;
  }

  Index read_and_or() {
    const Index first = read_pipeline();
    if (first == kNone || !(token_.is_operator("&&") || token_.is_operator("||"))) return first;
    const Index list = add(Node::Kind::kAndOr);
    Index last = kNone;
    append(list, last, first);
    while (token_.is_operator("&&") || token_.is_operator("||")) {
      const Node::Joiner joiner = token_.is_operator("&&") ? Node::Joiner::kAnd : Node::Joiner::kOr;
      advance();
      skip_newlines();
      const Index next = read_pipeline();
      if (next == kNone) return kNone;
      at(next).joiner = joiner;
      append(list, last, next);
    }
    return list;
  }

  Index read_pipeline() {
    if (at_word("!")) {
      advance();
      if (at_word("!")) return unsupported("\"! !\"");
      return nested([this] { return wrap(Node::Kind::kNot, read_pipeline()); });
    }
    if (at_word("time")) {
      advance();
      if (at_word("-p")) advance();
      if (token_.kind != Kind::kWord && !token_.is_operator("(")) return add(Node::Kind::kSimple);
      return nested([this] { return wrap(Node::Kind::kTime, read_pipeline()); });
    }
    const Index first = read_command();
    if (first == kNone || !token_.is_operator("|")) return first;
    const Index pipeline = add(Node::Kind::kPipeline);
    Index last = kNone;
    append(pipeline, last, first);
    while (token_.is_operator("|")) {
      advance();
      if (token_.is_operator("&")) return unsupported("\"|&\"");
      skip_newlines();
      if (at_word("!")) return error("\"!\" is out of place");
      const Index next = read_command();
      if (next == kNone) return kNone;
      append(pipeline, last, next);
    }
    return pipeline;
  }

  template <class Read>
  Index nested(Read read) {
    if (depth_ >= kMaxDepth) return unsupported("nesting of more than 100 levels");
    ++depth_;
    const Index index = read();
    --depth_;
    return index;
  }

  Index read_command() {
    if (full()) return unsupported("more than 65536 words and commands");
    const Index index = nested([this] { return read_any_command(); });
    if (index == kNone || at(index).kind == Node::Kind::kSimple) return index;
    // Redirections of a compound command.
    at(index).first_redirection = static_cast<Index>(script_.redirections.size());
    while (at_redirection()) {
      if (!read_redirection(index)) return kNone;
    }
    return index;
  }

  Index read_any_command() {
    if (token_.is_operator("(")) return read_brackets();
    if (token_.kind != Kind::kWord || token_.quoted) return read_simple();
    const std::string_view word = token_.text;
    if (word == "{") {
      advance();
      const Index list = read_list({"}"}, false);
      return list != kNone && take_word("}") ? wrap(Node::Kind::kGroup, list) : kNone;
    }
    if (word == "if") return read_if();
    if (word == "while") return read_loop(Node::Kind::kWhile);
    if (word == "until") return read_loop(Node::Kind::kUntil);
    if (word == "for") return read_for();
    if (word == "case") return read_case();
    if (word == "[[") return read_test();
    if (word == "function") {
      advance();
      if (token_.kind != Kind::kWord) return missing("the name of a function");
      ShellToken name = std::move(token_);
      advance();
      if (token_.is_operator("(")) {
        advance();
        if (!take_operator(")")) return kNone;
      }
      return read_function(std::move(name));
    }
    if (word == "select" || word == "coproc") return unsupported(base::quoted(word));
    for (const std::string_view misplaced : {"then", "else", "elif", "fi", "do", "done", "esac", "}"}) {
      if (word == misplaced) return error(base::quoted(word) + " is out of place");
    }
    return read_simple();
  }

  // ( list ) or (( expression ))
  Index read_brackets() {
    if (tokenizer_.next_is('(')) {
      const Index node = add(Node::Kind::kArithmetic);
      if (!read_arithmetic(node)) return unsupported("\"((\"");
      return node;
    }
    advance();
    const Index list = read_list({")"}, false);
    return list != kNone && take_operator(")") ? wrap(Node::Kind::kSubshell, list) : kNone;
  }
  bool read_arithmetic(Index node) {
    const std::optional<std::string_view> text = tokenizer_.arithmetic();
    if (!text) return false;
    token_ = {};
    token_.kind = Kind::kWord;
    token_.text = *text;
    token_.value = *text;
    add_word(node);
    return true;
  }

  Index read_if() {
    advance();
    const Index node = add(Node::Kind::kIf);
    Index last = kNone;
    const Index condition = read_list({"then"}, false);
    if (condition == kNone || !take_word("then")) return kNone;
    append(node, last, condition);
    const Index then = read_list({"elif", "else", "fi"}, false);
    if (then == kNone) return kNone;
    append(node, last, then);
    if (at_word("elif")) {
      const Index other = nested([this] { return read_if(); });  // takes the "fi"
      if (other == kNone) return kNone;
      append(node, last, other);
      return node;
    }
    if (at_word("else")) {
      advance();
      const Index other = read_list({"fi"}, false);
      if (other == kNone) return kNone;
      append(node, last, other);
    }
    return take_word("fi") ? node : kNone;
  }

  Index read_body() {
    if (!take_word("do")) return kNone;
    const Index body = read_list({"done"}, false);
    return body != kNone && take_word("done") ? body : kNone;
  }

  Index read_loop(Node::Kind kind) {
    advance();
    const Index node = add(kind);
    Index last = kNone;
    const Index condition = read_list({"do"}, false);
    if (condition == kNone) return kNone;
    append(node, last, condition);
    const Index body = read_body();
    if (body == kNone) return kNone;
    append(node, last, body);
    return node;
  }

  Index read_for() {
    advance();
    const Index node = add(Node::Kind::kFor);
    if (token_.is_operator("(") && tokenizer_.next_is('(')) {
      at(node).kind = Node::Kind::kArithmeticFor;
      if (!read_arithmetic(node)) return unsupported("\"((\"");
    } else {
      if (token_.kind != Kind::kWord) return missing("the variable of a loop");
      add_word(node);
      skip_newlines();
      if (at_word("in")) {
        advance();
        at(node).has_values = true;
        while (token_.kind == Kind::kWord) {
          if (full()) return unsupported("more than 65536 words and commands");
          add_word(node);
        }
      }
    }
    if (token_.is_operator(";")) advance();
    skip_newlines();
    const Index body = read_body();
    Index last = kNone;
    if (body != kNone) append(node, last, body);
    return body != kNone ? node : kNone;
  }

  Index read_case() {
    advance();
    const Index node = add(Node::Kind::kCase);
    if (token_.kind != Kind::kWord) return missing("the word after \"case\"");
    add_word(node);
    skip_newlines();
    if (!take_word("in")) return kNone;
    skip_newlines();
    Index last = kNone;
    while (!at_word("esac")) {
      if (full()) return unsupported("more than 65536 words and commands");
      const Index arm = add(Node::Kind::kCaseArm);
      append(node, last, arm);
      if (token_.is_operator("(")) advance();
      while (true) {
        if (token_.kind != Kind::kWord) return missing("a pattern");
        add_word(arm);
        if (!token_.is_operator("|")) break;
        advance();
      }
      if (!take_operator(")")) return kNone;
      skip_newlines();
      if (!at_end_of({";;", ";&", "esac"})) {
        const Index body = read_list({";;", ";&", "esac"}, false);
        if (body == kNone) return kNone;
        at(arm).first_child = body;
      }
      if (at_word("esac")) break;
      if (!at_end_of({";;", ";&"})) return missing("\";;\"");
      advance();
      if (token_.is_operator("&")) advance();
      skip_newlines();
    }
    advance();
    return node;
  }

  Index read_test() {
    const Index node = add(Node::Kind::kTest);
    advance();
    while (!at_word("]]")) {
      if (full()) return unsupported("more than 65536 words and commands");
      if (token_.kind == Kind::kEnd || token_.kind == Kind::kError) return missing("\"]]\"");
      add_word(node);
    }
    advance();
    return node;
  }

  Index read_function(ShellToken name) {
    const Index node = add(Node::Kind::kFunction);
    script_.words.push_back(std::move(name));
    ++at(node).words;
    skip_newlines();
    const Index body = read_command();
    if (body == kNone) return kNone;
    at(node).first_child = body;
    return node;
  }

  bool at_redirection() const {
    return token_.kind == Kind::kIoNumber || is_redirection(token_) ||
           (bash_ && token_.is_operator("&") && tokenizer_.next_is('>'));
  }

  Index read_simple() {
    const Index node = add(Node::Kind::kSimple);
    while (true) {
      if (full()) return unsupported("more than 65536 words and commands");
      if (at_redirection()) {
        if (!read_redirection(node)) return kNone;
        continue;
      }
      if (token_.kind != Kind::kWord) break;
      const bool assignment = at(node).assignments == at(node).words && is_shell_assignment(token_.text);
      if (assignment) ++at(node).assignments;
      add_word(node);
      if (assignment && token_.is_operator("(")) return unsupported("an array");
    }
    if (token_.kind == Kind::kError) return error(token_.value);
    if (at(node).words == 0 && at(node).redirections == 0) return missing("a command");
    if (token_.is_operator("(")) {
      if (at(node).words != 1 || at(node).redirections != 0) return error("\"(\" is out of place");
      ShellToken name = std::move(script_.words.back());
      script_.words.pop_back();
      script_.nodes.pop_back();
      advance();
      return take_operator(")") ? read_function(std::move(name)) : kNone;
    }
    return node;
  }

  bool read_redirection(Index node) {
    ShellRedirection redirection;
    if (token_.kind == Kind::kIoNumber) {
      redirection.descriptor = token_.text.size() == 1 ? token_.text[0] - '0' : 10;
      advance();
    }
    redirection.op = token_.text;
    if (redirection.op == "&") {
      advance();
      redirection.op = "&>";
    }
    const bool document = redirection.op == "<<" || redirection.op == "<<-";
    advance();
    if (token_.is_operator("(")) {
      unsupported("process substitution");
      return false;
    }
    if (token_.kind != Kind::kWord && token_.kind != Kind::kIoNumber) return refuse("the file of a redirection");
    if (document) {
      documents_.emplace_back(script_.redirections.size(),
                              tokenizer_.expect_here_document(token_, redirection.op == "<<-"));
    }
    redirection.target = std::move(token_);
    script_.redirections.push_back(std::move(redirection));
    ++at(node).redirections;
    advance();
    return true;
  }

  ShellTokenizer tokenizer_;
  bool bash_;
  ShellToken token_;
  ShellScript script_;
  std::vector<std::pair<std::size_t, std::size_t>> documents_;  // redirection, number of its here-document
  int depth_ = 0;
};

}  // namespace

ShellScript parse_shell(std::string_view script, bool bash) { return Parser(script, bash).parse(); }

}  // namespace shutdown_auditor::audit
