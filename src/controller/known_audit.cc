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

void AuditLedger::writing(const std::string& name_space, const std::string& name, const KnownAudit& target) {
  const std::lock_guard lock(mutex_);
  UnderWay& begun = under_way_[name_space + "/" + name];
  begun = {};
  begun.target = target;
  if (const auto seen = store_.get(name_space, name)) begun.version_before = seen->audit.meta.resource_version;
}

void AuditLedger::gave_up(const std::string& name_space, const std::string& name) {
  const std::lock_guard lock(mutex_);
  under_way_.erase(name_space + "/" + name);
}

void AuditLedger::wrote(const std::string& name_space, const std::string& name, KnownAudit known) {
  const std::lock_guard lock(mutex_);
  const std::string key = name_space + "/" + name;
  const std::string& version = known.audit.meta.resource_version;
  // The watch may have been faster than the answer to the write; a write that changed nothing is never shown.
  bool shown = false;
  if (const auto begun = under_way_.find(key); begun != under_way_.end()) {
    const UnderWay& write = begun->second;
    shown = write.removed || runtime::reached(write.version_shown, version) ||
            runtime::reached(write.version_before, version);
    under_way_.erase(begun);
  } else if (const auto seen = store_.get(name_space, name)) {
    shown = runtime::reached(seen->audit.meta.resource_version, version);
  }
  if (shown) {
    own_.erase(key);
  } else {
    own_[key] = std::move(known);
  }
}

void AuditLedger::removed(const std::string& name_space, const std::string& name) {
  const std::lock_guard lock(mutex_);
  own_.erase(name_space + "/" + name);
}

// Is this change a step of that write? Keeps what was seen.
bool AuditLedger::shows(UnderWay& write, const KnownAudit* object) {
  if (object == nullptr) {
    write.removed = write.half_shown || !write.version_shown.empty();  // else it was a predecessor
    return false;
  }
  if (object->main_digest != write.target.main_digest) return false;
  if (object->audit.digest == write.target.audit.digest) {
    write.version_shown = object->audit.meta.resource_version;
    return true;
  }
  if (!object->audit.verdict.empty() || !write.version_shown.empty()) return false;
  write.half_shown = true;
  return true;
}

bool AuditLedger::observe(const runtime::ObjectKey& key, const KnownAudit* object) {
  const std::lock_guard lock(mutex_);
  if (const auto begun = under_way_.find(key.to_string()); begun != under_way_.end()) {
    if (shows(begun->second, object)) return false;
  }
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
