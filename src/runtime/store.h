#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "runtime/object_key.h"

namespace shutdown_auditor::runtime {

// The last known state of every object of one resource type. Many readers; one writer (a Reflector) per scope. Readers
// never see a half-replaced store and never block on a callback or on the destruction of objects.
template <class T>
class Store {
 public:
  // Shared: a reader keeps the object it is working on while the writer replaces it. const: nobody changes a cached
  // one.
  using Pointer = std::shared_ptr<const T>;

  // A named lookup: the values under which an object is found (several, one or none). A pure function.
  struct Index {
    std::string name;
    std::function<std::vector<std::string>(const T&)> values;
  };

  // An object with the resourceVersion it was read at: equal versions of one key mean the same object.
  struct Entry {
    Pointer object;
    std::string resource_version;
  };
  using Map = std::unordered_map<ObjectKey, Entry, ObjectKeyHash, ObjectKeyEqual>;

  explicit Store(std::vector<Index> indexes = {}) : definitions_(std::move(indexes)), indexes_(definitions_.size()) {}
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // nullptr when there is no such object.
  Pointer get(const ObjectKeyView& key) const {
    const std::shared_lock lock(mutex_);
    const auto found = objects_.find(key);
    return found == objects_.end() ? nullptr : found->second.object;
  }
  Pointer get(std::string_view name_space, std::string_view name) const { return get({name_space, name}); }

  // Everything, in no particular order.
  std::vector<Pointer> list() const {
    const std::shared_lock lock(mutex_);
    std::vector<Pointer> all;
    all.reserve(objects_.size());
    for (const auto& [key, entry] : objects_) all.push_back(entry.object);
    return all;
  }
  std::vector<ObjectKey> keys() const {
    const std::shared_lock lock(mutex_);
    std::vector<ObjectKey> all;
    all.reserve(objects_.size());
    for (const auto& [key, entry] : objects_) all.push_back(key);
    return all;
  }

  // The objects that index `name` holds under `value`, ordered by key. Throws std::out_of_range for an index that was
  // not declared (a bug of the caller).
  std::vector<Pointer> by_index(std::string_view name, const std::string& value) const {
    const std::size_t number = index_number(name);
    const std::shared_lock lock(mutex_);
    std::vector<Pointer> found;
    const auto keys = indexes_[number].find(value);
    if (keys == indexes_[number].end()) return found;
    found.reserve(keys->second.size());
    for (const ObjectKey& key : keys->second) found.push_back(objects_.find(key)->second.object);
    return found;
  }
  // How many values index `name` knows; values without objects are dropped.
  std::size_t index_size(std::string_view name) const {
    const std::size_t number = index_number(name);
    const std::shared_lock lock(mutex_);
    return indexes_[number].size();
  }

  std::size_t size() const {
    const std::shared_lock lock(mutex_);
    return objects_.size();
  }

  // The resourceVersion up to which `scope` (a namespace, or "" when one reflector reads them all) is complete; empty
  // before the first list. Includes bookmarks, so it moves without changes.
  std::string resource_version(std::string_view scope = {}) const {
    const std::shared_lock lock(mutex_);
    const auto found = versions_.find(scope);
    return found == versions_.end() ? std::string() : found->second;
  }

  // --- for the writer of `scope`; every key it touches lies in that scope ---

  // The stored entry, empty when there is none.
  Entry entry(const ObjectKeyView& key) const {
    const std::shared_lock lock(mutex_);
    const auto found = objects_.find(key);
    return found == objects_.end() ? Entry{} : found->second;
  }

  // Stores one object and returns what it replaced.
  Entry put(const std::string& scope, const ObjectKey& key, Entry next) {
    Entry previous = entry(key);
    const Values removed = values_of(previous.object);
    const Values added = values_of(next.object);
    const std::unique_lock lock(mutex_);
    versions_[scope] = next.resource_version;
    unindex(key, removed);
    index(key, added);
    objects_[key] = std::move(next);
    return previous;
  }

