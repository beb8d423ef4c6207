#include "audit/policy_document.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "audit/annotations.h"
#include "base/text.h"
#include "base/time.h"
#include "objects/schema.h"

namespace shutdown_auditor::objects {
namespace {

using audit::PolicyObject;

constexpr auto kTarget = table(field<&PolicyObject::Target::group>("group"), field<&PolicyObject::Target::kind>("kind"),
                               field<&PolicyObject::Target::namespace_>("namespace"), field<&PolicyObject::Target::name>("name"));
constexpr auto kCheck = table(field<&PolicyObject::Check::id>("id"), field<&PolicyObject::Check::mode>("mode"),
                              field<&PolicyObject::Check::result>("result"));

}  // namespace

template <>
const Shape& shape_of<PolicyObject::Target>() {
  return object_shape<kTarget>();
}
template <>
const Shape& shape_of<PolicyObject::Check>() {
  return object_shape<kCheck>();
}

namespace {

constexpr auto kExemption =
    table(field<&PolicyObject::Exemption::name>("name"), field<&PolicyObject::Exemption::target>("targetRef"),
          field<&PolicyObject::Exemption::workload_selector>("workloadSelector"),
          field<&PolicyObject::Exemption::namespace_selector>("namespaceSelector"),
          field<&PolicyObject::Exemption::checks>("checks"), field<&PolicyObject::Exemption::reason>("reason"),
          field<&PolicyObject::Exemption::expiration_time>("expirationTime"));

}  // namespace

template <>
const Shape& shape_of<PolicyObject::Exemption>() {
  return object_shape<kExemption>();
}

namespace {

constexpr auto kDefaults = table(field<&PolicyObject::max_request_seconds>("maxRequestSeconds"),
                                 field<&PolicyObject::cleanup_seconds>("cleanupSeconds"),
                                 field<&PolicyObject::buffer_seconds>("bufferSeconds"),
                                 field<&PolicyObject::endpoint_propagation_seconds>("endpointPropagationSeconds"));
constexpr auto kPlatform = table(field<&PolicyObject::max_grace_period_seconds>("maxGracePeriodSeconds"));
constexpr auto kSpec =
    table(group<kDefaults>("defaults"), group<kPlatform>("platform"),
          field<&PolicyObject::workload_selector>("workloadSelector"),
          field<&PolicyObject::namespace_selector>("namespaceSelector"),
          field<&PolicyObject::exclude_namespaces>("excludeNamespaces"), field<&PolicyObject::checks>("checks"),
          field<&PolicyObject::exemptions>("exemptions"),
          field<&PolicyObject::annotation_exemptions>("annotationExemptions"));
constexpr auto kPolicy = table(field<&PolicyObject::meta>("metadata"), group<kSpec>("spec"));

const Shape& spec_shape() { return object_shape<kSpec>(); }

}  // namespace

template <>
const Shape& shape_of<PolicyObject>() {
  return object_shape<kPolicy>();
}

}  // namespace shutdown_auditor::objects

namespace shutdown_auditor::audit {
namespace {

constexpr std::size_t kMaxChecks = 64;
constexpr std::size_t kMaxExemptions = 256;
constexpr std::size_t kMaxNamespaces = 256;

// Collects the first problem only: one clear line.
class Judge {
 public:
  Judge(const PolicyObject& object, const objects::PositionMap* positions) : object_(object), positions_(positions) {}

  base::Result<Policy> run() {
    type();
    numbers();
    scope();
    for (std::size_t i = 0; i < object_.checks.size(); ++i) check(object_.checks[i], fmt::format("spec.checks[{}]", i));
    for (std::size_t i = 0; i < object_.exemptions.size(); ++i) {
      exemption(object_.exemptions[i], fmt::format("spec.exemptions[{}]", i));
    }
    size("spec.checks", object_.checks.size(), kMaxChecks);
    size("spec.exemptions", object_.exemptions.size(), kMaxExemptions);
    if (!object_.annotation_exemptions.empty() && object_.annotation_exemptions != "Allowed" &&
        object_.annotation_exemptions != "Forbidden") {
      refuse("spec.annotationExemptions", "expected Allowed or Forbidden, got " + base::quoted(object_.annotation_exemptions));
    }
    policy_.annotation_exemptions_allowed = object_.annotation_exemptions != "Forbidden";
    if (!problem_.empty()) return base::fail(base::ErrorKind::kInvalid, problem_);
    return std::move(policy_);
  }

 private:
  void refuse(const std::string& path, const std::string& what) {
    if (!problem_.empty()) return;
    problem_ = path + ": " + what;
    const objects::Mark mark = positions_ != nullptr ? positions_->find(path) : objects::Mark{};
    if (mark.line > 0) problem_ += fmt::format(" (line {})", mark.line);
  }

  void type() {
    if (!object_.kind.empty() && object_.kind != kPolicyKind) {
      refuse("kind", fmt::format("expected {}, got {}", kPolicyKind, base::quoted(object_.kind)));
    }
    if (!object_.api_version.empty() && object_.api_version != kPolicyApiVersion) {
      refuse("apiVersion", fmt::format("expected {}, got {}", kPolicyApiVersion, base::quoted(object_.api_version)));
    }
    policy_.name = object_.meta.name;
  }

