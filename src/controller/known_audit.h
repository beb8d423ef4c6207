#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "controller/workload_key.h"
#include "report/audit_json.h"
#include "runtime/store.h"

namespace shutdown_auditor::controller {

// What the controller remembers of a ShutdownAudit: enough to know whether another write is needed and what the last
// one said. Texts are compared by digest, so that it takes some hundred bytes.
struct KnownAudit {
  report::StoredAudit audit;  // meta.uid is empty until the server's copy was seen
  WorkloadKey target;
  bool managed = false;       // carries our managed-by label
  std::string owner_uid;      // of the workload it was made for
  std::string main_digest;    // of identity, our labels, owner reference and spec
};

// Digests of an object as it was computed or read.
KnownAudit known_from(const report::ShutdownAudit& audit);

// The store of audits as this process may believe it: where an own write is newer than the store's copy, the own write
// counts (KEP-5647), so that a decision never rests on a state that this process has already replaced. Safe from any
// thread.
class AuditLedger {
 public:
  // Keeps the reference.
  explicit AuditLedger(const runtime::Store<KnownAudit>& store) : store_(store) {}

  std::optional<KnownAudit> current(const std::string& name_space, const std::string& name) const;
  // Before a write: the watch may show it before the answer is there. Ends with wrote() or gave_up().
  void writing(const std::string& name_space, const std::string& name, const KnownAudit& target);
  void gave_up(const std::string& name_space, const std::string& name);
  // After a successful write; audit.meta.resource_version is the one the write returned.
  void wrote(const std::string& name_space, const std::string& name, KnownAudit known);
  // After a successful deletion.
  void removed(const std::string& name_space, const std::string& name);
  // For a change the watch reported (`object` null: deleted). True when it is news: not an echo of an own write.
  bool observe(const runtime::ObjectKey& key, const KnownAudit* object);
  // Own writes the watch has not shown yet.
  std::size_t pending() const;

 private:
  // A write that was begun, and what the watch has shown of it.
  struct UnderWay {
    KnownAudit target;
    std::string version_before;  // the store's when it began
    bool half_shown = false;     // a new audit comes without its status first
    std::string version_shown;   // of the whole
    bool removed = false;        // it came and went
  };

  static bool shows(UnderWay& write, const KnownAudit* object);

  const runtime::Store<KnownAudit>& store_;
  mutable std::mutex mutex_;  // inside it only the store's own lock is taken
  std::unordered_map<std::string, KnownAudit> own_;
  std::unordered_map<std::string, UnderWay> under_way_;
};

}  // namespace shutdown_auditor::controller
