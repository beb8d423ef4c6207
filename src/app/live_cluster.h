#pragma once

#include <optional>
#include <string>

#include "app/io.h"
#include "app/live_input.h"
#include "app/live_options.h"

namespace shutdown_auditor::app {

struct ReadCluster {
  LiveInput input;
  std::string place;         // what was read: "namespace "shop" of https://10.0.0.1:6443"
  int kubernetes_minor = 0;  // of the server; 0: it did not say
};

// Finds the cluster, says hello and reads what `query` asks for (see live_input.h), its namespace being the context's
// unless it names one or `all_namespaces`. Shows progress on io.err when that is a terminal and it takes longer than a
// second. nullopt after one line on io.err that says what is wrong, where, and what to do. Blocks; a server that does not
// answer is given up after ten seconds.
std::optional<ReadCluster> read_cluster(const LiveConnection& connection, LiveQuery query, bool all_namespaces, Io& io);

}  // namespace shutdown_auditor::app
