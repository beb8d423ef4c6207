#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>
#include <utility>
#include <vector>

#include "objects/meta.h"

namespace shutdown_auditor::audit {

// Finds among many lists of required labels the few that a set of labels may fulfil, so that thousands of selectors need
// not be tried on each of thousands of workloads. Each list is filed under its rarest pairs. Keys whose value a controller
// chooses are no help and are not used. Fill first, then ask; asking is safe from any thread.
class LabelIndex {
 public:
  static constexpr std::size_t kAll = std::numeric_limits<std::size_t>::max();

  // With `pairs` 1 a list is found when all its pairs hold, with 2 also when one of them does not.
  explicit LabelIndex(std::size_t pairs = 1) : pairs_(pairs) {}
  // Each list gets the next number, from 0. One with fewer usable pairs than the index needs is found by any labels.
  void add(const objects::StringMap& required);
  // To be called once, after the last add().
  void finish();
  // Appends to `out` the numbers of all lists to be found, in no order, perhaps repeated, and perhaps of some more. A pair
  // that more than `most` lists are filed under is passed over, and so are the lists that any labels find.
  void candidates(const objects::StringMap& labels, std::vector<std::size_t>& out, std::size_t most = kAll) const;

 private:
  using Entry = std::pair<std::uint64_t, std::size_t>;  // hash of a pair, number of a list

  std::size_t pairs_;
  std::vector<Entry> entries_;    // of all pairs; sorted and only the rarest after finish()
  std::vector<std::size_t> any_;  // lists that any labels find
  std::size_t size_ = 0;
};

// Labels whose value a controller chooses: pod-template-hash and its kind.
bool is_chosen_label(std::string_view key);

}  // namespace shutdown_auditor::audit
