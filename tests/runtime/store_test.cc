#include "runtime/store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include "objects/workload.h"
#include "runtime/object_key.h"

namespace shutdown_auditor::runtime {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

struct Item {
  std::string name;
  std::vector<std::string> tags;
};
using ItemStore = Store<Item>;

std::vector<ItemStore::Index> by_tag() {
  return {{"tag", [](const Item& item) { return item.tags; }}};
}

ItemStore::Entry entry(const std::string& name, const std::string& version, std::vector<std::string> tags = {}) {
  return {std::make_shared<const Item>(Item{name, std::move(tags)}), version};
}

std::vector<std::string> names(const std::vector<ItemStore::Pointer>& items) {
  std::vector<std::string> all;
  for (const auto& item : items) all.push_back(item->name);
  return all;
}

TEST(ObjectKey, NamesAndComparesObjects) {
  EXPECT_EQ((ObjectKey{"shop", "web"}).to_string(), "shop/web");
  EXPECT_EQ((ObjectKey{"", "node-1"}).to_string(), "node-1");
  EXPECT_LT((ObjectKey{"a", "z"}), (ObjectKey{"b", "a"}));
  const ObjectKeyHash hash;
  EXPECT_EQ(hash(ObjectKey{"shop", "web"}), hash(ObjectKeyView{"shop", "web"}));
  EXPECT_NE(hash(ObjectKeyView{"shop", "web"}), hash(ObjectKeyView{"web", "shop"}));
}

TEST(Store, PutsGetsAndErases) {
  ItemStore store;
  EXPECT_EQ(store.get("shop", "web"), nullptr);
  EXPECT_EQ(store.put("", {"shop", "web"}, entry("one", "1")).object, nullptr);
  EXPECT_EQ(store.put("", {"shop", "web"}, entry("two", "2")).object->name, "one");
  EXPECT_EQ(store.get("shop", "web")->name, "two");
  EXPECT_EQ(store.size(), 1U);
  EXPECT_EQ(store.erase("", {"shop", "web"}, "3").object->name, "two");
  EXPECT_EQ(store.erase("", {"shop", "web"}, "4").object, nullptr);
  EXPECT_EQ(store.get("shop", "web"), nullptr);
  EXPECT_THAT(store.list(), IsEmpty());
}

TEST(Store, KnowsTheVersionItIsCompleteTo) {
  ItemStore store;
  EXPECT_EQ(store.resource_version(), "");
  store.replace("", {}, "10");
  EXPECT_EQ(store.resource_version(), "10");
  store.put("", {"a", "b"}, entry("x", "11"));
  EXPECT_EQ(store.resource_version(), "11");
  store.erase("", {"a", "b"}, "12");
  EXPECT_EQ(store.resource_version(), "12");
  store.advance("", "13");
  EXPECT_EQ(store.resource_version(), "13");
}

TEST(Store, IndexFollowsPutAndEraseAndDropsEmptyValues) {
  ItemStore store(by_tag());
  store.put("", {"a", "2"}, entry("a2", "1", {"red", "big"}));
  store.put("", {"a", "1"}, entry("a1", "1", {"red"}));
  EXPECT_THAT(names(store.by_index("tag", "red")), ElementsAre("a1", "a2"));
  EXPECT_THAT(names(store.by_index("tag", "big")), ElementsAre("a2"));
  EXPECT_THAT(store.by_index("tag", "blue"), IsEmpty());
  store.put("", {"a", "2"}, entry("a2", "2", {"blue"}));
  EXPECT_THAT(names(store.by_index("tag", "red")), ElementsAre("a1"));
  EXPECT_THAT(store.by_index("tag", "big"), IsEmpty());
  EXPECT_EQ(store.index_size("tag"), 2U);
  store.erase("", {"a", "1"}, "3");
  store.erase("", {"a", "2"}, "4");
  EXPECT_EQ(store.index_size("tag"), 0U);
  EXPECT_THROW(store.by_index("colour", "red"), std::out_of_range);
}

TEST(Store, ReplaceSwapsObjectsAndIndexes) {
  ItemStore store(by_tag());
  store.put("", {"a", "old"}, entry("old", "1", {"red"}));
  store.replace("", {{{"a", "new"}, entry("new", "2", {"blue"})}}, "5");
  EXPECT_THAT(names(store.list()), ElementsAre("new"));
  EXPECT_THAT(store.by_index("tag", "red"), IsEmpty());
  EXPECT_THAT(names(store.by_index("tag", "blue")), ElementsAre("new"));
}

TEST(Store, ScopesAreReplacedAloneAndHaveTheirOwnVersion) {
  ItemStore store(by_tag());
  store.replace("a", {{{"a", "1"}, entry("a1", "1", {"red"})}, {{"a", "2"}, entry("a2", "1", {"red"})}}, "5");
  store.replace("b", {{{"b", "1"}, entry("b1", "1", {"red"})}}, "9");
  store.replace("a", {{{"a", "2"}, entry("a2", "7", {"red"})}}, "7");
  EXPECT_THAT(store.keys(), UnorderedElementsAre(ObjectKey{"a", "2"}, ObjectKey{"b", "1"}));
  EXPECT_THAT(names(store.by_index("tag", "red")), ElementsAre("a2", "b1"));
  EXPECT_EQ(store.resource_version("a"), "7");
  EXPECT_EQ(store.resource_version("b"), "9");
}

// Readers see either list whole, never a mixture; run under ThreadSanitizer as well.
TEST(Store, ReplaceIsAtomicForReaders) {
  ItemStore store(by_tag());
  const auto whole = [](const std::string& name, int count) {
    ItemStore::Map map;
    for (int i = 0; i < count; ++i) map[{"a", name + std::to_string(i)}] = entry(name, "1", {"all"});
    return map;
  };
  store.replace("", whole("x", 50), "1");
  std::atomic<bool> mixed{false};
  std::atomic<int> reads{0};
  std::vector<std::jthread> readers;
  for (int i = 0; i < 3; ++i) {
    readers.emplace_back([&, i](const std::stop_token& stop) {
      while (!stop.stop_requested()) {
        const auto seen = i == 0 ? store.list() : store.by_index("tag", "all");
        const std::size_t expected = seen.empty() ? 0 : (seen.front()->name == "x" ? 50U : 70U);
        if (seen.size() != expected) mixed = true;
        ++reads;
      }
    });
  }
  for (int round = 0; round < 100 || reads < 300; ++round) {
    store.replace("", round % 2 == 0 ? whole("y", 70) : whole("x", 50), "2");
  }
  readers.clear();
  EXPECT_FALSE(mixed);
}

TEST(Store, AReaderKeepsItsObjectWhileTheStoreMovesOn) {
  ItemStore store;
  store.put("", {"a", "b"}, entry("old", "1"));
  const ItemStore::Pointer mine = store.get("a", "b");
  store.replace("", {}, "2");
  EXPECT_EQ(mine->name, "old");
}

// Item of the checklist: mutation must not compile.
TEST(Store, CachedObjectsAreConst) {
  using Got = decltype(*std::declval<Store<objects::Workload>&>().get("a", "b"));
  static_assert(std::is_const_v<std::remove_reference_t<Got>>);
  static_assert(!std::is_assignable_v<decltype((std::declval<Got>().meta.name)), std::string>);
  using Listed = decltype(*std::declval<Store<objects::Workload>&>().list().front());
  EXPECT_TRUE(std::is_const_v<std::remove_reference_t<Listed>>);
}

}  // namespace
}  // namespace shutdown_auditor::runtime
