#include "manifest/config_document.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <istream>
#include <streambuf>

#include "base/file.h"
#include "base/text.h"
#include "manifest/tape_builder.h"

namespace shutdown_auditor::manifest {
namespace {

using objects::Mark;

constexpr int kMaxEmptyDocuments = 8;

struct Stopped {};  // thrown through yaml-cpp, which has no other way to stop

// yaml-cpp's events onto a tape. It numbers anchors itself and says `?` for a plain scalar, `!` for a quoted one.
class ConfigEvents final : public YAML::EventHandler {
 public:
  explicit ConfigEvents(TapeBuilder& builder) : builder_(builder) {}

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    need(builder_.scalar("null", true, {}, name(anchor), place(mark)));
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    need(builder_.alias(name(anchor), place(mark)));
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, const std::string& value) override {
    const bool plain = tag == "?";
    if (!plain) last_quoted_ = mark;
    need(builder_.scalar(value, plain, plain || tag == "!" ? std::string_view() : tag, name(anchor), place(mark)));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor, YAML::EmitterStyle::value) override {
    builder_.anchor_next(name(anchor));
    need(builder_.start_array(place(mark)));
  }
  void OnSequenceEnd() override { need(builder_.end_array()); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor, YAML::EmitterStyle::value) override {
    builder_.anchor_next(name(anchor));
    need(builder_.start_object(place(mark)));
  }
  void OnMapEnd() override { need(builder_.end_object()); }

  // Where the last scalar stood that may have been quoted.
  const YAML::Mark& last_quoted() const { return last_quoted_; }

  static Mark place(const YAML::Mark& mark) {
    if (mark.is_null()) return {};
    return {static_cast<std::uint32_t>(mark.line) + 1, static_cast<std::uint32_t>(mark.column) + 1};
  }

 private:
  static std::string name(YAML::anchor_t anchor) { return anchor == 0 ? std::string() : std::to_string(anchor); }
  static void need(bool went_well) {
    if (!went_well) throw Stopped();
  }

