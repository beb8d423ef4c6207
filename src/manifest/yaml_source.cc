#include "manifest/yaml_source.h"

#include <fmt/format.h>
#include <yaml.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <utility>

#include "base/text.h"
#include "manifest/tape_builder.h"
#include "objects/json_source.h"

namespace shutdown_auditor::manifest {
namespace {

using objects::Mark;

// A `---` at the start of a line ends a document wherever it stands: YAML 1.2 §9.1.2 allows it in no scalar.
bool is_separator(std::string_view line) {
  return line.starts_with("---") && (line.size() == 3 || line[3] == ' ' || line[3] == '\t' || line[3] == '\r');
}

// `...` ends a document too; the next one may do without its `---`, which libyaml does not allow.
bool is_end(std::string_view line) { return line.starts_with("...") && base::trim(line) == "..."; }

// Only blank lines, comments and % directives: what may stand before the first `---`.
bool has_no_content(std::string_view part) {
  while (!part.empty()) {
    const std::size_t newline = std::min(part.find('\n'), part.size());
    std::string_view line = part.substr(0, newline);
    part.remove_prefix(std::min(newline + 1, part.size()));
    if (line.starts_with('%')) continue;
    line = base::trim(line);
    if (!line.empty() && line.front() != '#' && line != "...") return false;
  }
  return true;
}

// The text of a line `# Source: …` before the content.
std::string_view source_comment(std::string_view part) {
  constexpr std::string_view kSource = "# Source: ";
  while (!part.empty()) {
    const std::size_t newline = std::min(part.find('\n'), part.size());
    const std::string_view line = base::trim(part.substr(0, newline));
    if (line.starts_with(kSource)) return base::trim(line.substr(kSource.size()));
    if (!line.empty() && line.front() != '#' && !line.starts_with("---")) break;
    part.remove_prefix(std::min(newline + 1, part.size()));
  }
  return {};
}

bool is_plain_text(char c) { return (c >= 0x20 && c < 0x7F) || c == '\n' || c == '\r' || c == '\t'; }

// Printable ASCII, line breaks and tabs only: most of all text. Eight bytes at a time where none of them is a line break.
bool is_plain_text(std::string_view text) {
  constexpr std::uint64_t kOnes = 0x0101010101010101U;
  constexpr std::uint64_t kHighBits = 0x80U * kOnes;
  while (text.size() >= sizeof(std::uint64_t)) {
    std::uint64_t bytes = 0;
    std::memcpy(&bytes, text.data(), sizeof bytes);
    const std::uint64_t below_blank = (bytes - 0x20U * kOnes) & ~bytes & kHighBits;
    const std::uint64_t above_tilde = ((bytes & ~kHighBits) + kOnes) & kHighBits;
    if (((bytes & kHighBits) | below_blank | above_tilde) != 0 &&
        !std::all_of(text.begin(), text.begin() + sizeof bytes, [](char c) { return is_plain_text(c); })) {
      return false;
    }
    text.remove_prefix(sizeof bytes);
  }
  return std::all_of(text.begin(), text.end(), [](char c) { return is_plain_text(c); });
}

// The place of the first byte that libyaml would refuse: it reports those by byte and ahead of the text it has parsed.
std::optional<DocumentProblem> find_bad_byte(std::string_view text, std::uint32_t first_line) {
  if (is_plain_text(text)) return std::nullopt;
  Mark here{first_line, 1};
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = static_cast<unsigned char>(text[i]);
    std::size_t length = byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
    const std::string_view character = text.substr(i, length);
    const bool control = (byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r') || byte == 0x7F;
    if (control) {
      return DocumentProblem{base::ErrorKind::kInvalid, here, fmt::format("control character 0x{:02x}", byte), false};
    }
    if (byte >= 0x80 && !base::is_utf8(character)) {
      return DocumentProblem{base::ErrorKind::kInvalid, here, fmt::format("byte 0x{:02x} is not UTF-8", byte), false};
    }
    const bool c1_control = byte == 0xC2 && static_cast<unsigned char>(character[1]) < 0xA0 && character != "\xC2\x85";
    // libyaml passes over one at the start of a line; to go-yaml it is text, which nobody means.
    if (character == "\xEF\xBB\xBF" && here.column == 1) {
      return DocumentProblem{base::ErrorKind::kInvalid, here, "a byte order mark that is not at the start of the file", false};
    }
    if (c1_control || character == "\xEF\xBF\xBE" || character == "\xEF\xBF\xBF") {
      return DocumentProblem{base::ErrorKind::kInvalid, here, "a character that YAML does not allow", false};
    }
    if (byte == '\n') {
      ++here.line;
      here.column = 1;
    } else {
      ++here.column;
    }
    i += length;
  }
  return std::nullopt;
}

std::string_view view(const yaml_char_t* text, std::size_t size) {
  return text == nullptr ? std::string_view() : std::string_view(reinterpret_cast<const char*>(text), size);
}
std::string_view view(const yaml_char_t* text) {
  return text == nullptr ? std::string_view() : std::string_view(reinterpret_cast<const char*>(text));
}

// Owns libyaml's parser and its current event.
class LibyamlParser {
 public:
  explicit LibyamlParser(std::string_view text) : ready_(yaml_parser_initialize(&parser_) != 0) {
    if (!ready_) return;
    yaml_parser_set_encoding(&parser_, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()), text.size());
  }
  LibyamlParser(const LibyamlParser&) = delete;
  LibyamlParser& operator=(const LibyamlParser&) = delete;
  ~LibyamlParser() {
    if (has_event_) yaml_event_delete(&event_);
    if (ready_) yaml_parser_delete(&parser_);
  }

