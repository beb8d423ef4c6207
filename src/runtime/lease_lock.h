#pragma once

#include <cstdint>
#include <string>

#include "kube/api.h"

namespace shutdown_auditor::runtime {

// What a coordination.k8s.io/v1 Lease says. Times are metav1.MicroTime text, as on the wire. Two records are equal when
// the holder wrote nothing in between (metadata changes by others do not count).
struct LeaseRecord {
  std::string holder;  // empty: free
  std::int64_t duration_seconds = 0;
  std::string acquire_time;
  std::string renew_time;
  std::int64_t transitions = 0;
  friend bool operator==(const LeaseRecord&, const LeaseRecord&) = default;
};

// A record as the server has it, with what the next update needs.
struct StoredLease {
  LeaseRecord record;
  std::string resource_version;
  std::string document;  // the whole object: labels and annotations of others survive our updates
};

// Reads and writes one Lease. Keeps no state; safe from any thread when its Api is. Nothing is retried.
class LeaseLock {
 public:
  // Keeps the reference. The Api must not be fenced: taking the lease is what opens the fence.
  LeaseLock(kube::Api& api, std::string name_space, std::string name);

  // kNotFound when nobody has made it yet.
  kube::Result<StoredLease> get(const base::Cancellation& cancel) const;
  // kAlreadyExists when another candidate was faster.
  kube::Result<StoredLease> create(const LeaseRecord& record, const base::Cancellation& cancel) const;
  // Replaces `stored`'s record; kConflict when the server has a newer version than stored.resource_version.
  kube::Result<StoredLease> update(const StoredLease& stored, const LeaseRecord& record,
                                   const base::Cancellation& cancel) const;

  const std::string& name() const { return name_; }
  const std::string& name_space() const { return name_space_; }

 private:
  kube::Api& api_;
  std::string name_space_;
  std::string name_;
};

}  // namespace shutdown_auditor::runtime
