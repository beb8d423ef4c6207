#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "kube/error.h"
#include "objects/list_decoder.h"

namespace shutdown_auditor::runtime {

struct WatcherOptions {
  // Reads the first list from etcd (resourceVersion "") instead of the server's watch cache ("0").
  bool quorum_first_list = false;
  int page_size = 500;
  // Watches that may fail in a row with an internal error of the server before the list is read again.
  int internal_error_retries = 3;
  // A watch that ends sooner and has not moved the version is a failure.
  base::Duration short_watch = std::chrono::seconds(1);
};

// What to wait for before a step.
enum class Delay {
  kNone,
  kBackoff,  // one more failure of the growing, jittered kind
  kAbsent,   // the resource type does not exist: a slow kind
};

// The next request of a list-and-watch loop.
struct WatcherStep {
  enum class Kind { kList, kWatch };
  Kind kind = Kind::kList;
  // kWatch: where to start. kList: as kube::ListOptions (nullopt with a continue token, which implies the version).
  std::optional<std::string> resource_version;
  std::string continue_token;
  int limit = 0;
  Delay delay = Delay::kNone;
  base::Duration at_least{};  // the server's Retry-After, on top of the delay
  // Why it is done, for metrics and logs: a small fixed set of words ("start", "expired", "idle", …).
  std::string_view reason = "start";

  // A list that begins anew: whatever earlier pages brought is void.
  bool first_page() const { return kind == Kind::kList && continue_token.empty(); }
};

enum class WatchEventType { kAdded, kModified, kDeleted, kBookmark, kUnknown };
WatchEventType watch_event_type(std::string_view text);

// The rules by which a list-and-watch loop recovers, as a state machine without clock, I/O or threads: each input
// says what happened to the last step, the answer is the next one. Rules from client-go tools/cache/reflector.go and
// kube-rs kube-runtime/src/watcher.rs; the API's promises from KEP-365, KEP-956 and KEP-2340. For one thread.
class Watcher {
 public:
  enum class State { kEmpty, kListing, kWatching };

  explicit Watcher(WatcherOptions options = {}) : options_(options) {}

  // The first step, and the step after a restart of the loop: a list.
  WatcherStep start();

  // A page was read: the next page, or the watch when the list is complete. A complete list without a resourceVersion
  // (or with "0") is an error of the server (a watch from there would skip changes), and so is a continue token that
  // repeats: the list is read again.
  WatcherStep page_listed(const objects::ListMeta& meta);
  // True when the step just returned by page_listed ends a valid list, whose version is resource_version().
  bool list_complete() const { return state_ == State::kWatching; }
  WatcherStep list_failed(const kube::Error& error);

  // The server refused to begin the watch, or no answer came.
  WatcherStep watch_failed(const kube::Error& error);

  // One event of the running watch that names version `version` (of the object or bookmark). nullopt: go on reading. An
  // event without a version ends the watch; the others have moved resource_version() when this returns.
  std::optional<WatcherStep> event(WatchEventType type, std::string_view version);
  // An ERROR event, as the typed error of its Status.
  WatcherStep error_event(const kube::Error& error);
  // An event that could not be decoded: its change is lost to us, so everything is read again.
  WatcherStep undecodable_event();

  // The stream ended cleanly after `lasted`.
  WatcherStep stream_ended(base::Duration lasted);
  // The stream broke after `lasted`: connection lost, or (kProtocol) a line cut short or too long. The second such line
  // without progress in between is taken for one that will never be readable, and only a list gets past it.
  WatcherStep stream_broken(const kube::Error& error, base::Duration lasted);
  // Nothing came for so long that the connection is taken for dead.
  WatcherStep idle_expired();

  State state() const { return state_; }
  // The last version seen; empty before the first list.
  const std::string& resource_version() const { return version_; }

 private:
  WatcherStep list(std::string_view reason, Delay delay);
  WatcherStep watch(std::string_view reason, Delay delay);
  WatcherStep relist(std::string_view reason);

  WatcherOptions options_;
  State state_ = State::kEmpty;
  std::string version_;
  bool from_etcd_ = false;     // the version we have is of no use to the server: list at ""
  bool unpaged_ = false;       // the continue token expired: read the whole list in one response
  bool server_pages_ = false;  // a list at "0" came in pages: the server has no watch cache, so limits help it
  std::optional<std::string> listed_from_;  // the version the current list asked for
  std::string continue_token_;              // of the page being read
  bool moved_since_list_ = false;
  bool moved_since_watch_ = false;
  int internal_errors_ = 0;
  int broken_lines_ = 0;
};

}  // namespace shutdown_auditor::runtime
