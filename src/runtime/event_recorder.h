#pragma once

#include <array>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>

#include "base/clock.h"
#include "base/random.h"
#include "kube/api.h"

namespace shutdown_auditor::runtime {

enum class EventType { kNormal, kWarning };
// "Normal", "Warning".
std::string_view to_string(EventType type);

// The object an event is about, as core/v1 ObjectReference. An empty namespace is a cluster-scoped object.
struct ObjectReference {
  std::string api_version;
  std::string kind;
  std::string name_space;
  std::string name;
  std::string uid;
};

struct EventText {
  EventType type = EventType::kNormal;
  std::string reason;  // CamelCase, cut to 128 bytes
  std::string action;  // cut to 128 bytes
  std::string note;    // cut to 1 kB between characters
};

struct EventRecorderOptions {
  std::string controller;  // reportingController, a qualified name
  std::string instance;    // reportingInstance, cut to 128 bytes
  std::size_t queue_limit = 1000;
  std::size_t key_limit = 4096;                           // series and spam buckets remembered, least recently used go
  int per_second = 5;                                     // requests of all kinds in any second; 0: no limit
  double spam_burst = 25;                                 // events of one type on one object …
  base::Duration spam_refill = std::chrono::minutes(5);   // … and one more each
  base::Duration series_window = std::chrono::minutes(6);
  base::Duration series_refresh = std::chrono::minutes(30);
  int max_tries = 12;                                     // while the server cannot be reached
  base::Duration retry_wait = std::chrono::seconds(10);
};

// What metrics want to know; called on any thread without a lock held.
class EventObserver {
 public:
  virtual ~EventObserver() = default;
  virtual void on_sent(EventType /*type*/) {}  // created, or counted into a series
  // "queue", "spam", "refused" (the server said no), "unreachable", "shutdown".
  virtual void on_dropped(std::string_view /*why*/) {}
};

// Writes events.k8s.io/v1 Events from one thread. Equal events (type, action, reason, note, object, related object) less
// than series_window apart become one object with a count: the second is written at once, later ones at series_refresh
// and when the series ends (KEP-383). Recording never blocks; what cannot be kept is dropped, newest first, and counted.
// Events on cluster-scoped objects go to the namespace "default". Safe from any thread.
class EventRecorder {
 public:
  // Keeps references; `observer` may be null. Give it a FencedApi.
  EventRecorder(EventRecorderOptions options, kube::Api& api, base::Clock& clock, base::Random& random,
                EventObserver* observer = nullptr);
  // Drops what is left.
  ~EventRecorder();
  EventRecorder(const EventRecorder&) = delete;
  EventRecorder& operator=(const EventRecorder&) = delete;

  // Starts the writer's thread. Once. What was recorded before waits for it.
  void start();
  // False when it was dropped (queue full, or after stop() began).
  bool record(const ObjectReference& regarding, const EventText& text,
              const std::optional<ObjectReference>& related = std::nullopt);
  // Takes no more, sends what is queued until `cancel` ends it (without retries), drops the rest and ends the thread.
  // Returns how many were dropped. Idempotent.
  std::size_t stop(const base::Cancellation& cancel);

  std::size_t queued() const;

 private:
  struct Pending {
    ObjectReference regarding;
    std::optional<ObjectReference> related;
    EventText text;
    base::WallTime at;
  };
  // One event object of ours on the server.
  struct Series {
    Pending event;
    std::string name;
    std::int32_t count = 1;
    std::int32_t written = 1;  // the count the server knows
    base::WallTime last_observed;
    base::SteadyTime last_seen{};
    base::SteadyTime last_write{};
  };
  struct Bucket {
    double tokens = 0;
    base::SteadyTime at{};
  };
  // At most `limit` values, the least recently used one is evicted. Only the writer's thread uses these.
  template <class T>
  struct Recent {
    std::list<std::pair<std::string, T>> order;  // most recent first
    std::unordered_map<std::string_view, typename std::list<std::pair<std::string, T>>::iterator> index;
    T* find(std::string_view key);
    T& insert(std::string key, T value, std::size_t limit);
    void erase(std::string_view key);
  };
  void run();
  void handle(Pending event);
  bool passes_spam_filter(const Pending& event);
  kube::Result<void> create(const Series& series);
  bool write_series(Series& series);
  kube::Result<void> send(const kube::ApiRequest& request);
  bool wait_for_turn();
  bool wait_for_retry(int failures);
  void tend_series();
  base::SteadyTime next_series_work() const;
  void dropped(std::string_view why, const Pending& event);

  const EventRecorderOptions options_;
  kube::Api& api_;
  base::Clock& clock_;
  base::Random& random_;
  EventObserver* const observer_;

  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::deque<Pending> queue_;
  bool closing_ = false;
  bool finished_ = false;

  Recent<Series> series_;
  Recent<Bucket> buckets_;
  std::deque<base::SteadyTime> sent_;  // of the last second

  std::stop_source stop_;
  std::jthread writer_;
};

}  // namespace shutdown_auditor::runtime
