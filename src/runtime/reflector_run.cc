#include "runtime/reflector_run.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "kube/status_error.h"
#include "objects/status.h"
#include "objects/watch_event.h"

namespace shutdown_auditor::runtime {
namespace {

constexpr base::Logger kLog("reflector");
// A server that asks for more is not obeyed.
constexpr std::chrono::minutes kLongestRetryAfter{5};
// More names make a selector longer than some proxies accept in a URL.
constexpr std::size_t kMaxSelectorNamespaces = 20;

std::string field_selector_of(const ReflectorOptions& options) {
  std::string selector = options.field_selector;
  if (!options.name_space.empty() || options.excluded_namespaces.size() > kMaxSelectorNamespaces) return selector;
  for (const std::string& excluded : options.excluded_namespaces) {
    if (!selector.empty()) selector += ',';
    selector += "metadata.namespace!=" + excluded;
  }
  return selector;
}

kube::Error protocol_error(std::string message) {
  kube::Error error;
  error.kind = kube::ErrorKind::kProtocol;
  error.message = std::move(message);
  return error;
}

}  // namespace

ReflectorLoop::Run::Run(ReflectorLoop& owner, std::stop_token stop)
    : owner_(owner),
      context_(owner.context_),
      options_(owner.options_),
      sink_(owner.sink()),
      stop_(std::move(stop)),
      field_selector_(field_selector_of(options_)),
      watcher_(options_.watcher),
      backoff_(options_.backoff, context_.clock, context_.random),
      absent_backoff_(options_.absent_backoff, context_.clock, context_.random) {}

void ReflectorLoop::Run::follow() {
  WatcherStep step = watcher_.start();
  while (wait(step)) {
    count(step);
    step = step.kind == WatcherStep::Kind::kList ? list(step) : watch(*step.resource_version);
  }
}

bool ReflectorLoop::Run::pause() { return context_.clock.sleep_for(backoff_.next(), stop_); }

bool ReflectorLoop::Run::wait(const WatcherStep& step) {
  base::Duration delay = std::clamp<base::Duration>(step.at_least, base::Duration::zero(), kLongestRetryAfter);
  if (step.delay == Delay::kBackoff) delay += backoff_.next();
  if (step.delay == Delay::kAbsent) delay += absent_backoff_.next();
  if (delay > base::Duration::zero()) return context_.clock.sleep_for(delay, stop_);
  return !stop_.stop_requested();
}

void ReflectorLoop::Run::count(const WatcherStep& step) {
  if (step.reason == "start" || step.reason == "page" || step.reason == "listed") return;
  const bool list = step.kind == WatcherStep::Kind::kList;
  {
    const std::lock_guard lock(owner_.mutex_);
    ++(list ? owner_.status_.relists : owner_.status_.watch_restarts);
  }
  kLog.debug(list ? "list again" : "watch again", {{"source", owner_.name_}, {"reason", step.reason}});
  if (context_.observer == nullptr) return;
  if (list) {
    context_.observer->relisted(owner_.name_, step.reason);
  } else {
    context_.observer->watch_restarted(owner_.name_, step.reason);
  }
}

WatcherStep ReflectorLoop::Run::list(const WatcherStep& step) {
  if (step.first_page()) sink_.begin_list();
  kube::ListOptions request;
  request.name_space = options_.name_space;
  request.label_selector = options_.label_selector;
  request.field_selector = field_selector_;
  request.resource_version = step.resource_version;
  request.continue_token = step.continue_token;
  request.limit = step.limit;
  const auto page = context_.api.list(owner_.resource_, request, *this, {stop_, base::kNever});
  if (!page) return list_failed(page.error());
  // A Table or a partial list would decode as empty objects. CRDs may call their list as they like, but end it so.
  if (page->api_version != owner_.resource_.api_version() || !page->kind.ends_with("List")) {
    return list_failed(protocol_error("list " + owner_.name_ + ": expected a list of " + owner_.resource_.kind +
                                      ", got " + page->api_version + " " + page->kind));
  }
  WatcherStep next = watcher_.page_listed(*page);
  if (next.kind == WatcherStep::Kind::kWatch) {
    absent_backoff_.reset();
    sink_.commit_list(watcher_.resource_version(), !owner_.has_synced());
    owner_.list_succeeded(watcher_.resource_version());
  } else if (next.first_page()) {
    owner_.failed(protocol_error("list " + owner_.name_ + ": " + (page->continue_token.empty()
                                     ? "no usable resourceVersion"
                                     : "the continue token repeats")), "list");
  }
  return next;
}

WatcherStep ReflectorLoop::Run::list_failed(const kube::Error& error) {
  owner_.failed(error, "list");
  return watcher_.list_failed(error);
}

objects::EventHandler& ReflectorLoop::Run::begin_item() {
  probe_.begin(&sink_.begin_object());
  return probe_;
}

// One odd object must not keep all others from being seen: it is left out, loudly.
bool ReflectorLoop::Run::end_item() {
  if (excluded(probe_.key())) return true;
  base::Result<void> taken = probe_.check();
  if (taken) taken = sink_.list_object(probe_.key(), probe_.resource_version());
  if (!taken) undecodable(taken.error());
  return true;
}

bool ReflectorLoop::Run::excluded(const ObjectKey& key) const {
  return std::ranges::find(options_.excluded_namespaces, key.name_space) != options_.excluded_namespaces.end() &&
         !key.name_space.empty();
}

void ReflectorLoop::Run::undecodable(const base::Error& error) {
  kLog.error("an object could not be read",
             {{"source", owner_.name_}, {"object", probe_.key().to_string()}, {"err", error.message}});
  {
    const std::lock_guard lock(owner_.mutex_);
    ++owner_.status_.undecodable;
  }
  if (context_.observer != nullptr) context_.observer->undecodable(owner_.name_);
}

WatcherStep ReflectorLoop::Run::watch(const std::string& version) {
  kube::WatchOptions request;
  request.name_space = options_.name_space;
  request.label_selector = options_.label_selector;
  request.field_selector = field_selector_;
  request.resource_version = version;
  const auto range = static_cast<double>((options_.watch_max - options_.watch_min).count() + 1);
  request.timeout_seconds =
      static_cast<int>(options_.watch_min.count()) + static_cast<int>(context_.random.uniform() * range);
  const base::Duration patient = std::chrono::seconds(request.timeout_seconds + 5);
  const auto deadline = [&] {
    return base::after(context_.clock.now(), bookmark_seen_ ? std::min(options_.idle, patient) : patient);
  };

  const base::SteadyTime started = context_.clock.now();
  auto stream = context_.api.watch(owner_.resource_, request, {stop_, deadline()});
  if (!stream) {
    owner_.failed(stream.error(), "watch");
    return watcher_.watch_failed(stream.error());
  }
  owner_.recovered();
  while (true) {
    auto line = (*stream)->next({stop_, deadline()});
    if (!line && line.error().kind == kube::ErrorKind::kTimeout) {
      kLog.info("a watch fell silent and is resumed", {{"source", owner_.name_}});
      return watcher_.idle_expired();
    }
    const base::Duration lasted = context_.clock.now() - started;
    if (!line) {
      owner_.failed(line.error(), "watch");
      return watcher_.stream_broken(line.error(), lasted);
    }
    if (!*line) return watcher_.stream_ended(lasted);
    if (std::optional<WatcherStep> step = take(**line)) return *step;
  }
}

std::optional<WatcherStep> ReflectorLoop::Run::take(const std::string& line) {
  probe_.begin(nullptr);
  const base::Result<std::string> word = objects::watch_event_type(line);
  if (!word) return undecodable_event(word.error());
  if (*word == "ERROR") return error_event(line);
  const WatchEventType type = watch_event_type(*word);
  if (type == WatchEventType::kUnknown) {
    if (!unknown_said_) {
      kLog.warn("watch events of an unknown type are ignored",
                {{"source", owner_.name_}, {"type", base::quoted(*word)}});
    }
    unknown_said_ = true;
    return std::nullopt;
  }
  const bool bookmark = type == WatchEventType::kBookmark;
  if (!bookmark) probe_.begin(&sink_.begin_object());
  const base::Result<void> parsed = objects::forward_member(line, "object", probe_);
  if (!parsed) return undecodable_event(parsed.error());
  if (const base::Result<void> whole = probe_.check(); !bookmark && !whole) return undecodable_event(whole.error());

  const std::string& version = probe_.resource_version();
  if (std::optional<WatcherStep> step = watcher_.event(type, version)) return step;
  bookmark_seen_ = bookmark_seen_ || bookmark;
  const base::Result<void> stored = store(type, version);
  if (!stored) return undecodable_event(stored.error());
  const std::lock_guard lock(owner_.mutex_);
  owner_.status_.last_event = context_.clock.now();
  owner_.status_.resource_version = version;
  return std::nullopt;
}

base::Result<void> ReflectorLoop::Run::store(WatchEventType type, const std::string& version) {
  if (type == WatchEventType::kBookmark || excluded(probe_.key())) {
    sink_.advance(version);
    return {};
  }
  return type == WatchEventType::kDeleted ? sink_.remove(probe_.key(), version)
                                          : sink_.apply(probe_.key(), version);
}

WatcherStep ReflectorLoop::Run::undecodable_event(const base::Error& error) {
  undecodable(error);
  return watcher_.undecodable_event();
}

WatcherStep ReflectorLoop::Run::error_event(const std::string& line) {
  objects::Decoder<objects::Status> decoder;
  if (const base::Result<void> parsed = objects::forward_member(line, "object", decoder); !parsed) {
    return undecodable_event(parsed.error());
  }
  const base::Result<objects::Status> status = decoder.take();
  if (!status) return undecodable_event(status.error());
  const kube::Error error = kube::error_of_status("watch " + owner_.name_, *status);
  owner_.failed(error, "watch");
  return watcher_.error_event(error);
}

}  // namespace shutdown_auditor::runtime
