#pragma once

#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "kube/config.h"
#include "kube/tls_files.h"
#include "objects/kubeconfig.h"

// The parts of a kubeconfig entry that become credentials; for config.cc. Failures begin with the field's name.
namespace shutdown_auditor::kube {

// `field`-data (base64) when given, else the file.
base::Result<PemSource> pem_source(const std::string& field, const std::string& file, const std::string& data);

// Sets credentials, client certificate and impersonation of `config`. A token wins over tokenFile, both over exec.
base::Result<void> set_user(ClientConfig& config, const objects::KubeconfigUser& user,
                            const objects::KubeconfigCluster& cluster, const ConfigOptions& options,
                            base::Clock& clock);

}  // namespace shutdown_auditor::kube
