#include "audit/shell_parser.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace shutdown_auditor::audit {
namespace {

using Kind = ShellToken::Kind;

constexpr std::array<std::string_view, 22> kReserved{"if",   "then", "else", "elif",     "fi",     "for",  "while", "until",
                                                     "do",   "done", "case", "esac",     "in",     "{",    "}",     "!",
                                                     "[[",   "time", "select", "function", "coproc", "]]"};

bool is_reserved(const ShellToken& token) {
  return !token.quoted && std::find(kReserved.begin(), kReserved.end(), token.text) != kReserved.end();
}

// NAME=… in front of a command.
bool is_assignment(const ShellToken& token) {
  const std::size_t equals = token.text.find('=');
  if (equals == std::string_view::npos || equals == 0) return false;
  const std::string_view name = token.text.substr(0, equals);
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  return letter(name.front()) &&
         std::all_of(name.begin(), name.end(), [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

bool is_redirection(const ShellToken& token) {
  return token.kind == Kind::kOperator && !token.text.empty() && (token.text[0] == '<' || token.text[0] == '>');
}

// Output that can neither fail nor block: the null device, another descriptor, the main process's output.
bool is_harmless_target(std::string_view op, const ShellToken& target) {
  if (!target.literal()) return false;
  static constexpr std::array<std::string_view, 6> kTargets{"/dev/null",   "/dev/stdout",    "/dev/stderr",
                                                            "/proc/1/fd/1", "/proc/1/fd/2", "/proc/self/fd/1"};
  if (op == ">&") return target.value == "1" || target.value == "2";
  return (op == ">" || op == ">>" || op == ">|") &&
         std::find(kTargets.begin(), kTargets.end(), target.value) != kTargets.end();
}

}  // namespace

bool ShellParser::finish(End end, std::string what) {
  end_ = end;
  what_ = std::move(what);
  return false;
}

// A single & somewhere behind: what stands before it in the same list may run beside the rest.
bool ShellParser::background_follows() const {
  const std::string_view rest = script_.substr(std::min(token_.position, script_.size()));
  for (std::size_t i = 0; i < rest.size(); ++i) {
    if (rest[i] != '&') continue;
    if (i + 1 < rest.size() && rest[i + 1] == '&') {
      ++i;
    } else if (i == 0 || (rest[i - 1] != '>' && rest[i - 1] != '<')) {
      return true;
    }
  }
  return false;
}

bool ShellParser::next(ShellList& list) {
  list.items.clear();
  line_complete_ = false;
  if (end_ != End::kNone) return false;
  while (token_.kind == Kind::kNewline) advance();
  if (token_.kind == Kind::kEnd) return finish(End::kScript, {});

  ShellList::Joiner joiner = ShellList::Joiner::kFirst;
  while (true) {
    ShellList::Item item{joiner, {}};
    if (!read_command(item.command)) {
      if (end_ == End::kSyntaxError || background_follows()) list.items.clear();
      return !list.items.empty();
    }
    list.items.push_back(std::move(item));
    if (token_.is_operator("&&") || token_.is_operator("||")) {
      joiner = token_.is_operator("&&") ? ShellList::Joiner::kAnd : ShellList::Joiner::kOr;
      advance();
      while (token_.kind == Kind::kNewline) advance();
      continue;
    }
    if (token_.is_operator(";")) {
      advance();
      line_complete_ = token_.kind == Kind::kNewline || token_.kind == Kind::kEnd;
      return true;
    }
    if (token_.kind == Kind::kNewline || token_.kind == Kind::kEnd) {
      line_complete_ = true;
      return true;
    }
    if (token_.is_operator("|")) {
      list.items.pop_back();
      finish(End::kUnsupported, "a pipeline");
      if (background_follows()) list.items.clear();
    } else if (token_.is_operator("&")) {
      list.items.clear();
      finish(End::kUnsupported, "a command in the background");
    } else if (token_.is_operator("(")) {
      list.items.pop_back();
      finish(End::kUnsupported, "a function");
    } else {
      list.items.clear();
      finish(End::kSyntaxError, token_.kind == Kind::kError ? token_.value : base::quoted(token_.text) + " is out of place");
    }
    return !list.items.empty();
  }
}

bool ShellParser::read_command(ShellCommand& command) {
  if (token_.kind == Kind::kError) return finish(End::kSyntaxError, token_.value);
  if (token_.kind == Kind::kEnd) return finish(End::kSyntaxError, "a command is missing at the end");
  if (token_.is_operator("(")) return finish(End::kUnsupported, "a group of commands");
  if (token_.kind == Kind::kOperator && !is_redirection(token_)) {
    return finish(End::kSyntaxError, base::quoted(token_.text) + " without a command before it");
  }
  if (token_.kind == Kind::kWord && is_reserved(token_)) {
    return finish(End::kUnsupported, "\"" + std::string(token_.text) + "\"");
  }
  while (true) {
    if (token_.kind == Kind::kIoNumber || is_redirection(token_)) {
      if (!read_redirection(command)) return false;
    } else if (token_.kind != Kind::kWord) {
      break;
    } else if (command.words.empty() && is_assignment(token_)) {
      command.assigns_substitution = command.assigns_substitution || token_.substitution;
      advance();
    } else {
      command.words.push_back(std::move(token_));
      advance();
    }
  }
  if (token_.kind == Kind::kError) return finish(End::kSyntaxError, token_.value);
  return true;
}

bool ShellParser::read_redirection(ShellCommand& command) {
  if (token_.kind == Kind::kIoNumber) advance();
  const std::string_view op = token_.text;
  if (op == "<<" || op == "<<-") return finish(End::kUnsupported, "a here-document");
  advance();
  if (token_.kind == Kind::kError) return finish(End::kSyntaxError, token_.value);
  if (token_.kind != Kind::kWord && token_.kind != Kind::kIoNumber) {
    return finish(End::kSyntaxError, "a redirection without a file");
  }
  if (!is_harmless_target(op, token_) && command.redirection.empty()) {
    command.redirection = std::string(op) + base::truncate_utf8(token_.text, 60);
  }
  advance();
  return true;
}

}  // namespace shutdown_auditor::audit
