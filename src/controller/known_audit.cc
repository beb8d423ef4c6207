#include "controller/known_audit.h"

#include <algorithm>

#include "base/text.h"
#include "runtime/resource_version.h"

namespace shutdown_auditor::controller {
namespace {

// The digest must not see what others put on the object: only our labels and the owner reference to the target.
std::string main_digest(const report::ShutdownAudit& audit) {
  report::ShutdownAudit own;
  own.meta.name = audit.meta.name;
  own.meta.namespace_ = audit.meta.namespace_;
  own.target = audit.target;
  for (const auto& [key, value] : audit.meta.labels) {
    if (key == report::kManagedByLabel || key == report::kWorkloadKindLabel || key == report::kWorkloadNameLabel) {
      own.meta.labels.emplace_back(key, value);
    }
  }
  objects::normalize(own.meta.labels);
  for (const objects::OwnerReference& owner : audit.meta.owners) {
    if (owner.kind == audit.target.kind && owner.name == audit.target.name) own.meta.owners.push_back(owner);
  }
  return base::sha256_hex(report::apply_body(own));
}

}  // namespace

KnownAudit known_from(const report::ShutdownAudit& audit) {
  KnownAudit known;
  known.audit = report::stored(audit);
  known.target = {{audit.target.group, audit.target.kind}, audit.meta.namespace_, audit.target.name};
  const std::string* manager = objects::find(audit.meta.labels, report::kManagedByLabel);
  known.managed = manager != nullptr && *manager == report::kManagedByValue;
  for (const objects::OwnerReference& owner : audit.meta.owners) {
    if (owner.kind == audit.target.kind && owner.name == audit.target.name) known.owner_uid = owner.uid;
  }
  known.main_digest = main_digest(audit);
  for (report::ReportedCondition& condition : known.audit.conditions) condition.message.clear();
  return known;
}

std::optional<KnownAudit> AuditLedger::current(const std::string& name_space, const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const auto seen = store_.get(name_space, name);
  const auto own = own_.find(name_space + "/" + name);
  if (own == own_.end()) return seen ? std::optional(*seen) : std::nullopt;
  KnownAudit known = own->second;
  if (seen && known.audit.meta.uid.empty()) known.audit.meta.uid = seen->audit.meta.uid;
  return known;
}

void AuditLedger::wrote(const std::string& name_space, const std::string& name, KnownAudit known) {
  const std::lock_guard lock(mutex_);
  // The watch may have been faster than the answer to the write.
  const auto seen = store_.get(name_space, name);
  const std::string& version = known.audit.meta.resource_version;
  if (seen && runtime::reached(seen->audit.meta.resource_version, version)) {
    own_.erase(name_space + "/" + name);
  } else {
    own_[name_space + "/" + name] = std::move(known);
  }
}

void AuditLedger::removed(const std::string& name_space, const std::string& name) {
  const std::lock_guard lock(mutex_);
  own_.erase(name_space + "/" + name);
}

bool AuditLedger::observe(const runtime::ObjectKey& key, const KnownAudit* object) {
  const std::lock_guard lock(mutex_);
  const auto own = own_.find(key.to_string());
  if (own == own_.end()) return true;
  if (object == nullptr) {
    own_.erase(own);
    return true;
  }
  const KnownAudit& written = own->second;
  if (!runtime::reached(object->audit.meta.resource_version, written.audit.meta.resource_version)) {
    return false;  // on the way to it
  }
  const bool echo = object->main_digest == written.main_digest && object->audit.digest == written.audit.digest;
  own_.erase(own);
  return !echo;
}

std::size_t AuditLedger::pending() const {
  const std::lock_guard lock(mutex_);
  return own_.size();
}

}  // namespace shutdown_auditor::controller