  std::optional<std::int64_t> in_range(const std::string& path, const std::optional<std::int64_t>& value, std::int64_t least) {
    if (value && (*value < least || *value > kMaxDeclaredSeconds)) {
      refuse(path, fmt::format("expected {} to {} seconds, got {}", least, kMaxDeclaredSeconds, *value));
    }
    return value;
  }

  void numbers() {
    policy_.max_request_seconds = in_range("spec.defaults.maxRequestSeconds", object_.max_request_seconds, 0);
    policy_.cleanup_seconds = in_range("spec.defaults.cleanupSeconds", object_.cleanup_seconds, 0);
    policy_.buffer_seconds = in_range("spec.defaults.bufferSeconds", object_.buffer_seconds, 0);
    policy_.endpoint_propagation_seconds =
        in_range("spec.defaults.endpointPropagationSeconds", object_.endpoint_propagation_seconds, 0);
    policy_.max_grace_period_seconds = in_range("spec.platform.maxGracePeriodSeconds", object_.max_grace_period_seconds, 1);
  }

  void scope() {
    policy_.workload_selector = selector("spec.workloadSelector", object_.workload_selector);
    policy_.namespace_selector = selector("spec.namespaceSelector", object_.namespace_selector);
    if (!object_.exclude_namespaces) return;
    size("spec.excludeNamespaces", object_.exclude_namespaces->size(), kMaxNamespaces);
    policy_.exclude_namespaces = *object_.exclude_namespaces;
  }

  void size(const std::string& path, std::size_t have, std::size_t most) {
    if (have > most) refuse(path, fmt::format("at most {} entries, got {}", most, have));
  }

  std::optional<objects::LabelSelector> selector(const std::string& path, const std::optional<objects::LabelSelector>& value) {
    if (value) {
      if (const std::string problem = objects::selector_problem(*value); !problem.empty()) refuse(path, problem);
    }
    return value;
  }

  std::optional<Check> id(const std::string& path, const std::string& text) {
    const std::optional<Check> check = check_of(text);
    if (!check) {
      refuse(path, text.empty() ? "a check id is missing" : "there is no check " + base::quoted(text));
    } else if (*check == Check::kAuditError) {
      refuse(path, "audit-error cannot be changed or exempted");
    }
    return check;
  }

  void check(const PolicyObject::Check& given, const std::string& path) {
    const std::optional<Check> which = id(path + ".id", given.id);
    if (!which) return;
    if (!seen_checks_.insert(*which).second) refuse(path + ".id", base::quoted(given.id) + " is there twice");
    CheckSetting setting{*which, given.mode != "Disabled", std::nullopt};
    if (!given.mode.empty() && given.mode != "Enabled" && given.mode != "Disabled") {
      refuse(path + ".mode", "expected Enabled or Disabled, got " + base::quoted(given.mode));
    }
    for (const CheckResult result : {CheckResult::kFail, CheckResult::kWarn, CheckResult::kInfo}) {
      if (given.result == to_string(result)) setting.result = result;
    }
    if (!given.result.empty() && !setting.result) {
      refuse(path + ".result", "expected Fail, Warn or Info, got " + base::quoted(given.result));
    }
    policy_.checks.push_back(setting);
  }

  void exemption(const PolicyObject::Exemption& given, const std::string& path) {
    Exemption exemption;
    exemption.name = given.name;
    if (given.name.empty()) refuse(path + ".name", "an exemption needs a name");
    if (!seen_exemptions_.insert(given.name).second) refuse(path + ".name", base::quoted(given.name) + " is there twice");
    exemption.reason = base::trim(given.reason);
    if (exemption.reason.empty()) {
      refuse(path + ".reason", "exemption " + base::quoted(given.name) + " gives no reason");
    }
    if (given.target) target(*given.target, path + ".targetRef", exemption);
    exemption.workload_selector = selector(path + ".workloadSelector", given.workload_selector);
    exemption.namespace_selector = selector(path + ".namespaceSelector", given.namespace_selector);
    if (!given.target && !given.workload_selector && !given.namespace_selector) {
      refuse(path, "exemption " + base::quoted(given.name) + " names no workloads: give targetRef, workloadSelector or namespaceSelector");
    }
    size(path + ".checks", given.checks.size(), kMaxChecks);
    for (std::size_t i = 0; i < given.checks.size(); ++i) {
      if (const auto which = id(fmt::format("{}.checks[{}]", path, i), given.checks[i])) exemption.checks.push_back(*which);
    }
    if (!given.expiration_time.empty()) {
      const base::Result<base::WallTime> time = base::parse_rfc3339(given.expiration_time);
      if (time) {
        exemption.expiration = *time;
      } else {
        refuse(path + ".expirationTime", "expected an RFC 3339 time such as 2027-01-31T00:00:00Z, got " + base::quoted(given.expiration_time));
      }
    }
    policy_.exemptions.push_back(std::move(exemption));
  }

