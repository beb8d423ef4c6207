#include "objects/selector.h"

#include <algorithm>
#include <string_view>

#include "base/text.h"

namespace shutdown_auditor::objects {
namespace {

bool is_alphanumeric(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

// Letters, digits, '-', '_' and '.', alphanumeric at both ends, at most 63: a label value, the name in a label key.
bool is_label_name(std::string_view text) {
  return !text.empty() && text.size() <= 63 && is_alphanumeric(text.front()) && is_alphanumeric(text.back()) &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return is_alphanumeric(c) || c == '-' || c == '_' || c == '.'; });
}

// A name, or a DNS subdomain, a slash and a name (apimachinery, IsQualifiedName). The subdomain is only checked for its
// letters: that is where real mistakes are.
bool is_label_key(std::string_view key) {
  const std::size_t slash = key.find('/');
  if (slash == std::string_view::npos) return is_label_name(key);
  const std::string_view prefix = key.substr(0, slash);
  return !prefix.empty() && prefix.size() <= 253 && is_alphanumeric(prefix.front()) && is_alphanumeric(prefix.back()) &&
         std::all_of(prefix.begin(), prefix.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.'; }) &&
         is_label_name(key.substr(slash + 1));
}

std::string label_problem(std::string_view key, std::string_view value) {
  if (!is_label_key(key)) return base::quoted(key, 100) + " is not a label key";
  return value.empty() || is_label_name(value) ? std::string() : base::quoted(value, 100) + " is not a label value";
}

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
  if (std::string problem = label_problem(requirement.key, {}); !problem.empty()) return "matchExpressions: " + problem;
  for (const std::string& value : requirement.values) {
    if (std::string problem = label_problem(requirement.key, value); !problem.empty()) return "matchExpressions: " + problem;
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
  for (const auto& [key, value] : selector.match_labels) {
    if (std::string problem = label_problem(key, value); !problem.empty()) return "matchLabels: " + problem;
  }
  for (const SelectorRequirement& requirement : selector.match_expressions) {
    if (std::string problem = problem_of(requirement); !problem.empty()) return problem;
  }
  return {};
}

bool matches_all(const StringMap& pairs, const StringMap& labels) { return !pairs.empty() && pairs_hold(pairs, labels); }

}  // namespace shutdown_auditor::objects
