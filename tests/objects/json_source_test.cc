#include "objects/json_source.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "objects/recording_handler.h"

namespace shutdown_auditor::objects {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Hands out a text in pieces of one size, then fails or ends.
class PieceSource final : public ByteSource {
 public:
  PieceSource(std::string_view text, std::size_t piece, bool fails = false) : text_(text), piece_(piece), fails_(fails) {}
  base::Result<std::size_t> read(std::span<char> buffer) override {
    if (text_.empty() && fails_) return base::fail(base::ErrorKind::kIo, "connection reset");
    const std::size_t count = text_.copy(buffer.data(), std::min(piece_, buffer.size()));
    text_.remove_prefix(count);
    return count;
  }

 private:
  std::string_view text_;
  std::size_t piece_;
  bool fails_;
};

// One long text without holding it: a head, then `count` times a piece, then a tail.
class RepeatedSource final : public ByteSource {
 public:
  RepeatedSource(std::string head, std::string piece, std::size_t count, std::string tail)
      : head_(std::move(head)), piece_(std::move(piece)), left_(count), tail_(std::move(tail)) {}
  base::Result<std::size_t> read(std::span<char> buffer) override {
    if (pending_.empty()) {
      if (!std::exchange(started_, true)) {
        pending_ = head_;
      } else if (left_ > 0) {
        --left_;
        pending_ = piece_;
      } else if (!std::exchange(ended_, true)) {
        pending_ = tail_;
      }
    }
    const std::size_t count = pending_.copy(buffer.data(), buffer.size());
    pending_.remove_prefix(count);
    return count;
  }

 private:
  std::string head_;
  std::string piece_;
  std::size_t left_;
  std::string tail_;
  std::string_view pending_;
  bool started_ = false;
  bool ended_ = false;
};

constexpr std::string_view kText =
    R"({"a":[1,-2,3.5,true,null],"b":{"c":"x\n\u00e9\ud83d\ude00"},"big":18446744073709551615,"d":[]})";
const std::vector<std::string> kEvents{"{", "key a", "[",     "int 1",  "int -2", "num 3.5", "bool true", "null",
                                       "]", "key b", "{",     "key c",  "str x\né😀", "}",    "key big",
                                       "num 18446744073709551615", "key d", "[", "]", "}"};

TEST(JsonSourceTest, GivesTheSameEventsHoweverTheBytesArrive) {
  for (const std::size_t piece : {std::size_t{1}, std::size_t{2}, std::size_t{7}, kText.size()}) {
    PieceSource source(kText, piece);
    RecordingHandler handler;
    ASSERT_TRUE(parse_json(source, handler)) << piece;
    EXPECT_EQ(handler.events(), kEvents) << piece;
  }
}

TEST(JsonSourceTest, RefusesWhatIsNotExactlyOneText) {
  const struct {
    std::string text;
    const char* message;
  } rows[] = {
      {"", "the text ends too early"},
      {"   ", "the text ends too early"},
      {"{", "the text ends too early"},
      {"{\"a\":1", "the text ends too early"},
      {"{\"a\":\"x", "the text ends too early"},
      {"{} {}", "at byte 4"},
      {"{}x", "at byte 3"},
      {"{\"a\":1,}", "at byte 8"},
      {"{a:1}", "at byte 2"},
      {"[01]", "at byte 3"},
      {"nul", "the text ends too early"},
      {"[1e999]", "number overflow"},
      {"[\"\xff\"]", "at byte 4: the string that ends here is not UTF-8"},
      {"[\"\xc3\x28\"]", "at byte 5: the string that ends here is not UTF-8"},
      {"{\"\xc3\":1}", "at byte 4: the string that ends here is not UTF-8"},
      {"[\"\\ud800\"]", "surrogate"},
      {"[\"\\udc00\"]", "surrogate"},
      {"[\"\\ud800\\u0041\"]", "surrogate"},
      {"[\"\\u12g4\"]", "at byte 3"},
      {"[\"\\x\"]", "at byte 3"},
      {"[-]", "at byte 3"},
      {"[1.]", "at byte 4"},
      {"[1e]", "at byte 4"},
      {"[.5]", "at byte 2"},
      {"[+1]", "at byte 2"},
      {"[NaN]", "at byte 2"},
      {"[True]", "at byte 2"},
      {"[1,]", "at byte 4"},
      {"[1 2]", "at byte 4"},
      {"[}", "at byte 2"},
      {"{\"a\" 1}", "at byte 6"},
      {"{\"a\":1 \"b\":2}", "at byte 8"},
      {"[/**/]", "at byte 2"},
      {"\xef\xbb\xbf{}", "at byte 1"},
      {"[1e9999999999999999999]", "number overflow"},
      {"[" + std::string(400, '9') + "]", "number overflow"},
      {std::string("{}\0", 3), "at byte 3"},
      {std::string("{}\0{", 4), "at byte 3"},
      {std::string("[\"a\0b\"]", 7), "at byte 4"},
      {std::string("\0", 1), "at byte 1"},
      {"[\"a\nb\"]", "at byte 4"},
      {"<html>", "at byte 1"},
  };
  for (const auto& row : rows) {
    RecordingHandler handler;
    const base::Result<void> result = parse_json(row.text, handler);
    ASSERT_FALSE(result) << row.text;
    EXPECT_EQ(result.error().kind, base::ErrorKind::kInvalid) << row.text;
    EXPECT_THAT(result.error().message, HasSubstr("invalid JSON")) << row.text;
    EXPECT_THAT(result.error().message, HasSubstr(row.message)) << row.text;
  }
}

TEST(JsonSourceTest, LeavesOutWhatIsNotWantedButChecksIt) {
  RecordingHandler handler;
  handler.leave_out("x");
  ASSERT_TRUE(parse_json(R"({"x":{"a":[{"x":1}],"b":"c"},"k":1,"x":[[],[2]],"x":3,"x":"s","x":null,"x":true,"l":[{"x":{},"m":4}]})",
                         handler));
  EXPECT_THAT(handler.events(), ElementsAre("{", "key x", "key k", "int 1", "key x", "key x", "key x", "key x", "key x",
                                            "key l", "[", "{", "key x", "key m", "int 4", "}", "]", "}"));
  for (const char* text : {"{\"x\":{\"a\":\"\xff\"}}", "{\"x\":{\"\xff\":1}}", "{\"x\":[1,]}", "{\"x\":1e999}", "{\"x\":\"\\udc00\"}",
                           "{\"x\":{}"}) {
    RecordingHandler other;
    other.leave_out("x");
    EXPECT_FALSE(parse_json(text, other)) << text;
  }
  RecordingHandler deep;
  deep.leave_out("x");
  EXPECT_TRUE(parse_json("{\"x\":" + std::string(511, '[') + std::string(511, ']') + "}", deep));
  EXPECT_FALSE(parse_json("{\"x\":" + std::string(512, '[') + std::string(512, ']') + "}", deep));
}

TEST(JsonSourceTest, NumbersKeepHowTheyAreWritten) {
  const struct {
    const char* text;
    const char* event;
  } rows[] = {
      {"0", "int 0"},
      {"-0", "int 0 (-0)"},
      {"9223372036854775807", "int 9223372036854775807"},
      {"-9223372036854775808", "int -9223372036854775808"},
      {"9223372036854775808", "num 9223372036854775808"},
      {"-9223372036854775809", "num -9223372036854775809"},
      {"1.50", "num 1.50"},
      {"1E+2", "num 1E+2"},
      {"1e-400", "num 1e-400"},
      {"1.000000000000000000000000000001e-99999999999999999999", "num 1.000000000000000000000000000001e-99999999999999999999"},
  };
  for (const auto& row : rows) {
    RecordingHandler handler;
    ASSERT_TRUE(parse_json(row.text, handler)) << row.text;
    EXPECT_THAT(handler.events(), ElementsAre(row.event));
  }
}

TEST(JsonSourceTest, MessagesDoNotQuoteTheText) {
  RecordingHandler handler;
  const base::Result<void> result = parse_json(R"({"password":"hunter2" "x"})", handler);
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, testing::Not(HasSubstr("hunter2")));
  const base::Result<void> cut = parse_json(R"({"password":"hunter2)", handler);
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().message, "invalid JSON at byte 21: the text ends too early");
}

