#include "objects/json_source.h"

#include <fmt/format.h>
#include <rapidjson/error/en.h>
#include <rapidjson/reader.h>

#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/text.h"

namespace shutdown_auditor::objects {

base::Result<std::size_t> StringSource::read(std::span<char> buffer) {
  const std::size_t count = rest_.copy(buffer.data(), buffer.size());
  rest_.remove_prefix(count);
  return count;
}

namespace {

// What RapidJSON's concept Stream asks for and only reading in place would use.
struct NotInPlace {
  using Ch = char;
  static Ch* PutBegin() { return nullptr; }
  static void Put(Ch) {}
  static void Flush() {}
  static std::size_t PutEnd(Ch*) { return 0; }
};

// RapidJSON's input over a ByteSource. A NUL says "the end" there, so at_end() tells one in the text from the real end. A
// failure of the source looks like the end and is reported in its place.
class PulledInput : public NotInPlace {
 public:
  PulledInput(ByteSource& source, const JsonLimits& limits)
      : source_(source), limits_(limits), buffer_(std::make_unique_for_overwrite<char[]>(kBufferSize + 1)) {
    at_ = end_ = buffer_.get();
    buffer_[0] = '\0';
    fill();
  }

  char Peek() const { return *at_; }
  char Take() {
    const char c = *at_;
    if (at_ != end_ && ++at_ == end_) fill();
    return c;
  }
  std::size_t Tell() const { return before_ + static_cast<std::size_t>(at_ - buffer_.get()); }

  bool at_end() const { return at_ == end_; }
  Mark mark() const { return {}; }
  void token_done() { since_token_ = 0; }
  const std::optional<base::Error>& failure() const { return failure_; }

 private:
  static constexpr std::size_t kBufferSize = 65536;

  void fill() {
    if (since_token_ > limits_.max_token_bytes) {
      failure_ = base::Error{base::ErrorKind::kTooLarge,
                             fmt::format("a JSON value is longer than {} bytes", limits_.max_token_bytes)};
      return;
    }
    base::Result<std::size_t> count = source_.read({buffer_.get(), kBufferSize});
    if (!count) {
      failure_ = std::move(count.error());
      return;
    }
    if (*count == 0) return;
    before_ = Tell();
    since_token_ += *count;
    at_ = buffer_.get();
    end_ = buffer_.get() + *count;
    buffer_[*count] = '\0';
  }

  ByteSource& source_;
  const JsonLimits& limits_;
  std::unique_ptr<char[]> buffer_;  // the bytes read, then a NUL
  const char* at_ = nullptr;
  const char* end_ = nullptr;
  std::size_t before_ = 0;  // bytes of earlier buffers
  std::size_t since_token_ = 0;
  std::optional<base::Error> failure_;
};

// The same over a text in memory. Follows the tokens as it is read, because the parser's events do not say where their
// token began.
class MarkedInput : public NotInPlace {
 public:
  MarkedInput(std::string_view text, Mark first) : text_(text), here_(first), token_(first) {}

  char Peek() const { return at_end() ? '\0' : text_[at_]; }
  char Take() {
    if (at_end()) return '\0';
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
    return c;
  }
  std::size_t Tell() const { return at_; }

  bool at_end() const { return at_ == text_.size(); }
  Mark mark() const { return token_; }
  Mark here() const { return here_; }
  void token_done() const {}

 private:
  std::string_view text_;
  std::size_t at_ = 0;
  Mark here_;
  Mark token_;
  bool in_string_ = false;
  bool escaped_ = false;
  bool between_ = true;
};

// RapidJSON's words for what is wrong; they never quote the text, which may be a secret.
std::string reason_of(rapidjson::ParseErrorCode code) {
  if (code == rapidjson::kParseErrorNumberTooBig) return "number overflow";
  std::string words = rapidjson::GetParseError_En(code);
  if (words.ends_with('.')) words.pop_back();
  if (!words.empty()) words.front() = static_cast<char>(std::tolower(static_cast<unsigned char>(words.front())));
  return words;
}

// Passes RapidJSON's events on. Numbers come as they are written and are converted here: its own conversion of this
// version reads outside its tables for some exponents (CVE-2024-38517). Strings are checked to be UTF-8 here as well:
// it lets a lone low surrogate pass.
template <class Input>
class Sax final : public rapidjson::BaseReaderHandler<rapidjson::UTF8<>, Sax<Input>> {
 public:
  Sax(Input& input, EventHandler& handler, std::size_t max_depth)
      : input_(input), handler_(handler), max_depth_(max_depth) {}

