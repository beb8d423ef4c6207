#include "report/one_line.h"

#include <gtest/gtest.h>

#include <random>

#include "base/text.h"

namespace shutdown_auditor::report {
namespace {

TEST(OneLine, Table) {
  const struct {
    std::string text;
    std::string expected;
  } kCases[] = {
      {"", ""},
      {"plain text", "plain text"},
      {"grüße 5 s … ✓ 😀", "grüße 5 s … ✓ 😀"},
      {"a\nb\r\tc", "a b  c"},
      {std::string("n\0l", 3), "n l"},
      {"\x1b[31mred\x7f", " [31mred "},
      {"c1\xC2\x9B", "c1 "},
      {"\xC2\xA0nbsp", "\xC2\xA0nbsp"},
      {"over\xE2\x80\xAEride \xE2\x81\xA6x", "over ride  x"},
      {"bad\xff\xc3", "bad\xEF\xBF\xBD\xEF\xBF\xBD"},
      {"\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
  };
  for (const auto& test : kCases) {
    EXPECT_EQ(one_line(test.text), test.expected);
  }
}

TEST(OneLine, AnyBytesBecomePrintableUtf8) {
  std::mt19937 random(7);
  for (int round = 0; round < 2000; ++round) {
    std::string text(random() % 40, '\0');
    for (char& c : text) {
      c = static_cast<char>(random() & 0xFFU);
    }
    const std::string line = one_line(text);
    EXPECT_TRUE(base::is_utf8(line));
    for (const char c : line) {
      EXPECT_FALSE(static_cast<unsigned char>(c) < 0x20 || c == 0x7F);
    }
    EXPECT_EQ(one_line(line), line);
  }
}

TEST(Columns, CountsCharacters) {
  EXPECT_EQ(columns(""), 0U);
  EXPECT_EQ(columns("abc"), 3U);
  EXPECT_EQ(columns("ü…"), 2U);
}

}  // namespace
}  // namespace shutdown_auditor::report
