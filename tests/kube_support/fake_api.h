#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/clock.h"
#include "kube/api.h"

namespace shutdown_auditor::testing_support {

// One call as it arrived. `verb`: get, list, watch, create, update, patch, apply, delete, discover.
struct SeenCall {
  std::string verb;
  std::string path;  // without query, percent-encoded as path_of made it
  kube::Query query;
  std::string content_type;
  std::string body;
};

// An API server in memory: objects with one history of resource versions, optimistic concurrency on PUT, the status
// subresource, merge patch and server-side apply (fields a manager applied before and leaves out now are removed; lists
// are replaced whole; no conflicts between managers), paged LISTs from one snapshot, WATCH streams with selectors.
// A write that changes nothing makes no version and no event, as on a real server. Safe from any thread. Waits (watch
// streams, held calls) follow `clock`. Streams must be destroyed before it.
class FakeApi final : public kube::Api {
 public:
  explicit FakeApi(base::Clock& clock = base::system_clock());
  ~FakeApi() override;

  // What others in the cluster do. Not recorded as calls and never refused. `json` is a whole object with
  // metadata.name (and namespace); uid, creationTimestamp and generation are added. Returns the new resourceVersion.
  std::string put(const kube::Resource& resource, std::string_view json);
  void remove(const kube::Resource& resource, std::string_view name_space, std::string_view name);
  // The stored object as JSON text, or nullopt.
  std::optional<std::string> get(const kube::Resource& resource, std::string_view name_space,
                                 std::string_view name) const;
  std::vector<std::string> all(const kube::Resource& resource) const;
  std::string resource_version() const;
  // Unserved resources answer 404 to everything (a CRD that is not there); their objects and watches are dropped.
  void set_served(const kube::Resource& resource, bool served);

  // Watches.
  int open_watches() const;
  void send_bookmarks();                                                    // to every stream, at the current version
  void send_line(const kube::Resource& resource, const std::string& line);  // as it is, to that resource's streams
  void end_watches();                                                       // a clean end after what was sent
  void break_watches(const kube::Error& error);                             // next() fails after what was sent
  // Watches and continue tokens from versions up to now are answered with kExpired; open streams go on.
  void expire_history();

  // Faults. The next `times` calls (-1: all) that match fail with `error`; with `after_effect` the write happens first
  // and only its answer is lost. The first matching fault in order of addition counts.
  using Predicate = std::function<bool(const SeenCall&)>;
  void fail(int times, Predicate matches, kube::Error error, bool after_effect = false);
  void clear_faults();
  // Matching calls block until release() or the end of their Cancellation; a hold set before replaces the last one.
  void hold(Predicate matches);
  void release();
  int held() const;

  // Every call in order of arrival, failed ones included.
  std::vector<SeenCall> calls() const;
  std::size_t count(std::string_view verb, std::string_view path_contains = {}) const;
  void forget_calls();

  kube::Result<kube::ApiResponse> call(const kube::ApiRequest& request, const base::Cancellation& cancel) override;
  kube::Result<objects::ListMeta> list(const kube::Resource& resource, const kube::ListOptions& options,
                                       objects::ItemSink& sink, const base::Cancellation& cancel) override;
  kube::Result<std::unique_ptr<kube::WatchStream>> watch(const kube::Resource& resource,
                                                         const kube::WatchOptions& options,
                                                         const base::Cancellation& cancel) override;

 private:
  class Stream;
  struct Target;
  struct Key {
    std::string collection;  // "apps/v1/deployments"
    std::string name_space;
    std::string name;
    friend auto operator<=>(const Key&, const Key&) = default;
  };
  struct Change {
    std::uint64_t version;
    Key key;
    nlohmann::json object;  // null: deleted
  };
  struct Fault {
    int times;
    Predicate matches;
    kube::Error error;
    bool after_effect;
  };

  std::optional<Fault> arrive(const SeenCall& seen, const base::Cancellation& cancel,
                              std::optional<kube::Error>& ended);
  kube::Result<kube::ApiResponse> execute(const kube::ApiRequest& request, const Target& target);
  kube::Result<kube::ApiResponse> discover(const std::string& group_version);
  kube::Result<kube::ApiResponse> create(const kube::ApiRequest& request, const Target& target);
  kube::Result<kube::ApiResponse> update(const kube::ApiRequest& request, const Target& target);
  kube::Result<kube::ApiResponse> patch(const kube::ApiRequest& request, const Target& target);
  kube::Result<kube::ApiResponse> erase(const kube::ApiRequest& request, const Target& target);
  const nlohmann::json& store(const Key& key, nlohmann::json object);
  void drop(const Key& key);
  void publish(const Key& key, const nlohmann::json& before, const nlohmann::json& after, std::uint64_t version);
  std::map<Key, nlohmann::json> snapshot(const std::string& collection, std::uint64_t version) const;
  void know(const kube::Resource& resource);

  base::Clock& clock_;
  mutable std::mutex mutex_;
  std::condition_variable_any changed_;
  std::uint64_t version_ = 1;
  std::uint64_t oldest_ = 0;  // versions up to here are expired
  std::uint64_t next_uid_ = 0;
  std::map<Key, nlohmann::json> objects_;
  std::map<std::string, nlohmann::json> applied_;  // by object, subresource and manager
  std::vector<Change> history_;
  std::vector<kube::Resource> known_;
  std::set<std::string> unserved_;
  std::list<Stream*> streams_;
  std::list<Fault> faults_;
  Predicate hold_;
  int held_ = 0;
  std::vector<SeenCall> calls_;
};

}  // namespace shutdown_auditor::testing_support