  // One JSON value. After a failure problem() says why, or is empty when the handler said no.
  template <unsigned kFlags>
  bool read() {
    rapidjson::Reader reader;
    const rapidjson::ParseResult result = reader.Parse<kFlags | rapidjson::kParseNumbersAsStringsFlag>(input_, *this);
    constexpr bool kWhole = (kFlags & rapidjson::kParseStopWhenDoneFlag) == 0;
    if (result && (!kWhole || input_.at_end())) return true;
    if (problem_ || refused_) return false;
    offset_ = (result ? input_.Tell() : result.Offset()) + 1;
    problem_ = base::Error{base::ErrorKind::kInvalid,
                           !result && input_.at_end()
                               ? "the text ends too early"
                               : reason_of(result ? rapidjson::kParseErrorDocumentRootNotSingular : result.Code())};
    return false;
  }
  const std::optional<base::Error>& problem() const { return problem_; }
  // Of the byte at fault, from 1; 0 when it is no single one.
  std::size_t offset() const { return offset_; }

  bool Null() { return is_unwanted() ? pass(true) : pass(handler_.null(input_.mark())); }
  bool Bool(bool value) {
    return is_unwanted() ? pass(true) : pass(handler_.boolean(value, value ? "true" : "false", input_.mark()));
  }
  bool RawNumber(const char* digits, rapidjson::SizeType length, bool) {
    if (is_unwanted()) return pass(true);
    const std::string_view text(digits, length);
    if (text.find_first_of(".eE") == std::string_view::npos) {
      std::int64_t value = 0;
      if (std::from_chars(text.begin(), text.end(), value).ec == std::errc()) {
        return pass(handler_.integer(value, text, input_.mark()));
      }
    }
    const double value = std::strtod(digits, nullptr);  // NUL-terminated
    if (!std::isfinite(value)) return refuse("number overflow");
    return pass(handler_.number(value, text, input_.mark()));
  }
  bool String(const char* bytes, rapidjson::SizeType length, bool) {
    const std::string_view text(bytes, length);
    if (!base::is_utf8(text)) return refuse_string();
    return is_unwanted() ? pass(true) : pass(handler_.string(text, input_.mark()));
  }
  bool StartObject() { return enter() && (skips() || pass(handler_.start_object(input_.mark()))); }
  bool Key(const char* bytes, rapidjson::SizeType length, bool) {
    const std::string_view text(bytes, length);
    if (!base::is_utf8(text)) return refuse_string();
    if (skips()) return pass(true);
    if (!pass(handler_.key(text, input_.mark()))) return false;
    unwanted_ = !handler_.wants_value();
    return true;
  }
  bool EndObject(rapidjson::SizeType) { return leave() || pass(handler_.end_object()); }
  bool StartArray() { return enter() && (skips() || pass(handler_.start_array(input_.mark()))); }
  bool EndArray(rapidjson::SizeType) { return leave() || pass(handler_.end_array()); }

 private:
  bool pass(bool handler_said) {
    input_.token_done();
    refused_ = !handler_said;
    return handler_said;
  }
  bool refuse(std::string reason) {
    problem_ = base::Error{base::ErrorKind::kInvalid, std::move(reason)};
    return false;
  }
  bool refuse_string() {
    offset_ = input_.Tell();
    return refuse("the string that ends here is not UTF-8, or has half of a surrogate pair");
  }
  // What nobody wants is still checked, only not handed on.
  bool skips() const { return skipped_from_ != 0; }
  bool is_unwanted() { return std::exchange(unwanted_, false) || skips(); }
  // The parser recurses, so this bounds its stack as well.
  bool enter() {
    if (++depth_ > max_depth_) return refuse(fmt::format("nested deeper than {}", max_depth_));
    if (std::exchange(unwanted_, false)) skipped_from_ = depth_;
    return true;
  }
  // Whether the object or array that ends was skipped.
  bool leave() {
    const bool skipped = skips();
    if (skipped_from_ == depth_--) skipped_from_ = 0;
    if (skipped) pass(true);
    return skipped;
  }

  Input& input_;
  EventHandler& handler_;
  std::size_t max_depth_;
  std::size_t depth_ = 0;
  std::size_t skipped_from_ = 0;  // the depth of the outermost object or array that is skipped; 0: none
  bool unwanted_ = false;         // the value of the key before
  std::size_t offset_ = 0;
  bool refused_ = false;
  std::optional<base::Error> problem_;
};

}  // namespace

base::Result<void> parse_json(ByteSource& source, EventHandler& handler, const JsonLimits& limits) {
  PulledInput input(source, limits);
  Sax<PulledInput> sax(input, handler, limits.max_depth);
  const bool read = sax.read<rapidjson::kParseNoFlags>();
  if (input.failure()) return base::unexpected(*input.failure());
  if (read) return {};
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
  if (sax.read<rapidjson::kParseStopWhenDoneFlag>()) return input.Tell();
  stopped = input.here();
  if (sax.problem()) return base::unexpected(sax.problem()->with_context("invalid JSON"));
  return base::unexpected(handler.problem());
}

}  // namespace shutdown_auditor::objects
