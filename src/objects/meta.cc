#include "objects/meta.h"

#include <algorithm>

namespace shutdown_auditor::objects {

const std::string* find(const StringMap& map, std::string_view key) {
  const auto at = std::lower_bound(map.begin(), map.end(), key, [](const auto& entry, std::string_view wanted) {
    return std::string_view(entry.first) < wanted;
  });
  return at != map.end() && at->first == key ? &at->second : nullptr;
}

void normalize(StringMap& map) {
  std::stable_sort(map.begin(), map.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  // Of equal keys the last written one counts: keep the end of each run.
  auto out = map.begin();
  for (auto it = map.begin(); it != map.end(); ++it) {
    const auto following = std::next(it);
    if (following != map.end() && following->first == it->first) continue;
    if (out != it) *out = std::move(*it);
    ++out;
  }
  map.erase(out, map.end());
}

std::string_view group_of(std::string_view api_version) {
  const std::size_t slash = api_version.find('/');
  return slash == std::string_view::npos ? std::string_view() : api_version.substr(0, slash);
}

const OwnerReference* ObjectMeta::controller() const {
  const auto at = std::find_if(owners.begin(), owners.end(), [](const OwnerReference& owner) { return owner.controller; });
  return at == owners.end() ? nullptr : &*at;
}

std::string to_string(const IntOrString& value) {
  return value.is_string ? value.text : std::to_string(value.number);
}

}  // namespace shutdown_auditor::objects
