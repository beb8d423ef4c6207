#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace shutdown_auditor::app {

// "; did you mean grace-budget?" when `word` is a slip for one of the candidates: its beginning, or a few letters wrong,
// missing, too many or swapped. Empty otherwise. Bounded for words of any length.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace shutdown_auditor::app
