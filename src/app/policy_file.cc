#include "app/policy_file.h"

#include "audit/policy_document.h"
#include "base/file.h"
#include "manifest/config_document.h"

namespace shutdown_auditor::app {

base::Result<audit::Policy> read_policy_file(const std::string& path) {
  const base::Result<std::string> text = base::read_file(path, manifest::kMaxConfigBytes);
  if (!text) {
    return base::unexpected(text.error());
  }
  audit::PolicyDecoder decoder(true);
  if (const base::Result<void> read = manifest::read_config_document(*text, path, decoder); !read) {
    return base::unexpected(read.error());
  }
  base::Result<audit::Policy> policy = decoder.take();
  if (!policy) {
    return base::unexpected(policy.error().with_context(path));
  }
  return policy;
}

}  // namespace shutdown_auditor::app
