#include "objects/position.h"

#include <gtest/gtest.h>

namespace shutdown_auditor::objects {
namespace {

TEST(PositionMapTest, FindsFieldsItemsKeysAndNearestAncestors) {
  PositionMap map;
  map.set_root({1, 1});
  const int spec = map.add(-1, "spec", -1, {2, 1});
  const int list = map.add(spec, "containers", -1, {3, 3});
  map.add(list, "", 0, {4, 5});
  const int second = map.add(list, "", 1, {8, 5});
  map.add(second, "image", -1, {9, 5});
  const int annotations = map.add(-1, "annotations", -1, {20, 1});
  map.add(annotations, "example.com/a.b", -1, {21, 3});

  const struct {
    const char* path;
    Mark mark;
  } rows[] = {
      {"", {1, 1}},
      {"spec", {2, 1}},
      {"spec.containers", {3, 3}},
      {"spec.containers[0]", {4, 5}},
      {"spec.containers[1]", {8, 5}},
      {"spec.containers[1].image", {9, 5}},
      {"spec.containers[1].lifecycle.preStop", {8, 5}},
      {"spec.containers[2].image", {3, 3}},
      {"spec.replicas", {2, 1}},
      {"status.conditions[3]", {1, 1}},
      {"annotations[example.com/a.b]", {21, 3}},
      {"annotations[\"example.com/a.b\"]", {21, 3}},
      {"annotations['example.com/a.b']", {21, 3}},
      {"annotations[example.com/other]", {20, 1}},
      {"spec.containers[99999999999999999999]", {3, 3}},
      {"spec.containers[-1]", {3, 3}},
      {"spec.containers[", {3, 3}},
      {".", {1, 1}},
      {"..spec", {1, 1}},
  };
  for (const auto& row : rows) EXPECT_EQ(map.find(row.path), row.mark) << row.path;

  const PositionMap copy = map;
  map.clear();
  EXPECT_EQ(map.find("spec"), Mark{});
  EXPECT_EQ(copy.find("annotations[example.com/a.b]"), (Mark{21, 3}));
}

}  // namespace
}  // namespace shutdown_auditor::objects
