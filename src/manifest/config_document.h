#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"
#include "objects/events.h"
#include "objects/kubeconfig.h"

namespace shutdown_auditor::manifest {

inline constexpr std::size_t kMaxConfigBytes = std::size_t{4} << 20U;

// Plays the one YAML or JSON document of a configuration file (kubeconfig, policy, baseline) to `handler`. Errors are
// "file:line:column: what": malformed YAML, a repeated key, more than one document, more than `max_bytes`, or the
// handler's own problem. An empty document plays nothing. Scalars and aliases as in tape_builder.h.
base::Result<void> read_config_document(std::string_view text, const std::string& file_name,
                                        objects::EventHandler& handler, std::size_t max_bytes = kMaxConfigBytes);

// A kubeconfig file (kind Config, or none given; an empty file is an empty one, as for client-go). Messages never hold
// values of the file.
base::Result<objects::Kubeconfig> read_kubeconfig(const std::string& path);
// The same from text.
base::Result<objects::Kubeconfig> parse_kubeconfig(std::string_view text, const std::string& file_name);

}  // namespace shutdown_auditor::manifest
