#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "objects/kubeconfig.h"

namespace shutdown_auditor::kube {

// One file of a $KUBECONFIG list.
struct KubeconfigFile {
  std::string path;
  objects::Kubeconfig content;
};

// The files as one: of entries with the same name, and of current-context, the first wins; relative paths become paths
// from their file's folder. kInvalid, naming the file, for an entry without a name or a name used twice in one file.
// (client-go tools/clientcmd/loader.go.)
base::Result<objects::Kubeconfig> merge_kubeconfigs(std::vector<KubeconfigFile> files);

}  // namespace shutdown_auditor::kube
