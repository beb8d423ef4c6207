#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "manifest/tape.h"

namespace shutdown_auditor::manifest {

// Why one document of a file cannot be used.
struct DocumentProblem {
  base::ErrorKind kind = base::ErrorKind::kInvalid;
  objects::Mark mark;
  std::string message;     // without file and place
  bool template_ = false;  // it looks like a template that nobody has rendered
};

using DocumentResult = base::Result<Tape, DocumentProblem>;

// Where in `text`, after the line that `from` is in, the first `---` begins that ends a document; npos when there is none,
// or when the text must go on to tell. Reading what is before and after such a cut one by one is the same as reading all.
std::size_t find_separator(std::string_view text, std::size_t from);

// Reads the documents of a YAML or JSON file one after another, as Kubernetes does: documents end at lines that begin
// with `---`; a document that begins with { or [ is read as JSON first (also several in a row); see scalar.h and
// tape_builder.h for scalars, aliases, merge keys and limits. A broken document is one problem and the next one is read
// as if nothing had happened. Text must be UTF-8. For one thread.
class DocumentReader {
 public:
  // `text` must outlive the reader; its first line is number `first_line` of the file.
  explicit DocumentReader(std::string_view text, std::uint32_t first_line = 1);

  // The next document that is not empty; nothing at the end.
  std::optional<DocumentResult> next();
  // Of the document that next() gave: what its first comment calls its source, as Helm writes it ("# Source:
  // web/templates/deployment.yaml"). Empty when there is none. Lives as long as the text.
  std::string_view source() const { return source_; }

 private:
  struct Part {
    std::string_view text;
    std::uint32_t line;  // of its first line
  };
  std::optional<Part> next_part();
  void read_part(const Part& part);
  // False when the part is no JSON.
  std::optional<DocumentProblem> read_json(const Part& part);
  void read_yaml(const Part& part, const std::optional<DocumentProblem>& as_json);

  std::string_view rest_;
  std::uint32_t line_;
  std::string_view source_;
  std::deque<DocumentResult> ready_;
};

}  // namespace shutdown_auditor::manifest
