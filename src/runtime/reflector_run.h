#pragma once

#include <optional>
#include <stop_token>
#include <string>

#include "base/backoff.h"
#include "objects/list_decoder.h"
#include "runtime/object_probe.h"
#include "runtime/reflector_loop.h"
#include "runtime/watcher.h"

namespace shutdown_auditor::runtime {

// What a reflector's thread does between start and stop: carries out the Watcher's steps, feeds it what happened, and
// hands objects to the sink one by one. Internal to ReflectorLoop; for its thread.
class ReflectorLoop::Run final : private objects::ItemSink {
 public:
  Run(ReflectorLoop& owner, std::stop_token stop);

  // Returns on stop only. May throw what the API, the decoders or the allocator throw; then call it again.
  void follow();
  // After an exception, as long as after any other failure; false on stop.
  bool pause();

 private:
  bool wait(const WatcherStep& step);
  void count(const WatcherStep& step);

  WatcherStep list(const WatcherStep& step);
  WatcherStep list_failed(const kube::Error& error);
  objects::EventHandler& begin_item() override;
  bool end_item() override;
  base::Error problem() const override { return {}; }

  WatcherStep watch(const std::string& version);
  // One line; a step when the watch must end.
  std::optional<WatcherStep> take(const std::string& line);
  WatcherStep error_event(const std::string& line);
  WatcherStep undecodable_event(const base::Error& error);
  base::Result<void> store(WatchEventType type, const std::string& version);

  bool excluded(const ObjectKey& key) const;
  void undecodable(const base::Error& error);

  ReflectorLoop& owner_;
  const Context& context_;
  const ReflectorOptions& options_;
  ReflectorSink& sink_;
  const std::stop_token stop_;
  const std::string field_selector_;
  Watcher watcher_;
  base::Backoff backoff_;
  base::Backoff absent_backoff_;
  ObjectProbe probe_;
  bool bookmark_seen_ = false;
  bool unknown_said_ = false;
};

}  // namespace shutdown_auditor::runtime
