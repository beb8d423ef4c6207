#include "audit/shell_tokenizer.h"

#include <random>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "audit/command.h"
#include "audit/shell_syntax.h"

namespace shutdown_auditor::audit {
namespace {

using ::testing::ElementsAre;
using Kind = ShellToken::Kind;

bool is_last(const ShellToken& token) { return token.kind == Kind::kEnd || token.kind == Kind::kError; }

std::vector<ShellToken> tokens_of(std::string_view script) {
  ShellTokenizer tokenizer(script);
  std::vector<ShellToken> tokens;
  do {
    tokens.push_back(tokenizer.next());
  } while (tokens.back().kind != Kind::kEnd && tokens.back().kind != Kind::kError);
  return tokens;
}

std::vector<std::string> shown(std::string_view script) {
  std::vector<std::string> out;
  for (const ShellToken& token : tokens_of(script)) {
    switch (token.kind) {
      case Kind::kWord: out.push_back(token.value); break;
      case Kind::kIoNumber: out.push_back("io:" + std::string(token.text)); break;
      case Kind::kOperator: out.push_back("op:" + std::string(token.text)); break;
      case Kind::kNewline: out.emplace_back("newline"); break;
      case Kind::kError: out.push_back("error: " + token.value); break;
      case Kind::kEnd: break;
    }
  }
  return out;
}

TEST(ShellTokenizerTest, SplitsWordsAndOperators) {
  EXPECT_THAT(shown("sleep 5&&echo a;b||c"), ElementsAre("sleep", "5", "op:&&", "echo", "a", "op:;", "b", "op:||", "c"));
  EXPECT_THAT(shown("a|b&c;;(d)"), ElementsAre("a", "op:|", "b", "op:&", "c", "op:;;", "op:(", "d", "op:)"));
  EXPECT_THAT(shown("a >f 2>&1 <<-E >>g <>h >|i"), ElementsAre("a", "op:>", "f", "io:2", "op:>&", "1", "op:<<-", "E",
                                                              "op:>>", "g", "op:<>", "h", "op:>|", "i"));
  EXPECT_THAT(shown("a # b\nc#d"), ElementsAre("a", "newline", "c#d"));
  EXPECT_THAT(shown(" \t a\\\n b"), ElementsAre("a", "b"));
  EXPECT_THAT(shown(""), ElementsAre());
}

TEST(ShellTokenizerTest, RemovesQuotes) {
  EXPECT_THAT(shown(R"('a b' "c d" e\ f g"h"'i')"), ElementsAre("a b", "c d", "e f", "ghi"));
  EXPECT_THAT(shown(R"("a\"b\c\\")"), ElementsAre(R"(a"b\c\)"));
  EXPECT_THAT(shown(R"('a\' b)"), ElementsAre(R"(a\)", "b"));
  EXPECT_THAT(shown("'' \"\""), ElementsAre("", ""));
  EXPECT_THAT(shown("\"it's\""), ElementsAre("it's"));
}

TEST(ShellTokenizerTest, KeepsExpansionsWhole) {
  EXPECT_THAT(shown("a$(b \"c)\" ')' \\) $(d))e f"), ElementsAre("a$(b \"c)\" ')' \\) $(d))e", "f"));
  EXPECT_THAT(shown("\"x $(y \"z\") `w \\` v`\" u"), ElementsAre("x $(y \"z\") `w \\` v`", "u"));
  EXPECT_THAT(shown("${a:-b c} $((1 + (2))) d"), ElementsAre("${a:-b c}", "$((1 + (2)))", "d"));
  EXPECT_THAT(shown("$(a # it's\n) b"), ElementsAre("$(a # it's\n)", "b"));
  EXPECT_THAT(shown("$$(a"), ElementsAre("$$", "op:(", "a"));
}

TEST(ShellTokenizerTest, FlagsWhatAWordHolds) {
  struct Row {
    std::string_view word;
    bool quoted, parameter, substitution, reference, pattern;
  };
  for (const Row& row : std::initializer_list<Row>{{"plain", false, false, false, false, false},
                                                   {"'$x'", true, false, false, false, false},
                                                   {"\"$x\"", true, true, false, false, false},
                                                   {"${x}", false, true, false, false, false},
                                                   {"$?", false, true, false, false, false},
                                                   {"\\$x", true, false, false, false, false},
                                                   {"a$", false, false, false, false, false},
                                                   {"$(date)", false, false, true, false, false},
                                                   {"$(POD_IP)", false, false, true, true, false},
                                                   {"$(POD IP)", false, false, true, false, false},
                                                   {"`date`", true, false, true, false, false},
                                                   {"*.txt", false, false, false, false, true},
                                                   {"'*'", true, false, false, false, false},
                                                   {"{1..3}", false, false, false, false, true},
                                                   {"~", false, false, false, false, true}}) {
    const ShellToken token = tokens_of(row.word).front();
    EXPECT_EQ(token.quoted, row.quoted) << row.word;
    EXPECT_EQ(token.parameter, row.parameter) << row.word;
    EXPECT_EQ(token.substitution, row.substitution) << row.word;
    EXPECT_EQ(token.variable_reference, row.reference) << row.word;
    EXPECT_EQ(token.pattern, row.pattern) << row.word;
  }
}

TEST(ShellTokenizerTest, NamesWhatIsNotClosed) {
  EXPECT_THAT(shown("a 'b"), ElementsAre("a", "error: a single quote is not closed"));
  EXPECT_THAT(shown("a \"b"), ElementsAre("a", "error: a double quote is not closed"));
  EXPECT_THAT(shown("`b"), ElementsAre("error: a backquote is not closed"));
  EXPECT_THAT(shown("$(b"), ElementsAre("error: an expansion is not closed"));
  EXPECT_THAT(shown("${b"), ElementsAre("error: an expansion is not closed"));
}

TEST(ShellTokenizerTest, PositionsPointIntoTheScript) {
  const std::vector<ShellToken> tokens = tokens_of("sleep 5 && x");
  EXPECT_EQ(tokens[0].position, 0u);
  EXPECT_EQ(tokens[1].position, 6u);
  EXPECT_EQ(tokens[2].position, 8u);
  EXPECT_EQ(tokens[3].text, "x");
}

// A megabyte of each of the shapes that make a careless reader quadratic or deep.
TEST(ShellTokenizerTest, TakesLinearTime) {
  constexpr std::size_t kSize = 1'000'000;
  const auto repeated = [](std::string_view part) {
    std::string text;
    while (text.size() < kSize) text += part;
    return text;
  };
  const std::string deep = repeated("$(");
  for (const std::string& script :
       {repeated("sleep 0.001; "), repeated("sleep 0.001 && "), repeated("("), deep, deep + std::string(kSize / 2, ')'),
        repeated("\""), repeated("'"), repeated("`"), repeated("${"), repeated("\\"), repeated("$(A"), repeated("\n"),
        repeated("#"), repeated("# \n"), repeated("&"), repeated("<<"), repeated("$"), repeated("\"$("),
        std::string(kSize, 'a'), std::string(kSize, '\0'), repeated("a=b "), repeated("2>&1 ")}) {
    ShellTokenizer tokenizer(script);
    for (ShellToken token = tokenizer.next(); !is_last(token); token = tokenizer.next()) {
    }
    EXPECT_LE(tokenizer.steps(), 2 * script.size()) << script.substr(0, 20);
    EXPECT_LE(parse_shell(script).steps, 2 * script.size()) << script.substr(0, 20);
    const CommandReading reading = read_command({"sh", "-c", script});
    EXPECT_LE(reading.min_ms, reading.max_ms) << script.substr(0, 20);
    EXPECT_LE(reading.steps, 400'000u) << script.substr(0, 20);
  }
}

TEST(ShellTokenizerTest, SurvivesRandomBytes) {
  std::mt19937 random(20261122);
  const std::string_view alphabet = " \t\n;&|<>()$`'\"\\#{}*?[]~!=aesl p0159.-\r";
  for (int round = 0; round < 20'000; ++round) {
    std::string script;
    const std::size_t length = random() % 60;
    for (std::size_t i = 0; i < length; ++i) {
      script += round % 4 == 0 ? static_cast<char>(random() % 256) : alphabet[random() % alphabet.size()];
    }
    ShellTokenizer tokenizer(script);
    std::size_t at = 0;
    for (ShellToken token = tokenizer.next(); !is_last(token); token = tokenizer.next()) {
      ASSERT_GE(token.position, at) << script;
      ASSERT_FALSE(token.text.empty()) << script;
      at = token.position + token.text.size();
      ASSERT_LE(at, script.size()) << script;
    }
    const CommandReading reading = read_command({"sh", "-c", "sleep 1\n" + script});
    ASSERT_GE(reading.min_ms, 1000) << script;
    ASSERT_LE(reading.min_ms, reading.max_ms) << script;
    if (reading.nominal_ms) {
      ASSERT_LE(reading.min_ms, *reading.nominal_ms) << script;
      ASSERT_LE(*reading.nominal_ms, reading.max_ms) << script;
    }
  }
}

}  // namespace
}  // namespace shutdown_auditor::audit
