#include "base/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace shutdown_auditor::base {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Text, SplitKeepsEmptyPieces) {
  EXPECT_THAT(split("a,,b", ','), ElementsAre("a", "", "b"));
  EXPECT_THAT(split("", ','), ElementsAre(""));
  EXPECT_THAT(split(",", ','), ElementsAre("", ""));
}

TEST(Text, TrimAndLower) {
  EXPECT_EQ(trim(" \t a b\r\n"), "a b");
  EXPECT_EQ(trim("  "), "");
  EXPECT_EQ(to_lower("DePloyment-É"), "deployment-É");
}

TEST(Text, ParseInt64AcceptsTheWholeRangeAndNothingElse) {
  EXPECT_EQ(*parse_int64("9223372036854775807"), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(*parse_int64("-9223372036854775808"), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(*parse_int64("+7"), 7);
  for (const char* bad : {"", "+", "-", "+-1", "1 ", " 1", "1.0", "0x10", "9223372036854775808", "1e3"}) {
    const auto result = parse_int64(bad);
    ASSERT_FALSE(result) << bad;
    EXPECT_EQ(result.error().kind, ErrorKind::kInvalid);
  }
  EXPECT_THAT(parse_int64("99999999999999999999").error().message, HasSubstr("range"));
}

TEST(Text, TruncateCutsBetweenCharacters) {
  EXPECT_EQ(truncate_utf8("short", 5), "short");
  EXPECT_EQ(truncate_utf8("longer", 5), "lo…");
  EXPECT_EQ(truncate_utf8("ééé", 5), "é…");
  EXPECT_EQ(truncate_utf8("éé", 1), "");
  for (std::size_t limit = 0; limit < 20; ++limit) {
    const std::string cut = truncate_utf8("a€b€c€d€e", limit);
    EXPECT_LE(cut.size(), limit);
    EXPECT_TRUE(is_utf8(cut));
  }
}

TEST(Text, QuotedEscapesWhatATerminalWouldObey) {
  EXPECT_EQ(quoted("plain é"), "\"plain é\"");
  EXPECT_EQ(quoted("a\"b\\c\nd\x1b[0m"), R"("a\"b\\c\nd\x1b[0m")");
  EXPECT_EQ(quoted("\xff\xc0"), R"("\xff\xc0")");
  EXPECT_EQ(quoted("abcdef", 3), "\"abc…\"");
}

TEST(Text, Utf8FollowsRfc3629) {
  for (const char* good : {"", "ascii", "é", "€", "\xF0\x9F\x98\x80", "\xF4\x8F\xBF\xBF"}) EXPECT_TRUE(is_utf8(good));
  for (const char* bad : {"\x80", "\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xF5", "\xE2\x82"}) {
    EXPECT_FALSE(is_utf8(bad));
    for (std::size_t before = 0; before < 10; ++before) {
      EXPECT_FALSE(is_utf8(std::string(before, 'a') + bad + "aaaaaaaaaa")) << before;
      EXPECT_TRUE(is_utf8(std::string(before, 'a') + "€" + "aaaaaaaaaa")) << before;
    }
  }
}

TEST(Text, Base64RoundTripsAndRefusesGarbage) {
  for (const char* text : {"", "f", "fo", "foo", "foob", "fooba", "foobar"}) {
    EXPECT_EQ(*base64_decode(base64_encode(text)), text);
  }
  EXPECT_EQ(base64_encode("foob"), "Zm9vYg==");
  EXPECT_EQ(*base64_decode("Zm9v\n Yg==\n"), "foob");
  for (const char* bad : {"Z", "Zm9vY", "Zm9v=Yg=", "Zm9v!", "Zg=", "Zg===", "===="}) EXPECT_FALSE(base64_decode(bad)) << bad;
}

TEST(Text, Sha256OfKnownInput) {
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

}  // namespace
}  // namespace shutdown_auditor::base
