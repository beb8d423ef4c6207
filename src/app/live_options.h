#pragma once

#include <string>
#include <vector>

#include "base/clock.h"

namespace shutdown_auditor::app {

// Which cluster, as whom: kubectl's flags. Empty: as the kubeconfig says.
struct LiveConnection {
  std::string kubeconfig;
  std::string context;
  std::string cluster;
  std::string user;
  std::string as;
  std::vector<std::string> as_groups;
};

// What `check` can be told about a live cluster.
struct LiveOptions {
  LiveConnection connection;
  std::vector<std::string> targets;  // KIND/NAME or KIND
  bool all_namespaces = false;
  std::string selector;
  base::Duration request_timeout{};
};

}  // namespace shutdown_auditor::app
