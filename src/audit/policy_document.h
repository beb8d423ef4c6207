#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "audit/policy.h"
#include "base/result.h"
#include "objects/decode.h"

namespace shutdown_auditor::audit {

inline constexpr std::string_view kPolicyGroup = "shutdownaudit.dev";
inline constexpr std::string_view kPolicyApiVersion = "shutdownaudit.dev/v1alpha1";
inline constexpr std::string_view kPolicyKind = "ShutdownPolicy";

// A ShutdownPolicy as written, before its values are judged; crds/shutdownpolicies.yaml has the same fields.
struct PolicyObject {
  struct Target {
    std::optional<std::string> group;
    std::string kind;
    std::string namespace_;
    std::string name;
  };
  struct Check {
    std::string id;
    std::string mode;
    std::string result;
  };
  struct Exemption {
    std::string name;
    std::optional<Target> target;
    std::optional<objects::LabelSelector> workload_selector;
    std::optional<objects::LabelSelector> namespace_selector;
    std::vector<std::string> checks;
    std::string reason;
    std::string expiration_time;
  };

  std::string api_version;
  std::string kind;
  objects::ObjectMeta meta;
  std::optional<std::int64_t> max_request_seconds;
  std::optional<std::int64_t> cleanup_seconds;
  std::optional<std::int64_t> buffer_seconds;
  std::optional<std::int64_t> endpoint_propagation_seconds;
  std::optional<std::int64_t> max_grace_period_seconds;
  std::optional<objects::LabelSelector> workload_selector;
  std::optional<objects::LabelSelector> namespace_selector;
  std::optional<std::vector<std::string>> exclude_namespaces;
  std::vector<Check> checks;
  std::vector<Exemption> exemptions;
  std::string annotation_exemptions;
};

// Judges the values: ranges, check ids, selectors, reasons, times. kInvalid names the field and the value; with
// `positions` of the document also its line.
base::Result<Policy> to_policy(const PolicyObject& object, const objects::PositionMap* positions = nullptr);

// Reads one ShutdownPolicy document strictly: an unknown field under spec is refused by name, where the events' source
// knows the line. For one thread, one document.
class PolicyDecoder final : public objects::EventHandler {
 public:
  // `yaml`: scalars in string fields keep their text (see DecodeOptions::scalars_as_text).
  explicit PolicyDecoder(bool yaml);

  bool start_object(objects::Mark mark) override;
  bool key(std::string_view name, objects::Mark mark) override;
  bool end_object() override;
  bool start_array(objects::Mark mark) override;
  bool end_array() override;
  bool null(objects::Mark mark) override;
  bool boolean(bool value, std::string_view text, objects::Mark mark) override;
  bool integer(std::int64_t value, std::string_view text, objects::Mark mark) override;
  bool number(double value, std::string_view text, objects::Mark mark) override;
  bool string(std::string_view value, objects::Mark mark) override;
  base::Error problem() const override;

  // The policy, once the document is complete.
  base::Result<Policy> take();

 private:
  // An open object or array: what it may hold. Null: anything.
  struct Frame {
    const objects::Shape* shape = nullptr;
    std::string path;
    std::string key;
    bool array = false;
    std::int64_t items = 0;
  };
  const objects::Shape* next_shape() const;
  std::string next_path() const;
  bool open(bool array);
  void value();
  void close();

  objects::PositionMap positions_;
  objects::Decoder<PolicyObject> decoder_;
  std::vector<Frame> frames_;
  std::optional<base::Error> unknown_;
};

}  // namespace shutdown_auditor::audit

namespace shutdown_auditor::objects {
template <>
const Shape& shape_of<audit::PolicyObject>();
}  // namespace shutdown_auditor::objects
