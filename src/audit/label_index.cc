#include "audit/label_index.h"

#include <algorithm>
#include <array>
#include <compare>
#include <functional>
#include <string>

namespace shutdown_auditor::audit {
namespace {

constexpr std::array<std::string_view, 6> kChosenLabels{
    "pod-template-hash",        "rollouts-pod-template-hash", "controller-revision-hash", "pod-template-generation",
    "apps.kubernetes.io/pod-index", "statefulset.kubernetes.io/pod-name"};

std::uint64_t hash_of(const std::string& key, const std::string& value) {
  const std::hash<std::string> hash;
  return hash(key) * 31 + hash(value);
}

}  // namespace

bool is_chosen_label(std::string_view key) {
  return std::find(kChosenLabels.begin(), kChosenLabels.end(), key) != kChosenLabels.end();
}

void LabelIndex::add(const objects::StringMap& required) {
  const std::size_t before = entries_.size();
  for (const auto& [key, value] : required) {
    if (!is_chosen_label(key)) entries_.emplace_back(hash_of(key, value), size_);
  }
  if (entries_.size() - before < pairs_) {
    entries_.resize(before);
    any_.push_back(size_);
  }
  ++size_;
}

void LabelIndex::finish() {
  std::sort(entries_.begin(), entries_.end());
  struct Pair {
    std::size_t list;
    std::size_t count;  // of lists that have it
    std::uint64_t hash;
    auto operator<=>(const Pair&) const = default;
  };
  std::vector<Pair> pairs;
  pairs.reserve(entries_.size());
  for (std::size_t first = 0; first < entries_.size();) {
    std::size_t end = first;
    while (end < entries_.size() && entries_[end].first == entries_[first].first) ++end;
    for (std::size_t at = first; at < end; ++at) pairs.push_back({entries_[at].second, end - first, entries_[at].first});
    first = end;
  }
  std::sort(pairs.begin(), pairs.end());
  entries_.clear();
  for (std::size_t at = 0; at < pairs.size(); ++at) {
    const bool rarest = at < pairs_ || pairs[at - pairs_].list != pairs[at].list;
    if (rarest) entries_.emplace_back(pairs[at].hash, pairs[at].list);
  }
  std::sort(entries_.begin(), entries_.end());
}

void LabelIndex::candidates(const objects::StringMap& labels, std::vector<std::size_t>& out, std::size_t most) const {
  if (any_.size() <= most) out.insert(out.end(), any_.begin(), any_.end());
  if (entries_.empty()) return;
  for (const auto& [key, value] : labels) {
    const std::uint64_t hash = hash_of(key, value);
    const auto begin = std::lower_bound(entries_.begin(), entries_.end(), Entry{hash, 0});
    const auto end = std::upper_bound(begin, entries_.end(), Entry{hash, kAll});
    if (static_cast<std::size_t>(end - begin) > most) continue;
    for (auto at = begin; at != end; ++at) out.push_back(at->second);
  }
}

}  // namespace shutdown_auditor::audit
