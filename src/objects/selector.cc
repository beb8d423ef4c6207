#include "objects/selector.h"

#include <algorithm>

#include "base/text.h"

namespace shutdown_auditor::objects {
namespace {

// Empty when the requirement is one that LabelSelectorAsSelector accepts.
std::string problem_of(const SelectorRequirement& requirement) {
  const bool needs_values = requirement.op == "In" || requirement.op == "NotIn";
  if (!needs_values && requirement.op != "Exists" && requirement.op != "DoesNotExist") {
    return "matchExpressions: unknown operator " + base::quoted(requirement.op) + " for key " +
           base::quoted(requirement.key);
  }
  if (requirement.key.empty()) return "matchExpressions: a requirement without a key";
  if (needs_values && requirement.values.empty()) {
    return "matchExpressions: operator " + requirement.op + " for key " + base::quoted(requirement.key) +
           " needs values";
  }
  if (!needs_values && !requirement.values.empty()) {
    return "matchExpressions: operator " + requirement.op + " for key " + base::quoted(requirement.key) +
           " takes no values";
  }
  return {};
}

bool holds(const SelectorRequirement& requirement, const StringMap& labels) {
  const std::string* value = find(labels, requirement.key);
  if (requirement.op == "Exists") return value != nullptr;
  if (requirement.op == "DoesNotExist") return value == nullptr;
  const auto& values = requirement.values;
  const bool listed = value != nullptr && std::find(values.begin(), values.end(), *value) != values.end();
  return requirement.op == "In" ? listed : !listed;
}

bool pairs_hold(const StringMap& pairs, const StringMap& labels) {
  return std::all_of(pairs.begin(), pairs.end(), [&](const auto& pair) {
    const std::string* value = find(labels, pair.first);
    return value != nullptr && *value == pair.second;
  });
}

}  // namespace

bool matches(const LabelSelector& selector, const StringMap& labels) {
  if (!selector_problem(selector).empty()) return false;
  return pairs_hold(selector.match_labels, labels) &&
         std::all_of(selector.match_expressions.begin(), selector.match_expressions.end(),
                     [&](const SelectorRequirement& requirement) { return holds(requirement, labels); });
}

bool matches(const std::optional<LabelSelector>& selector, const StringMap& labels) {
  return selector.has_value() && matches(*selector, labels);
}

std::string selector_problem(const LabelSelector& selector) {
  for (const SelectorRequirement& requirement : selector.match_expressions) {
    if (std::string problem = problem_of(requirement); !problem.empty()) return problem;
  }
  return {};
}

bool matches_all(const StringMap& pairs, const StringMap& labels) { return !pairs.empty() && pairs_hold(pairs, labels); }

}  // namespace shutdown_auditor::objects