  TapeBuilder& builder_;
  YAML::Mark last_quoted_ = YAML::Mark::null_mark();
};

// yaml-cpp takes the end of the text for a closing quote, so that a truncated file would pass.
bool is_closed(std::string_view text, const YAML::Mark& scalar) {
  if (scalar.is_null()) return true;
  std::size_t at = 0;
  for (int line = 0; line < scalar.line; ++line) {
    at = text.find('\n', at);
    if (at == std::string_view::npos) return true;
    ++at;
  }
  at += static_cast<std::size_t>(scalar.column);
  if (at >= text.size() || (text[at] != '\'' && text[at] != '"')) return true;
  const char quote = text[at];
  for (++at; at < text.size(); ++at) {
    if (quote == '"' && text[at] == '\\') {
      ++at;
    } else if (text[at] == quote) {
      const bool doubled = quote == '\'' && at + 1 < text.size() && text[at + 1] == quote;
      if (!doubled) return true;
      ++at;
    }
  }
  return false;
}

// yaml-cpp reads from a stream only; this one does not copy the text.
class ViewBuffer final : public std::streambuf {
 public:
  explicit ViewBuffer(std::string_view text) {
    char* begin = const_cast<char*>(text.data());  // streambuf's get area is not const; nothing writes to it
    setg(begin, begin, begin + text.size());
  }
};

base::Unexpected<base::Error> failure(base::ErrorKind kind, const std::string& file, Mark mark, std::string_view what) {
  if (mark.line == 0) return base::fail(kind, fmt::format("{}: {}", file, what));
  return base::fail(kind, fmt::format("{}:{}:{}: {}", file, mark.line, mark.column, what));
}

// yaml-cpp takes bytes as they come; a place is better than a replacement character.
base::Result<void> check_bytes(std::string_view text, const std::string& file) {
  Mark here{1, 1};
  for (std::string_view line : base::split(text, '\n')) {
    if (!base::is_utf8(line)) return failure(base::ErrorKind::kInvalid, file, here, "a line that is not UTF-8");
    for (const char c : line) {
      if ((static_cast<unsigned char>(c) >= 0x20 && c != 0x7F) || c == '\t' || c == '\r') continue;
      return failure(base::ErrorKind::kInvalid, file, here, "a line with a control character");
    }
    ++here.line;
  }
  return {};
}

base::Result<Tape> read_tape(std::string_view text, const std::string& file, std::size_t max_bytes) {
  if (text.size() > max_bytes) {
    return failure(base::ErrorKind::kTooLarge, file, {}, fmt::format("more than {} bytes", max_bytes));
  }
  if (base::Result<void> bytes = check_bytes(text, file); !bytes) return base::unexpected(bytes.error());
  TapeBuilder builder;
  try {
    ViewBuffer buffer(text);
    std::istream stream(&buffer);
    YAML::Parser parser(stream);
    ConfigEvents events(builder);
    if (!parser.HandleNextDocument(events)) return Tape();
    if (!is_closed(text, events.last_quoted())) {
      return failure(base::ErrorKind::kInvalid, file, ConfigEvents::place(events.last_quoted()),
                     "a quoted value without its closing quote");
    }
    // Empty documents may follow. What yaml-cpp cannot place, such as a stray comma, it reports as empty ones for ever.
    for (int empty = 0;; ++empty) {
      TapeBuilder next;
      ConfigEvents more(next);
      if (!parser.HandleNextDocument(more)) break;
      const Tape tape = next.take();
      if (!tape.empty() && !tape.is_null(0)) {
        return failure(base::ErrorKind::kInvalid, file, tape.mark(0), "more than one document");
      }
      if (empty == kMaxEmptyDocuments) {
        return failure(base::ErrorKind::kInvalid, file, tape.mark(0), "something follows the document");
      }
    }
  } catch (const Stopped&) {
    if (builder.problem().message.empty()) return failure(base::ErrorKind::kInvalid, file, {}, "more than one document");
    return failure(builder.problem().kind, file, builder.problem_mark(), builder.problem().message);
  } catch (const YAML::Exception& error) {
    return failure(base::ErrorKind::kInvalid, file, ConfigEvents::place(error.mark), "invalid YAML: " + error.msg);
  }
  return builder.take();
}

base::Result<void> play(const Tape& tape, const std::string& file, objects::EventHandler& handler) {
  Mark stopped;
  if (tape.replay(0, handler, stopped)) return {};
  const base::Error problem = handler.problem();
  return failure(problem.kind, file, stopped, problem.message);
}

}  // namespace

base::Result<void> read_config_document(std::string_view text, const std::string& file_name,
                                        objects::EventHandler& handler, std::size_t max_bytes) {
  const base::Result<Tape> tape = read_tape(text, file_name, max_bytes);
  if (!tape) return base::unexpected(tape.error());
  if (tape->empty() || tape->is_null(0)) return {};
  return play(*tape, file_name, handler);
}

base::Result<objects::Kubeconfig> parse_kubeconfig(std::string_view text, const std::string& file_name) {
  const base::Result<Tape> tape = read_tape(text, file_name, kMaxConfigBytes);
  if (!tape) return base::unexpected(tape.error());
  if (tape->empty() || tape->is_null(0)) return objects::Kubeconfig();
  objects::DecodeOptions options;
  options.scalars_as_text = true;
  options.hide_values = true;
  objects::Decoder<objects::Kubeconfig> decoder(options);
  if (base::Result<void> played = play(*tape, file_name, decoder); !played) return base::unexpected(played.error());
  base::Result<objects::Kubeconfig> config = decoder.take();
  if (!config) return base::unexpected(config.error().with_context(file_name));
  if (!config->kind.empty() && config->kind != "Config") {
    return base::fail(base::ErrorKind::kInvalid, file_name + ": kind: expected Config, got " + base::quoted(config->kind));
  }
  return config;
}

base::Result<objects::Kubeconfig> read_kubeconfig(const std::string& path) {
  const base::Result<std::string> text = base::read_file(path, kMaxConfigBytes);
  if (!text) return base::unexpected(text.error());
  return parse_kubeconfig(*text, path);
}

}  // namespace shutdown_auditor::manifest
