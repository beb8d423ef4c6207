#include "app/nearest.h"

#include <algorithm>
#include <cstddef>

namespace shutdown_auditor::app {
namespace {

constexpr std::size_t kLongestWord = 64;
constexpr std::size_t kLeastLetters = 3;  // anything is near a shorter word

// Letters to insert, delete, replace or swap with their neighbour (optimal string alignment).
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) {
    last[j] = j;
  }
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0U : 1U)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    before.swap(last);
    last.swap(row);
  }
  return last[b.size()];
}

}  // namespace

std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates) {
  const std::size_t letters = word.size() - std::min(word.size(), word.find_first_not_of('-'));
  if (letters < kLeastLetters || word.size() > kLongestWord) {
    return {};
  }
  std::string_view best;
  std::size_t least = std::max<std::size_t>(1, word.size() / 3) + 1;  // one slip in three letters is still the word
  for (const std::string& candidate : candidates) {
    const std::size_t here = distance(word, candidate);
    if (here < least) {
      least = here;
      best = candidate;
    }
  }
  if (best.empty()) {
    const auto longer = std::find_if(candidates.begin(), candidates.end(),
                                     [&](const std::string& candidate) { return candidate.starts_with(word); });
    best = longer == candidates.end() ? std::string_view() : *longer;
  }
  return best.empty() ? std::string() : "; did you mean " + std::string(best) + "?";
}

}  // namespace shutdown_auditor::app
