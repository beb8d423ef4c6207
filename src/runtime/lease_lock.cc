#include "runtime/lease_lock.h"

#include <utility>

#include <nlohmann/json.hpp>

#include "base/text.h"

namespace shutdown_auditor::runtime {
namespace {

using nlohmann::json;

base::Unexpected<kube::Error> not_a_lease(const std::string& what) {
  kube::Error error;
  error.kind = kube::ErrorKind::kProtocol;
  error.message = "the API server's answer is not a Lease: " + what;
  return base::unexpected(std::move(error));
}

// A member that may be absent or null but not of another type.
template <class T>
bool read(const json& object, const char* name, T& to) {
  const auto found = object.find(name);
  if (found == object.end() || found->is_null()) {
    return true;
  }
  if constexpr (std::is_same_v<T, std::string>) {
    if (!found->is_string()) {
      return false;
    }
  } else {
    if (!found->is_number_integer() || (found->is_number_unsigned() && found->get<std::uint64_t>() > INT64_MAX)) {
      return false;
    }
  }
  to = found->template get<T>();
  return true;
}

kube::Result<StoredLease> parse(std::string body) {
  const json document = json::parse(body, nullptr, false);
  if (!document.is_object() || !document.contains("metadata") || !document["metadata"].is_object()) {
    return not_a_lease(base::quoted(body));
  }
  StoredLease lease;
  if (!read(document["metadata"], "resourceVersion", lease.resource_version) || lease.resource_version.empty()) {
    return not_a_lease("no metadata.resourceVersion");
  }
  const auto spec = document.find("spec");
  if (spec != document.end() && spec->is_object()) {
    LeaseRecord& record = lease.record;
    if (!read(*spec, "holderIdentity", record.holder) ||
        !read(*spec, "leaseDurationSeconds", record.duration_seconds) ||
        !read(*spec, "acquireTime", record.acquire_time) || !read(*spec, "renewTime", record.renew_time) ||
        !read(*spec, "leaseTransitions", record.transitions)) {
      return not_a_lease("a field of spec has the wrong type");
    }
  }
  lease.document = std::move(body);
  return lease;
}

json spec_of(const LeaseRecord& record) {
  return {{"holderIdentity", record.holder},
          {"leaseDurationSeconds", record.duration_seconds},
          {"acquireTime", record.acquire_time},
          {"renewTime", record.renew_time},
          {"leaseTransitions", record.transitions}};
}

kube::Result<StoredLease> send(kube::Api& api, http::Method method, std::string path, std::string body,
                               const base::Cancellation& cancel) {
  kube::ApiRequest request;
  request.method = method;
  request.path = std::move(path);
  request.content_type = body.empty() ? "" : "application/json";
  request.body = std::move(body);
  // The elector's own loop retries, with a fresh renewTime.
  request.idempotent = false;
  kube::Result<kube::ApiResponse> response = api.call(request, cancel);
  if (!response) {
    return base::unexpected(std::move(response.error()));
  }
  return parse(std::move(response->body));
}

}  // namespace

LeaseLock::LeaseLock(kube::Api& api, std::string name_space, std::string name)
    : api_(api), name_space_(std::move(name_space)), name_(std::move(name)) {}

kube::Result<StoredLease> LeaseLock::get(const base::Cancellation& cancel) const {
  return send(api_, http::Method::kGet, kube::path_of(kube::resources::kLeases, name_space_, name_), "", cancel);
}

kube::Result<StoredLease> LeaseLock::create(const LeaseRecord& record, const base::Cancellation& cancel) const {
  const json document = {{"apiVersion", kube::resources::kLeases.api_version()},
                         {"kind", kube::resources::kLeases.kind},
                         {"metadata", {{"name", name_}, {"namespace", name_space_}}},
                         {"spec", spec_of(record)}};
  return send(api_, http::Method::kPost, kube::path_of(kube::resources::kLeases, name_space_), document.dump(), cancel);
}

kube::Result<StoredLease> LeaseLock::update(const StoredLease& stored, const LeaseRecord& record,
                                            const base::Cancellation& cancel) const {
  json document = json::parse(stored.document, nullptr, false);
  if (!document.is_object()) {
    return not_a_lease(base::quoted(stored.document));
  }
  document["metadata"]["resourceVersion"] = stored.resource_version;
  if (!document["spec"].is_object()) {
    document["spec"] = json::object();
  }
  document["spec"].update(spec_of(record));
  return send(api_, http::Method::kPut, kube::path_of(kube::resources::kLeases, name_space_, name_), document.dump(),
              cancel);
}

}  // namespace shutdown_auditor::runtime