  // Removes one object, as of `version`, and returns it (empty when it was not there).
  Entry erase(const std::string& scope, const ObjectKey& key, const std::string& version) {
    Entry previous = entry(key);
    const Values removed = values_of(previous.object);
    const std::unique_lock lock(mutex_);
    versions_[scope] = version;
    unindex(key, removed);
    if (const auto found = objects_.find(key); found != objects_.end()) objects_.erase(found);
    return previous;
  }

  // The scope is complete up to `version` without a change (a bookmark).
  void advance(const std::string& scope, const std::string& version) {
    const std::unique_lock lock(mutex_);
    versions_[scope] = version;
  }

  // Puts a complete list in the place of all objects of `scope`, in one step for readers.
  void replace(const std::string& scope, Map next, const std::string& version) {
    if (scope.empty()) {
      std::vector<IndexData> indexes(definitions_.size());
      for (const auto& [key, entry] : next) index_into(indexes, key, values_of(entry.object));
      {
        const std::unique_lock lock(mutex_);
        objects_.swap(next);
        indexes_.swap(indexes);
        versions_[scope] = version;
      }
      return;  // the old objects die here, after the lock
    }
    replace_namespace(scope, next, version);
  }

 private:
  using Values = std::vector<std::vector<std::string>>;  // of each index
  using IndexData = std::unordered_map<std::string, std::set<ObjectKey>>;

  std::size_t index_number(std::string_view name) const {
    for (std::size_t i = 0; i < definitions_.size(); ++i) {
      if (definitions_[i].name == name) return i;
    }
    throw std::out_of_range("no index " + std::string(name));
  }

  // Calls the index functions; never under the lock.
  Values values_of(const Pointer& object) const {
    Values values(definitions_.size());
    for (std::size_t i = 0; object && i < definitions_.size(); ++i) values[i] = definitions_[i].values(*object);
    return values;
  }

  static void index_into(std::vector<IndexData>& indexes, const ObjectKey& key, const Values& values) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      for (const std::string& value : values[i]) indexes[i][value].insert(key);
    }
  }
  void index(const ObjectKey& key, const Values& values) { index_into(indexes_, key, values); }
  void unindex(const ObjectKey& key, const Values& values) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      for (const std::string& value : values[i]) {
        const auto found = indexes_[i].find(value);
        if (found == indexes_[i].end()) continue;
        found->second.erase(key);
        if (found->second.empty()) indexes_[i].erase(found);
      }
    }
  }

  void replace_namespace(const std::string& scope, Map& next, const std::string& version) {
    std::vector<std::pair<ObjectKey, Entry>> old;  // keeps the old objects alive until the lock is gone
    {
      const std::shared_lock lock(mutex_);
      for (const auto& [key, entry] : objects_) {
        if (key.name_space == scope) old.emplace_back(key, entry);
      }
    }
    std::vector<std::pair<const ObjectKey*, Values>> removed;
    std::vector<std::pair<const ObjectKey*, Values>> added;
    for (const auto& [key, entry] : old) removed.emplace_back(&key, values_of(entry.object));
    for (const auto& [key, entry] : next) added.emplace_back(&key, values_of(entry.object));
    const std::unique_lock lock(mutex_);
    for (const auto& [key, values] : removed) {
      unindex(*key, values);
      objects_.erase(*key);
    }
    for (const auto& [key, values] : added) index(*key, values);
    for (auto& [key, entry] : next) objects_[key] = std::move(entry);
    versions_[scope] = version;
  }

  const std::vector<Index> definitions_;
  mutable std::shared_mutex mutex_;  // guards all below; the innermost lock of the program: nothing is called under it
  Map objects_;
  std::vector<IndexData> indexes_;
  std::map<std::string, std::string, std::less<>> versions_;
};

}  // namespace shutdown_auditor::runtime
