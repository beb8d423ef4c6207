#include "manifest/tape.h"

namespace shutdown_auditor::manifest {

std::optional<std::string_view> Tape::string(std::size_t value) const {
  if (nodes_[value].type != Type::kString) return std::nullopt;
  return text(nodes_[value]);
}

std::size_t Tape::member(std::size_t object, std::string_view name) const {
  for (std::size_t at = object + 1; nodes_[at].type != Type::kEnd; at = nodes_[at + 1].next) {
    if (nodes_[at].type == Type::kKey && text(nodes_[at]) == name) return at + 1;
  }
  return kNone;
}

std::vector<std::size_t> Tape::items(std::size_t array) const {
  std::vector<std::size_t> found;
  for (std::size_t at = array + 1; nodes_[at].type != Type::kEnd; at = nodes_[at].next) found.push_back(at);
  return found;
}

bool Tape::replay(std::size_t value, objects::EventHandler& handler, objects::Mark& stopped) const {
  std::vector<Type> open;
  const std::size_t end = nodes_[value].next;
  for (std::size_t at = value; at < end; ++at) {
    const Node& node = nodes_[at];
    bool go_on = true;
    switch (node.type) {
      case Type::kObject:
        open.push_back(node.type);
        go_on = handler.start_object(node.mark);
        break;
      case Type::kArray:
        open.push_back(node.type);
        go_on = handler.start_array(node.mark);
        break;
      case Type::kEnd:
        go_on = open.back() == Type::kObject ? handler.end_object() : handler.end_array();
        open.pop_back();
        break;
      case Type::kKey: go_on = handler.key(text(node), node.mark); break;
      case Type::kMerge: at = nodes_[at + 1].next - 1; break;
      case Type::kNull: go_on = handler.null(node.mark); break;
      case Type::kBool: go_on = handler.boolean(node.boolean, text(node), node.mark); break;
      case Type::kInteger: go_on = handler.integer(node.integer, text(node), node.mark); break;
      case Type::kNumber: go_on = handler.number(node.number, text(node), node.mark); break;
      case Type::kString: go_on = handler.string(text(node), node.mark); break;
    }
    if (!go_on) {
      stopped = node.mark;
      return false;
    }
  }
  return true;
}

}  // namespace shutdown_auditor::manifest
