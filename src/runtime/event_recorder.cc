#include "runtime/event_recorder.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "base/text.h"
#include "base/time.h"

namespace shutdown_auditor::runtime {
namespace {

using nlohmann::json;

constexpr base::Logger kLog("event-recorder");
// Limits of events.k8s.io/v1: pkg/apis/core/validation/events.go.
constexpr std::size_t kFieldBytes = 128;
constexpr std::size_t kNoteBytes = 1024;
constexpr std::size_t kNameBytes = 253;
constexpr std::size_t kNameHashBytes = 16;

std::string_view namespace_of(const ObjectReference& regarding) {
  return regarding.name_space.empty() ? std::string_view("default") : std::string_view(regarding.name_space);
}

std::string identity_of(const ObjectReference& object) {
  return base::join({object.api_version, object.kind, object.name_space, object.name, object.uid}, "\x1f");
}

std::string series_key(const ObjectReference& regarding, const std::optional<ObjectReference>& related,
                       const EventText& text) {
  return fmt::format("{}\x1e{}\x1e{}\x1e{}\x1e{}\x1e{}", to_string(text.type), text.reason, text.action, text.note,
                     identity_of(regarding), related ? identity_of(*related) : "");
}

// Not every object's name is a DNS name (RBAC allows ':'), an Event's must be.
std::string event_name(std::string_view object, std::string_view hash) {
  std::string name;
  for (const char c : object.substr(0, kNameBytes - kNameHashBytes - 1)) {
    const bool alphanumeric = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    const bool after_alphanumeric = !name.empty() && name.back() != '-' && name.back() != '.';
    if (alphanumeric || ((c == '-' || c == '.') && after_alphanumeric)) {
      name.push_back(c);
    }
  }
  while (!name.empty() && (name.back() == '-' || name.back() == '.')) {
    name.pop_back();
  }
  return fmt::format("{}.{}", name.empty() ? "event" : name, hash.substr(0, kNameHashBytes));
}

json reference(const ObjectReference& object) {
  json to = {{"apiVersion", object.api_version}, {"kind", object.kind}, {"name", object.name}};
  if (!object.name_space.empty()) {
    to["namespace"] = object.name_space;
  }
  if (!object.uid.empty()) {
    to["uid"] = object.uid;
  }
  return to;
}

std::string dump(const json& document) { return document.dump(-1, ' ', false, json::error_handler_t::replace); }

bool worth_a_retry(kube::ErrorKind kind) {
  return kind == kube::ErrorKind::kUnavailable || kind == kube::ErrorKind::kTimeout || kind == kube::ErrorKind::kTls ||
         kind == kube::ErrorKind::kTooManyRequests;
}

std::string_view reason_of_drop(kube::ErrorKind kind) {
  if (kind == kube::ErrorKind::kCancelled) {
    return "shutdown";
  }
  return worth_a_retry(kind) ? "unreachable" : "refused";
}

}  // namespace

std::string_view to_string(EventType type) { return type == EventType::kWarning ? "Warning" : "Normal"; }

template <class T>
T* EventRecorder::Recent<T>::find(std::string_view key) {
  const auto found = index.find(key);
  if (found == index.end()) {
    return nullptr;
  }
  order.splice(order.begin(), order, found->second);
  return &found->second->second;
}

template <class T>
T& EventRecorder::Recent<T>::insert(std::string key, T value, std::size_t limit) {
  erase(key);
  if (!order.empty() && order.size() >= limit) {
    erase(std::string(order.back().first));
  }
  order.emplace_front(std::move(key), std::move(value));
  index.emplace(order.front().first, order.begin());
  return order.front().second;
}

template <class T>
void EventRecorder::Recent<T>::erase(std::string_view key) {
  if (const auto found = index.find(key); found != index.end()) {
    const auto entry = found->second;
    index.erase(found);
    order.erase(entry);
  }
}

EventRecorder::EventRecorder(EventRecorderOptions options, kube::Api& api, base::Clock& clock, base::Random& random,
                             EventObserver* observer)
    : options_(std::move(options)), api_(api), clock_(clock), random_(random), observer_(observer) {}

EventRecorder::~EventRecorder() { stop({{}, clock_.now()}); }

void EventRecorder::start() {
  writer_ = std::jthread([this] { run(); });
}

bool EventRecorder::record(const ObjectReference& regarding, const EventText& text,
                           const std::optional<ObjectReference>& related) {
  Pending event{regarding, related, text, clock_.wall_now()};
  event.text.reason = base::truncate_utf8(text.reason, kFieldBytes);
  event.text.action = base::truncate_utf8(text.action, kFieldBytes);
  event.text.note = base::truncate_utf8(text.note, kNoteBytes);
  bool closing = false;
  {
    const std::lock_guard lock(mutex_);
    closing = closing_;
    if (!closing && queue_.size() < options_.queue_limit) {
      queue_.push_back(std::move(event));
      changed_.notify_all();
      return true;
    }
  }
  dropped(closing ? "shutdown" : "queue", event);
  return false;
}

std::size_t EventRecorder::stop(const base::Cancellation& cancel) {
  {
    std::unique_lock lock(mutex_);
    closing_ = true;
    changed_.notify_all();
    if (writer_.joinable()) {
      clock_.wait_until(lock, changed_, cancel.stop, cancel.deadline, [this] { return finished_; });
    }
  }
  stop_.request_stop();
  if (writer_.joinable()) {
    writer_.join();
  }
  std::deque<Pending> left;
  {
    const std::lock_guard lock(mutex_);
    left.swap(queue_);
  }
  for (const Pending& event : left) {
    dropped("shutdown", event);
  }
  return left.size();
}

std::size_t EventRecorder::queued() const {
  const std::lock_guard lock(mutex_);
  return queue_.size();
}

void EventRecorder::run() {
  const std::stop_token stop = stop_.get_token();
  while (!stop.stop_requested()) {
    std::optional<Pending> event;
    {
      const base::SteadyTime wake = next_series_work();
      std::unique_lock lock(mutex_);
      clock_.wait_until(lock, changed_, stop, wake, [this] { return !queue_.empty() || closing_; });
      if (!queue_.empty() && !stop.stop_requested()) {
        event = std::move(queue_.front());
        queue_.pop_front();
      } else if (closing_) {
        break;
      }
    }
    if (event) {
      handle(std::move(*event));
    }
    tend_series();
  }
  for (auto& [key, series] : series_.order) {
    if (series.count > series.written && !stop.stop_requested()) {
      write_series(series);
    }
  }
  const std::lock_guard lock(mutex_);
  finished_ = true;
  changed_.notify_all();
}

void EventRecorder::handle(Pending event) {
  const base::SteadyTime now = clock_.now();
  std::string key = series_key(event.regarding, event.related, event.text);
  const EventType type = event.text.type;
  if (Series* known = series_.find(key); known != nullptr && now - known->last_seen <= options_.series_window) {
    ++known->count;
    known->last_observed = event.at;
    known->last_seen = now;
    const bool second = known->written == 1;
    if ((!second && now - known->last_write < options_.series_refresh) || write_series(*known)) {
      if (observer_ != nullptr) {
        observer_->on_sent(type);
      }
    }
    return;
  }
  if (!passes_spam_filter(event)) {
    dropped("spam", event);
    return;
  }
  Series series;
  series.name = event_name(event.regarding.name, base::sha256_hex(key + base::format_rfc3339_micro(event.at)));
  series.last_observed = event.at;
  series.event = std::move(event);
  if (const kube::Result<void> sent = create(series); !sent) {
    kLog.debug("event not written", {{"reason", series.event.text.reason}, {"err", sent.error().message}});
    dropped(reason_of_drop(sent.error().kind), series.event);
    return;
  }
  series.last_seen = now;
  series.last_write = clock_.now();
  series_.insert(std::move(key), std::move(series), options_.key_limit);
  if (observer_ != nullptr) {
    observer_->on_sent(type);
  }
}

// The type is part of the bucket's key so that Normal events cannot use up what a Warning needs.
bool EventRecorder::passes_spam_filter(const Pending& event) {
  const std::string key = fmt::format("{}\x1e{}", to_string(event.text.type), identity_of(event.regarding));
  const base::SteadyTime now = clock_.now();
  Bucket* bucket = buckets_.find(key);
  if (bucket == nullptr) {
    bucket = &buckets_.insert(key, {options_.spam_burst, now}, options_.key_limit);
  }
  const double refilled = std::chrono::duration<double>(now - bucket->at) / options_.spam_refill;
  bucket->tokens = std::min(options_.spam_burst, bucket->tokens + refilled);
  bucket->at = now;
  if (bucket->tokens < 1.0) {
    return false;
  }
  bucket->tokens -= 1.0;
  return true;
}

kube::Result<void> EventRecorder::create(const Series& series) {
  const Pending& event = series.event;
  const std::string_view name_space = namespace_of(event.regarding);
  json document = {{"apiVersion", kube::resources::kEvents.api_version()},
                   {"kind", kube::resources::kEvents.kind},
                   {"metadata", {{"name", series.name}, {"namespace", name_space}}},
                   {"eventTime", base::format_rfc3339_micro(event.at)},
                   {"reportingController", options_.controller},
                   {"reportingInstance", base::truncate_utf8(options_.instance, kFieldBytes)},
                   {"action", event.text.action},
                   {"reason", event.text.reason},
                   {"type", to_string(event.text.type)},
                   {"note", event.text.note},
                   {"regarding", reference(event.regarding)}};
  if (event.related) {
    document["related"] = reference(*event.related);
  }
  if (series.count > 1) {
    document["series"] = {{"count", series.count},
                          {"lastObservedTime", base::format_rfc3339_micro(series.last_observed)}};
  }
  kube::ApiRequest request;
  request.method = http::Method::kPost;
  request.path = kube::path_of(kube::resources::kEvents, name_space);
  request.content_type = "application/json";
  request.body = dump(document);
  kube::Result<void> sent = send(request);
  if (!sent && sent.error().kind == kube::ErrorKind::kAlreadyExists) {
    return {};  // an earlier try had arrived
  }
  return sent;
}

// Brings the count on the server up to date; false when that failed (the count stays pending) and was not our stop.
bool EventRecorder::write_series(Series& series) {
  kube::ApiRequest request;
  request.method = http::Method::kPatch;
  request.path = kube::path_of(kube::resources::kEvents, namespace_of(series.event.regarding), series.name);
  request.content_type = "application/merge-patch+json";
  request.body = dump({{"series",
                        {{"count", series.count},
                         {"lastObservedTime", base::format_rfc3339_micro(series.last_observed)}}}});
  kube::Result<void> sent = send(request);
  if (!sent && sent.error().kind == kube::ErrorKind::kNotFound) {
    sent = create(series);  // it outlived its time to live on the server
  }
  series.last_write = clock_.now();
  if (!sent) {
    kLog.debug("event series not written", {{"event", series.name}, {"err", sent.error().message}});
    dropped(reason_of_drop(sent.error().kind), series.event);
    return false;
  }
  series.written = series.count;
  return true;
}

kube::Result<void> EventRecorder::send(const kube::ApiRequest& request) {
  for (int failures = 0;;) {
    if (!wait_for_turn()) {
      kube::Error error;
      error.kind = kube::ErrorKind::kCancelled;
      error.message = "the event recorder stops";
      return base::unexpected(std::move(error));
    }
    kube::Result<kube::ApiResponse> response = api_.call(request, {stop_.get_token()});
    if (response) {
      return {};
    }
    if (!worth_a_retry(response.error().kind) || ++failures >= options_.max_tries || !wait_for_retry(failures)) {
      return base::unexpected(std::move(response.error()));
    }
  }
}

// Waits until another request keeps within per_second in any one second; false when the recorder stops first.
bool EventRecorder::wait_for_turn() {
  if (options_.per_second <= 0) {
    return !stop_.stop_requested();
  }
  constexpr base::Duration kWindow = std::chrono::seconds(1);
  while (sent_.size() >= static_cast<std::size_t>(options_.per_second)) {
    const base::Duration left = sent_.front() + kWindow - clock_.now();
    if (left <= base::Duration::zero()) {
      sent_.pop_front();
    } else if (!clock_.sleep_for(left, stop_.get_token())) {
      return false;
    }
  }
  sent_.push_back(clock_.now());
  return !stop_.stop_requested();
}

// False when the recorder is closing: then nothing is retried.
bool EventRecorder::wait_for_retry(int failures) {
  base::Duration wait = options_.retry_wait;
  if (failures == 1) {
    // Many processes lose the same server at once.
    wait = base::Duration(static_cast<base::Duration::rep>(static_cast<double>(wait.count()) * random_.uniform()));
  }
  std::unique_lock lock(mutex_);
  return !clock_.wait_until(lock, changed_, stop_.get_token(), base::after(clock_.now(), wait),
                            [this] { return closing_; }) &&
         !stop_.stop_requested();
}

void EventRecorder::tend_series() {
  const base::SteadyTime now = clock_.now();
  std::vector<std::string> ended;
  for (auto& [key, series] : series_.order) {
    const bool over = now - series.last_seen > options_.series_window;
    if (series.count > series.written && (over || now - series.last_write >= options_.series_refresh)) {
      write_series(series);
    }
    if (over) {
      ended.push_back(key);
    }
  }
  for (const std::string& key : ended) {
    series_.erase(key);
  }
}

base::SteadyTime EventRecorder::next_series_work() const {
  base::SteadyTime next = base::kNever;
  for (const auto& [key, series] : series_.order) {
    next = std::min(next, base::after(series.last_seen, options_.series_window + base::Duration(1)));
    if (series.count > series.written) {
      next = std::min(next, base::after(series.last_write, options_.series_refresh));
    }
  }
  return next;
}

void EventRecorder::dropped(std::string_view why, const Pending& event) {
  if (observer_ != nullptr) {
    observer_->on_dropped(why);
  }
  kLog.debug("event dropped", {{"why", why}, {"reason", event.text.reason}, {"name", event.regarding.name}});
}

}  // namespace shutdown_auditor::runtime
