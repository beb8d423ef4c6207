#include "audit/command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "audit/seconds.h"
#include "audit/sleep_operand.h"

namespace shutdown_auditor::audit {
namespace {

using Outcome = CommandReading::Outcome;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
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

using Ms = std::optional<std::int64_t>;
constexpr std::int64_t kNone = kEndless;  // no limit known

struct Row {
  std::vector<std::string> argv;
  Outcome outcome;
  std::int64_t min_ms;
  Ms nominal_ms;
  std::int64_t max_ms;
  std::string_view reason;  // part of it
};

void expect(const Row& row) {
  const CommandReading reading = read_command(row.argv);
  std::string shown;
  for (const std::string& word : row.argv) shown += "[" + word + "]";
  EXPECT_EQ(reading.outcome, row.outcome) << shown << " " << reading.reason;
  EXPECT_EQ(reading.min_ms, row.min_ms) << shown;
  EXPECT_EQ(reading.nominal_ms, row.nominal_ms) << shown;
  EXPECT_EQ(reading.max_ms, row.max_ms) << shown;
  EXPECT_NE(reading.reason.find(row.reason), std::string::npos) << shown << " " << reading.reason;
  EXPECT_EQ(reading.reason.empty(), row.outcome == Outcome::kTimed) << shown;
}

TEST(CommandTest, ReadsArgv) {
  const std::vector<Row> rows{
      {{"sleep", "10"}, Outcome::kTimed, 10'000, 10'000, 10'000, ""},
      {{"/bin/sleep", "0.5m", "1"}, Outcome::kTimed, 31'000, 31'000, 31'000, ""},
      {{"busybox", "sleep", "5"}, Outcome::kTimed, 5000, 5000, 5000, ""},
      {{"/bin/true"}, Outcome::kTimed, 0, 0, 0, ""},
      {{"sleep", "infinity"}, Outcome::kEndless, 0, Ms(), kNone, "does not end"},
      {{"sleep", "5", "inf"}, Outcome::kEndless, 5000, Ms(), kNone, "does not end"},
      {{"sleep", "1e1"}, Outcome::kUnknown, 0, Ms(), kNone, "some images"},
      {{"sleep", "--", "5"}, Outcome::kTimed, 0, 5000, 5000, ""},  // busybox refuses it
      {{"nginx", "-s", "quit"}, Outcome::kTimed, 0, 0, 0, ""},
      {{"/scripts/drain.sh"}, Outcome::kUnknown, 0, Ms(), kNone, "drain.sh"},
      {{"sh", "/scripts/drain.sh"}, Outcome::kUnknown, 0, Ms(), kNone, "script file"},
      {{"sh"}, Outcome::kUnknown, 0, Ms(), kNone, "elsewhere"},
      {{"sh", "-z", "-c", "sleep 5"}, Outcome::kUnknown, 0, Ms(), kNone, "-z"},
      {{"nodetool", "drain"}, Outcome::kUnknown, 0, Ms(), kNone, "\"nodetool\""},
      // Wrappers.
      {{"env", "-u", "X", "A=1", "sleep", "5"}, Outcome::kTimed, 5000, 5000, 5000, ""},
      {{"nice", "-n", "5", "sleep", "5"}, Outcome::kTimed, 5000, 5000, 5000, ""},
      {{"nohup", "gosu", "app", "sleep", "5"}, Outcome::kTimed, 5000, 5000, 5000, ""},
      {{"timeout", "3", "sleep", "60"}, Outcome::kTimed, 3000, 3000, 3000, ""},
      {{"timeout", "3m", "sleep", "60"}, Outcome::kTimed, 60'000, 60'000, 60'000, ""},
      {{"timeout", "-s", "KILL", "-k", "2", "5", "drain"}, Outcome::kTimed, 0, Ms(), 7000, ""},
      {{"timeout", "5", "sleep", "inf"}, Outcome::kTimed, 5000, 5000, 5000, ""},
      {{"timeout", "-t", "5", "drain"}, Outcome::kTimed, 0, Ms(), 5000, ""},
      {{"timeout", "0", "sleep", "5"}, Outcome::kTimed, 0, 5000, 5000, ""},  // GNU sets no limit, busybox ends it
      {{"timeout", "--signal=INT", "5", "sleep", "9"}, Outcome::kTimed, 0, 5000, 5000, ""},  // busybox refuses it
      {{"timeout", "x", "sleep", "9"}, Outcome::kBroken, 0, 0, 0, "\"x\""},
      {{"timeout", "5"}, Outcome::kBroken, 0, 0, 0, "without a command"},
      // Calls.
      {{"curl", "-m", "5", "http://localhost/drain"}, Outcome::kTimed, 0, 0, 5000, ""},
      {{"curl", "-fsSm5", "http://localhost/drain"}, Outcome::kTimed, 0, 0, 5000, ""},
      {{"curl", "-XPOST", "--max-time", "2.5", "http://localhost"}, Outcome::kTimed, 0, 0, 2500, ""},
      {{"curl", "--retry", "2", "--retry-delay", "3", "-m", "5", "http://x"}, Outcome::kTimed, 0, 0, 21'000, ""},
      {{"curl", "--retry", "9", "--retry-max-time", "20", "-m", "5", "http://x"}, Outcome::kTimed, 0, 0, 25'000, ""},
      {{"curl", "--connect-timeout", "5", "http://x"}, Outcome::kUnknown, 0, 0, kNone, "no time limit"},
      {{"curl", "--max-time=5", "http://x"}, Outcome::kBroken, 0, 0, 0, "word of its own"},
      {{"wget", "-T", "5", "http://x"}, Outcome::kUnknown, 0, 0, kNone, "no time limit"},
      {{"ping", "-c", "6", "127.0.0.1"}, Outcome::kUnknown, 0, 5000, kNone, "ping"},
      {{"kong", "quit", "--wait", "5", "--timeout=20"}, Outcome::kTimed, 5000, 25'000, 25'000, ""},
      {{"kong", "quit", "--wait=x"}, Outcome::kUnknown, 0, Ms(), kNone, "kong quit"},
      {{"envoy-gateway", "envoy", "shutdown", "--drain-timeout=1m30s"}, Outcome::kTimed, 10'000, 90'000, 90'000, ""},
      {{"envoy-gateway", "envoy", "shutdown", "--drain-timeout=5s"}, Outcome::kTimed, 10'000, 10'000, 10'000, ""},
      {{"rabbitmq-upgrade", "drain", "-t", "60"}, Outcome::kTimed, 0, Ms(), 60'000, ""},
      {{"tail", "-f", "/dev/null"}, Outcome::kEndless, 0, Ms(), kNone, "tail -f"},
      // Interpreters.
      {{"python3.11", "-u", "-c", "from time import sleep\nsleep(2.5)"}, Outcome::kTimed, 2500, 2500, 2500, ""},
      {{"python3", "-c", "import time; time.sleep(2); drain()"}, Outcome::kUnknown, 2000, Ms(), kNone, "\"drain…\""},
      {{"python3", "-c", "import time; time.sleep(int(x))"}, Outcome::kUnknown, 0, Ms(), kNone, "not read"},
      {{"python3", "/drain.py"}, Outcome::kUnknown, 0, Ms(), kNone, "in the image"},
      {{"python3", "-c", "while True:\n  time.sleep(1)"}, Outcome::kUnknown, 0, Ms(), kNone, "loop"},
      {{"node", "-e", "setTimeout(() => process.exit(0), 2500);"}, Outcome::kTimed, 2500, 2500, 2500, ""},
      {{"node", "-e", "setTimeout(drain, 2500)"}, Outcome::kUnknown, 0, Ms(), kNone, "JavaScript"},
      {{"perl", "-e", "sleep 2.9; sleep(1)"}, Outcome::kTimed, 3000, 3000, 3000, ""},
      {{"ruby", "-e", "sleep 2.5"}, Outcome::kTimed, 2500, 2500, 2500, ""},
      {{"pwsh", "-Command", "Start-Sleep", "-Milliseconds", "1500"}, Outcome::kTimed, 1500, 1500, 1500, ""},
      {{"cmd.exe", "/C", "ping -n 6 127.0.0.1"}, Outcome::kTimed, 5000, 5000, 5000, ""},
      // What can never work.
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
      {{"kill", "-9", "1"}, Outcome::kBroken, 0, 0, 0, "SIGKILL"},
  };
  for (const Row& row : rows) expect(row);
}

struct Script {
  std::string text;
  Outcome outcome;
  std::int64_t min_ms;
  Ms nominal_ms;
  std::int64_t max_ms;
  std::string_view reason;
};

void expect_all(std::string shell, const std::vector<Script>& scripts) {
  for (const Script& script : scripts) {
    expect({{shell, "-c", script.text}, script.outcome, script.min_ms, script.nominal_ms, script.max_ms, script.reason});
  }
}

TEST(CommandTest, ReadsLists) {
  expect_all("/bin/sh", {
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
      {"[ -f /x ] && exit 0; sleep 10", Outcome::kTimed, 0, 10'000, 10'000, ""},
      {"set -e; false; sleep 9", Outcome::kTimed, 0, 0, 0, ""},
      {"set -e; false || true; sleep 9", Outcome::kTimed, 9000, 9000, 9000, ""},
      {"set -e; touch /x; sleep 9", Outcome::kTimed, 0, 9000, 9000, ""},
      {"set -e; [ -f /x ] && sleep 1; sleep 9", Outcome::kTimed, 9000, 10'000, 10'000, ""},
      {"set +e\nfalse\nsleep 9", Outcome::kTimed, 9000, 9000, 9000, ""},
      {"X=1 Y=2; sleep 4", Outcome::kTimed, 4000, 4000, 4000, ""},
      {"echo \"$HOSTNAME stops\"; sleep 4", Outcome::kTimed, 4000, 4000, 4000, ""},
      {"sh -c 'sleep 3; sleep 4'", Outcome::kTimed, 7000, 7000, 7000, ""},
      {"", Outcome::kTimed, 0, 0, 0, ""},
      {"! sleep 4 || sleep 2", Outcome::kTimed, 6000, 6000, 6000, ""},
      {"sleep infinity; sleep 5", Outcome::kEndless, 0, Ms(), kNone, "does not end"},
      {"sleep 5; nginx -s quit", Outcome::kTimed, 5000, 5000, 5000, ""},
      // What ends the reading keeps what certainly passed before.
      {"sleep 5; drain", Outcome::kUnknown, 5000, Ms(), kNone, "\"drain\""},
      {"[ -f /x ] && drain; sleep 5", Outcome::kUnknown, 5000, Ms(), kNone, "\"drain\""},
      {"drain && sleep 5", Outcome::kUnknown, 0, Ms(), kNone, "\"drain\""},
      {"false && drain; sleep 5", Outcome::kTimed, 5000, 5000, 5000, ""},
      {"sleep 5\n. /drain", Outcome::kUnknown, 5000, Ms(), kNone, "/drain"},
      // Where the main process was told to stop nothing after it is certain.
      {"sleep 5 && kill 1 && sleep 5", Outcome::kTimed, 5000, 10'000, 10'000, ""},
      {"kill 1; sleep 5", Outcome::kTimed, 0, 5000, 5000, ""},
      {"kill -0 1; sleep 5", Outcome::kTimed, 5000, 5000, 5000, ""},
      {"kill -HUP 1; sleep 5", Outcome::kTimed, 5000, 5000, 5000, ""},
      // Files: opening them may fail, and then the command does not run.
      {"sleep 5 > /fifo", Outcome::kTimed, 0, 5000, 5000, ""},
      {"echo x > /log; sleep 5", Outcome::kTimed, 5000, 5000, 5000, ""},
      {"read -t 3; sleep 1", Outcome::kTimed, 1000, 1000, 1000, ""},
  });
}

TEST(CommandTest, ReadsCompoundCommands) {
  expect_all("sh", {
      {"sleep 5 | cat", Outcome::kTimed, 5000, 5000, 5000, ""},
      {"sleep 3 | sleep 5 | sleep 1", Outcome::kTimed, 5000, 5000, 5000, ""},
      {"echo sleep 5 | sh", Outcome::kTimed, 5000, 5000, 5000, ""},
      {"echo \"sleep $X\" | sh", Outcome::kUnknown, 0, Ms(), kNone, "pipe"},
      {"sh <<'E'\nsleep 5\nE\nsleep 1", Outcome::kTimed, 6000, 6000, 6000, ""},
      {"cat <<EOF\nit's\nEOF\nsleep 1", Outcome::kTimed, 1000, 1000, 1000, ""},
      {"sleep 2; (sleep 3; exit 1) && sleep 4", Outcome::kTimed, 5000, 5000, 5000, ""},
      {"{ sleep 1; sleep 2; }; sleep 3", Outcome::kTimed, 6000, 6000, 6000, ""},
      {"if true; then sleep 5; else sleep 9; fi", Outcome::kTimed, 5000, 5000, 5000, ""},
      {"if [ -f /x ]; then sleep 5; else sleep 9; fi", Outcome::kTimed, 5000, 9000, 9000, ""},
      {"if [ -f /x ]; then sleep 5; fi; sleep 1", Outcome::kTimed, 1000, 6000, 6000, ""},
      {"if [ -f /x ]; then exit; fi; sleep 9", Outcome::kTimed, 0, 9000, 9000, ""},
      {"if [ -f /x ]; then drain; elif [ -f /y ]; then sleep 2; else sleep 3; fi", Outcome::kUnknown, 0, Ms(), kNone,
       "\"drain\""},
      {"case $X in a) sleep 3;; b|c) sleep 4;; esac", Outcome::kTimed, 0, 4000, 4000, ""},
      {"case $X in a) sleep 3;; *) sleep 4;; esac", Outcome::kTimed, 3000, 4000, 4000, ""},
      // Loops.
      {"for i in 1 2 3; do sleep 2; done", Outcome::kTimed, 6000, 6000, 6000, ""},
      {"for i in 1 2 3; do sleep $i; done", Outcome::kTimed, 6000, 6000, 6000, ""},
      {"for i in $(seq 3 1); do sleep 2; done", Outcome::kTimed, 0, 0, 0, ""},
      {"for i in {1..8}; do sleep 2; done", Outcome::kTimed, 2000, Ms(), 16'000, ""},  // one turn where sh is not bash
      {"for f in /run/*; do sleep 1; done", Outcome::kUnknown, 0, Ms(), kNone, "how often"},
      {"for f in /run/*; do rm $f; done; sleep 2", Outcome::kTimed, 2000, 2000, 2000, ""},
      {"for i in $(seq 10); do [ -f /x ] && break; sleep 1; done; sleep 1", Outcome::kTimed, 1000, Ms(), 11'000, ""},
      {"for i in 1 2 3; do pgrep nginx || exit 0; sleep 1; done", Outcome::kTimed, 0, Ms(), 3000, ""},
      {"i=0; while [ $i -lt 5 ]; do sleep 2; i=$((i+1)); done", Outcome::kTimed, 10'000, 10'000, 10'000, ""},
      {"n=5; until [ $n -eq 0 ]; do sleep 2; n=$(expr $n - 1); done", Outcome::kTimed, 10'000, 10'000, 10'000, ""},
      {"i=0; while pgrep x && [ $i -lt 5 ]; do sleep 2; i=$((i+1)); done", Outcome::kTimed, 0, Ms(), 10'000, ""},
      {"i=0; while true; do i=$((i+1)); if [ $i -gt 3 ]; then break; fi; sleep 1; done", Outcome::kTimed, 3000, 3000, 3000,
       ""},
      {"while true; do sleep 1; done", Outcome::kEndless, 0, Ms(), kNone, "loop"},
      {"sleep 2; while pgrep x; do sleep 1; done; sleep 3", Outcome::kEndless, 5000, Ms(), kNone, "loop"},
      {"while false; do sleep 1; done; sleep 3", Outcome::kTimed, 3000, 3000, 3000, ""},
      {"until [ -f /x ]; do sleep 1; done", Outcome::kEndless, 0, Ms(), kNone, "loop"},
      {"timeout 9 sh -c 'while pgrep x; do sleep 1; done'; sleep 1", Outcome::kTimed, 1000, Ms(), 10'000, ""},
      {"timeout 9 sh -c 'while :; do sleep 1; done'", Outcome::kTimed, 9000, 9000, 9000, ""},
      // Functions and traps.
      {"wait_for() { sleep $1; }; wait_for 3; wait_for 4", Outcome::kTimed, 7000, 7000, 7000, ""},
      {"f() { [ -f /x ] && return 0; sleep 3; }; f; sleep 1", Outcome::kTimed, 1000, 4000, 4000, ""},
      {"f() { f; }; f", Outcome::kUnknown, 0, Ms(), kNone, "8 deep"},
      {"sleep() { :; }; sleep 5", Outcome::kTimed, 0, 0, 0, ""},
      {"trap \"sleep 4\" EXIT; sleep 3", Outcome::kTimed, 7000, 7000, 7000, ""},
      {"trap 'sleep 4' EXIT; sleep 3; exec sleep 2", Outcome::kTimed, 5000, 5000, 5000, ""},
      {"for i in 1 2 3; do (trap 'sleep 1' EXIT); done", Outcome::kTimed, 3000, 3000, 3000, ""},
      {"for i in $X; do sleep; done && sleep 2", Outcome::kTimed, 0, 2000, 2000, ""},
      {"for i in 1 2; do (continue; sleep 3); done", Outcome::kTimed, 0, 6000, 6000, ""},
      {"break; sleep 3", Outcome::kTimed, 3000, 3000, 3000, ""},
      {"trap 'sleep 4' TERM; sleep 3", Outcome::kTimed, 3000, 3000, 3000, ""},
      // The background: the hook's output stays open, and whether that is waited for is the runtime's business.
      {"sleep 10 &", Outcome::kTimed, 0, Ms(), 10'000, ""},
      {"sleep 10 & sleep 4", Outcome::kTimed, 4000, Ms(), 10'000, ""},
      {"sleep 3 & sleep 4", Outcome::kTimed, 4000, 4000, 4000, ""},
      {"sleep 10 >/dev/null 2>&1 &", Outcome::kTimed, 0, 0, 0, ""},
      {"sleep 10 2>&1 >/dev/null &", Outcome::kTimed, 0, Ms(), 10'000, ""},
      {"sleep 3; sleep 10 & wait", Outcome::kTimed, 13'000, 13'000, 13'000, ""},
      {"sleep 10 & sleep 4; wait", Outcome::kTimed, 10'000, 10'000, 10'000, ""},
      {"sleep 10 & sleep 12 & wait; sleep 1", Outcome::kTimed, 13'000, 13'000, 13'000, ""},
      {"sleep 3 && sleep 10 & wait", Outcome::kTimed, 13'000, 13'000, 13'000, ""},
      {"drain & sleep 3", Outcome::kUnknown, 3000, Ms(), kNone, "\"drain\""},
      // Not read: the time before it is kept.
      {"sleep 1\na=(1 2)\nsleep 2", Outcome::kUnknown, 1000, Ms(), kNone, "array"},
      {"sleep 1; diff <(a) <(b)", Outcome::kUnknown, 0, Ms(), kNone, "process substitution"},
  });
  expect_all("bash", {
      {"for i in {1..8}; do sleep 2; done", Outcome::kTimed, 16'000, 16'000, 16'000, ""},
      {"for ((i = 0; i < 4; i++)); do sleep 2; done", Outcome::kTimed, 8000, 8000, 8000, ""},
      {"i=3; while ((i > 0)); do sleep 2; ((i--)); done", Outcome::kTimed, 6000, 6000, 6000, ""},
      {"sleep 10 &>/dev/null; sleep 1", Outcome::kTimed, 11'000, 11'000, 11'000, ""},
  });
}

TEST(CommandTest, ReadsVariables) {
  objects::Container container;
  container.env = {{"DELAY", "7", false}, {"TWICE", "$(DELAY)$(DELAY)", false}, {"SECRET", std::nullopt, true},
                   {"LIST", "1 2 3", false}, {"EMPTY", "", false}};
  const auto read = [&](const std::string& script) { return read_command({"sh", "-c", script}, &container); };
  for (const Script& row : std::vector<Script>{
           {"sleep $DELAY", Outcome::kTimed, 7000, 7000, 7000, ""},
           {"sleep \"${DELAY}\"s", Outcome::kTimed, 7000, 7000, 7000, ""},
           {"sleep ${DELAY:-9}", Outcome::kTimed, 7000, 7000, 7000, ""},
           {"sleep ${EMPTY:-9}", Outcome::kTimed, 9000, 9000, 9000, ""},
           {"sleep ${EMPTY-9}", Outcome::kBroken, 0, 0, 0, "without a duration"},
           {"sleep $TWICE", Outcome::kTimed, 77'000, 77'000, 77'000, ""},
           {"sleep $((DELAY * 2 - 4))", Outcome::kTimed, 10'000, 10'000, 10'000, ""},
           {"sleep $(($DELAY+1)).5", Outcome::kTimed, 8500, 8500, 8500, ""},
           {"sleep $LIST", Outcome::kTimed, 6000, 6000, 6000, ""},
           {"sleep \"$LIST\"", Outcome::kBroken, 0, 0, 0, "not shown"},
           {"X=3; sleep $X", Outcome::kTimed, 3000, 3000, 3000, ""},
           {"X=$DELAY; X=1$X; sleep $X", Outcome::kTimed, 17'000, 17'000, 17'000, ""},
           {"DELAY=3 true; sleep $DELAY", Outcome::kTimed, 7000, 7000, 7000, ""},
           {"[ -f /x ] && DELAY=3; sleep $DELAY", Outcome::kUnknown, 0, Ms(), kNone, "DELAY"},
           {"(DELAY=3); sleep $DELAY", Outcome::kTimed, 7000, 7000, 7000, ""},
           {"sleep $(echo 4)", Outcome::kTimed, 4000, 4000, 4000, ""},
           {"X=$(sleep 2); sleep 3", Outcome::kTimed, 5000, 5000, 5000, ""},
           {"sleep 5; sleep $(cat /delay)", Outcome::kUnknown, 5000, Ms(), kNone, "\"$(cat…)\""},
           {"sleep `cat /delay`", Outcome::kUnknown, 0, Ms(), kNone, "\"`cat…`\""},
           {"sleep $SECRET", Outcome::kUnknown, 0, Ms(), kNone, "ConfigMap, Secret or field"},
           {"sleep $OTHER", Outcome::kUnknown, 0, Ms(), kNone, "not in the container's env"},
           {"sleep ${OTHER:-10}", Outcome::kUnknown, 0, 10'000, kNone, "unless set elsewhere"},
           {"sleep ${#DELAY}", Outcome::kUnknown, 0, Ms(), kNone, "not read"},
           {"IFS=,; sleep $DELAY", Outcome::kUnknown, 0, Ms(), kNone, "DELAY"},
           {"read DELAY < /delay; sleep $DELAY", Outcome::kUnknown, 0, Ms(), kNone, "DELAY"}}) {
    const CommandReading reading = read(row.text);
    EXPECT_EQ(reading.outcome, row.outcome) << row.text << " " << reading.reason;
    EXPECT_EQ(reading.min_ms, row.min_ms) << row.text;
    EXPECT_EQ(reading.nominal_ms, row.nominal_ms) << row.text;
    EXPECT_EQ(reading.max_ms, row.max_ms) << row.text;
    EXPECT_NE(reading.reason.find(row.reason), std::string::npos) << row.text << " " << reading.reason;
  }
  container.env_from = true;
  EXPECT_NE(read("sleep $OTHER").reason.find("envFrom"), std::string::npos);
}

TEST(CommandTest, NamesMistakes) {
  expect_all("sh", {
      {"sleep abc; sleep 5", Outcome::kBroken, 5000, 5000, 5000, "\"abc\""},
      {"sleep; sleep 5", Outcome::kBroken, 5000, 5000, 5000, "without a duration"},
      {"sleep 5\r", Outcome::kBroken, 0, 0, 0, "5"},
      {"sleep $(GRACE)", Outcome::kBroken, 0, 0, 0, "not expanded"},
      {"set -e; sleep abc; sleep 5", Outcome::kBroken, 0, 0, 0, "\"abc\""},
      {"'sleep 2'", Outcome::kBroken, 0, 0, 0, "one word"},
      {"sleep 5 nginx -s quit", Outcome::kBroken, 0, 0, 0, "\"nginx\""},  // a folded block joins the lines
      // The shell refuses the line a syntax error is in, not those before it.
      {"sleep 5; echo 'abc", Outcome::kBroken, 0, 0, 0, "single quote"},
      {"sleep 5\necho \"abc", Outcome::kBroken, 5000, 5000, 5000, "double quote"},
      {"sleep 5 &&", Outcome::kBroken, 0, 0, 0, "missing"},
      {"; sleep 5", Outcome::kBroken, 0, 0, 0, "\";\""},
      {"sleep 5 )", Outcome::kBroken, 0, 0, 0, "out of place"},
      {"if true; then sleep 5", Outcome::kBroken, 0, 0, 0, "\"fi\""},
      {"for i in 1 2; sleep 1; done", Outcome::kBroken, 0, 0, 0, "\"do\""},
      {"done; sleep 5", Outcome::kBroken, 0, 0, 0, "out of place"},
  });
  // A mistake that may not be reached does not break the hook.
  const CommandReading maybe = read_command({"sh", "-c", "[ -f /x ] && sleep abc; sleep 5"});
  EXPECT_EQ(maybe.outcome, Outcome::kTimed);
  EXPECT_THAT(maybe.problems, ElementsAre(HasSubstr("\"abc\"")));
}

TEST(CommandTest, TellsWhatElseItDoes) {
  struct Effect {
    std::string script;
    std::vector<std::string> signals;
    bool starts, waits;
  };
  for (const Effect& row : std::vector<Effect>{
           {"sleep 5", {}, false, false},
           {"nginx -s quit", {"SIGQUIT to nginx"}, true, false},
           {"nginx -s quit; while pgrep nginx; do sleep 1; done", {"SIGQUIT to nginx"}, true, true},
           {"nginx -s quit; while killall -0 nginx; do sleep 1; done", {"SIGQUIT to nginx"}, true, true},
           {"nginx -s quit; until [ -f /x ]; do sleep 1; done", {"SIGQUIT to nginx"}, true, false},
           {"while pgrep nginx; do sleep 1; done", {}, false, false},
           {"nginx -s stop", {"SIGTERM to nginx"}, false, false},
           {"apachectl -k graceful-stop", {"SIGWINCH to apachectl"}, true, false},
           {"kill 1", {"SIGTERM to process 1"}, true, false},
           {"kill -s QUIT 1", {"SIGQUIT to process 1"}, true, false},
           {"kill -n 15 1", {"SIGTERM to process 1"}, true, false},
           {"kill -3 1", {"SIGQUIT to process 1"}, true, false},
           {"kill -HUP 1", {"SIGHUP to process 1"}, false, false},
           {"kill -0 1", {}, false, false},
           {"kill -TERM $(cat /run/app.pid)", {"SIGTERM to the process of \"$(cat /run/app.pid)\""}, true, false},
           {"pkill -SIGTERM uwsgi", {"SIGTERM to uwsgi"}, true, false},
           {"killall -QUIT /usr/sbin/nginx", {"SIGQUIT to nginx"}, true, false},
           {"kong quit", {"SIGQUIT to nginx"}, true, true},
           {"curl -XPOST localhost:9901/drain_listeners?graceful", {}, true, false},
           {"wget -qO- localhost:15020/quitquitquit", {}, true, false},
           {"curl localhost/healthz", {}, false, false}}) {
    const CommandReading reading = read_command({"sh", "-c", row.script});
    EXPECT_EQ(reading.signals, row.signals) << row.script;
    EXPECT_EQ(reading.starts_drain, row.starts) << row.script;
    EXPECT_EQ(reading.waits_for_drain, row.waits) << row.script;
  }
}

TEST(CommandTest, ShellsDiffer) {
  struct InImage {
    std::string image, script;
    Outcome outcome;
    std::string problem;
  };
  for (const InImage& row : std::vector<InImage>{
           {"debian:12", "kill -SIGQUIT 1", Outcome::kBroken, "dash refuses"},
           {"debian:12", "kill -QUIT 1", Outcome::kTimed, ""},
           {"debian:12", "/bin/kill -SIGQUIT 1", Outcome::kTimed, ""},
           {"alpine:3", "kill -SIGQUIT 1", Outcome::kTimed, ""},
           {"registry.local/app:1", "kill -SIGQUIT 1", Outcome::kTimed, "where sh is dash"},
           {"debian:12", "echo x > /dev/tcp/localhost/80", Outcome::kTimed, "bash only"},
           {"debian:12", "[[ -f /x ]] && sleep 5", Outcome::kTimed, "dash has no"}}) {
    objects::Container container;
    container.image = row.image;
    const CommandReading reading = read_command({"sh", "-c", row.script}, &container);
    EXPECT_EQ(reading.outcome, row.outcome) << row.image << " " << row.script;
    EXPECT_EQ(reading.problems.empty(), row.problem.empty()) << row.script;
    if (!row.problem.empty()) {
      EXPECT_THAT(reading.problems, ElementsAre(HasSubstr(row.problem))) << row.script;
    }
  }
}

// Whatever the script, the work is that of reading it once and a constant.
TEST(CommandTest, WorkIsBounded) {
  const auto repeated = [](std::string_view part, std::size_t times) {
    std::string text;
    for (std::size_t i = 0; i < times; ++i) text += part;
    return text;
  };
  for (const std::string& script :
       {std::string("while true; do i=$((i+1)); done"), std::string("a=x; while true; do a=$a$a; done"),
        std::string("i=0; while true; do i=$((i+1)); for j in $(seq 9999); do for k in $(seq 9999); do :; done; done; done"),
        repeated("for i in 1 2 3 4 5 6 7 8 9; do ", 50) + "sleep 1" + repeated("; done", 50),
        repeated("f() { f; f; }; ", 1000) + "f", repeated("eval ", 10'000), repeated("sh -c ", 10'000),
        repeated("timeout 5 ", 10'000) + "sleep 1", repeated("sleep 1 & ", 30'000) + "wait",
        repeated("(sleep 1; ", 90) + repeated(")", 90),
        repeated("X=$(X=", 5000) + repeated(")", 5000), repeated("a=b ", 30'000), repeated("trap 'trap x EXIT' EXIT;", 1000),
        "i=0;" + repeated("x=$((x+1)); ", 5000) + "while true; do i=$((i+1)); (:); done"}) {
    const CommandReading reading = read_command({"sh", "-c", script});
    EXPECT_LE(reading.steps, 1'000'000u) << script.substr(0, 60);
    EXPECT_LE(reading.min_ms, reading.max_ms) << script.substr(0, 60);
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