  // The next event, or nullptr when the text is malformed.
  const yaml_event_t* next() {
    if (has_event_) yaml_event_delete(&event_);
    has_event_ = ready_ && yaml_parser_parse(&parser_, &event_) != 0;
    return has_event_ ? &event_ : nullptr;
  }
  const yaml_parser_t& state() const { return parser_; }

 private:
  yaml_parser_t parser_{};
  yaml_event_t event_{};
  bool ready_;
  bool has_event_ = false;
};

class YamlPart {
 public:
  YamlPart(std::string_view text, std::uint32_t first_line) : text_(text), first_line_(first_line), parser_(text) {}

  // The next document, nothing at the end or after a problem. An empty tape is an empty document.
  std::optional<DocumentResult> next() {
    if (failed_) return std::nullopt;
    TapeBuilder builder;
    for (;;) {
      const yaml_event_t* event = parser_.next();
      if (event == nullptr) return stop(syntax_problem());
      if (event->type == YAML_STREAM_END_EVENT) return std::nullopt;
      if (event->type == YAML_DOCUMENT_START_EVENT) builder.expect(text_.size());
      if (event->type == YAML_DOCUMENT_END_EVENT) break;
      if (!take(*event, builder)) {
        return stop({builder.problem().kind, builder.problem_mark(), builder.problem().message, false});
      }
    }
    Tape tape = builder.take();
    if (!builder.saw_template()) return tape;
    const Mark mark = tape.mark(0);
    return DocumentResult(base::unexpected(DocumentProblem{base::ErrorKind::kInvalid, mark, "unrendered template", true}));
  }

 private:
  Mark mark_of(const yaml_mark_t& mark) const {
    return {static_cast<std::uint32_t>(mark.line) + first_line_, static_cast<std::uint32_t>(mark.column) + 1};
  }

  bool take(const yaml_event_t& event, TapeBuilder& builder) const {
    const Mark mark = mark_of(event.start_mark);
    switch (event.type) {
      case YAML_ALIAS_EVENT: return builder.alias(view(event.data.alias.anchor), mark);
      case YAML_SCALAR_EVENT: {
        const auto& scalar = event.data.scalar;
        return builder.scalar(view(scalar.value, scalar.length), scalar.style == YAML_PLAIN_SCALAR_STYLE,
                              view(scalar.tag), view(scalar.anchor), mark);
      }
      case YAML_SEQUENCE_START_EVENT:
        builder.anchor_next(view(event.data.sequence_start.anchor));
        return builder.start_array(mark);
      case YAML_SEQUENCE_END_EVENT: return builder.end_array();
      case YAML_MAPPING_START_EVENT:
        builder.anchor_next(view(event.data.mapping_start.anchor));
        return builder.start_object(mark);
      case YAML_MAPPING_END_EVENT: return builder.end_object();
      default: return true;
    }
  }

  std::optional<DocumentResult> stop(DocumentProblem problem) {
    failed_ = true;
    problem.template_ = text_.find("{{") != std::string_view::npos;
    return DocumentResult(base::unexpected(std::move(problem)));
  }

  DocumentProblem syntax_problem() const {
    const yaml_parser_t& state = parser_.state();
    if (state.error == YAML_MEMORY_ERROR) {
      return {base::ErrorKind::kTooLarge, {first_line_, 1}, "not enough memory to read it", false};
    }
    std::string message = state.problem == nullptr ? "malformed YAML" : state.problem;
    if (state.context != nullptr) {
      message += fmt::format(", {} (line {})", state.context, mark_of(state.context_mark).line);
    }
    return {base::ErrorKind::kInvalid, mark_of(state.problem_mark), std::move(message), false};
  }

