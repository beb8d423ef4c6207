#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "objects/events.h"

namespace shutdown_auditor::manifest {

// One document as a flat list of events, 32 bytes each, so that it can be asked for its kind first and then be played
// to the right decoder, whole or in part. Aliases and merge keys are already resolved; keys are unique. A value.
class Tape {
 public:
  static constexpr std::size_t kNone = static_cast<std::size_t>(-1);

  bool empty() const { return nodes_.empty(); }
  std::size_t size() const { return nodes_.size(); }
  // Values are named by their node's number; the document's is 0.
  bool is_object(std::size_t value) const { return nodes_[value].type == Type::kObject; }
  bool is_array(std::size_t value) const { return nodes_[value].type == Type::kArray; }
  bool is_null(std::size_t value) const { return nodes_[value].type == Type::kNull; }
  // For an object its first key, as far as the format tells.
  objects::Mark mark(std::size_t value) const { return nodes_[value].mark; }
  // The text when the value is a string.
  std::optional<std::string_view> string(std::size_t value) const;
  // The value of an object's member, kNone when there is none.
  std::size_t member(std::size_t object, std::string_view name) const;
  // The items of an array.
  std::vector<std::size_t> items(std::size_t array) const;

  // Plays one value with all that is in it. False when the handler said so; `stopped` is then the place.
  bool replay(std::size_t value, objects::EventHandler& handler, objects::Mark& stopped) const;

 private:
  friend class TapeBuilder;
  enum class Type : std::uint8_t { kObject, kArray, kEnd, kKey, kMerge, kNull, kBool, kInteger, kNumber, kString };
  struct Node {
    Type type = Type::kNull;
    bool boolean = false;
    std::uint32_t next = 0;  // the node after this value
    std::uint32_t text_begin = 0;
    std::uint32_t text_size = 0;
    union {
      std::int64_t integer = 0;
      double number;
    };
    objects::Mark mark;
  };
  std::string_view text(const Node& node) const {
    return std::string_view(text_).substr(node.text_begin, node.text_size);
  }

  std::vector<Node> nodes_;
  std::string text_;
};

}  // namespace shutdown_auditor::manifest
