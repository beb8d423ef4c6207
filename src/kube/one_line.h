#pragma once

#include <string>
#include <string_view>

#include "kube/error.h"

namespace shutdown_auditor::kube {

inline constexpr std::size_t kOneLineBytes = 300;

// "PLACE: WHAT; REMEDY" in one line of at most 300 bytes, for a person at a terminal. When it is too long, `what` and
// then `place` (from its beginning: the end of a path says more) are shortened; the remedy is kept whole.
std::string one_line(std::string_view place, std::string_view what, std::string_view remedy);

// Where a connection's settings came from, for messages.
struct Endpoint {
  std::string server;   // "https://10.0.0.1:6443"
  std::string source;   // the kubeconfig file(s), or "in-cluster"
  std::string context;  // empty in-cluster
};

// A failed call for a person: which server, from which kubeconfig, what it or the network said, what to do.
std::string one_line(const Error& error, const Endpoint& endpoint);

}  // namespace shutdown_auditor::kube
