#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "objects/events.h"

namespace shutdown_auditor::objects {

// Where the fields of one document stood: a tree of known fields and array items in reading order, 24 bytes each plus
// their names. A value; for one thread.
class PositionMap {
 public:
  // The mark of a field path such as "spec.template.spec.containers[1].lifecycle.preStop" or
  // "metadata.annotations[example.com/name]" (quotes inside the brackets are allowed). A field's mark is its key's, an
  // array item's that of its key `name` (a container's), else of its first key. When the field is missing: of the nearest
  // existing ancestor, at last of the document; {0,0} when nothing is known.
  Mark find(std::string_view field_path) const;
  void clear();
  // Makes room.
  void expect(std::size_t nodes, std::size_t name_bytes);

  // For decoders: the mark of the whole document.
  void set_root(Mark mark) { root_ = mark; }
  // For decoders: adds a node under `parent` (-1: the root) and returns its number. Fields and map keys have a name and
  // index -1, items an empty name and an index.
  int add(int parent, std::string_view name, int index, Mark mark);

 private:
  struct Node {
    std::int32_t parent;
    std::int32_t index;
    std::uint32_t name_begin;
    std::uint32_t name_size;
    Mark mark;
  };
  int child(int parent, std::string_view name, int index) const;

  Mark root_;
  std::vector<Node> nodes_;
  std::string names_;
};

}  // namespace shutdown_auditor::objects
