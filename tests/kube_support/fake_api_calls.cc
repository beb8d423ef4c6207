#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "kube_support/fake_api_internal.h"

namespace shutdown_auditor::testing_support {

using nlohmann::json;

namespace {

std::string percent_decode(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned value = 0;
    const char* digits = text.data() + i + 1;
    if (text[i] == '%' && i + 2 < text.size() && std::from_chars(digits, digits + 2, value, 16).ptr == digits + 2) {
      out += static_cast<char>(value);
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

std::string query_value(const kube::Query& query, std::string_view name) {
  for (const auto& [key, value] : query) {
    if (key == name) {
      return value;
    }
  }
  return {};
}

// Server-side apply: what `before` had applied and `now` leaves out goes away.
void remove_unapplied(const json& before, const json& now, json& target) {
  if (!before.is_object() || !target.is_object()) {
    return;
  }
  for (const auto& [key, value] : before.items()) {
    if (!now.is_object() || !now.contains(key)) {
      if (value.is_object() && target.contains(key) && target[key].is_object()) {
        remove_unapplied(value, json(), target[key]);
        if (target[key].empty()) {
          target.erase(key);
        }
      } else {
        target.erase(key);
      }
    } else if (target.contains(key)) {
      remove_unapplied(value, now[key], target[key]);
    }
  }
}

}  // namespace

kube::Result<kube::ApiResponse> FakeApi::call(const kube::ApiRequest& request, const base::Cancellation& cancel) {
  // /api/VERSION/… or /apis/GROUP/VERSION/…
  std::vector<std::string> parts;
  for (const std::string_view part : base::split(request.path, '/')) {
    parts.push_back(percent_decode(part));
  }
  parts.erase(parts.begin());
  const std::size_t group_parts = !parts.empty() && parts[0] == "apis" ? 3 : 2;
  const bool discovery = parts.size() == group_parts;
  Target target;
  if (parts.size() > group_parts) {
    std::size_t next = group_parts;
    std::string group_version = group_parts == 3 ? parts[1] + "/" + parts[2] : parts[1];
    if (parts[next] == "namespaces" && parts.size() > next + 2) {
      target.name_space = parts[next + 1];
      next += 2;
    }
    target.collection = group_version + "/" + parts[next];
    target.name = parts.size() > next + 1 ? parts[next + 1] : "";
    target.subresource = parts.size() > next + 2 ? parts[next + 2] : "";
  }

  SeenCall seen{"get", request.path, request.query, request.content_type, request.body};
  switch (request.method) {
    case http::Method::kGet: seen.verb = discovery ? "discover" : "get"; break;
    case http::Method::kPost: seen.verb = "create"; break;
    case http::Method::kPut: seen.verb = "update"; break;
    case http::Method::kPatch:
      seen.verb = request.content_type == "application/apply-patch+yaml" ? "apply" : "patch";
      break;
    case http::Method::kDelete: seen.verb = "delete"; break;
  }
  std::optional<kube::Error> ended;
  const std::optional<Fault> fault = arrive(seen, cancel, ended);
  if (ended) {
    return base::unexpected(*ended);
  }
  kube::Result<kube::ApiResponse> result = [&]() -> kube::Result<kube::ApiResponse> {
    const std::lock_guard lock(mutex_);
    if (discovery) {
      return discover(group_parts == 3 ? parts[1] + "/" + parts[2] : parts[1]);
    }
    try {
      return execute(request, target);
    } catch (const json::exception& e) {
      return bad_request(e.what());
    }
  }();
  if (fault) {
    return base::unexpected(fault->error);
  }
  return result;
}

kube::Result<kube::ApiResponse> FakeApi::discover(const std::string& group_version) {
  json served = json::array();
  for (const kube::Resource& resource : known_) {
    if (resource.api_version() == group_version && !unserved_.contains(collection_of(resource))) {
      served.push_back({{"name", resource.plural}, {"kind", resource.kind}, {"namespaced", resource.namespaced}});
    }
  }
  if (served.empty()) {
    return not_found(group_version);
  }
  const json body = {{"kind", "APIResourceList"}, {"groupVersion", group_version}, {"resources", served}};
  return kube::ApiResponse{200, body.dump()};
}

kube::Result<kube::ApiResponse> FakeApi::execute(const kube::ApiRequest& request, const Target& target) {
  if (unserved_.contains(target.collection)) {
    return refuse(kube::ErrorKind::kNotFound, 404, "NotFound", "the server could not find the requested resource");
  }
  if (!target.subresource.empty() && target.subresource != "status") {
    return not_found(target.subresource);
  }
  const auto found = objects_.find(target.key());
  switch (request.method) {
    case http::Method::kGet:
      if (target.name.empty()) {
        return bad_request("use Api::list for collections");
      }
      return found == objects_.end() ? kube::Result<kube::ApiResponse>(not_found(target.name))
                                     : kube::ApiResponse{200, found->second.dump()};
    case http::Method::kPost:
      return create(request, target);
    case http::Method::kPut:
      return update(request, target);
    case http::Method::kPatch:
      return patch(request, target);
    case http::Method::kDelete:
      return erase(request, target);
  }
  return bad_request("unknown method");
}

kube::Result<kube::ApiResponse> FakeApi::create(const kube::ApiRequest& request, const Target& target) {
  json object = json::parse(request.body);
  Target named = target;
  named.name = text_of(object.at("metadata"), "name");
  if (named.name.empty()) {
    return bad_request("metadata.name is required");
  }
  if (!target.name_space.empty()) {
    object["metadata"]["namespace"] = target.name_space;
  }
  if (objects_.contains(named.key())) {
    return refuse(kube::ErrorKind::kAlreadyExists, 409, "AlreadyExists",
                  fmt::format("{} \"{}\" already exists", target.collection, named.name));
  }
  object["metadata"].erase("resourceVersion");
  return kube::ApiResponse{201, store(named.key(), std::move(object)).dump()};
}

kube::Result<kube::ApiResponse> FakeApi::update(const kube::ApiRequest& request, const Target& target) {
  const auto found = objects_.find(target.key());
  if (found == objects_.end()) {
    return not_found(target.name);
  }
  json object = json::parse(request.body);
  const std::string version = text_of(object.at("metadata"), "resourceVersion");
  if (!version.empty() && version != text_of(found->second.at("metadata"), "resourceVersion")) {
    return refuse(kube::ErrorKind::kConflict, 409, "Conflict",
                  fmt::format("Operation cannot be fulfilled on {} \"{}\": the object has been modified",
                              target.collection, target.name));
  }
  json merged = target.subresource.empty() ? object : found->second;
  json& status_from = target.subresource.empty() ? found->second : object;
  if (status_from.contains("status")) {
    merged["status"] = status_from["status"];
  } else {
    merged.erase("status");
  }
  return kube::ApiResponse{200, store(target.key(), std::move(merged)).dump()};
}

kube::Result<kube::ApiResponse> FakeApi::patch(const kube::ApiRequest& request, const Target& target) {
  const bool apply = request.content_type == "application/apply-patch+yaml";
  if (!apply && request.content_type != "application/merge-patch+json") {
    return refuse(kube::ErrorKind::kInvalid, 415, "UnsupportedMediaType", request.content_type);
  }
  const auto found = objects_.find(target.key());
  if (found == objects_.end() && (!apply || !target.subresource.empty())) {
    return not_found(target.name);
  }
  json given = json::parse(request.body);
  json& meta = given["metadata"];
  if (meta.is_null()) {
    meta = json::object();
  }
  const std::string version = text_of(meta, "resourceVersion");
  if (!version.empty() &&
      (found == objects_.end() || version != text_of(found->second.at("metadata"), "resourceVersion"))) {
    return refuse(kube::ErrorKind::kConflict, 409, "Conflict", "the object has been modified");
  }
  const std::string uid = text_of(meta, "uid");
  if (!uid.empty() && (found == objects_.end() || uid != text_of(found->second.at("metadata"), "uid"))) {
    return refuse(kube::ErrorKind::kConflict, 409, "Conflict", "metadata.uid: Precondition failed");
  }
  if (target.subresource.empty()) {
    given.erase("status");
  } else {
    given = json{{"status", given.contains("status") ? given["status"] : json::object()}};
  }
  json object = found == objects_.end() ? json::object() : found->second;
  if (apply) {
    const std::string manager = query_value(request.query, "fieldManager");
    if (manager.empty()) {
      return bad_request("fieldManager is required for apply patch");
    }
    json& before = applied_[fmt::format("{}|{}|{}|{}|{}", target.collection, target.name_space, target.name,
                                        target.subresource, manager)];
    remove_unapplied(before, given, object);
    before = given;
  }
  object.merge_patch(given);
  object["metadata"]["name"] = target.name;
  if (!target.name_space.empty()) {
    object["metadata"]["namespace"] = target.name_space;
  }
  const int code = found == objects_.end() ? 201 : 200;
  return kube::ApiResponse{code, store(target.key(), std::move(object)).dump()};
}

kube::Result<kube::ApiResponse> FakeApi::erase(const kube::ApiRequest& request, const Target& target) {
  const auto found = objects_.find(target.key());
  if (found == objects_.end()) {
    return not_found(target.name);
  }
  if (!request.body.empty()) {
    const json options = json::parse(request.body);
    const json preconditions = options.value("preconditions", json::object());
    for (const char* member : {"uid", "resourceVersion"}) {
      const std::string wanted = text_of(preconditions, member);
      if (!wanted.empty() && wanted != text_of(found->second.at("metadata"), member)) {
        return refuse(kube::ErrorKind::kConflict, 409, "Conflict",
                      fmt::format("the {} in the precondition does not match", member));
      }
    }
  }
  const std::string last = found->second.dump();
  drop(target.key());
  return kube::ApiResponse{200, last};
}

}  // namespace shutdown_auditor::testing_support
