#include "objects/json_source.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace shutdown_auditor::objects {

base::Result<std::size_t> StringSource::read(std::span<char> buffer) {
  const std::size_t count = rest_.copy(buffer.data(), buffer.size());
  rest_.remove_prefix(count);
  return count;
}

namespace {

// What the parser reads from: a ByteSource through a buffer. A failure of the source looks like the end of the text to
// nlohmann and is reported in its place.
class PulledInput {
 public:
  PulledInput(ByteSource& source, const JsonLimits& limits) : source_(source), limits_(limits), buffer_(kBufferSize) {}

  bool at_end() { return at_ == end_ && !fill(); }
  char current() const { return *at_; }
  void advance() { ++at_; }
  Mark mark() const { return {}; }
  void token_done() { since_token_ = 0; }
  bool ended() const { return ended_; }
  const std::optional<base::Error>& failure() const { return failure_; }

 private:
  static constexpr std::size_t kBufferSize = 65536;

  bool fill() {
    if (ended_) return false;
    ended_ = true;
    if (since_token_ > limits_.max_token_bytes) {
      failure_ = base::Error{base::ErrorKind::kTooLarge,
                             fmt::format("a JSON value is longer than {} bytes", limits_.max_token_bytes)};
      return false;
    }
    base::Result<std::size_t> count = source_.read(buffer_);
    if (!count) {
      failure_ = std::move(count.error());
      return false;
    }
    if (*count == 0) return false;
    ended_ = false;
    since_token_ += *count;
    at_ = buffer_.data();
    end_ = at_ + *count;
    return true;
  }

  ByteSource& source_;
  const JsonLimits& limits_;
  std::vector<char> buffer_;
  const char* at_ = nullptr;
  const char* end_ = nullptr;
  std::size_t since_token_ = 0;
  bool ended_ = false;
  std::optional<base::Error> failure_;
};

// A text in memory. Follows the tokens as it is read, because nlohmann's events do not say where their token began.
class MarkedInput {
 public:
  MarkedInput(std::string_view text, Mark first) : text_(text), here_(first), token_(first) {}

  bool at_end() const { return at_ == text_.size(); }
  char current() const { return text_[at_]; }
  void advance() {
    const char c = text_[at_++];
    if (in_string_) {
      if (escaped_) {
        escaped_ = false;
      } else if (c == '\\') {
        escaped_ = true;
      } else if (c == '"') {
        in_string_ = false;
      }
    } else if (c == '"' || c == '{' || c == '[') {
      token_ = here_;
      in_string_ = c == '"';
      between_ = true;
    } else if (c == ',' || c == ':' || c == '}' || c == ']' || c == ' ' || c == '\n' || c == '\r' || c == '\t') {
      between_ = true;
    } else if (between_) {
      token_ = here_;
      between_ = false;
    }
    if (c == '\n') {
      ++here_.line;
      here_.column = 1;
    } else if ((static_cast<unsigned char>(c) & 0xC0U) != 0x80U) {
      ++here_.column;
    }
  }
  Mark mark() const { return token_; }
  Mark here() const { return here_; }
  std::size_t consumed() const { return at_; }
  void token_done() const {}
  bool ended() const { return at_end(); }
  std::optional<base::Error> failure() const { return std::nullopt; }

 private:
  std::string_view text_;
  std::size_t at_ = 0;
  Mark here_;
  Mark token_;
  bool in_string_ = false;
  bool escaped_ = false;
  bool between_ = true;
};

// The iterator nlohmann wants; one without an input is the end.
template <class Input>
struct InputIterator {
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = char;

  Input* input = nullptr;

  char operator*() const { return input->current(); }
  InputIterator& operator++() {
    input->advance();
    return *this;
  }
  friend bool operator==(const InputIterator& a, const InputIterator& b) {
    const bool a_ended = a.input == nullptr || a.input->at_end();
    const bool b_ended = b.input == nullptr || b.input->at_end();
    return a_ended == b_ended;
  }
  friend bool operator!=(const InputIterator& a, const InputIterator& b) { return !(a == b); }
};

template <class Input>
class Sax final : public nlohmann::json_sax<nlohmann::json> {
 public:
  Sax(Input& input, EventHandler& handler, std::size_t max_depth)
      : input_(input), handler_(handler), max_depth_(max_depth) {}

  // Why parsing ended early; empty when the handler said no.
  const std::optional<base::Error>& problem() const { return problem_; }

