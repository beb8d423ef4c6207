#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace shutdown_auditor::objects {

// Labels or annotations, sorted by key, keys unique. A flat vector: a handful of entries costs one allocation.
using StringMap = std::vector<std::pair<std::string, std::string>>;
// The value of `key`, or nullptr.
const std::string* find(const StringMap& map, std::string_view key);
// Sorts and drops all but the last entry of a repeated key.
void normalize(StringMap& map);

// A group and kind, for example {"apps", "Deployment"}; the core group is "".
struct GroupKind {
  std::string group;
  std::string kind;
  friend auto operator<=>(const GroupKind&, const GroupKind&) = default;
};

// "apps/v1" -> "apps", "v1" -> "".
std::string_view group_of(std::string_view api_version);

struct OwnerReference {
  std::string api_version;
  std::string kind;
  std::string name;
  std::string uid;
  bool controller = false;
  friend bool operator==(const OwnerReference&, const OwnerReference&) = default;
};

// The parts of metav1.ObjectMeta that some reader of ours needs; managedFields are never kept.
struct ObjectMeta {
  std::string name;
  std::string namespace_;  // empty for cluster-scoped objects, and in files that leave it to the command line
  std::string uid;
  std::string resource_version;
  std::int64_t generation = 0;
  bool deleting = false;  // metadata.deletionTimestamp is set
  std::string creation_timestamp;  // as received
  StringMap labels;
  StringMap annotations;  // those DecodeOptions kept
  std::vector<OwnerReference> owners;

  const OwnerReference* controller() const;
  friend bool operator==(const ObjectMeta&, const ObjectMeta&) = default;
};

// An int or a string such as "25%" (apimachinery pkg/util/intstr).
struct IntOrString {
  bool is_string = false;
  std::int64_t number = 0;
  std::string text;
  friend bool operator==(const IntOrString&, const IntOrString&) = default;
};
std::string to_string(const IntOrString& value);

}  // namespace shutdown_auditor::objects
