#include "http/line_splitter.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace shutdown_auditor::http {
namespace {

// All lines that come out when `text` goes in by pieces of `piece` bytes; "!" ends the list at a refused line.
std::vector<std::string> lines_of(std::string_view text, std::size_t piece, std::size_t limit) {
  LineSplitter splitter(limit);
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size(); at += piece) {
    splitter.append(text.substr(at, piece));
    for (;;) {
      const auto line = splitter.next();
      if (!line) {
        EXPECT_EQ(line.error().kind, base::ErrorKind::kTooLarge);
        lines.emplace_back("!");
        return lines;
      }
      if (!*line) {
        break;
      }
      lines.emplace_back(**line);
    }
  }
  return lines;
}

using Lines = std::vector<std::string>;

TEST(LineSplitterTest, CutsAtLineFeedsWhateverThePieces) {
  const struct {
    std::string text;
    Lines lines;
  } cases[] = {
      {"", {}},
      {"a\n", {"a"}},
      {"a\nbc\n", {"a", "bc"}},
      {"\n\na\n\n\nb\n", {"a", "b"}},
      {"a\r\nb\r", {"a\r"}},
      {std::string("a\0b\n", 4), {std::string("a\0b", 3)}},
      {"\"\\n\"\n", {"\"\\n\""}},
      {"no end", {}},
      {"12345678\n", {"12345678"}},
      {"123456789\n", {"!"}},
      {"ok\n123456789", {"ok", "!"}},
  };
  for (const auto& [text, lines] : cases) {
    for (std::size_t piece = 1; piece <= text.size() + 1; ++piece) {
      EXPECT_EQ(lines_of(text, piece, 8), lines) << text << " in pieces of " << piece;
    }
  }
}

TEST(LineSplitterTest, ReportsALineCutShort) {
  LineSplitter splitter(100);
  splitter.append("whole\nhalf");
  ASSERT_TRUE(splitter.next());
  ASSERT_TRUE(splitter.next());
  EXPECT_EQ(splitter.pending(), 4U);
  const auto end = splitter.finish();
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().kind, base::ErrorKind::kInvalid);
  EXPECT_NE(end.error().message.find("4 bytes"), std::string::npos) << end.error().message;
  splitter.append("\n");
  ASSERT_TRUE(splitter.next());
  EXPECT_TRUE(splitter.finish());
}

TEST(LineSplitterTest, StaysRefusedAfterALongLine) {
  LineSplitter splitter(3);
  splitter.append("1234");
  EXPECT_FALSE(splitter.next());
  splitter.append("\nab\n");
  EXPECT_FALSE(splitter.next());
}

TEST(LineSplitterTest, LooksAtEachByteOnce) {
  // 4 MB in 8-byte pieces: minutes if every piece were searched from the start of the line.
  LineSplitter splitter(8U << 20U);
  const std::string piece = "12345678";
  for (int i = 0; i < (4 << 20) / 8; ++i) {
    splitter.append(piece);
    ASSERT_FALSE(splitter.next().value().has_value());
  }
  splitter.append("\n");
  EXPECT_EQ(splitter.next().value()->size(), 4U << 20U);
}

}  // namespace
}  // namespace shutdown_auditor::http
