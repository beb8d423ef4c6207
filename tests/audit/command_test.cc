#include "audit/command.h"

#include <gtest/gtest.h>

#include "audit/seconds.h"
#include "audit/sleep_operand.h"

namespace shutdown_auditor::audit {
namespace {

using Outcome = CommandReading::Outcome;
using Kind = SleepOperand::Kind;

TEST(SleepOperandTest, ReadsWhatSleepReads) {
  struct Row {
    std::string_view text;
    Kind kind;
    std::int64_t ms;
  };
  for (const Row& row : std::initializer_list<Row>{
           {"5", Kind::kTime, 5000},          {"0", Kind::kTime, 0},
           {"5s", Kind::kTime, 5000},         {"0.5m", Kind::kTime, 30'000},
           {"1h", Kind::kTime, 3'600'000},    {"2d", Kind::kTime, 172'800'000},
           {".5", Kind::kTime, 500},          {"5.", Kind::kTime, 5000},
           {"0.0001", Kind::kTime, 1},        {"1.0000000000001", Kind::kTime, 1001},
           {"99999999999999999999", Kind::kTime, kEndless}, {"9223372036854775807d", Kind::kTime, kEndless},
           {"infinity", Kind::kInfinite, kEndless}, {"inf", Kind::kInfinite, kEndless},
           {"1e3", Kind::kDisputed, 0},       {"0x10", Kind::kDisputed, 0},
           {"+5", Kind::kDisputed, 0},        {"abc", Kind::kInvalid, 0},
           {"", Kind::kInvalid, 0},           {".", Kind::kInvalid, 0},
           {"s", Kind::kInvalid, 0},          {"-1", Kind::kInvalid, 0},
           {"1S", Kind::kInvalid, 0},         {"1x", Kind::kInvalid, 0},
           {"2,5", Kind::kInvalid, 0},        {"5 ", Kind::kInvalid, 0},
           {"1.2.3", Kind::kInvalid, 0},      {"5ss", Kind::kInvalid, 0}}) {
    const SleepOperand operand = parse_sleep_operand(row.text);
    EXPECT_EQ(operand.kind, row.kind) << row.text;
    EXPECT_EQ(operand.ms, row.ms) << row.text;
  }
}

struct Row {
  std::vector<std::string> argv;
  Outcome outcome;
  std::int64_t min_ms, nominal_ms, max_ms;
  std::string_view reason;  // part of it
};

void expect(const Row& row) {
  const CommandReading reading = read_command(row.argv);
  std::string shown;
  for (const std::string& word : row.argv) shown += "[" + word + "]";
  EXPECT_EQ(reading.outcome, row.outcome) << shown << " " << reading.reason;
  EXPECT_EQ(reading.min_ms, row.min_ms) << shown;
  if (row.outcome != Outcome::kUnknown) {
    EXPECT_EQ(reading.nominal_ms, row.nominal_ms) << shown;
    EXPECT_EQ(reading.max_ms, row.max_ms) << shown;
  }
  EXPECT_NE(reading.reason.find(row.reason), std::string::npos) << shown << " " << reading.reason;
  EXPECT_EQ(reading.reason.empty(), row.outcome == Outcome::kTimed) << shown;
}

TEST(CommandTest, ReadsArgv) {
  const std::vector<Row> rows{
      {{"sleep", "10"}, Outcome::kTimed, 10'000, 10'000, 10'000, ""},
      {{"/bin/sleep", "0.5m", "1"}, Outcome::kTimed, 31'000, 31'000, 31'000, ""},
      {{"busybox", "sleep", "5"}, Outcome::kTimed, 5000, 5000, 5000, ""},
      {{"/bin/true"}, Outcome::kTimed, 0, 0, 0, ""},
      {{"sleep", "infinity"}, Outcome::kTimed, kEndless, kEndless, kEndless, ""},
      {{"sleep", "1e1"}, Outcome::kUnknown, 0, 0, 0, "some images"},
      {{"nginx", "-s", "quit"}, Outcome::kUnknown, 0, 0, 0, "\"nginx\""},
      {{"/scripts/drain.sh"}, Outcome::kUnknown, 0, 0, 0, "drain.sh"},
      {{"sh", "/scripts/drain.sh"}, Outcome::kUnknown, 0, 0, 0, "script file"},
      {{"sh"}, Outcome::kUnknown, 0, 0, 0, "elsewhere"},
      {{"sh", "-z", "-c", "sleep 5"}, Outcome::kUnknown, 0, 0, 0, "-z"},
      {{}, Outcome::kBroken, 0, 0, 0, "empty"},
      {{""}, Outcome::kBroken, 0, 0, 0, "empty"},
      {{"sleep"}, Outcome::kBroken, 0, 0, 0, "without a duration"},
      {{"sleep 10"}, Outcome::kBroken, 0, 0, 0, "one word"},
      {{"/bin/sh -c sleep 10"}, Outcome::kBroken, 0, 0, 0, "one word"},
      {{"sleep", "abc"}, Outcome::kBroken, 0, 0, 0, "\"abc\""},
      {{"sleep", "5", "&&", "nginx", "-s", "quit"}, Outcome::kBroken, 0, 0, 0, "\"&&\""},
      {{"sleep", "$(DELAY)"}, Outcome::kBroken, 0, 0, 0, "not expanded"},
      {{"drain", "--host=$(POD_IP)"}, Outcome::kBroken, 0, 0, 0, "not expanded"},
      {{"sh", "-c", "sleep", "10"}, Outcome::kBroken, 0, 0, 0, "first word"},
      {{"bash", "-c", "--", "echo", "-ne", "x"}, Outcome::kBroken, 0, 0, 0, "first word"},
      {{"sh", "-c"}, Outcome::kBroken, 0, 0, 0, "without a script"},
      {{"exit"}, Outcome::kBroken, 0, 0, 0, "part of a shell"},
  };
  for (const Row& row : rows) expect(row);
}

TEST(CommandTest, ReadsScripts) {
  struct Script {
    std::string text;
    Outcome outcome;
    std::int64_t min_ms, nominal_ms, max_ms;
    std::string_view reason;
  };
  const std::vector<Script> scripts{
      {"sleep 5", Outcome::kTimed, 5000, 5000, 5000, ""},
      {"/bin/sleep 5;", Outcome::kTimed, 5000, 5000, 5000, ""},
      {"  sleep '5's # wait for the endpoints", Outcome::kTimed, 5000, 5000, 5000, ""},
      {"echo bye; sleep 5 && sleep 1m\nsleep 2 >/dev/null 2>&1", Outcome::kTimed, 67'000, 67'000, 67'000, ""},
      {"sl\\eep \"1\"5", Outcome::kTimed, 15'000, 15'000, 15'000, ""},
      {"sle\\\nep 5", Outcome::kTimed, 5000, 5000, 5000, ""},
      {"sleep 5; exit 0; sleep 10", Outcome::kTimed, 5000, 5000, 5000, ""},
      {"exec sleep 5; sleep 10", Outcome::kTimed, 5000, 5000, 5000, ""},
      {"false && sleep 10", Outcome::kTimed, 0, 0, 0, ""},
      {"false || sleep 10", Outcome::kTimed, 10'000, 10'000, 10'000, ""},
      {"sleep 5 || sleep 10", Outcome::kTimed, 5000, 5000, 5000, ""},
      {"true && false || sleep 3", Outcome::kTimed, 3000, 3000, 3000, ""},
      {"[ -f /tmp/ready ] && sleep 40", Outcome::kTimed, 0, 40'000, 40'000, ""},
      {"test -f /x || sleep 4; sleep 1", Outcome::kTimed, 1000, 1000, 5000, ""},
      {"set -e; false; sleep 9", Outcome::kTimed, 0, 0, 0, ""},
      {"set -e; false || true; sleep 9", Outcome::kTimed, 9000, 9000, 9000, ""},
      {"set +e\nfalse\nsleep 9", Outcome::kTimed, 9000, 9000, 9000, ""},
      {"X=1 Y=2; sleep 4", Outcome::kTimed, 4000, 4000, 4000, ""},
      {"echo \"$HOSTNAME stops\"; sleep 4", Outcome::kTimed, 4000, 4000, 4000, ""},
      {"sh -c 'sleep 3; sleep 4'", Outcome::kTimed, 7000, 7000, 7000, ""},
      {"", Outcome::kTimed, 0, 0, 0, ""},
      {"sleep infinity; sleep 5", Outcome::kTimed, kEndless, kEndless, kEndless, ""},
      // What ends the reading keeps what certainly passed before.
      {"sleep 5; nginx -s quit", Outcome::kUnknown, 5000, 0, 0, "\"nginx\""},
      {"sleep 5 && kill 1 && sleep 5", Outcome::kUnknown, 5000, 0, 0, "\"kill\""},
      {"kill 1; sleep 5", Outcome::kUnknown, 0, 0, 0, "\"kill\""},
      {"[ -f /x ] && nginx -s quit; sleep 5", Outcome::kUnknown, 0, 0, 0, "\"nginx\""},
      {"false && nginx -s quit; sleep 5", Outcome::kTimed, 5000, 5000, 5000, ""},
      {"sleep 5\nsleep $DELAY", Outcome::kUnknown, 5000, 0, 0, "$DELAY"},
      {"sleep ${DELAY:-10}", Outcome::kUnknown, 0, 0, 0, "${DELAY:-10}"},
      {"sleep 5; sleep $(cat /delay)", Outcome::kUnknown, 5000, 0, 0, "$(cat /delay)"},
      {"sleep `cat /delay`", Outcome::kUnknown, 0, 0, 0, "cat /delay"},
      {"sleep 5 | cat", Outcome::kUnknown, 0, 0, 0, "pipeline"},
      {"sleep 3; sleep 5 | cat", Outcome::kUnknown, 3000, 0, 0, "pipeline"},
      {"sleep 10 &", Outcome::kUnknown, 0, 0, 0, "background"},
      {"sleep 3; sleep 10 & wait", Outcome::kUnknown, 3000, 0, 0, "background"},
      {"sleep 3 && sleep 10 & wait", Outcome::kUnknown, 0, 0, 0, "background"},
      {"sleep 3 && { sleep 1; } &", Outcome::kUnknown, 0, 0, 0, "{"},
      {"for i in 1 2 3; do sleep 2; done", Outcome::kUnknown, 0, 0, 0, "\"for\""},
      {"sleep 2; while true; do sleep 1; done", Outcome::kUnknown, 2000, 0, 0, "\"while\""},
      {"sleep 2; (sleep 3)", Outcome::kUnknown, 2000, 0, 0, "group"},
      {"sleep() { :; }; sleep 5", Outcome::kUnknown, 0, 0, 0, "function"},
      {"cat <<EOF\nit's\nEOF", Outcome::kUnknown, 0, 0, 0, "here-document"},
      {"sleep 5 > /fifo", Outcome::kUnknown, 0, 0, 0, ">/fifo"},
      {"sleep 5 < /fifo", Outcome::kUnknown, 0, 0, 0, "</fifo"},
      {"x=$(sleep 5)", Outcome::kUnknown, 0, 0, 0, "substitution"},
      // A mistake is named, what still runs is counted.
      {"sleep abc; sleep 5", Outcome::kBroken, 5000, 5000, 5000, "\"abc\""},
      {"sleep; sleep 5", Outcome::kBroken, 5000, 5000, 5000, "without a duration"},
      {"sleep 5\r", Outcome::kBroken, 0, 0, 0, "5"},
      {"sleep $(GRACE)", Outcome::kBroken, 0, 0, 0, "not expanded"},
      {"set -e; sleep abc; sleep 5", Outcome::kBroken, 0, 0, 0, "\"abc\""},
      // The shell refuses the line a syntax error is in, not those before it.
      {"sleep 5; echo 'abc", Outcome::kBroken, 0, 0, 0, "single quote"},
      {"sleep 5\necho \"abc", Outcome::kBroken, 5000, 5000, 5000, "double quote"},
      {"sleep 5 &&", Outcome::kBroken, 0, 0, 0, "missing"},
      {"; sleep 5", Outcome::kBroken, 0, 0, 0, "\";\""},
      {"sleep 5 )", Outcome::kBroken, 0, 0, 0, "out of place"},
  };
  for (const Script& script : scripts) {
    expect({{"/bin/sh", "-c", script.text}, script.outcome, script.min_ms, script.nominal_ms, script.max_ms, script.reason});
  }
}

TEST(CommandTest, ShellOptions) {
  for (const auto& argv : std::vector<std::vector<std::string>>{{"bash", "-ec", "sleep 5"},
                                                                {"sh", "-e", "-u", "-c", "sleep 5"},
                                                                {"bash", "-o", "pipefail", "-c", "sleep 5"},
                                                                {"bash", "--norc", "-c", "--", "sleep 5"},
                                                                {"/usr/bin/busybox", "sh", "-c", "sleep 5"},
                                                                {"sh", "-c", "sleep 5", "ignored"}}) {
    expect({argv, Outcome::kTimed, 5000, 5000, 5000, ""});
  }
  expect({{"sh", "-ec", "false; sleep 5"}, Outcome::kTimed, 0, 0, 0, ""});
}

TEST(CommandTest, ExitStatus) {
  struct Status {
    std::string script;
    bool can_succeed, can_fail;
  };
  for (const Status& row : std::vector<Status>{{"true", true, false},
                                               {"false", false, true},
                                               {"exit 0", true, false},
                                               {"exit 1", false, true},
                                               {"false || true", true, false},
                                               {"[ -f /x ]", true, true},
                                               {"[ -f /x ] || true", true, false},
                                               {"[ -f /x ] || exit 1", true, true},
                                               {"false; exit", false, true}}) {
    const CommandReading reading = read_command({"sh", "-c", row.script});
    EXPECT_EQ(reading.outcome, Outcome::kTimed) << row.script;
    EXPECT_EQ(reading.can_succeed, row.can_succeed) << row.script;
    EXPECT_EQ(reading.can_fail, row.can_fail) << row.script;
  }
}

}  // namespace
}  // namespace shutdown_auditor::audit
