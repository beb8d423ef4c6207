#include "kube_support/fake_api.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/time.h"
#include "kube_support/fake_api_internal.h"

namespace shutdown_auditor::testing_support {

using nlohmann::json;

base::Unexpected<kube::Error> refuse(kube::ErrorKind kind, int code, std::string reason, std::string message) {
  kube::Error error;
  error.kind = kind;
  error.code = code;
  error.reason = std::move(reason);
  error.message = std::move(message);
  return base::unexpected(std::move(error));
}

base::Unexpected<kube::Error> not_found(std::string_view what) {
  return refuse(kube::ErrorKind::kNotFound, 404, "NotFound", fmt::format("{} not found", what));
}

base::Unexpected<kube::Error> bad_request(std::string message) {
  return refuse(kube::ErrorKind::kInvalid, 400, "BadRequest", std::move(message));
}

std::string collection_of(const kube::Resource& resource) { return resource.api_version() + "/" + resource.plural; }

std::string text_of(const json& object, const char* member) {
  const auto found = object.find(member);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

namespace {

json without(json object, std::initializer_list<const char*> members) {
  for (const char* member : members) {
    object.erase(member);
  }
  return object;
}

}  // namespace

FakeApi::FakeApi(base::Clock& clock) : clock_(clock) {
  using namespace kube::resources;
  known_ = {kDeployments, kStatefulSets, kDaemonSets, kPodDisruptionBudgets, kServices, kHorizontalPodAutoscalers,
            kScaledObjects, kJobs, kCronJobs, kNamespaces, kRollouts, kLeases, kEvents};
}

FakeApi::~FakeApi() = default;

// --- the cluster's side ---

std::string FakeApi::put(const kube::Resource& resource, std::string_view text) {
  json object = json::parse(text);
  const std::lock_guard lock(mutex_);
  know(resource);
  object["apiVersion"] = resource.api_version();
  object["kind"] = resource.kind;
  const json& meta = object.at("metadata");
  const Key key{collection_of(resource), resource.namespaced ? text_of(meta, "namespace") : "", text_of(meta, "name")};
  return text_of(store(key, std::move(object)).at("metadata"), "resourceVersion");
}

void FakeApi::remove(const kube::Resource& resource, std::string_view name_space, std::string_view name) {
  const std::lock_guard lock(mutex_);
  drop({collection_of(resource), std::string(name_space), std::string(name)});
}

std::optional<std::string> FakeApi::get(const kube::Resource& resource, std::string_view name_space,
                                        std::string_view name) const {
  const std::lock_guard lock(mutex_);
  const auto found = objects_.find({collection_of(resource), std::string(name_space), std::string(name)});
  return found == objects_.end() ? std::nullopt : std::optional(found->second.dump());
}

std::vector<std::string> FakeApi::all(const kube::Resource& resource) const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> texts;
  for (const auto& [key, object] : objects_) {
    if (key.collection == collection_of(resource)) {
      texts.push_back(object.dump());
    }
  }
  return texts;
}

std::string FakeApi::resource_version() const {
  const std::lock_guard lock(mutex_);
  return std::to_string(version_);
}

void FakeApi::know(const kube::Resource& resource) {
  const std::string collection = collection_of(resource);
  if (std::none_of(known_.begin(), known_.end(), [&](const auto& r) { return collection_of(r) == collection; })) {
    known_.push_back(resource);
  }
}

void FakeApi::set_served(const kube::Resource& resource, bool served) {
  const std::lock_guard lock(mutex_);
  know(resource);
  const std::string collection = collection_of(resource);
  if (served) {
    unserved_.erase(collection);
    return;
  }
  unserved_.insert(collection);
  std::vector<Key> gone;
  for (const auto& [key, object] : objects_) {
    if (key.collection == collection) {
      gone.push_back(key);
    }
  }
  for (const Key& key : gone) {
    drop(key);
  }
  for (Stream* stream : streams_) {
    stream->closed_ = stream->closed_ || stream->collection_ == collection;
  }
  changed_.notify_all();
}

int FakeApi::open_watches() const {
  const std::lock_guard lock(mutex_);
  return static_cast<int>(
      std::count_if(streams_.begin(), streams_.end(), [](const Stream* stream) { return !stream->closed_; }));
}

void FakeApi::send_bookmarks() {
  const std::lock_guard lock(mutex_);
  for (Stream* stream : streams_) {
    const auto resource = std::find_if(known_.begin(), known_.end(),
                                       [&](const auto& r) { return collection_of(r) == stream->collection_; });
    const json line = {{"type", "BOOKMARK"},
                       {"object",
                        {{"apiVersion", resource->api_version()},
                         {"kind", resource->kind},
                         {"metadata", {{"resourceVersion", std::to_string(version_)}}}}}};
    stream->lines_.push_back(line.dump());
  }
  changed_.notify_all();
}

void FakeApi::send_line(const kube::Resource& resource, const std::string& line) {
  const std::lock_guard lock(mutex_);
  for (Stream* stream : streams_) {
    if (stream->collection_ == collection_of(resource)) {
      stream->lines_.push_back(line);
    }
  }
  changed_.notify_all();
}

void FakeApi::end_watches() {
  const std::lock_guard lock(mutex_);
  for (Stream* stream : streams_) {
    stream->closed_ = true;
  }
  changed_.notify_all();
}

void FakeApi::break_watches(const kube::Error& error) {
  const std::lock_guard lock(mutex_);
  for (Stream* stream : streams_) {
    stream->failure_ = error;
    stream->closed_ = true;
  }
  changed_.notify_all();
}

void FakeApi::expire_history() {
  const std::lock_guard lock(mutex_);
  oldest_ = version_;
  ++version_;  // a LIST from now on has a version that can be watched
}

void FakeApi::fail(int times, Predicate matches, kube::Error error, bool after_effect) {
  const std::lock_guard lock(mutex_);
  faults_.push_back({times, std::move(matches), std::move(error), after_effect});
}

void FakeApi::clear_faults() {
  const std::lock_guard lock(mutex_);
  faults_.clear();
}

void FakeApi::hold(Predicate matches) {
  const std::lock_guard lock(mutex_);
  hold_ = std::move(matches);
}

void FakeApi::release() {
  const std::lock_guard lock(mutex_);
  hold_ = nullptr;
  changed_.notify_all();
}

int FakeApi::held() const {
  const std::lock_guard lock(mutex_);
  return held_;
}

std::vector<SeenCall> FakeApi::calls() const {
  const std::lock_guard lock(mutex_);
  return calls_;
}

std::size_t FakeApi::count(std::string_view verb, std::string_view path_contains) const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(std::count_if(calls_.begin(), calls_.end(), [&](const SeenCall& call) {
    return call.verb == verb && call.path.find(path_contains) != std::string::npos;
  }));
}

