#include "app/live_target.h"

#include <algorithm>
#include <array>

#include "base/text.h"
#include "controller/cluster_view.h"

namespace shutdown_auditor::app {
namespace {

// The words kubectl takes besides the plural and the kind itself.
struct ShortName {
  std::string_view word;
  std::string_view plural;
};
constexpr std::array<ShortName, 4> kShortNames{
    {{"deploy", "deployments"}, {"sts", "statefulsets"}, {"ds", "daemonsets"}, {"ro", "rollouts"}}};

bool names(const controller::WorkloadKind& known, std::string_view word) {
  const std::size_t dot = word.find('.');
  const std::string_view kind = word.substr(0, dot);
  if (dot != std::string_view::npos) {
    const std::string_view rest = word.substr(dot + 1);
    const kube::Resource& resource = known.resource;
    if (rest != resource.group && rest != resource.version + "." + resource.group) {
      return false;
    }
  }
  return kind == known.resource.plural || kind == base::to_lower(known.kind.kind) ||
         std::any_of(kShortNames.begin(), kShortNames.end(), [&](const ShortName& entry) {
           return kind == entry.word && known.resource.plural == entry.plural;
         });
}

base::Unexpected<base::Error> invalid(std::string message) {
  return base::fail(base::ErrorKind::kInvalid, std::move(message));
}

}  // namespace

base::Result<LiveTarget> parse_live_target(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::string word = base::to_lower(text.substr(0, slash));
  const auto& kinds = controller::workload_kinds();
  const auto known = std::find_if(kinds.begin(), kinds.end(), [&](const auto& kind) { return names(kind, word); });
  if (known == kinds.end()) {
    return invalid(base::quoted(text) + ": no workload of that kind is audited; write deployment, statefulset, daemonset or "
                   "rollout, as in deployment/web (files are given with -f)");
  }
  if (slash == std::string_view::npos) {
    return LiveTarget{known->kind, ""};
  }
  const std::string_view name = text.substr(slash + 1);
  if (name.empty() || name.find('/') != std::string_view::npos) {
    return invalid(base::quoted(text) + ": write KIND/NAME, as in " + word + "/web");
  }
  return LiveTarget{known->kind, std::string(name)};
}

}  // namespace shutdown_auditor::app
