#include "runtime/status_writer.h"

#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/backoff.h"

namespace shutdown_auditor::runtime {
namespace {

using nlohmann::json;

constexpr base::BackoffPolicy kConflictBackoff{std::chrono::milliseconds(50), std::chrono::seconds(1), 2.0, 1.0,
                                               base::Duration::zero()};

base::Unexpected<kube::Error> fail(kube::ErrorKind kind, std::string message) {
  kube::Error error;
  error.kind = kind;
  error.message = std::move(message);
  return base::unexpected(std::move(error));
}

kube::Result<std::string> version_in(const std::string& body) {
  const json document = json::parse(body, nullptr, false);
  const auto metadata = document.is_object() ? document.find("metadata") : document.end();
  if (metadata != document.end() && metadata->is_object()) {
    const auto version = metadata->find("resourceVersion");
    if (version != metadata->end() && version->is_string()) {
      return version->get<std::string>();
    }
  }
  return fail(kube::ErrorKind::kProtocol, "the API server's answer to a patch has no metadata.resourceVersion");
}

// The server tells who owns the fields only in the causes.
void name_competitors(kube::Error& error) {
  for (const kube::StatusCause& cause : error.causes) {
    if (cause.reason == "FieldManagerConflict") {
      error.message += fmt::format("; {} ({})", cause.message, cause.field);
    }
  }
}

}  // namespace

StatusWriter::StatusWriter(StatusWriterOptions options, kube::Resource resource, kube::Api& api, base::Clock& clock,
                           base::Random& random)
    : options_(std::move(options)), resource_(std::move(resource)), api_(api), clock_(clock), random_(random) {}

kube::Result<WriteResult> StatusWriter::write(const DesiredObject& desired, const std::optional<KnownObject>& known,
                                              const base::Cancellation& cancel) const {
  WriteResult result;
  if (known) {
    result.resource_version = known->resource_version;
    if (known->deleting) {
      return result;
    }
  }
  if (!known || known->main_digest != desired.main_digest) {
    kube::Result<std::string> version = apply(desired, "", desired.main, cancel);
    if (!version) {
      return base::unexpected(std::move(version.error()));
    }
    result.resource_version = std::move(*version);
    result.wrote_main = true;
  }
  if (!known || known->status_digest != desired.status_digest) {
    kube::Result<std::string> version = apply(desired, "status", desired.status, cancel);
    if (!version && version.error().kind == kube::ErrorKind::kNotFound && (known || result.wrote_main)) {
      result.gone = true;
      return result;
    }
    if (!version) {
      return base::unexpected(std::move(version.error()));
    }
    result.resource_version = std::move(*version);
    result.wrote_status = true;
  }
  return result;
}

kube::Result<std::string> StatusWriter::apply(const DesiredObject& desired, std::string_view subresource,
                                              const std::string& body, const base::Cancellation& cancel) const {
  if (body.size() > options_.max_bytes) {
    return fail(kube::ErrorKind::kInvalid, fmt::format("{}/{}: {} bytes to write, the limit is {}", desired.name_space,
                                                       desired.name, body.size(), options_.max_bytes));
  }
  kube::ApiRequest request;
  request.method = http::Method::kPatch;
  request.path = kube::path_of(resource_, desired.name_space, desired.name, subresource);
  request.query = {{"fieldManager", options_.field_manager}};
  if (options_.force) {
    request.query.emplace_back("force", "true");
  }
  request.content_type = "application/apply-patch+yaml";  // JSON is YAML
  request.body = body;
  request.idempotent = true;
  request.wait_when_throttled = desired.wait_when_throttled;
  for (int tries = 1;; ++tries) {
    kube::Result<kube::ApiResponse> response = api_.call(request, cancel);
    if (response) {
      return version_in(response->body);
    }
    kube::Error& error = response.error();
    if (error.kind == kube::ErrorKind::kConflict && !options_.force) {
      name_competitors(error);
    } else if (error.kind == kube::ErrorKind::kConflict && tries < options_.conflict_tries) {
      const base::Duration wait =
          base::backoff_delay(kConflictBackoff, static_cast<std::uint32_t>(tries - 1), random_.uniform());
      if (base::after(clock_.now(), wait) < cancel.deadline && clock_.sleep_for(wait, cancel.stop)) {
        continue;
      }
    }
    return base::unexpected(std::move(error));
  }
}

kube::Result<bool> StatusWriter::remove(std::string_view name_space, std::string_view name, std::string_view uid,
                                        const base::Cancellation& cancel, bool wait_when_throttled) const {
  const json body = {{"apiVersion", "v1"},
                     {"kind", "DeleteOptions"},
                     {"propagationPolicy", "Background"},
                     {"preconditions", {{"uid", uid}}}};
  kube::ApiRequest request;
  request.method = http::Method::kDelete;
  request.path = kube::path_of(resource_, name_space, name);
  request.content_type = "application/json";
  request.body = body.dump(-1, ' ', false, json::error_handler_t::replace);
  request.idempotent = true;
  request.wait_when_throttled = wait_when_throttled;
  kube::Result<kube::ApiResponse> response = api_.call(request, cancel);
  if (response) {
    return true;
  }
  if (response.error().kind == kube::ErrorKind::kNotFound || response.error().kind == kube::ErrorKind::kConflict) {
    return false;
  }
  return base::unexpected(std::move(response.error()));
}

}  // namespace shutdown_auditor::runtime
