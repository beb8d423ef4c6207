#pragma once

#include <string>
#include <string_view>

#include "base/cancellation.h"

namespace shutdown_auditor::runtime {

// How complete a source's store is.
enum class SourceState {
  kSyncing,    // no complete list yet, and no reason to think there never will be one
  kSynced,     // a complete list was read; the store follows the server
  kForbidden,  // the server answers 403: the store holds what was read before (perhaps nothing)
  kAbsent,     // the server answers 404: it does not know the resource type (CRD not installed)
};
// "Syncing", "Synced", "Forbidden", "Absent".
std::string_view to_string(SourceState state);

// Something that fills a store in the background, as the Manager starts, waits for and stops it. All methods are safe
// from any thread, except that start and stop are called by one owner.
class Source {
 public:
  virtual ~Source() = default;

  // The resource type (and namespace) for people: "deployments.apps", "services in shop".
  virtual std::string_view name() const = 0;
  // Begins to follow the server. Once.
  virtual void start() = 0;
  // Asks it to end; returns at once.
  virtual void request_stop() = 0;
  // request_stop() and a wait until its thread has ended: no handler runs after it. Not from a handler.
  virtual void stop() = 0;

  virtual SourceState state() const = 0;
  // True from the first complete list on, whatever happens later. Handlers have then seen the whole of that list.
  virtual bool has_synced() const = 0;
  // Why the last request failed; empty while all is well.
  virtual std::string last_error() const = 0;

  // Nothing more to wait for at start-up: synced once, or known to be unavailable (which ends by itself when the
  // permission or the resource type appears).
  bool settled() const {
    const SourceState now = state();
    return has_synced() || now == SourceState::kForbidden || now == SourceState::kAbsent;
  }
  // Blocks until has_synced() (or settled()); false when `cancel` ended the wait or the source was stopped first.
  virtual bool wait_synced(const base::Cancellation& cancel) = 0;
  virtual bool wait_settled(const base::Cancellation& cancel) = 0;
};

}  // namespace shutdown_auditor::runtime
