#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/random.h"
#include "kube/api.h"

namespace shutdown_auditor::runtime {

// An object as its controller wants it. The bodies are whole apply configurations in JSON: apiVersion, kind,
// metadata.name (and namespace), and only the fields this controller owns; no resourceVersion, no managedFields. `status`
// contains metadata and status, `main` everything else. Digests are whatever the caller compares (a hash, the text
// itself) and must not cover clock values.
struct DesiredObject {
  std::string name_space;
  std::string name;
  std::string main;
  std::string main_digest;
  std::string status;
  std::string status_digest;
  bool wait_when_throttled = true;  // see kube::ApiRequest
};

// What is known of the object on the server, usually from a store.
struct KnownObject {
  std::string main_digest;
  std::string status_digest;
  std::string resource_version;
  bool deleting = false;  // metadata.deletionTimestamp is set: nothing more is written
};

struct WriteResult {
  bool wrote_main = false;
  bool wrote_status = false;
  bool gone = false;             // the object disappeared while its status was written: nothing left to do
  std::string resource_version;  // of the last write; of `known` when nothing was written
};

struct StatusWriterOptions {
  std::string field_manager;  // one stable name; never derived from a pod
  bool force = true;          // take fields that another manager owns; otherwise that is kConflict naming it
  std::size_t max_bytes = 256U * 1024U;  // of one body; etcd refuses 1.5 MB
  int conflict_tries = 5;
};

// Writes one kind of object by server-side apply (KEP-555), only where it differs. Safe from any thread.
class StatusWriter {
 public:
  // Keeps references. Give it a FencedApi.
  StatusWriter(StatusWriterOptions options, kube::Resource resource, kube::Api& api, base::Clock& clock,
               base::Random& random);

  // No request when both digests equal the known ones; otherwise one PATCH for each part that differs (`known` absent:
  // both). kInvalid (422, 400, a body over max_bytes) is final: the caller must not retry it. Without force, kConflict
  // names the other manager in its message. With force a conflict is a race and is retried with jitter.
  kube::Result<WriteResult> write(const DesiredObject& desired, const std::optional<KnownObject>& known,
                                  const base::Cancellation& cancel) const;

  // Deletes the object if it still has this UID. True when this call deleted it; false when it was gone or is another
  // object by now. `wait_when_throttled`: see kube::ApiRequest.
  kube::Result<bool> remove(std::string_view name_space, std::string_view name, std::string_view uid,
                            const base::Cancellation& cancel, bool wait_when_throttled = true) const;

 private:
  kube::Result<std::string> apply(const DesiredObject& desired, std::string_view subresource, const std::string& body,
                                  const base::Cancellation& cancel) const;

  const StatusWriterOptions options_;
  const kube::Resource resource_;
  kube::Api& api_;
  base::Clock& clock_;
  base::Random& random_;
};

}  // namespace shutdown_auditor::runtime
