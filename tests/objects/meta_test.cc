#include "objects/meta.h"

#include <gmock/gmock.h>

namespace shutdown_auditor::objects {
namespace {

using testing::ElementsAre;
using testing::Pair;

TEST(StringMapTest, FindsKeysOfASortedMap) {
  const StringMap map{{"a", "1"}, {"b", ""}, {"d", "4"}};
  ASSERT_NE(find(map, "a"), nullptr);
  EXPECT_EQ(*find(map, "a"), "1");
  EXPECT_EQ(*find(map, "b"), "");
  EXPECT_EQ(find(map, "c"), nullptr);
  EXPECT_EQ(find(map, "e"), nullptr);
  EXPECT_EQ(find({}, "a"), nullptr);
}

TEST(StringMapTest, NormalizeSortsAndTheLastOfARepeatedKeyWins) {
  StringMap map{{"b", "1"}, {"a", "1"}, {"b", "2"}, {"c", "1"}, {"b", "3"}, {"a", "2"}};
  normalize(map);
  EXPECT_THAT(map, ElementsAre(Pair("a", "2"), Pair("b", "3"), Pair("c", "1")));
  StringMap empty;
  normalize(empty);
  EXPECT_TRUE(empty.empty());
}

TEST(GroupOfTest, TakesThePartBeforeTheSlash) {
  EXPECT_EQ(group_of("apps/v1"), "apps");
  EXPECT_EQ(group_of("v1"), "");
  EXPECT_EQ(group_of(""), "");
  EXPECT_EQ(group_of("a/b/c"), "a");
}

TEST(ObjectMetaTest, ControllerIsTheOwnerThatSaysSo) {
  ObjectMeta meta;
  EXPECT_EQ(meta.controller(), nullptr);
  meta.owners = {{"v1", "Node", "n", "1", false}, {"apps/v1", "ReplicaSet", "r", "2", true}};
  ASSERT_NE(meta.controller(), nullptr);
  EXPECT_EQ(meta.controller()->kind, "ReplicaSet");
}

TEST(IntOrStringTest, PrintsWhatWasWritten) {
  EXPECT_EQ(to_string(IntOrString{false, 3, ""}), "3");
  EXPECT_EQ(to_string(IntOrString{true, 0, "25%"}), "25%");
}

}  // namespace
}  // namespace shutdown_auditor::objects