void FakeApi::forget_calls() {
  const std::lock_guard lock(mutex_);
  calls_.clear();
}

// --- storage; mutex_ is held ---

const json& FakeApi::store(const Key& key, json object) {
  const auto found = objects_.find(key);
  const json before = found == objects_.end() ? json() : found->second;
  json& meta = object["metadata"];
  if (before.is_null()) {
    if (text_of(meta, "uid").empty()) {
      meta["uid"] = fmt::format("00000000-0000-4000-8000-{:012}", ++next_uid_);
    }
    meta["creationTimestamp"] = base::format_rfc3339(clock_.wall_now());
    meta["generation"] = 1;
  } else {
    const json& old = before.at("metadata");
    for (const char* member : {"uid", "creationTimestamp", "generation", "resourceVersion"}) {
      meta[member] = old.at(member);
    }
    if (object == before) {
      return found->second;
    }
    if (without(object, {"metadata", "status"}) != without(before, {"metadata", "status"})) {
      meta["generation"] = old.at("generation").get<int>() + 1;
    }
  }
  meta["resourceVersion"] = std::to_string(++version_);
  json& stored = objects_[key] = std::move(object);
  history_.push_back({version_, key, stored});
  publish(key, before, stored, version_);
  return stored;
}

void FakeApi::drop(const Key& key) {
  const auto found = objects_.find(key);
  if (found == objects_.end()) {
    return;
  }
  json last = std::move(found->second);
  objects_.erase(found);
  const std::string prefix = fmt::format("{}|{}|{}|", key.collection, key.name_space, key.name);
  std::erase_if(applied_, [&](const auto& entry) { return entry.first.starts_with(prefix); });
  history_.push_back({++version_, key, json()});
  publish(key, last, json(), version_);
}

void FakeApi::publish(const Key& key, const json& before, const json& after, std::uint64_t version) {
  for (Stream* stream : streams_) {
    if (!stream->covers(key)) {
      continue;
    }
    const bool was = !before.is_null() && stream->selector_.matches(before);
    const bool is = !after.is_null() && stream->selector_.matches(after);
    if (!was && !is) {
      continue;
    }
    json object = after.is_null() ? before : after;
    object["metadata"]["resourceVersion"] = std::to_string(version);
    const char* type = !is ? "DELETED" : was ? "MODIFIED" : "ADDED";
    stream->lines_.push_back(json{{"type", type}, {"object", std::move(object)}}.dump());
  }
  changed_.notify_all();
}

std::map<FakeApi::Key, json> FakeApi::snapshot(const std::string& collection, std::uint64_t version) const {
  std::map<Key, json> objects;
  for (const Change& change : history_) {
    if (change.version <= version && change.key.collection == collection) {
      if (change.object.is_null()) {
        objects.erase(change.key);
      } else {
        objects[change.key] = change.object;
      }
    }
  }
  return objects;
}

// --- arrivals ---

std::optional<FakeApi::Fault> FakeApi::arrive(const SeenCall& seen, const base::Cancellation& cancel,
                                              std::optional<kube::Error>& ended) {
  std::unique_lock lock(mutex_);
  calls_.push_back(seen);
  changed_.notify_all();
  if (hold_ && hold_(seen)) {
    ++held_;
    const bool released = clock_.wait_until(lock, changed_, cancel.stop, cancel.deadline,
                                            [&] { return !hold_ || !hold_(seen); });
    --held_;
    if (!released) {
      ended = refuse(cancel.stop_requested() ? kube::ErrorKind::kCancelled : kube::ErrorKind::kTimeout, 0, "",
                     "call ended while it was held").error;
      return std::nullopt;
    }
  }
  if (cancel.stop_requested()) {
    ended = refuse(kube::ErrorKind::kCancelled, 0, "", "call cancelled").error;
    return std::nullopt;
  }
  for (auto fault = faults_.begin(); fault != faults_.end(); ++fault) {
    if (fault->matches(seen)) {
      Fault found = *fault;
      if (fault->times > 0 && --fault->times == 0) {
        faults_.erase(fault);
      }
      if (!found.after_effect) {
        ended = found.error;
      }
      return found;
    }
  }
  return std::nullopt;
}

}  // namespace shutdown_auditor::testing_support
