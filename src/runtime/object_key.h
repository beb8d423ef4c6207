#pragma once

#include <compare>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace shutdown_auditor::runtime {

// A borrowed ObjectKey, for lookups without a copy.
struct ObjectKeyView {
  std::string_view name_space;
  std::string_view name;
};

// Names one object within its resource type; the namespace is empty for cluster-scoped objects.
struct ObjectKey {
  std::string name_space;
  std::string name;

  operator ObjectKeyView() const { return {name_space, name}; }
  // "shop/web"; "web" when cluster-scoped.
  std::string to_string() const { return name_space.empty() ? name : name_space + "/" + name; }
  friend auto operator<=>(const ObjectKey&, const ObjectKey&) = default;
};

// Hash and equality that take both forms.
struct ObjectKeyHash {
  using is_transparent = void;
  std::size_t operator()(const ObjectKeyView& key) const {
    const std::hash<std::string_view> hash;
    const std::size_t first = hash(key.name_space);
    return first ^ (hash(key.name) + 0x9e3779b97f4a7c15U + (first << 6) + (first >> 2));
  }
};
struct ObjectKeyEqual {
  using is_transparent = void;
  bool operator()(const ObjectKeyView& a, const ObjectKeyView& b) const {
    return a.name_space == b.name_space && a.name == b.name;
  }
};

}  // namespace shutdown_auditor::runtime
