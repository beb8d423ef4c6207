#include "controller/policy_follower.h"

#include <nlohmann/json.hpp>

#include "base/log.h"
#include "base/text.h"
#include "base/time.h"

namespace shutdown_auditor::controller {
namespace {

constexpr base::Logger kLog("policy");
constexpr char kAccepted[] = "Accepted";
constexpr std::size_t kMaxMessageBytes = 1024;

std::string status_body(const std::string& name, const report::ReportedCondition& accepted) {
  const nlohmann::json condition = {{"type", accepted.type},
                                    {"status", accepted.status},
                                    {"observedGeneration", accepted.observed_generation.value_or(0)},
                                    {"lastTransitionTime", accepted.last_transition_time},
                                    {"reason", accepted.reason},
                                    {"message", accepted.message}};
  return nlohmann::json{{"apiVersion", kShutdownPolicies.api_version()},
                        {"kind", kShutdownPolicies.kind},
                        {"metadata", {{"name", name}}},
                        {"status",
                         {{"observedGeneration", accepted.observed_generation.value_or(0)},
                          {"conditions", nlohmann::json::array({condition})}}}}
      .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

runtime::ControllerLoopOptions loop_options() {
  runtime::ControllerLoopOptions options;
  options.name = "policy";
  options.workers = 1;
  return options;
}

}  // namespace

PolicyFollower::PolicyFollower(Parts parts, std::string policy_name)
    : parts_(std::move(parts)),
      name_(std::move(policy_name)),
      queue_(parts_.clock),
      loop_(loop_options(), queue_, *this, parts_.clock, parts_.random),
      reflector_({parts_.reader, parts_.clock, parts_.random, nullptr}, kShutdownPolicies, store_,
                 {.options = {},
                  .decode = {},
                  .projection =
                      [](audit::PolicyObject&& object) -> std::optional<FollowedPolicy> {
                        return FollowedPolicy{object.meta, audit::to_policy(object)};
                      },
                  .handlers = {[this](const runtime::Change<FollowedPolicy>& change) { on_change(change); }}}) {}

std::string PolicyFollower::problem() const {
  const std::lock_guard lock(mutex_);
  return problem_;
}

void PolicyFollower::lead() {
  leading_ = true;
  for (const runtime::ObjectKey& key : store_.keys()) queue_.add(key.name, runtime::Priority::kLow, 0);
}

void PolicyFollower::on_change(const runtime::Change<FollowedPolicy>& change) {
  if (leading_ && change.object) queue_.add(change.key.name, runtime::Priority::kHigh, 0);
  if (change.key.name != name_) return;
  if (change.object && change.old_object && change.object->meta.generation == change.old_object->meta.generation) return;

  std::string problem;
  if (!change.object) {
    parts_.keeper.replace({});
    kLog.info("the policy was deleted, the built-in one is in force", {{"policy", name_}});
  } else if (change.object->policy) {
    audit::Policy policy = *change.object->policy;
    policy.name = name_;
    parts_.keeper.replace(std::move(policy));
    kLog.info("policy in force", {{"policy", name_}, {"generation", change.object->meta.generation}});
  } else {
    problem = change.object->policy.error().message;
    kLog.error("the policy is invalid, the last good one stays in force", {{"policy", name_}, {"err", problem}});
  }
  const bool replaced = problem.empty();
  {
    const std::lock_guard lock(mutex_);
    problem_ = std::move(problem);
  }
  if (replaced && parts_.changed) parts_.changed();
}

report::ReportedCondition PolicyFollower::accepted(const FollowedPolicy& object) const {
  report::ReportedCondition condition;
  condition.type = kAccepted;
  condition.observed_generation = object.meta.generation;
  if (!object.policy) {
    condition.status = "False";
    condition.reason = "Invalid";
    condition.message = base::truncate_utf8(object.policy.error().message, kMaxMessageBytes);
  } else if (object.meta.name != name_) {
    condition.status = "False";
    condition.reason = "NotSelected";
    condition.message = "this controller follows the policy " + base::quoted(name_);
  } else {
    condition.status = "True";
    condition.reason = "InForce";
    condition.message = "in force";
  }
  return condition;
}

kube::Result<std::optional<report::ReportedCondition>> PolicyFollower::stored_condition(
    const std::string& name, const base::Cancellation& cancel) const {
  using Stored = std::optional<report::ReportedCondition>;
  kube::ApiRequest get;
  get.path = kube::path_of(kShutdownPolicies, "", name);
  get.idempotent = true;
  const auto response = parts_.writer.call(get, cancel);
  if (!response) return base::unexpected(response.error());
  const auto object = nlohmann::json::parse(response->body, nullptr, false);
  const auto text = [](const nlohmann::json& from, const char* key) {
    const auto found = from.find(key);
    return found != from.end() && found->is_string() ? found->get<std::string>() : std::string();
  };
  if (!object.is_object() || !object.contains("status") || !object["status"].is_object()) return Stored();
  const auto conditions = object["status"].find("conditions");
  if (conditions == object["status"].end() || !conditions->is_array()) return Stored();
  for (const nlohmann::json& condition : *conditions) {
    if (!condition.is_object() || text(condition, "type") != kAccepted) continue;
    report::ReportedCondition found;
    found.type = kAccepted;
    found.status = text(condition, "status");
    found.reason = text(condition, "reason");
    found.message = text(condition, "message");
    found.last_transition_time = text(condition, "lastTransitionTime");
    const auto generation = condition.find("observedGeneration");
    if (generation != condition.end() && generation->is_number_integer()) {
      found.observed_generation = generation->get<std::int64_t>();
    }
    return Stored(std::move(found));
  }
  return Stored();
}

base::Result<runtime::Action, runtime::ReconcileError> PolicyFollower::reconcile(const runtime::Request& request,
                                                                                 runtime::ReconcileContext& context) {
  const auto object = store_.get("", request.key);
  if (!object || object->meta.deleting) return runtime::Action::await_change();
  report::ReportedCondition now = accepted(*object);
  const auto stored = stored_condition(request.key, context.cancel);
  if (!stored) {
    if (stored.error().kind == kube::ErrorKind::kNotFound) return runtime::Action::await_change();
    return base::unexpected(runtime::ReconcileError{stored.error().message});
  }
  const std::optional<report::ReportedCondition>& before = *stored;
  if (before && before->status == now.status && before->reason == now.reason &&
      before->message == now.message && before->observed_generation == now.observed_generation) {
    return runtime::Action::await_change();
  }
  const bool flipped = !before || before->status != now.status;
  now.last_transition_time = flipped ? base::format_rfc3339(parts_.clock.wall_now()) : before->last_transition_time;

  kube::ApiRequest patch;
  patch.method = http::Method::kPatch;
  patch.path = kube::path_of(kShutdownPolicies, "", request.key, "status");
  patch.query = {{"fieldManager", "shutdownaudit.dev/controller"}, {"force", "true"}};
  patch.content_type = "application/apply-patch+yaml";
  patch.body = status_body(request.key, now);
  patch.idempotent = true;
  const auto written = parts_.writer.call(patch, context.cancel);
  if (!written && written.error().kind != kube::ErrorKind::kNotFound) {
    const bool terminal = written.error().kind == kube::ErrorKind::kInvalid;
    return base::unexpected(runtime::ReconcileError{written.error().message, terminal});
  }
  return runtime::Action::await_change();
}

}  // namespace shutdown_auditor::controller
