#include "kube/kubeconfig_merge.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <string_view>

#include <fmt/format.h>

#include "base/text.h"
#include "kube/one_line.h"

namespace shutdown_auditor::kube {
namespace {

void make_absolute(std::string& path, const std::string& file) {
  if (!path.empty() && path.front() != '/') {
    path = (std::filesystem::path(file).parent_path() / path).lexically_normal().string();
  }
}

template <class T>
base::Result<void> merge_entries(const KubeconfigFile& file, std::string_view what,
                                 const std::vector<objects::KubeconfigNamed<T>>& from,
                                 std::vector<objects::KubeconfigNamed<T>>& into) {
  std::set<std::string> names;
  for (const auto& entry : from) {
    if (entry.name.empty()) {
      return base::fail(base::ErrorKind::kInvalid,
                        one_line(file.path, fmt::format("a {} has no name", what), "name it"));
    }
    if (!names.insert(entry.name).second) {
      return base::fail(base::ErrorKind::kInvalid,
                        one_line(file.path, fmt::format("two {}s are named {}", what, base::quoted(entry.name, 60)),
                                 "remove or rename one"));
    }
    if (std::none_of(into.begin(), into.end(), [&](const auto& other) { return other.name == entry.name; })) {
      into.push_back(entry);
    }
  }
  return {};
}

void resolve_paths(KubeconfigFile& file) {
  for (auto& cluster : file.content.clusters) {
    make_absolute(cluster.value.certificate_authority, file.path);
  }
  for (auto& user : file.content.users) {
    make_absolute(user.value.client_certificate, file.path);
    make_absolute(user.value.client_key, file.path);
    make_absolute(user.value.token_file, file.path);
    // A bare command name is looked up in PATH.
    if (user.value.exec && user.value.exec->command.find('/') != std::string::npos) {
      make_absolute(user.value.exec->command, file.path);
    }
  }
}

}  // namespace

base::Result<objects::Kubeconfig> merge_kubeconfigs(std::vector<KubeconfigFile> files) {
  objects::Kubeconfig merged;
  for (KubeconfigFile& file : files) {
    resolve_paths(file);
    for (const auto& added : {merge_entries(file, "cluster", file.content.clusters, merged.clusters),
                              merge_entries(file, "user", file.content.users, merged.users),
                              merge_entries(file, "context", file.content.contexts, merged.contexts)}) {
      if (!added) {
        return base::unexpected(added.error());
      }
    }
    if (merged.current_context.empty()) {
      merged.current_context = file.content.current_context;
    }
  }
  return merged;
}

}  // namespace shutdown_auditor::kube
