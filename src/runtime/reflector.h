#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "objects/decode.h"
#include "runtime/object_key.h"
#include "runtime/reflector_loop.h"
#include "runtime/store.h"

namespace shutdown_auditor::runtime {

// What one object became. `old_object` and `object` are null where there is none.
enum class EventKind { kAdded, kUpdated, kDeleted };
template <class T>
struct Change {
  EventKind kind = EventKind::kAdded;
  ObjectKey key;
  std::shared_ptr<const T> old_object;  // shared with the Store, see there
  std::shared_ptr<const T> object;
  bool initial_list = false;         // part of the first complete list
  bool relist = false;               // found by comparing a later list
  bool final_state_unknown = false;  // kDeleted found by a list: `old_object` may not be its last state
};

// Keeps a Store<T> equal to the server's objects of one resource type (in one namespace or all) and tells handlers
// what changed. Objects are decoded one at a time from the network into `Wire` and projected to T; nothing else is
// kept. During a relist readers keep the old state. Handlers run on the reflector's thread, in the order of changes,
// after the store has them and with no lock held; they must not block for long, and an exception of theirs is logged
// and dropped.
template <class T, class Wire = T>
class Reflector final : public ReflectorLoop, private ReflectorSink {
 public:
  using Handler = std::function<void(const Change<T>&)>;
  // nullopt: this object is none of ours (as if it did not exist).
  using Projection = std::function<std::optional<T>(Wire&&)>;

  struct Config {
    ReflectorOptions options;
    objects::DecodeOptions decode;
    Projection projection;  // may be empty when T is Wire
    std::vector<Handler> handlers;
  };

  // `store` must outlive it and have no other writer for this namespace.
  Reflector(Context context, kube::Resource resource, Store<T>& store, Config config)
      : ReflectorLoop(context, std::move(resource), std::move(config.options)),
        store_(store),
        decode_(for_kind(std::move(config.decode), this->resource())),
        projection_(std::move(config.projection)),
        handlers_(std::move(config.handlers)) {}
  ~Reflector() override { stop(); }

 private:
  using Pointer = typename Store<T>::Pointer;
  using Entry = typename Store<T>::Entry;

  // Objects of another kind (a Table, a misrouted answer) are refused; the items of a list, which do not say, are of
  // it.
  static objects::DecodeOptions for_kind(objects::DecodeOptions decode, const kube::Resource& resource) {
    decode.kind = objects::GroupKind{resource.group, resource.kind};
    return decode;
  }

  ReflectorSink& sink() override { return *this; }
  const std::string& scope() const { return options().name_space; }

  objects::EventHandler& begin_object() override {
    decoder_.emplace(decode_);
    return *decoder_;
  }

  void begin_list() override { listed_.clear(); }

  base::Result<void> list_object(const ObjectKey& key, const std::string& version) override {
    base::Result<Pointer> object = take();
    if (!object) return base::unexpected(object.error());
    if (!*object) return {};
    // An unchanged object is kept rather than doubled: a relist of an idle cluster costs pointers, not objects.
    Entry known = store_.entry(key);
    const bool same = known.object && !version.empty() && known.resource_version == version;
    listed_[key] = same ? std::move(known) : Entry{std::move(*object), version};
    return {};
  }

  void commit_list(const std::string& version, bool first) override {
    std::vector<Change<T>> changes;
    for (const auto& [key, entry] : listed_) {
      Entry known = store_.entry(key);
      if (known.object == entry.object) continue;
      const EventKind kind = known.object ? EventKind::kUpdated : EventKind::kAdded;
      changes.push_back({kind, key, std::move(known.object), entry.object, first, !first, false});
    }
    for (const ObjectKey& key : store_.keys()) {
      if ((!scope().empty() && key.name_space != scope()) || listed_.contains(key)) continue;
      changes.push_back({EventKind::kDeleted, key, store_.get(key), nullptr, first, !first, true});
    }
    store_.replace(scope(), std::move(listed_), version);
    listed_ = {};
    for (const Change<T>& change : changes) tell(change);
  }

  base::Result<void> apply(const ObjectKey& key, const std::string& version) override {
    base::Result<Pointer> object = take();
    if (!object) return base::unexpected(object.error());
    if (!*object) {  // no longer (or never) one of ours
      forget(key, version, nullptr);
      return {};
    }
    Entry old = store_.put(scope(), key, {*object, version});
    if (old.object && old.resource_version == version) return {};  // a repeated event
    const EventKind kind = old.object ? EventKind::kUpdated : EventKind::kAdded;
    tell({kind, key, std::move(old.object), std::move(*object), false, false, false});
    return {};
  }

  base::Result<void> remove(const ObjectKey& key, const std::string& version) override {
    base::Result<Pointer> last = take();
    if (!last) return base::unexpected(last.error());
    forget(key, version, std::move(*last));
    return {};
  }

  void advance(const std::string& version) override { store_.advance(scope(), version); }

  // The decoded object; nullptr when the projection leaves it out.
  base::Result<Pointer> take() {
    base::Result<Wire> wire = decoder_->take();
    decoder_.reset();
    if (!wire) return base::unexpected(wire.error());
    if (projection_) {
      std::optional<T> object = projection_(std::move(*wire));
      return object ? std::make_shared<const T>(std::move(*object)) : Pointer();
    }
    if constexpr (std::is_same_v<T, Wire>) {
      return std::make_shared<const T>(std::move(*wire));
    } else {
      return base::fail(base::ErrorKind::kInternal, "a projection is needed");
    }
  }

  // `last`: the state the DELETED event carried.
  void forget(const ObjectKey& key, const std::string& version, Pointer last) {
    Entry old = store_.erase(scope(), key, version);
    if (!old.object) return;
    tell({EventKind::kDeleted, key, last ? std::move(last) : std::move(old.object), nullptr, false, false, false});
  }

  void tell(const Change<T>& change) {
    for (const Handler& handler : handlers_) {
      try {
        handler(change);
      } catch (const std::exception& e) {
        log_handler_failure(name(), change.key, e.what());
      }
    }
  }

  Store<T>& store_;
  const objects::DecodeOptions decode_;
  const Projection projection_;
  const std::vector<Handler> handlers_;
  std::optional<objects::Decoder<Wire>> decoder_;
  typename Store<T>::Map listed_;
};

}  // namespace shutdown_auditor::runtime
