#include "runtime/watcher.h"

#include <utility>

namespace shutdown_auditor::runtime {
namespace {

using kube::ErrorKind;

bool is_internal_error(const kube::Error& error) {
  return error.code == 500 || error.reason == "InternalError" || error.reason == "StorageReadError";
}

std::string_view reason_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kTimeout: return "timeout";
    case ErrorKind::kUnavailable: return "unavailable";
    case ErrorKind::kTls: return "tls";
    case ErrorKind::kUnauthorized: return "unauthorized";
    case ErrorKind::kForbidden: return "forbidden";
    case ErrorKind::kNotFound: return "absent";
    case ErrorKind::kExpired: return "expired";
    case ErrorKind::kVersionTooLarge: return "version_too_large";
    case ErrorKind::kTooManyRequests: return "throttled";
    case ErrorKind::kInvalid: return "rejected";
    case ErrorKind::kCancelled:
    case ErrorKind::kAlreadyExists:
    case ErrorKind::kConflict:
    case ErrorKind::kProtocol: break;
  }
  return "protocol";
}

WatcherStep with_retry_after(WatcherStep step, const kube::Error& error) {
  step.at_least = error.retry_after.value_or(base::Duration::zero());
  return step;
}

}  // namespace

WatchEventType watch_event_type(std::string_view text) {
  if (text == "ADDED") return WatchEventType::kAdded;
  if (text == "MODIFIED") return WatchEventType::kModified;
  if (text == "DELETED") return WatchEventType::kDeleted;
  if (text == "BOOKMARK") return WatchEventType::kBookmark;
  return WatchEventType::kUnknown;
}

WatcherStep Watcher::start() { return list("start", Delay::kNone); }

WatcherStep Watcher::list(std::string_view reason, Delay delay) {
  state_ = State::kListing;
  continue_token_.clear();
  if (from_etcd_ || (version_.empty() && options_.quorum_first_list)) {
    listed_from_ = "";
  } else {
    listed_from_ = version_.empty() ? "0" : version_;
  }
  WatcherStep step;
  step.resource_version = listed_from_;
  // With a limit the server leaves its watch cache for etcd, unless the version is "0": there the cache ignores it.
  const bool paged = listed_from_->empty() || *listed_from_ == "0" || server_pages_;
  step.limit = paged && !unpaged_ ? options_.page_size : 0;
  step.delay = delay;
  step.reason = reason;
  return step;
}

WatcherStep Watcher::watch(std::string_view reason, Delay delay) {
  state_ = State::kWatching;
  moved_since_watch_ = false;
  WatcherStep step;
  step.kind = WatcherStep::Kind::kWatch;
  step.resource_version = version_;
  step.delay = delay;
  step.reason = reason;
  return step;
}

// At once when the last list was of some use; else a list and a failing watch would chase each other.
WatcherStep Watcher::relist(std::string_view reason) {
  return list(reason, moved_since_list_ ? Delay::kNone : Delay::kBackoff);
}

WatcherStep Watcher::page_listed(const objects::ListMeta& meta) {
  if (!meta.continue_token.empty()) {
    if (meta.continue_token == continue_token_) return list("protocol", Delay::kBackoff);
    if (listed_from_ == "0") server_pages_ = true;
    continue_token_ = meta.continue_token;
    WatcherStep step;
    step.continue_token = continue_token_;
    step.limit = options_.page_size;
    step.reason = "page";
    return step;
  }
  if (meta.resource_version.empty() || meta.resource_version == "0") return list("no_version", Delay::kBackoff);
  version_ = meta.resource_version;
  from_etcd_ = false;
  unpaged_ = false;
  moved_since_list_ = false;
  broken_lines_ = 0;
  return watch("listed", Delay::kNone);
}

WatcherStep Watcher::list_failed(const kube::Error& error) {
  const bool asked_for_version = listed_from_ && !listed_from_->empty() && *listed_from_ != "0";
  unpaged_ = false;
  switch (error.kind) {
    case ErrorKind::kExpired:
      if (!continue_token_.empty()) {
        // Pages of two snapshots must not be mixed, and the rest of this one is gone.
        unpaged_ = true;
        return list("continue_expired", Delay::kNone);
      }
      [[fallthrough]];
    case ErrorKind::kVersionTooLarge:
      if (!asked_for_version) return list(reason_of(error.kind), Delay::kBackoff);
      from_etcd_ = true;
      return list(reason_of(error.kind), Delay::kNone);
    case ErrorKind::kNotFound:
      return list("absent", Delay::kAbsent);
    default:
      return with_retry_after(list(reason_of(error.kind), Delay::kBackoff), error);
  }
}

WatcherStep Watcher::watch_failed(const kube::Error& error) {
  if (is_internal_error(error)) {
    if (internal_errors_++ < options_.internal_error_retries) {
      return with_retry_after(watch("internal_error", Delay::kBackoff), error);
    }
    internal_errors_ = 0;
    return list("internal_error", Delay::kBackoff);
  }
  switch (error.kind) {
    case ErrorKind::kExpired:
    case ErrorKind::kVersionTooLarge:
      return relist(reason_of(error.kind));
    case ErrorKind::kNotFound:
      return list("absent", Delay::kAbsent);
    case ErrorKind::kTooManyRequests:
    case ErrorKind::kUnavailable:
    case ErrorKind::kTimeout:
    case ErrorKind::kTls:
    case ErrorKind::kUnauthorized:
    case ErrorKind::kForbidden:
    case ErrorKind::kCancelled:
      return with_retry_after(watch(reason_of(error.kind), Delay::kBackoff), error);
    default:
      return list(reason_of(error.kind), Delay::kBackoff);
  }
}

WatcherStep Watcher::error_event(const kube::Error& error) { return watch_failed(error); }

std::optional<WatcherStep> Watcher::event(WatchEventType type, std::string_view version) {
  if (type == WatchEventType::kUnknown) return std::nullopt;
  if (version.empty()) return list("no_version", Delay::kBackoff);
  if (version != version_) {
    version_ = version;
    moved_since_list_ = true;
    moved_since_watch_ = true;
    internal_errors_ = 0;
    broken_lines_ = 0;
  }
  return std::nullopt;
}

WatcherStep Watcher::undecodable_event() { return list("undecodable", Delay::kBackoff); }

WatcherStep Watcher::stream_ended(base::Duration lasted) {
  if (lasted < options_.short_watch && !moved_since_watch_) return watch("short", Delay::kBackoff);
  return watch("closed", Delay::kNone);
}

WatcherStep Watcher::stream_broken(const kube::Error& error, base::Duration lasted) {
  if (error.kind == ErrorKind::kProtocol && broken_lines_++ == 0) return watch("broken_line", Delay::kBackoff);
  const bool connection = error.kind == ErrorKind::kUnavailable || error.kind == ErrorKind::kTimeout ||
                          error.kind == ErrorKind::kTls;
  if (!connection || is_internal_error(error)) return watch_failed(error);
  const bool futile = lasted < options_.short_watch && !moved_since_watch_;
  return watch("connection", futile ? Delay::kBackoff : Delay::kNone);
}

WatcherStep Watcher::idle_expired() { return watch("idle", Delay::kNone); }

}  // namespace shutdown_auditor::runtime
