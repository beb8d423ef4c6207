#pragma once

#include <atomic>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "app/input.h"
#include "app/live_target.h"
#include "audit/policy.h"
#include "base/cancellation.h"
#include "kube/api.h"

namespace shutdown_auditor::app {

// What to read of a cluster, and what of it to audit.
struct LiveQuery {
  std::string name_space = {};            // empty: all
  std::vector<LiveTarget> targets = {};   // empty: every workload
  std::string selector = {};              // label selector of the workloads to audit, as the API server reads it
  bool read_policy = true;                // the ShutdownPolicy "default"
  base::Duration request_timeout = {};    // of each request; 0: the client's own limits
};

struct LiveInput {
  Input input;                          // with the marks of what could not be read
  std::optional<audit::Policy> policy;  // the cluster's; absent: it has none, or none that can be read
  // For a person, one line each: what could not be read or found and what follows from that.
  std::vector<std::string> remarks;
  bool failed = false;                  // something that was asked for could not be read or is not there
};

// Reads, with GET and LIST only and several lists at once, the workloads of a cluster or of one namespace and all that
// stands around them. What the user may not read, or the server does not have, is remarked and left out; an error is what
// makes all of it useless: no answer, refused credentials, no workloads that can be read, no such namespace, a selector the
// server does not understand. `objects_read` counts along. Blocks; no call to `api` is left when it returns.
kube::Result<LiveInput> read_live_input(kube::Api& api, base::Clock& clock, const LiveQuery& query,
                                        std::atomic<std::size_t>& objects_read);

}  // namespace shutdown_auditor::app
