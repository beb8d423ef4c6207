#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/cancellation.h"
#include "http/message.h"
#include "kube/error.h"
#include "kube/resource.h"
#include "objects/list_decoder.h"

namespace shutdown_auditor::kube {

using Query = std::vector<std::pair<std::string, std::string>>;  // unencoded

struct ApiRequest {
  http::Method method = http::Method::kGet;
  std::string path = {};     // from path_of
  Query query = {};
  std::string content_type = {};  // of the body
  std::string body = {};
  // May the client send it again after 429, 503, 504 or a lost connection? Set for idempotent requests (GET, DELETE, apply
  // patches, PUT with a resourceVersion, POST of a named object: AlreadyExists then counts as success for the caller).
  bool idempotent = false;
  // Does the client wait out a 429 (for as long as the deadline allows)? A caller that has better to do than to wait, and
  // comes back by itself, says false and gets the error with its retry_after at once.
  bool wait_when_throttled = true;
};

struct ApiResponse {
  int code = 0;
  std::string body = {};
};

struct ListOptions {
  std::string name_space = {};  // empty: all
  std::string label_selector = {};
  std::string field_selector = {};
  std::optional<std::string> resource_version = {};  // "0": from the watch cache; "": quorum read; nullopt: not sent
  std::string continue_token = {};
  int limit = 0;  // 0: not sent
};

struct WatchOptions {
  std::string name_space = {};
  std::string label_selector = {};
  std::string field_selector = {};
  std::string resource_version = {};
  int timeout_seconds = 270;
};

// The lines of a watch, for one thread. Destroying it ends the watch.
class WatchStream {
 public:
  virtual ~WatchStream() = default;
  // The next complete line (one JSON watch event, without the newline); nullopt at a clean end. kTimeout when
  // cancel.deadline passes first: the stream stays usable. Lines over 16 MiB, a cut last line and broken connections
  // are errors and end the stream.
  virtual Result<std::optional<std::string>> next(const base::Cancellation& cancel) = 0;
};

// The API server as the runtime sees it. Safe from any thread; calls block the caller.
class Api {
 public:
  virtual ~Api() = default;

  // One unary request with authentication, client-side rate limit, retries and typed errors. A response of 400 and above
  // is an Error. Without a deadline in `cancel`: 30 s in total.
  virtual Result<ApiResponse> call(const ApiRequest& request, const base::Cancellation& cancel) = 0;

  // One page of a LIST, streamed: `sink` sees each item's events while bytes arrive; memory does not depend on the page's
  // size. When the call fails, items already seen count for nothing. Without a deadline: 60 s of silence at most. Not
  // retried (a half-read list cannot be): the caller's loop does that.
  virtual Result<objects::ListMeta> list(const Resource& resource, const ListOptions& options, objects::ItemSink& sink,
                                         const base::Cancellation& cancel) = 0;

  // Starts a WATCH; returns when the server has answered with 200. `cancel` bounds the start only. Never retried.
  virtual Result<std::unique_ptr<WatchStream>> watch(const Resource& resource, const WatchOptions& options,
                                                     const base::Cancellation& cancel) = 0;
};

}  // namespace shutdown_auditor::kube
