#include "objects/selector.h"

#include <gmock/gmock.h>

namespace shutdown_auditor::objects {
namespace {

using testing::HasSubstr;

const StringMap kLabels{{"app", "web"}, {"empty", ""}, {"tier", "front"}};

struct Row {
  const char* name;
  LabelSelector selector;
  bool matches;
};

class SelectorTest : public testing::TestWithParam<Row> {};

TEST_P(SelectorTest, Matches) {
  EXPECT_EQ(matches(GetParam().selector, kLabels), GetParam().matches);
  EXPECT_EQ(matches(std::optional<LabelSelector>(GetParam().selector), kLabels), GetParam().matches);
}

INSTANTIATE_TEST_SUITE_P(
    Truth, SelectorTest,
    testing::Values(
        Row{"Empty", {}, true},
        Row{"Label", {{{"app", "web"}}, {}}, true},
        Row{"OtherValue", {{{"app", "api"}}, {}}, false},
        Row{"AbsentLabel", {{{"zone", "a"}}, {}}, false},
        Row{"AllLabels", {{{"app", "web"}, {"tier", "front"}}, {}}, true},
        Row{"OneOfTwoLabels", {{{"app", "web"}, {"tier", "back"}}, {}}, false},
        Row{"EmptyValue", {{{"empty", ""}}, {}}, true},
        Row{"EmptyValueOfAbsentLabel", {{{"zone", ""}}, {}}, false},
        Row{"In", {{}, {{"app", "In", {"api", "web"}}}}, true},
        Row{"InOther", {{}, {{"app", "In", {"api"}}}}, false},
        Row{"InAbsentKey", {{}, {{"zone", "In", {"a"}}}}, false},
        Row{"NotIn", {{}, {{"app", "NotIn", {"api"}}}}, true},
        Row{"NotInListed", {{}, {{"app", "NotIn", {"api", "web"}}}}, false},
        Row{"NotInAbsentKey", {{}, {{"zone", "NotIn", {"a"}}}}, true},
        Row{"Exists", {{}, {{"empty", "Exists", {}}}}, true},
        Row{"ExistsAbsent", {{}, {{"zone", "Exists", {}}}}, false},
        Row{"DoesNotExist", {{}, {{"zone", "DoesNotExist", {}}}}, true},
        Row{"DoesNotExistPresent", {{}, {{"app", "DoesNotExist", {}}}}, false},
        Row{"LabelAndExpression", {{{"app", "web"}}, {{"tier", "NotIn", {"front"}}}}, false},
        Row{"UnknownOperator", {{}, {{"app", "Like", {"web"}}}}, false},
        Row{"LowerCaseOperator", {{}, {{"app", "in", {"web"}}}}, false},
        Row{"InWithoutValues", {{}, {{"app", "In", {}}}}, false},
        Row{"NotInWithoutValues", {{}, {{"zone", "NotIn", {}}}}, false},
        Row{"ExistsWithValues", {{}, {{"app", "Exists", {"web"}}}}, false},
        Row{"DoesNotExistWithValues", {{}, {{"zone", "DoesNotExist", {"a"}}}}, false},
        Row{"NoKey", {{}, {{"", "Exists", {}}}}, false}),
    [](const auto& row) { return row.param.name; });

TEST(SelectorAbsenceTest, ANilSelectorMatchesNothing) {
  EXPECT_FALSE(matches(std::optional<LabelSelector>(), kLabels));
  EXPECT_FALSE(matches(std::optional<LabelSelector>(), {}));
  EXPECT_TRUE(matches(std::optional<LabelSelector>(LabelSelector{}), {}));
}

TEST(SelectorProblemTest, NamesWhatIsWrong) {
  EXPECT_EQ(selector_problem({{{"a", "b"}}, {{"app", "Exists", {}}}}), "");
  EXPECT_THAT(selector_problem({{}, {{"app", "Like", {}}}}), HasSubstr("unknown operator \"Like\" for key \"app\""));
  EXPECT_THAT(selector_problem({{}, {{"app", "In", {}}}}), HasSubstr("needs values"));
  EXPECT_THAT(selector_problem({{}, {{"app", "Exists", {"x"}}}}), HasSubstr("takes no values"));
}

TEST(ServiceSelectorTest, AnEmptySelectorSelectsNothing) {
  EXPECT_FALSE(matches_all({}, kLabels));
  EXPECT_TRUE(matches_all({{"app", "web"}}, kLabels));
  EXPECT_FALSE(matches_all({{"app", "web"}, {"zone", "a"}}, kLabels));
}

}  // namespace
}  // namespace shutdown_auditor::objects