  bool null() override { return pass(handler_.null(input_.mark())); }
  bool boolean(bool value) override {
    return pass(handler_.boolean(value, value ? "true" : "false", input_.mark()));
  }
  bool number_integer(number_integer_t value) override {
    std::array<char, 24> text{};
    const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
    return pass(handler_.integer(value, {text.data(), static_cast<std::size_t>(end - text.data())}, input_.mark()));
  }
  bool number_unsigned(number_unsigned_t value) override {
    if (std::in_range<std::int64_t>(value)) return number_integer(static_cast<std::int64_t>(value));
    return pass(handler_.number(static_cast<double>(value), std::to_string(value), input_.mark()));
  }
  bool number_float(number_float_t value, const string_t& text) override {
    return pass(handler_.number(value, text, input_.mark()));
  }
  bool string(string_t& value) override { return pass(handler_.string(value, input_.mark())); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return enter() && pass(handler_.start_object(input_.mark())); }
  bool key(string_t& name) override { return pass(handler_.key(name, input_.mark())); }
  bool end_object() override {
    --depth_;
    return pass(handler_.end_object());
  }
  bool start_array(std::size_t) override { return enter() && pass(handler_.start_array(input_.mark())); }
  bool end_array() override {
    --depth_;
    return pass(handler_.end_array());
  }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception& error) override {
    offset_ = position;
    problem_ = base::Error{base::ErrorKind::kInvalid, reason(error.what())};
    return false;
  }
  std::size_t offset() const { return offset_; }

 private:
  bool pass(bool handler_said) {
    input_.token_done();
    return handler_said;
  }
  bool enter() {
    if (++depth_ <= max_depth_) return true;
    problem_ = base::Error{base::ErrorKind::kInvalid, fmt::format("nested deeper than {}", max_depth_)};
    return false;
  }
  // nlohmann's words without its prefix, and without the text it read: that may be a secret.
  std::string reason(std::string_view what) const {
    if (input_.ended()) return "the text ends too early";
    constexpr std::string_view kSyntax = "syntax error while parsing ";
    if (const std::size_t at = what.find(kSyntax); at != std::string_view::npos) {
      what.remove_prefix(at + kSyntax.size());
      if (const std::size_t dash = what.find(" - "); dash != std::string_view::npos) what.remove_prefix(dash + 3);
    } else if (const std::size_t bracket = what.find("] "); bracket != std::string_view::npos) {
      what.remove_prefix(bracket + 2);
      what = what.substr(0, what.find(" '"));
    }
    return std::string(what.substr(0, what.find("; last read: ")));
  }

  Input& input_;
  EventHandler& handler_;
  std::size_t max_depth_;
  std::size_t depth_ = 0;
  std::size_t offset_ = 0;
  std::optional<base::Error> problem_;
};

}  // namespace

base::Result<void> parse_json(ByteSource& source, EventHandler& handler, const JsonLimits& limits) {
  PulledInput input(source, limits);
  Sax<PulledInput> sax(input, handler, limits.max_depth);
  using Iterator = InputIterator<PulledInput>;
  if (nlohmann::json::sax_parse(Iterator{&input}, Iterator{}, &sax)) return {};
  if (input.failure()) return base::unexpected(*input.failure());
  if (!sax.problem()) return base::unexpected(handler.problem());
  const base::Error& problem = *sax.problem();
  if (sax.offset() == 0) return base::unexpected(problem.with_context("invalid JSON"));
  return base::unexpected(problem.with_context(fmt::format("invalid JSON at byte {}", sax.offset())));
}

base::Result<void> parse_json(std::string_view text, EventHandler& handler, const JsonLimits& limits) {
  StringSource source(text);
  return parse_json(source, handler, limits);
}

base::Result<std::size_t> parse_json_with_marks(std::string_view text, Mark first, EventHandler& handler, Mark& stopped) {
  MarkedInput input(text, first);
  Sax<MarkedInput> sax(input, handler, kMaxDepth);
  using Iterator = InputIterator<MarkedInput>;
  const bool read =
      nlohmann::json::sax_parse(Iterator{&input}, Iterator{}, &sax, nlohmann::json::input_format_t::json, false);
  if (read) return input.consumed();
  stopped = input.here();
  if (sax.problem()) return base::unexpected(sax.problem()->with_context("invalid JSON"));
  return base::unexpected(handler.problem());
}

}  // namespace shutdown_auditor::objects
