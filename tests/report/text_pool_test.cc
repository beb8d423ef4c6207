#include "report/text_pool.h"

#include <gtest/gtest.h>

#include <sstream>
#include <string>

#include "report/held_text.h"

namespace shutdown_auditor::report {
namespace {

TEST(TextPool, EqualTextsAreOne) {
  TextPool pool;
  EXPECT_EQ(pool.find("web"), std::nullopt);
  const std::string web = "web";
  EXPECT_EQ(pool.add(web), 0U);
  EXPECT_EQ(pool.add("api"), 1U);
  EXPECT_EQ(pool.add(""), 2U);
  EXPECT_EQ(pool.add("web"), 0U);
  EXPECT_EQ(pool.add(""), 2U);
  EXPECT_EQ(pool.find("api"), 1U);
  EXPECT_EQ(pool.find("ap"), std::nullopt);
  EXPECT_EQ(pool.size(), 3U);
  EXPECT_EQ(pool[0], "web");
  EXPECT_NE(pool[0].data(), web.data()) << "a copy";
}

TEST(TextPool, TextsStayWhereTheyAre) {
  const auto text_of = [](std::size_t i) { return std::to_string(i) + std::string(i % 7 == 0 ? i % 9000 : i % 40, 'x'); };
  constexpr std::size_t kTexts = 20'000;
  TextPool pool;
  const std::string_view first = pool[pool.add(text_of(0))];
  for (std::size_t i = 1; i < kTexts; ++i) ASSERT_EQ(pool.add(text_of(i)), i);
  EXPECT_EQ(first.data(), pool[0].data());
  for (std::size_t i = 0; i < kTexts; ++i) {
    ASSERT_EQ(pool[static_cast<TextPool::Id>(i)], text_of(i));
    ASSERT_EQ(pool.find(text_of(i)), i);
  }
  EXPECT_EQ(pool.size(), kTexts);
}

TEST(HeldText, IsWrittenInOrderAndForgotten) {
  HeldText held;
  EXPECT_TRUE(held.empty());
  std::string expected;
  for (std::size_t i = 0; i < 2000; ++i) {
    const std::string text = std::to_string(i) + std::string(i % 500 == 0 ? 100'000 : i % 90, 'x') + "\n";
    held.add(text);
    expected += text;
  }
  EXPECT_FALSE(held.empty());
  std::ostringstream out;
  held.write(out);
  EXPECT_EQ(out.str(), expected);
  EXPECT_TRUE(held.empty());
  held.write(out);
  EXPECT_EQ(out.str(), expected);
}

}  // namespace
}  // namespace shutdown_auditor::report
