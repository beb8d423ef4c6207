#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/backoff.h"
#include "base/clock.h"
#include "base/random.h"
#include "kube/api.h"
#include "runtime/object_key.h"
#include "runtime/source.h"
#include "runtime/watcher.h"

namespace shutdown_auditor::runtime {

struct ReflectorOptions {
  std::string name_space;  // empty: all
  std::string label_selector;
  std::string field_selector;
  // Not read: by field selector when there are at most 20, else filtered here. Only for all namespaces of a
  // namespaced type.
  std::vector<std::string> excluded_namespaces;
  WatcherOptions watcher;
  base::BackoffPolicy backoff;  // 800 ms to 30 s, full jitter, forgotten after 2 min
  // While the server does not know the resource type.
  base::BackoffPolicy absent_backoff{std::chrono::seconds(10), std::chrono::minutes(10), 2.0, 0.2,
                                     std::chrono::minutes(30)};
  // timeoutSeconds of a watch, uniform: below the 300 s after which load balancers and proxies cut, and not all at
  // once.
  std::chrono::seconds watch_min{240};
  std::chrono::seconds watch_max{290};
  // Silence after which a watch is resumed, once a bookmark was seen (the server sends one a minute and keeps 75 s of
  // history: apiserver pkg/storage/cacher); before, timeoutSeconds + 5 s.
  base::Duration idle{std::chrono::seconds(70)};
};

// What a Reflector reports about itself. Called from its thread; must not throw or block.
class ReflectorObserver {
 public:
  virtual ~ReflectorObserver() = default;
  // A list begins anew or a watch is started again; reasons are WatcherStep's words. The first list and the first watch
  // after a list are not restarts.
  virtual void relisted(std::string_view /*source*/, std::string_view /*reason*/) {}
  virtual void watch_restarted(std::string_view /*source*/, std::string_view /*reason*/) {}
  // An object the decoder refused, in a list (left out) or an event (read again).
  virtual void undecodable(std::string_view /*source*/) {}
  virtual void state_changed(std::string_view /*source*/, SourceState /*state*/) {}
};

// A reflector's ages for metrics and /debug, as of now.
struct ReflectorStatus {
  SourceState state = SourceState::kSyncing;
  std::string resource_version;
  std::string last_error;
  std::optional<base::SteadyTime> last_list;   // last complete list
  std::optional<base::SteadyTime> last_event;  // last watch event, bookmarks included
  std::uint64_t relists = 0;
  std::uint64_t watch_restarts = 0;
  std::uint64_t undecodable = 0;
};

// The typed half of a reflector, as the loop below drives it from its one thread. Internal.
class ReflectorSink {
 public:
  virtual ~ReflectorSink() = default;
  // A fresh decoder for the next object.
  virtual objects::EventHandler& begin_object() = 0;
  virtual void begin_list() = 0;
  // Takes the decoded object into the list being read.
  virtual base::Result<void> list_object(const ObjectKey& key, const std::string& version) = 0;
  // The list is complete: replaces the store's content, then tells the handlers.
  virtual void commit_list(const std::string& version, bool first) = 0;
  virtual base::Result<void> apply(const ObjectKey& key, const std::string& version) = 0;
  virtual base::Result<void> remove(const ObjectKey& key, const std::string& version) = 0;
  virtual void advance(const std::string& version) = 0;
};

// The untyped half: list, watch, recover, on one thread of its own; never gives up before stop.
class ReflectorLoop : public Source {
 public:
  // What a reflector needs of the world; all must outlive it. `observer` may be null.
  struct Context {
    kube::Api& api;
    base::Clock& clock;
    base::Random& random;
    ReflectorObserver* observer = nullptr;
  };

  ~ReflectorLoop() override;
  std::string_view name() const override { return name_; }
  void start() override;
  void request_stop() override;
  void stop() override;
  SourceState state() const override;
  bool has_synced() const override;
  std::string last_error() const override;
  bool wait_synced(const base::Cancellation& cancel) override;
  bool wait_settled(const base::Cancellation& cancel) override;
  ReflectorStatus status() const;

 protected:
  ReflectorLoop(Context context, kube::Resource resource, ReflectorOptions options);
  const ReflectorOptions& options() const { return options_; }
  const kube::Resource& resource() const { return resource_; }
  virtual ReflectorSink& sink() = 0;

 private:
  class Run;
  void thread_main(const std::stop_token& stop);
  void list_succeeded(const std::string& version);
  void failed(const kube::Error& error, std::string_view verb);
  void recovered();
  void set_state(std::unique_lock<std::mutex>& lock, SourceState state);
  bool wait_for(const base::Cancellation& cancel, const std::function<bool()>& ready);

  const Context context_;
  const kube::Resource resource_;
  const ReflectorOptions options_;
  const std::string name_;

  mutable std::mutex mutex_;  // guards all below; nothing is called under it
  std::condition_variable_any changed_;
  ReflectorStatus status_;
  bool synced_ = false;
  bool ended_ = false;
  std::optional<base::SteadyTime> last_complaint_;
  std::uint64_t suppressed_ = 0;

  std::jthread thread_;
};

// Logs what a change handler threw. Internal.
void log_handler_failure(std::string_view source, const ObjectKey& key, const char* what);

}  // namespace shutdown_auditor::runtime
