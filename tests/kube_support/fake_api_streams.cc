#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "kube_support/fake_api_internal.h"

namespace shutdown_auditor::testing_support {

using nlohmann::json;

namespace {

std::uint64_t to_number(std::string_view text) {
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

bool feed(const json& value, objects::EventHandler& to) {
  switch (value.type()) {
    case json::value_t::object:
      if (!to.start_object({})) {
        return false;
      }
      for (const auto& [key, member] : value.items()) {
        if (!to.key(key, {}) || !feed(member, to)) {
          return false;
        }
      }
      return to.end_object();
    case json::value_t::array:
      if (!to.start_array({})) {
        return false;
      }
      for (const json& item : value) {
        if (!feed(item, to)) {
          return false;
        }
      }
      return to.end_array();
    case json::value_t::string:
      return to.string(value.get_ref<const std::string&>(), {});
    case json::value_t::boolean:
      return to.boolean(value.get<bool>(), value.dump(), {});
    case json::value_t::number_integer:
    case json::value_t::number_unsigned:
      return to.integer(value.get<std::int64_t>(), value.dump(), {});
    case json::value_t::number_float:
      return to.number(value.get<double>(), value.dump(), {});
    default:
      return to.null({});
  }
}

}  // namespace

FakeApi::Stream::~Stream() {
  const std::lock_guard lock(api_.mutex_);
  std::erase(api_.streams_, this);
}

kube::Result<std::optional<std::string>> FakeApi::Stream::next(const base::Cancellation& cancel) {
  std::unique_lock lock(api_.mutex_);
  api_.clock_.wait_until(lock, api_.changed_, cancel.stop, std::min(cancel.deadline, end_),
                         [this] { return !lines_.empty() || closed_; });
  if (!lines_.empty()) {
    std::string line = std::move(lines_.front());
    lines_.pop_front();
    return std::optional(std::move(line));
  }
  if (failure_) {
    return base::unexpected(*failure_);
  }
  if (closed_ || api_.clock_.now() >= end_) {
    return std::optional<std::string>();
  }
  if (cancel.stop_requested()) {
    return refuse(kube::ErrorKind::kCancelled, 0, "", "watch cancelled");
  }
  return refuse(kube::ErrorKind::kTimeout, 0, "", "watch silent");
}

kube::Result<objects::ListMeta> FakeApi::list(const kube::Resource& resource, const kube::ListOptions& options,
                                              objects::ItemSink& sink, const base::Cancellation& cancel) {
  SeenCall seen{"list", kube::path_of(resource, options.name_space), {}, "", ""};
  if (options.resource_version) {
    seen.query.emplace_back("resourceVersion", *options.resource_version);
  }
  if (options.limit > 0) {
    seen.query.emplace_back("limit", std::to_string(options.limit));
  }
  if (!options.continue_token.empty()) {
    seen.query.emplace_back("continue", options.continue_token);
  }
  std::optional<kube::Error> ended;
  (void)arrive(seen, cancel, ended);
  if (ended) {
    return base::unexpected(*ended);
  }
  const base::Result<Selector> selector = Selector::parse(options.label_selector, options.field_selector);
  if (!selector) {
    return bad_request(selector.error().message);
  }

  std::vector<json> items;
  objects::ListMeta meta;
  {
    const std::lock_guard lock(mutex_);
    know(resource);
    const std::string collection = collection_of(resource);
    if (unserved_.contains(collection)) {
      return refuse(kube::ErrorKind::kNotFound, 404, "NotFound", "the server could not find the requested resource");
    }
    if (options.resource_version && to_number(*options.resource_version) > version_) {
      return refuse(kube::ErrorKind::kVersionTooLarge, 504, "Timeout", "Too large resource version");
    }
    std::uint64_t version = version_;
    Key from;  // continue token: "version|namespace|name" of the last item sent
    if (!options.continue_token.empty()) {
      const auto parts = base::split(options.continue_token, '|');
      version = to_number(parts.at(0));
      from = {collection, std::string(parts.at(1)), std::string(parts.at(2))};
      if (version <= oldest_) {
        return refuse(kube::ErrorKind::kExpired, 410, "Expired", "The provided continue parameter is too old");
      }
    }
    const std::map<Key, json> past = version == version_ ? std::map<Key, json>() : snapshot(collection, version);
    for (const auto& [key, object] : version == version_ ? std::as_const(objects_) : past) {
      if (key.collection != collection || (!from.name.empty() && key <= from) ||
          (!options.name_space.empty() && key.name_space != options.name_space) || !selector->matches(object)) {
        continue;
      }
      if (options.limit > 0 && items.size() == static_cast<std::size_t>(options.limit)) {
        const json& last = items.back().at("metadata");
        meta.continue_token = fmt::format("{}|{}|{}", version, text_of(last, "namespace"), text_of(last, "name"));
        break;
      }
      items.push_back(object);
    }
    meta.resource_version = std::to_string(version);
    meta.api_version = resource.api_version();
    meta.kind = resource.kind + "List";
  }
  for (const json& item : items) {  // the sink is foreign code: no lock
    objects::EventHandler& handler = sink.begin_item();
    if (!feed(item, handler)) {
      return refuse(kube::ErrorKind::kProtocol, 200, "", handler.problem().message);
    }
    if (!sink.end_item()) {
      return refuse(kube::ErrorKind::kProtocol, 200, "", sink.problem().message);
    }
  }
  return meta;
}

kube::Result<std::unique_ptr<kube::WatchStream>> FakeApi::watch(const kube::Resource& resource,
                                                                const kube::WatchOptions& options,
                                                                const base::Cancellation& cancel) {
  SeenCall seen{"watch", kube::path_of(resource, options.name_space), {}, "", ""};
  seen.query = {{"watch", "true"},
                {"allowWatchBookmarks", "true"},
                {"resourceVersion", options.resource_version},
                {"timeoutSeconds", std::to_string(options.timeout_seconds)}};
  std::optional<kube::Error> ended;
  (void)arrive(seen, cancel, ended);
  if (ended) {
    return base::unexpected(*ended);
  }
  base::Result<Selector> selector = Selector::parse(options.label_selector, options.field_selector);
  if (!selector) {
    return bad_request(selector.error().message);
  }

  const std::string collection = collection_of(resource);
  const base::SteadyTime end = base::after(clock_.now(), std::chrono::seconds(options.timeout_seconds));
  auto stream = std::make_unique<Stream>(*this, collection, options.name_space, std::move(*selector), end);
  const std::lock_guard lock(mutex_);
  know(resource);
  if (unserved_.contains(collection)) {
    return refuse(kube::ErrorKind::kNotFound, 404, "NotFound", "the server could not find the requested resource");
  }
  const std::uint64_t from = to_number(options.resource_version);
  if (from > version_) {
    return refuse(kube::ErrorKind::kVersionTooLarge, 504, "Timeout", "Too large resource version");
  }
  if (from != 0 && from <= oldest_) {
    return refuse(kube::ErrorKind::kExpired, 410, "Expired",
                  fmt::format("too old resource version: {} ({})", from, oldest_ + 1));
  }
  streams_.push_back(stream.get());
  std::map<Key, json> state = snapshot(collection, from);
  if (from == 0) {
    state.clear();
    for (const auto& [key, object] : objects_) {
      if (stream->covers(key) && stream->selector_.matches(object)) {
        stream->lines_.push_back(json{{"type", "ADDED"}, {"object", object}}.dump());
      }
    }
    return std::unique_ptr<kube::WatchStream>(std::move(stream));
  }
  // What happened since: only this stream hears it.
  const std::list<Stream*> others = std::exchange(streams_, {stream.get()});
  for (const Change& change : history_) {
    if (change.version > from && change.key.collection == collection) {
      json& before = state[change.key];
      publish(change.key, before, change.object, change.version);
      before = change.object;
    }
  }
  streams_ = others;
  return std::unique_ptr<kube::WatchStream>(std::move(stream));
}

}  // namespace shutdown_auditor::testing_support
