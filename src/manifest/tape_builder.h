#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "manifest/tape.h"

namespace shutdown_auditor::manifest {

// Makes a Tape from the events of one JSON or YAML document: resolves scalars, aliases and merge keys, refuses repeated
// keys, keys that are no plain values, and more than it is willing to hold. Every call but the accessors returns false
// at the first problem; then problem() and problem_mark() say which. For one thread, one document.
class TapeBuilder final : public objects::EventHandler {
 public:
  static constexpr std::size_t kMaxNodes = 8'000'000;
  // Values that aliases and merge keys may add; a handful of nested aliases can otherwise ask for billions.
  static constexpr std::size_t kMaxExpandedNodes = 100'000;

  // Makes room for a document of about so many bytes.
  void expect(std::size_t bytes);

  // YAML only. `tag` is the full tag or empty, `anchor` the name after & or empty.
  bool scalar(std::string_view text, bool plain, std::string_view tag, std::string_view anchor, objects::Mark mark);
  bool alias(std::string_view anchor, objects::Mark mark);
  // Names the next start_object or start_array.
  void anchor_next(std::string_view anchor) { next_anchor_ = anchor; }

  bool start_object(objects::Mark mark) override;
  bool key(std::string_view name, objects::Mark mark) override;
  bool end_object() override { return end(); }
  bool start_array(objects::Mark mark) override;
  bool end_array() override { return end(); }
  bool null(objects::Mark mark) override;
  bool boolean(bool value, std::string_view text, objects::Mark mark) override;
  bool integer(std::int64_t value, std::string_view text, objects::Mark mark) override;
  bool number(double value, std::string_view text, objects::Mark mark) override;
  bool string(std::string_view value, objects::Mark mark) override;
  base::Error problem() const override { return problem_; }
  objects::Mark problem_mark() const { return problem_mark_; }

  // An unquoted value refers to a variable of a template: "web-{{ .Values.name }}".
  bool saw_template() const { return saw_template_; }
  // The finished document; empty when no event came.
  Tape take() { return std::move(tape_); }

 private:
  struct Frame {
    std::size_t node;
    bool object;
    bool key_next;  // the next scalar is a key
    bool merges = false;
    std::string anchor;
  };
  struct Range {
    std::size_t begin;
    std::size_t end;
  };
  // Where the value of a key comes from: its key's node, and the `<<` that brings it (0: the object itself).
  struct Origin {
    std::size_t node = 0;
    std::size_t merge = 0;
  };
  bool expects_key() const { return !frames_.empty() && frames_.back().object && frames_.back().key_next; }
  bool start(Tape::Type type, objects::Mark mark);
  bool end();
  bool push(Tape::Node node, std::string_view text);
  bool value_done();
  bool copy(Range range, bool as_value);
  bool merge(std::size_t object);
  bool merge_from(std::size_t source, std::size_t merge, std::unordered_map<std::string, Origin>& effective);
  bool check_keys(std::size_t object);
  bool refuse(base::ErrorKind kind, std::string message, objects::Mark mark);

  Tape tape_;
  std::vector<Frame> frames_;
  std::map<std::string, Range, std::less<>> anchors_;
  std::string next_anchor_;
  std::vector<std::pair<std::string_view, std::size_t>> keys_;  // of check_keys(), which keeps the memory
  std::size_t expanded_ = 0;
  bool saw_template_ = false;
  base::Error problem_;
  objects::Mark problem_mark_;
};

}  // namespace shutdown_auditor::manifest
