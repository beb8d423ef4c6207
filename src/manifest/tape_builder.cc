#include "manifest/tape_builder.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "base/text.h"
#include "manifest/scalar.h"

namespace shutdown_auditor::manifest {
namespace {

bool refers_to_template(std::string_view text) {
  std::size_t at = text.find("{{");
  if (at == std::string_view::npos) return false;
  at += 2;
  if (at < text.size() && text[at] == '-') return true;
  while (at < text.size() && text[at] == ' ') ++at;
  const std::string_view rest = text.substr(at);
  return rest.starts_with('.') || rest.starts_with('$') || rest.starts_with("include ") || rest.starts_with("template ");
}

// As sigs.k8s.io/yaml does: the shortest text that reads back the same, in Go's 'g' format.
std::string key_of_number(double value) {
  if (std::isnan(value)) return ".nan";
  if (std::isinf(value)) return value < 0 ? "-.inf" : ".inf";
  const double size = std::abs(value);
  const bool fixed = size == 0 || (size >= 1e-4 && size < 1e6);
  std::array<char, 64> text{};
  const auto [end, code] = std::to_chars(text.data(), text.data() + text.size(), value,
                                         fixed ? std::chars_format::fixed : std::chars_format::scientific);
  return code == std::errc() ? std::string(text.data(), end) : std::string();
}

}  // namespace

bool TapeBuilder::refuse(base::ErrorKind kind, std::string message, objects::Mark mark) {
  problem_ = {kind, std::move(message)};
  problem_mark_ = mark;
  return false;
}

void TapeBuilder::expect(std::size_t bytes) {
  constexpr std::size_t kBytesOfNode = 8;       // of manifests, with their blanks
  constexpr std::size_t kMost = 1U << 16U;      // longer documents are rare and may be anything
  tape_.nodes_.reserve(std::min(bytes, kMost) / kBytesOfNode);
  tape_.text_.reserve(std::min(bytes, kMost) / 2);
}

bool TapeBuilder::push(Tape::Node node, std::string_view text) {
  auto& nodes = tape_.nodes_;
  if (nodes.size() >= kMaxNodes) {
    return refuse(base::ErrorKind::kTooLarge, fmt::format("more than {} values in one document", kMaxNodes), node.mark);
  }
  if (text.size() > std::numeric_limits<std::uint32_t>::max() - tape_.text_.size()) {
    return refuse(base::ErrorKind::kTooLarge, "more than 4 GiB of text in one document", node.mark);
  }
  node.next = static_cast<std::uint32_t>(nodes.size() + 1);
  node.text_begin = static_cast<std::uint32_t>(tape_.text_.size());
  node.text_size = static_cast<std::uint32_t>(text.size());
  tape_.text_ += text;
  nodes.push_back(node);
  return true;
}

bool TapeBuilder::value_done() {
  if (!frames_.empty() && frames_.back().object) frames_.back().key_next = true;
  return true;
}

bool TapeBuilder::start(Tape::Type type, objects::Mark mark) {
  if (expects_key()) return refuse(base::ErrorKind::kInvalid, "a key must be a plain value, not a list or an object", mark);
  if (frames_.size() >= objects::kMaxDepth) {
    return refuse(base::ErrorKind::kInvalid, fmt::format("nested deeper than {}", objects::kMaxDepth), mark);
  }
  Tape::Node node;
  node.type = type;
  node.mark = mark;
  frames_.push_back({tape_.nodes_.size(), type == Tape::Type::kObject, true, false, std::move(next_anchor_)});
  next_anchor_.clear();
  // A name that is given again counts only once the new value is complete; until then an alias to it would be a loop.
  if (!frames_.back().anchor.empty()) anchors_.erase(frames_.back().anchor);
  return push(node, {});
}

bool TapeBuilder::start_object(objects::Mark mark) { return start(Tape::Type::kObject, mark); }
bool TapeBuilder::start_array(objects::Mark mark) { return start(Tape::Type::kArray, mark); }

bool TapeBuilder::end() {
  const Frame frame = std::move(frames_.back());
  if (frame.object && !check_keys(frame.node)) return false;
  if (frame.merges && !merge(frame.node)) return false;
  Tape::Node node;
  node.type = Tape::Type::kEnd;
  node.mark = tape_.nodes_[frame.node].mark;
  if (!push(node, {})) return false;
  tape_.nodes_[frame.node].next = static_cast<std::uint32_t>(tape_.nodes_.size());
  if (!frame.anchor.empty()) anchors_[frame.anchor] = {frame.node, tape_.nodes_.size()};
  frames_.pop_back();
  return value_done();
}

bool TapeBuilder::key(std::string_view name, objects::Mark mark) {
  Tape::Node node;
  node.type = Tape::Type::kKey;
  node.mark = mark;
  frames_.back().key_next = false;
  return push(node, name);
}

bool TapeBuilder::null(objects::Mark mark) {
  Tape::Node node;
  node.mark = mark;
  return push(node, {}) && value_done();
}

bool TapeBuilder::boolean(bool value, std::string_view text, objects::Mark mark) {
  Tape::Node node;
  node.type = Tape::Type::kBool;
  node.boolean = value;
  node.mark = mark;
  return push(node, text) && value_done();
}

bool TapeBuilder::integer(std::int64_t value, std::string_view text, objects::Mark mark) {
  Tape::Node node;
  node.type = Tape::Type::kInteger;
  node.integer = value;
  node.mark = mark;
  return push(node, text) && value_done();
}

bool TapeBuilder::number(double value, std::string_view text, objects::Mark mark) {
  Tape::Node node;
  node.type = Tape::Type::kNumber;
  node.number = value;
  node.mark = mark;
  return push(node, text) && value_done();
}

bool TapeBuilder::string(std::string_view value, objects::Mark mark) {
  Tape::Node node;
  node.type = Tape::Type::kString;
  node.mark = mark;
  return push(node, value) && value_done();
}

bool TapeBuilder::scalar(std::string_view text, bool plain, std::string_view tag, std::string_view anchor,
                         objects::Mark mark) {
  const std::size_t at = tape_.nodes_.size();
  if (plain && refers_to_template(text)) saw_template_ = true;
  const bool as_key = expects_key();
  if (as_key && plain && text == "<<") {
    frames_.back().merges = true;
    frames_.back().key_next = false;
    Tape::Node node;
    node.type = Tape::Type::kMerge;
    node.mark = mark;
    return push(node, text);
  }
  std::string decoded;
  if (tag == "tag:yaml.org,2002:binary") {
    base::Result<std::string> bytes = base::base64_decode(text);
    if (!bytes) return refuse(base::ErrorKind::kInvalid, "!!binary: " + bytes.error().message, mark);
    decoded = std::move(*bytes);
    text = decoded;
  }
  const std::optional<Scalar> value = resolve_tagged(text, tag, plain);
  if (!value) {
    return refuse(base::ErrorKind::kInvalid,
                  fmt::format("the value is no !!{}", tag.substr(tag.rfind(':') + 1)), mark);
  }
  bool stored = false;
  if (as_key) {
    // JSON has only text as keys; Kubernetes writes a boolean key as true or false and a number in decimal.
    if (std::holds_alternative<NullScalar>(*value)) return refuse(base::ErrorKind::kInvalid, "a key must not be null", mark);
    if (const bool* flag = std::get_if<bool>(&*value)) {
      stored = key(*flag ? "true" : "false", mark);
    } else if (const auto* number = std::get_if<std::int64_t>(&*value)) {
      stored = key(std::to_string(*number), mark);
    } else if (const auto* real = std::get_if<double>(&*value)) {
      stored = key(key_of_number(*real), mark);
    } else {
      stored = key(text, mark);
    }
  } else if (std::holds_alternative<NullScalar>(*value)) {
    stored = null(mark);
  } else if (const bool* flag = std::get_if<bool>(&*value)) {
    stored = boolean(*flag, text, mark);
  } else if (const auto* whole = std::get_if<std::int64_t>(&*value)) {
    stored = integer(*whole, text, mark);
  } else if (const auto* real = std::get_if<double>(&*value)) {
    stored = number(*real, text, mark);
  } else {
    stored = string(text, mark);
  }
  if (stored && !anchor.empty()) anchors_[std::string(anchor)] = {at, at + 1};
  return stored;
}

bool TapeBuilder::alias(std::string_view anchor, objects::Mark mark) {
  const auto known = anchors_.find(anchor);
  if (known == anchors_.end()) {
    const bool open = std::any_of(frames_.begin(), frames_.end(), [&](const Frame& frame) { return frame.anchor == anchor; });
    return refuse(base::ErrorKind::kInvalid,
                  open ? fmt::format("the value of anchor {} contains itself", base::quoted(anchor))
                       : fmt::format("unknown anchor {}", base::quoted(anchor)),
                  mark);
  }
  const Tape::Node& node = tape_.nodes_[known->second.begin];
  if (!expects_key()) {
    if (!copy(known->second, true)) {
      problem_mark_ = mark;
      return false;
    }
    return value_done();
  }
  if (node.type != Tape::Type::kString && node.type != Tape::Type::kKey) {
    return refuse(base::ErrorKind::kInvalid, "a key must be a plain value", mark);
  }
  return key(std::string(tape_.text(node)), mark);
}

// Appends a copy of some nodes; their text is shared.
bool TapeBuilder::copy(Range range, bool as_value) {
  auto& nodes = tape_.nodes_;
  expanded_ += range.end - range.begin;
  if (expanded_ > kMaxExpandedNodes) {
    return refuse(base::ErrorKind::kTooLarge,
                  fmt::format("aliases and merge keys expand to more than {} values", kMaxExpandedNodes),
                  nodes[range.begin].mark);
  }
  const std::size_t shift = nodes.size() - range.begin;
  for (std::size_t at = range.begin; at < range.end; ++at) {
    Tape::Node node = nodes[at];
    node.next = static_cast<std::uint32_t>(node.next + shift);
    if (as_value && at == range.begin && node.type == Tape::Type::kKey) node.type = Tape::Type::kString;
    nodes.push_back(node);
  }
  return true;
}

bool TapeBuilder::check_keys(std::size_t object) {
  const auto& nodes = tape_.nodes_;
  std::vector<std::pair<std::string_view, std::size_t>>& keys = keys_;
  keys.clear();
  for (std::size_t at = object + 1; at < nodes.size(); at = nodes[at + 1].next) {
    if (nodes[at].type == Tape::Type::kKey) keys.emplace_back(tape_.text(nodes[at]), at);
  }
  // Most objects have few keys, and comparing them all is less work than sorting them.
  constexpr std::size_t kFew = 8;
  const auto stands_again = [&](std::size_t i) {
    return std::any_of(keys.begin(), keys.begin() + static_cast<std::ptrdiff_t>(i), [&](const auto& key) { return key.first == keys[i].first; });
  };
  if (keys.size() <= kFew) {
    std::size_t i = 0;
    while (i < keys.size() && !stands_again(i)) ++i;
    if (i == keys.size()) return true;
  }
  std::sort(keys.begin(), keys.end());
  const auto twice = std::adjacent_find(keys.begin(), keys.end(), [](const auto& a, const auto& b) { return a.first == b.first; });
  if (twice == keys.end()) return true;
  const auto& first = nodes[twice->second];
  const auto& second = nodes[std::next(twice)->second];
  return refuse(base::ErrorKind::kInvalid,
                fmt::format("key {} is already set at line {}", base::quoted(twice->first), first.mark.line), second.mark);
}

// Adds what the `<<` members of an object bring. As in go-yaml v2, the order of the members decides: a `<<` overrides the
// keys before it and is overridden by those after it; within one `<<` the first object that has a key wins.
bool TapeBuilder::merge(std::size_t object) {
  std::unordered_map<std::string, Origin> effective;
  const std::size_t end = tape_.nodes_.size();
  for (std::size_t at = object + 1; at < end; at = tape_.nodes_[at + 1].next) {
    const Tape::Node& node = tape_.nodes_[at];
    if (node.type == Tape::Type::kKey) {
      effective[std::string(tape_.text(node))] = {at, 0};
      continue;
    }
    if (node.type != Tape::Type::kMerge) continue;
    if (!tape_.is_array(at + 1)) {
      if (!merge_from(at + 1, at, effective)) return false;
      continue;
    }
    for (const std::size_t item : tape_.items(at + 1)) {
      if (!merge_from(item, at, effective)) return false;
    }
  }
  // What a merge overrides must not be read; a merge node is passed over together with its value.
  for (std::size_t at = object + 1; at < end; at = tape_.nodes_[at + 1].next) {
    Tape::Node& node = tape_.nodes_[at];
    if (node.type == Tape::Type::kKey && effective[std::string(tape_.text(node))].node != at) node.type = Tape::Type::kMerge;
  }
  std::vector<std::size_t> brought;
  for (const auto& [name, origin] : effective) {
    if (origin.merge != 0) brought.push_back(origin.node);
  }
  std::sort(brought.begin(), brought.end());
  return std::all_of(brought.begin(), brought.end(),
                     [this](std::size_t at) { return copy({at, tape_.nodes_[at + 1].next}, false); });
}

bool TapeBuilder::merge_from(std::size_t source, std::size_t merge, std::unordered_map<std::string, Origin>& effective) {
  if (!tape_.is_object(source)) {
    return refuse(base::ErrorKind::kInvalid, "a merge key needs an object or a list of objects", tape_.mark(source));
  }
  const std::size_t end = tape_.nodes_[source].next - 1;
  for (std::size_t at = source + 1; at < end; at = tape_.nodes_[at + 1].next) {
    if (tape_.nodes_[at].type != Tape::Type::kKey) continue;
    Origin& origin = effective[std::string(tape_.text(tape_.nodes_[at]))];
    if (origin.merge != merge) origin = {at, merge};
  }
  return true;
}

}  // namespace shutdown_auditor::manifest