  std::string_view text_;
  std::uint32_t first_line_;
  LibyamlParser parser_;
  bool failed_ = false;
};

}  // namespace

std::size_t find_separator(std::string_view text, std::size_t from) {
  for (std::size_t newline = text.find('\n', from); newline != std::string_view::npos; newline = text.find('\n', newline + 1)) {
    const std::string_view next = text.substr(newline + 1, 4);
    if (next.size() == 4 && is_separator(next.substr(0, next.find('\n')))) return newline + 1;
  }
  return std::string_view::npos;
}

DocumentReader::DocumentReader(std::string_view text, std::uint32_t first_line) : rest_(text), line_(first_line) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (rest_.starts_with(kByteOrderMark)) rest_.remove_prefix(kByteOrderMark.size());
}

std::optional<DocumentReader::Part> DocumentReader::next_part() {
  if (rest_.empty()) return std::nullopt;
  const std::uint32_t first_line = line_;
  std::size_t at = 0;
  while (at < rest_.size()) {
    const std::size_t newline = std::min(rest_.find('\n', at), rest_.size());
    const std::string_view line = rest_.substr(at, newline - at);
    if (at > 0 && is_separator(line)) break;
    at = std::min(newline + 1, rest_.size());
    if (newline < rest_.size()) ++line_;
    if (is_end(line)) break;
  }
  const Part part{rest_.substr(0, at), first_line};
  rest_.remove_prefix(at);
  return part;
}

std::optional<DocumentResult> DocumentReader::next() {
  while (ready_.empty()) {
    const std::optional<Part> part = next_part();
    if (!part) return std::nullopt;
    source_ = source_comment(part->text);
    if (!has_no_content(part->text)) read_part(*part);
  }
  DocumentResult result = std::move(ready_.front());
  ready_.pop_front();
  return result;
}

void DocumentReader::read_part(const Part& part) {
  std::string_view content = part.text;
  if (content.starts_with("---")) content.remove_prefix(3);
  const std::size_t start = content.find_first_not_of(" \t\r\n");
  if (start == std::string_view::npos) return;
  const bool looks_like_json = content[start] == '{' || content[start] == '[';
  const std::optional<DocumentProblem> as_json = looks_like_json ? read_json(part) : std::nullopt;
  if (!looks_like_json || as_json) read_yaml(part, as_json);
}

std::optional<DocumentProblem> DocumentReader::read_json(const Part& part) {
  std::vector<Tape> tapes;
  Mark here{part.line, 1};
  std::string_view rest = part.text;
  const auto skip = [&](std::size_t count) {
    for (const char c : rest.substr(0, count)) {
      if (c == '\n') {
        ++here.line;
        here.column = 1;
      } else if ((static_cast<unsigned char>(c) & 0xC0U) != 0x80U) {
        ++here.column;
      }
    }
    rest.remove_prefix(count);
  };
  if (rest.starts_with("---")) skip(3);
  for (;;) {
    skip(std::min(rest.find_first_not_of(" \t\r\n"), rest.size()));
    if (rest.empty()) break;
    TapeBuilder builder;
    Mark stopped;
    const base::Result<std::size_t> used = objects::parse_json_with_marks(rest, here, builder, stopped);
    if (!used) {
      const bool refused = !builder.problem().message.empty();
      return DocumentProblem{used.error().kind, refused ? builder.problem_mark() : stopped, used.error().message, false};
    }
    skip(*used);
    tapes.push_back(builder.take());
  }
  for (Tape& tape : tapes) ready_.emplace_back(std::move(tape));
  return std::nullopt;
}

void DocumentReader::read_yaml(const Part& part, const std::optional<DocumentProblem>& as_json) {
  std::vector<DocumentResult> documents;
  std::optional<DocumentProblem> bad = find_bad_byte(part.text, part.line);
  if (bad) {
    documents.emplace_back(base::unexpected(*bad));
  } else {
    YamlPart yaml(part.text, part.line);
    while (std::optional<DocumentResult> document = yaml.next()) documents.push_back(std::move(*document));
  }
  const bool broken = std::any_of(documents.begin(), documents.end(), [](const DocumentResult& document) {
    return !document && !document.error().template_;
  });
  // Neither JSON nor YAML: what is wrong with the JSON is the better hint.
  if (as_json && broken) {
    ready_.emplace_back(base::unexpected(*as_json));
    return;
  }
  for (DocumentResult& document : documents) {
    if (!document || (!document->empty() && !document->is_null(0))) ready_.push_back(std::move(document));
  }
}

}  // namespace shutdown_auditor::manifest