TEST(JsonSourceTest, DepthIsLimited) {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  RecordingHandler fits;
  EXPECT_TRUE(parse_json(nested(512), fits));
  RecordingHandler handler;
  const base::Result<void> result = parse_json(nested(513), handler);
  ASSERT_FALSE(result);
  EXPECT_THAT(result.error().message, HasSubstr("nested deeper than 512"));
  EXPECT_FALSE(parse_json(std::string(10'000'000, '['), handler));
}

TEST(JsonSourceTest, ReportsTheFailureOfTheSource) {
  PieceSource source("{\"a\":", 3, true);
  RecordingHandler handler;
  const base::Result<void> result = parse_json(source, handler);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, base::ErrorKind::kIo);
  EXPECT_EQ(result.error().message, "connection reset");
}

TEST(JsonSourceTest, StopsWithTheHandlersProblem) {
  RecordingHandler handler;
  handler.stop_at("int 2");
  const base::Result<void> result = parse_json("[1,2,3]", handler);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().message, "stopped at int 2");
  EXPECT_THAT(handler.events(), ElementsAre("[", "int 1", "int 2"));
}

TEST(JsonSourceTest, ALongTextIsFineAndALongTokenIsNot) {
  RepeatedSource many("[0", ",1", 500'000, "]");
  CountingHandler handler;
  ASSERT_TRUE(parse_json(many, handler));
  EXPECT_EQ(handler.count(), 500'003U);

  const std::string chunk(65536, 'x');
  RepeatedSource long_token("[\"", chunk, 1000, "\"]");
  JsonLimits limits;
  limits.max_token_bytes = 1 << 20;
  const base::Result<void> result = parse_json(long_token, handler, limits);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, base::ErrorKind::kTooLarge);

  RepeatedSource fits("[\"", chunk, 15, "\"]");
  EXPECT_TRUE(parse_json(fits, handler, limits));
}

TEST(JsonWithMarksTest, KnowsWhereTokensBegin) {
  const std::string text = "{\n  \"a\": [ 12, \"é\", \"}\\\"{\" ],\n  \"b\" : {\"c\":true}\n} {\"next\":1}";
  RecordingHandler handler(true);
  Mark stopped;
  const base::Result<std::size_t> used = parse_json_with_marks(text, {5, 3}, handler, stopped);
  ASSERT_TRUE(used);
  EXPECT_EQ(text.substr(*used), " {\"next\":1}");
  EXPECT_THAT(handler.events(),
              ElementsAre("{ @5:3", "key a @6:3", "[ @6:8", "int 12 @6:10", "str é @6:14", "str }\"{ @6:19", "]",
                          "key b @7:3", "{ @7:9", "key c @7:10", "bool true @7:14", "}", "}"));
}

TEST(JsonWithMarksTest, SaysWhereItStopped) {
  RecordingHandler handler;
  Mark stopped;
  ASSERT_FALSE(parse_json_with_marks("{\n \"a\": ?}", {1, 1}, handler, stopped));
  EXPECT_EQ(stopped.line, 2U);
  EXPECT_EQ(stopped.column, 7U);
}

}  // namespace
}  // namespace shutdown_auditor::objects
