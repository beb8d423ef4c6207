#include "runtime/predicates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "support/manual_clock.h"

namespace shutdown_auditor::runtime {
namespace {

using testing_support::ManualClock;

TEST(Predicates, SeeOnlyTheChangeTheyAreNamedFor) {
  const objects::ObjectMeta before = [] {
    objects::ObjectMeta meta;
    meta.resource_version = "1";
    meta.generation = 1;
    meta.labels = {{"app", "web"}};
    meta.annotations = {{"note", "x"}};
    return meta;
  }();
  struct Case {
    const char* what;
    std::function<void(objects::ObjectMeta&)> change;
    bool generation, labels, annotations, version;
  };
  const Case cases[] = {
      {"nothing (a relist)", [](auto&) {}, false, false, false, false},
      {"status only", [](auto& m) { m.resource_version = "2"; }, false, false, false, true},
      {"spec", [](auto& m) { m.resource_version = "2"; m.generation = 2; }, true, false, false, true},
      {"label", [](auto& m) { m.resource_version = "2"; m.labels[0].second = "api"; }, false, true, false, true},
      {"annotation removed", [](auto& m) { m.resource_version = "2"; m.annotations.clear(); }, false, false, true, true},
  };
  for (const Case& c : cases) {
    objects::ObjectMeta after = before;
    c.change(after);
    EXPECT_EQ(generation_changed(before, after), c.generation) << c.what;
    EXPECT_EQ(labels_changed(before, after), c.labels) << c.what;
    EXPECT_EQ(annotations_changed(before, after), c.annotations) << c.what;
    EXPECT_EQ(resource_version_changed(before, after), c.version) << c.what;
  }
}

TEST(EnqueueBoth, AddsTheTargetsOfTheOldAndTheNewObject) {
  struct Selecting {
    std::vector<std::string> targets;
  };
  const Selecting was{{"a", "b"}};
  const Selecting is{{"b", "c"}};
  struct Case {
    const char* what;
    const Selecting* before;
    const Selecting* after;
    std::set<std::string> keys;
  };
  const Case cases[] = {
      {"added", nullptr, &is, {"b", "c"}}, {"updated", &was, &is, {"a", "b", "c"}}, {"deleted", &was, nullptr, {"a", "b"}}};
  for (const Case& c : cases) {
    ManualClock clock;
    WorkQueue queue(clock);
    enqueue_both(queue, c.before, c.after, [](const Selecting& s) { return s.targets; }, Priority::kHigh, 2);
    std::set<std::string> keys;
    while (queue.stats().ready > 0) {
      const WorkItem item = *queue.get({});
      EXPECT_EQ(item.cause, 2U);
      EXPECT_EQ(item.priority, Priority::kHigh);
      keys.insert(item.key);
    }
    EXPECT_EQ(keys, c.keys) << c.what;
  }
}

}  // namespace
}  // namespace shutdown_auditor::runtime
