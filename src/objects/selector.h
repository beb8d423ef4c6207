#pragma once

#include <optional>
#include <string>
#include <vector>

#include "objects/meta.h"

namespace shutdown_auditor::objects {

// metav1.LabelSelectorRequirement. `op` is kept as written: In, NotIn, Exists, DoesNotExist; anything else is invalid.
struct SelectorRequirement {
  std::string key;
  std::string op;
  std::vector<std::string> values;
  friend bool operator==(const SelectorRequirement&, const SelectorRequirement&) = default;
};

// metav1.LabelSelector. Whether it is absent (nil) or empty ({}) matters to its users: hold it in an optional.
struct LabelSelector {
  StringMap match_labels;
  std::vector<SelectorRequirement> match_expressions;
  bool empty() const { return match_labels.empty() && match_expressions.empty(); }
  friend bool operator==(const LabelSelector&, const LabelSelector&) = default;
};

// True when every label and every expression holds (apimachinery, LabelSelectorAsSelector): an empty selector matches
// everything, NotIn and DoesNotExist match an absent key, an invalid requirement makes the selector match nothing.
bool matches(const LabelSelector& selector, const StringMap& labels);
// A nil selector matches nothing.
bool matches(const std::optional<LabelSelector>& selector, const StringMap& labels);
// What makes the selector invalid (unknown operator, In without values, Exists with values, a key or value that no label
// can have), empty when valid.
std::string selector_problem(const LabelSelector& selector);
// A Service's selector: every pair present; an empty one selects nothing (core/v1 Service: no endpoints are made).
bool matches_all(const StringMap& pairs, const StringMap& labels);

}  // namespace shutdown_auditor::objects