  void target(const PolicyObject::Target& given, const std::string& path, Exemption& exemption) {
    if (given.kind.empty() && given.namespace_.empty() && given.name.empty()) {
      refuse(path, "expected a kind, a namespace or a name: this one would be every workload");
    }
    if (!given.kind.empty()) {
      exemption.target_kind = objects::GroupKind{given.group.value_or(given.kind == "Rollout" ? "argoproj.io" : "apps"), given.kind};
    }
    exemption.target_namespace = given.namespace_;
    exemption.target_name = given.name;
  }

  const PolicyObject& object_;
  const objects::PositionMap* positions_;
  Policy policy_;
  std::string problem_;
  std::set<Check> seen_checks_;
  std::set<std::string> seen_exemptions_;
};

objects::DecodeOptions options_for(bool yaml, objects::PositionMap* positions) {
  objects::DecodeOptions options;
  options.scalars_as_text = yaml;
  options.positions = positions;
  return options;
}

}  // namespace

base::Result<Policy> to_policy(const PolicyObject& object, const objects::PositionMap* positions) {
  return Judge(object, positions).run();
}

PolicyDecoder::PolicyDecoder(bool yaml) : decoder_(options_for(yaml, &positions_)) {}

base::Result<Policy> PolicyDecoder::take() {
  if (unknown_) return base::unexpected(*unknown_);
  base::Result<PolicyObject> object = decoder_.take();
  if (!object) return base::unexpected(object.error());
  if (object->kind.empty() || object->api_version.empty()) {
    return base::fail(base::ErrorKind::kInvalid, fmt::format("expected apiVersion: {} and kind: {}", kPolicyApiVersion, kPolicyKind));
  }
  return to_policy(*object, &positions_);
}

// What the value that comes next may hold, when it is inside spec.
const objects::Shape* PolicyDecoder::next_shape() const {
  if (frames_.empty()) return nullptr;
  const Frame& frame = frames_.back();
  if (frames_.size() == 1) return frame.key == "spec" ? &objects::spec_shape() : nullptr;
  if (frame.shape == nullptr) return nullptr;
  if (frame.shape->kind == objects::Shape::Kind::kArray) return &frame.shape->item();
  const auto known = std::find_if(frame.shape->fields.begin(), frame.shape->fields.end(),
                                  [&](const objects::Field& field) { return field.name == frame.key; });
  return known == frame.shape->fields.end() ? nullptr : &known->shape();
}

std::string PolicyDecoder::next_path() const {
  if (frames_.empty()) return {};
  const Frame& frame = frames_.back();
  if (frame.array) return fmt::format("{}[{}]", frame.path, frame.items);
  return frame.path.empty() ? frame.key : frame.path + "." + frame.key;
}

bool PolicyDecoder::open(bool array) {
  if (unknown_) return false;
  frames_.push_back({next_shape(), next_path(), {}, array, 0});
  return true;
}

void PolicyDecoder::value() {
  if (!frames_.empty()) ++frames_.back().items;
}

void PolicyDecoder::close() {
  if (!frames_.empty()) frames_.pop_back();
  value();
}

bool PolicyDecoder::key(std::string_view name, objects::Mark mark) {
  if (unknown_ || frames_.empty()) return false;
  Frame& frame = frames_.back();
  frame.key = base::truncate_utf8(name, 100);
  const bool closed = frame.shape != nullptr && frame.shape->kind == objects::Shape::Kind::kObject;
  const bool top = frames_.size() == 1;
  const bool known = top ? name == "apiVersion" || name == "kind" || name == "metadata" || name == "spec" || name == "status"
                         : !closed || std::any_of(frame.shape->fields.begin(), frame.shape->fields.end(),
                                                  [&](const objects::Field& field) { return field.name == name; });
  if (!known) {
    unknown_ = base::Error{base::ErrorKind::kInvalid, next_path() + ": unknown field"};
    return false;
  }
  return decoder_.key(name, mark);
}

bool PolicyDecoder::start_object(objects::Mark mark) { return decoder_.start_object(mark) && open(false); }
bool PolicyDecoder::start_array(objects::Mark mark) { return decoder_.start_array(mark) && open(true); }
bool PolicyDecoder::end_object() {
  close();
  return decoder_.end_object();
}
bool PolicyDecoder::end_array() {
  close();
  return decoder_.end_array();
}
bool PolicyDecoder::null(objects::Mark mark) {
  value();
  return decoder_.null(mark);
}
bool PolicyDecoder::boolean(bool flag, std::string_view text, objects::Mark mark) {
  value();
  return decoder_.boolean(flag, text, mark);
}
bool PolicyDecoder::integer(std::int64_t number, std::string_view text, objects::Mark mark) {
  value();
  return decoder_.integer(number, text, mark);
}
bool PolicyDecoder::number(double number, std::string_view text, objects::Mark mark) {
  value();
  return decoder_.number(number, text, mark);
}
bool PolicyDecoder::string(std::string_view text, objects::Mark mark) {
  value();
  return decoder_.string(text, mark);
}
base::Error PolicyDecoder::problem() const { return unknown_ ? *unknown_ : decoder_.problem(); }

}  // namespace shutdown_auditor::audit
