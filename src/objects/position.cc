#include "objects/position.h"

#include <charconv>

namespace shutdown_auditor::objects {
namespace {

struct Segment {
  std::string_view name;
  int index = -1;
};

// Takes the next segment off a field path: `name`, `[3]`, `[key]` or `["key"]`.
Segment take_segment(std::string_view& path) {
  if (path.front() == '.') path.remove_prefix(1);
  if (path.empty() || path.front() != '[') {
    const std::size_t end = path.find_first_of(".[");
    const Segment segment{path.substr(0, end), -1};
    path.remove_prefix(std::min(end, path.size()));
    return segment;
  }
  const std::size_t end = path.find(']');
  std::string_view inside = path.substr(1, end == std::string_view::npos ? end : end - 1);
  path.remove_prefix(end == std::string_view::npos ? path.size() : end + 1);
  int index = -1;
  const auto [stop, code] = std::from_chars(inside.data(), inside.data() + inside.size(), index);
  if (code == std::errc() && stop == inside.data() + inside.size() && index >= 0) return {{}, index};
  if (inside.size() >= 2 && (inside.front() == '"' || inside.front() == '\'') && inside.back() == inside.front()) {
    inside = inside.substr(1, inside.size() - 2);
  }
  return {inside, -1};
}

}  // namespace

int PositionMap::child(int parent, std::string_view name, int index) const {
  // Children come after their parent; a later one of the same name stands for the value that counts.
  for (std::size_t i = nodes_.size(); i > static_cast<std::size_t>(parent + 1); --i) {
    const Node& node = nodes_[i - 1];
    if (node.parent == parent && node.index == index &&
        std::string_view(names_).substr(node.name_begin, node.name_size) == name) {
      return static_cast<int>(i - 1);
    }
  }
  return -1;
}

Mark PositionMap::find(std::string_view field_path) const {
  int at = -1;
  while (!field_path.empty()) {
    const Segment segment = take_segment(field_path);
    const int next = child(at, segment.name, segment.index);
    if (next < 0) break;
    at = next;
  }
  if (at < 0) return root_;
  const Node& node = nodes_[static_cast<std::size_t>(at)];
  const int name = node.index < 0 ? -1 : child(at, "name", -1);
  return name < 0 ? node.mark : nodes_[static_cast<std::size_t>(name)].mark;
}

void PositionMap::clear() {
  root_ = {};
  nodes_.clear();
  names_.clear();
}

void PositionMap::expect(std::size_t nodes, std::size_t name_bytes) {
  nodes_.reserve(nodes);
  names_.reserve(name_bytes);
}

int PositionMap::add(int parent, std::string_view name, int index, Mark mark) {
  nodes_.push_back({parent, index, static_cast<std::uint32_t>(names_.size()), static_cast<std::uint32_t>(name.size()), mark});
  names_ += name;
  return static_cast<int>(nodes_.size()) - 1;
}

}  // namespace shutdown_auditor::objects
