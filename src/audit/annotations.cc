#include "audit/annotations.h"

#include <algorithm>
#include <array>

#include "audit/audit.h"
#include "audit/framework_table.h"
#include "audit/seconds.h"
#include "base/text.h"

namespace shutdown_auditor::audit {
namespace {

constexpr std::string_view kIgnore = "ignore";
constexpr std::string_view kIgnoreCheck = "ignore-";
constexpr std::size_t kMaxReasonBytes = 256;

// A key of ours in its parts: "app.shutdownaudit.dev/ignore" -> "app", "ignore".
struct Key {
  std::string_view container;
  std::string_view name;
};

std::optional<Key> parse_key(std::string_view key) {
  const std::size_t slash = key.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  std::string_view prefix = key.substr(0, slash);
  if (!prefix.ends_with(kAnnotationPrefix)) return std::nullopt;
  prefix.remove_suffix(kAnnotationPrefix.size());
  if (!prefix.empty()) {
    if (prefix.back() != '.') return std::nullopt;
    prefix.remove_suffix(1);
    if (prefix.empty()) prefix = ".";  // ".shutdownaudit.dev/…": of no container
  }
  return Key{prefix, key.substr(slash + 1)};
}

class Reader {
 public:
  explicit Reader(const objects::Workload& workload) : workload_(workload) {}

  Annotations read() {
    const objects::StringMap& inner = workload_.pod_template.meta.annotations;
    const bool is_pod = workload_.kind.kind == "Pod";  // its metadata is the template's
    for (const auto& [key, value] : inner) {
      entry(key, value, is_pod ? "metadata.annotations" : "spec.template.metadata.annotations");
    }
    for (const auto& [key, value] : workload_.meta.annotations) {
      if (objects::find(inner, key) == nullptr) entry(key, value, "metadata.annotations");
    }
    return std::move(out_);
  }

 private:
  void entry(const std::string& full_key, const std::string& value, std::string_view parent) {
    const std::optional<Key> key = parse_key(full_key);
    if (!key) return;
    path_ = std::string(parent) + "[\"" + base::truncate_utf8(full_key, 320) + "\"]";
    shown_ = base::quoted(full_key, 100);
    if (!key->container.empty() && !has_container(key->container)) {
      problem("ContainerUnknown", "The annotation " + shown_ + " is for a container that the pod does not have.",
              "Use the name of one of the pod's containers in front of ." + std::string(kAnnotationPrefix) + ", or remove it.");
      return;
    }
    if (key->name == kIgnore || key->name.starts_with(kIgnoreCheck)) {
      exemption(full_key, *key, value);
    } else {
      time(*key, value);
    }
  }

  bool has_container(std::string_view name) const {
    const auto named = [&](const objects::Container& container) { return container.name == name; };
    const objects::PodSpec& spec = workload_.pod_template.spec;
    return std::any_of(spec.containers.begin(), spec.containers.end(), named) ||
           std::any_of(spec.init_containers.begin(), spec.init_containers.end(), named);
  }

  void exemption(const std::string& full_key, const Key& key, const std::string& value) {
    std::optional<Check> check;
    if (key.name != kIgnore) {
      check = check_of(key.name.substr(kIgnoreCheck.size()));
      if (!check) {
        problem("KeyUnknown", "The annotation " + shown_ + " names no check.",
                "Use the id of a check after ignore-, for example ignore-grace-budget.");
        return;
      }
    }
    const std::string_view reason = base::trim(value);
    if (reason.empty()) {
      problem("ExemptionWithoutReason", "The annotation " + shown_ + " gives no reason, so it exempts nothing.",
              "Write the reason as its value.");
      return;
    }
    out_.exemptions.push_back(
        {full_key, check, std::string(key.container), base::truncate_utf8(reason, kMaxReasonBytes)});
  }

  void time(const Key& key, const std::string& value) {
    std::optional<std::int64_t>* target = target_of(key);
    if (target == nullptr) {
      problem("KeyUnknown",
              "The annotation " + shown_ + " is not one of ours" + (key.name == "buffer-seconds" ? " for a container." : "."),
              "Known are pre-stop-seconds, max-request-seconds, cleanup-seconds, buffer-seconds (pod only), ignore and "
              "ignore-<check>.");
      return;
    }
    *target = parse_declared_seconds(value);
    if (!*target) {
      problem("ValueInvalid", "The annotation " + shown_ + " has the value " + base::quoted(value, 80) + ", which is not used.",
              "Write seconds as a decimal number from 0 to 86400 with at most three decimals, for example \"45\" or \"2.5\".");
    }
  }

  std::optional<std::int64_t>* target_of(const Key& key) {
    if (key.name == "buffer-seconds") return key.container.empty() ? &out_.buffer_ms : nullptr;
    if (key.name != "pre-stop-seconds" && key.name != "max-request-seconds" && key.name != "cleanup-seconds") return nullptr;
    DeclaredTimes& times = key.container.empty() ? out_.pod : of_container(key.container);
    if (key.name == "pre-stop-seconds") return &times.pre_stop_ms;
    return key.name == "max-request-seconds" ? &times.max_request_ms : &times.cleanup_ms;
  }

  DeclaredTimes& of_container(std::string_view name) {
    auto place = std::lower_bound(out_.containers.begin(), out_.containers.end(), name,
                                  [](const auto& entry, std::string_view wanted) { return entry.first < wanted; });
    if (place == out_.containers.end() || place->first != name) {
      place = out_.containers.insert(place, {std::string(name), {}});
    }
    return place->second;
  }

  void problem(std::string_view reason, std::string message, std::string remediation) {
    out_.problems.push_back({reason, std::move(message), std::move(remediation), path_});
  }

  const objects::Workload& workload_;
  Annotations out_;
  std::string path_;
  std::string shown_;
};

}  // namespace

const DeclaredTimes& Annotations::of(std::string_view container) const {
  static const DeclaredTimes kNothing;
  const auto place = std::lower_bound(containers.begin(), containers.end(), container,
                                      [](const auto& entry, std::string_view wanted) { return entry.first < wanted; });
  return place != containers.end() && place->first == container ? place->second : kNothing;
}

Annotations read_annotations(const objects::Workload& workload) { return Reader(workload).read(); }

std::optional<std::int64_t> parse_declared_seconds(std::string_view text) {
  const std::size_t dot = text.find('.');
  const std::string_view whole = text.substr(0, dot);
  const std::string_view fraction = dot == std::string_view::npos ? std::string_view() : text.substr(dot + 1);
  const auto digits = [](std::string_view part) {
    return std::all_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; });
  };
  if (whole.empty() || !digits(whole) || !digits(fraction) || fraction.size() > 3) return std::nullopt;
  if (dot != std::string_view::npos && fraction.empty()) return std::nullopt;
  std::int64_t ms = 0;
  for (const char c : whole) ms = saturating_add(saturating_multiply(ms, 10), c - '0');
  ms = saturating_multiply(ms, 1000);
  std::int64_t unit = 100;
  for (const char c : fraction) {
    ms = saturating_add(ms, (c - '0') * unit);
    unit /= 10;
  }
  if (ms > kMaxDeclaredSeconds * 1000) return std::nullopt;
  return ms;
}

bool reads_annotation(std::string_view key) {
  const Names others = annotation_keys();  // of injectors and sidecars, in the knowledge base
  return key == "helm.sh/hook" || parse_key(key).has_value() || std::binary_search(others.begin(), others.end(), key);
}

}  // namespace shutdown_auditor::audit
