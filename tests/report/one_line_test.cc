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
      {"zero\xE2\x80\x8Bwidth", "zero width"},
      {"alm\xD8\x9C", "alm "},
      {"tag\xF3\xA0\x81\x81", "tag "},
      {"line\xE2\x80\xA8", "line "},
      {"bad\xff\xc3", "bad\xEF\xBF\xBD\xEF\xBF\xBD"},
      {"\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
  };
  for (const auto& test : kCases) {
    EXPECT_EQ(one_line(test.text), test.expected);
    std::string room;
    EXPECT_EQ(one_line(test.text, room), test.expected);
  }
}

// Every byte at every place of a word of the quick path.
TEST(OneLine, OneByteInPlainText) {
  for (std::size_t size = 1; size <= 20; ++size) {
    for (std::size_t at = 0; at < size; ++at) {
      for (int byte = 0; byte < 256; ++byte) {
        std::string text(size, '~');
        text[at] = static_cast<char>(byte);
        const bool hidden = byte < 0x20 || byte == 0x7F;
        std::string expected = text;
        expected.replace(at, 1, hidden ? " " : byte < 0x80 ? std::string(1, text[at]) : "\xEF\xBF\xBD");
        std::string room;
        const std::string_view line = one_line(text, room);
        ASSERT_EQ(line, expected) << size << " " << at << " " << byte;
        ASSERT_EQ(line.data() == text.data(), !hidden && byte < 0x80) << "plain text is not copied";
        ASSERT_EQ(columns(expected), size);
      }
    }
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

TEST(Columns, OfATerminal) {
  EXPECT_EQ(columns(""), 0U);
  EXPECT_EQ(columns("abc"), 3U);
  EXPECT_EQ(columns("ü…"), 2U);
  EXPECT_EQ(columns("日本語"), 6U);
  EXPECT_EQ(columns("e\xCC\x81"), 1U);
  EXPECT_EQ(columns("\xF0\x9F\x98\x80"), 2U);
  EXPECT_EQ(columns("\xEF\xBF\xBD"), 1U);
}

TEST(Wrapped, Table) {
  const struct {
    std::string text;
    std::size_t width;
    std::vector<std::string> lines;
  } kCases[] = {
      {"", 10, {""}},
      {"one two three", 20, {"one two three"}},
      {"one two three", 7, {"one two", "three"}},
      {"one two three", 6, {"one", "two", "three"}},
      {"  one   two ", 20, {"one two"}},
      {"abcdefgh ij", 3, {"abc", "def", "gh", "ij"}},
      {"ab cdefgh", 4, {"ab", "cdef", "gh"}},
      {"日本語 x", 4, {"日本", "語 x"}},
      {"日本語", 1, {"日", "本", "語"}},
      {"ab", 0, {"a", "b"}},
  };
  for (const auto& test : kCases) {
    EXPECT_EQ(wrapped(test.text, test.width), test.lines) << test.text << " " << test.width;
  }
  EXPECT_EQ(wrapped(std::string(2'000'000, 'x'), 40).size(), 50'000U);
}

}  // namespace
}  // namespace shutdown_auditor::report
