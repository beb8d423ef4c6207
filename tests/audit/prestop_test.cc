#include "audit/prestop.h"

#include <fstream>

#include <nlohmann/json.hpp>

#include "audit/builder.h"
#include "audit/seconds.h"

namespace shutdown_auditor::audit {
namespace {

using testing::exec;
using testing::http_get;
using testing::native_sleep;
using testing::shell;

TEST(PreStopTest, ReadsEveryHandler) {
  objects::Handler tcp;
  tcp.tcp_socket = objects::TcpSocketAction{{}, testing::number(80)};
  objects::Handler grpc;
  grpc.grpc = objects::GrpcAction{};
  objects::Handler both = native_sleep(5);
  both.exec = objects::ExecAction{{"sleep", "5"}};
  struct Row {
    std::optional<objects::Handler> hook;
    PreStopKind kind;
    std::int64_t min;
    std::optional<std::int64_t> nominal, max;
    std::string_view reason;
  };
  for (const Row& row : std::vector<Row>{
           {std::nullopt, PreStopKind::kNone, 0, {}, {}, ""},
           {native_sleep(5), PreStopKind::kExact, 5000, 5000, 5000, "sleep handler"},
           {native_sleep(0), PreStopKind::kExact, 0, 0, 0, "sleep handler"},
           {native_sleep(kEndless), PreStopKind::kExact, kEndless, kEndless, kEndless, "sleep handler"},
           {native_sleep(-1), PreStopKind::kBroken, 0, 0, 0, "negative"},
           {exec({"sleep", "10"}), PreStopKind::kExact, 10'000, 10'000, 10'000, "sleep 10"},
           {shell("sleep 5"), PreStopKind::kExact, 5000, 5000, 5000, "sh -c sleep 5"},
           {shell("[ -f /x ] && sleep 5"), PreStopKind::kRange, 0, 5000, 5000, "command"},
           {exec({"sleep", "infinity"}), PreStopKind::kUnbounded, kEndless, {}, {}, "does not end"},
           {shell("[ -f /x ] && sleep inf"), PreStopKind::kUnbounded, 0, {}, {}, "does not end"},
           {shell("sleep 5; nginx -s quit"), PreStopKind::kUnknown, 5000, {}, {}, "nginx"},
           {http_get("/drain"), PreStopKind::kUnknown, 0, {}, {}, "/drain"},
           {tcp, PreStopKind::kBroken, 0, 0, 0, "tcpSocket"},
           {grpc, PreStopKind::kBroken, 0, 0, 0, "grpc"},
           {both, PreStopKind::kBroken, 0, 0, 0, "more than one"},
           {objects::Handler{}, PreStopKind::kBroken, 0, 0, 0, "no handler"},
           {exec({}), PreStopKind::kBroken, 0, 0, 0, "empty"},
           {exec({"sleep 10"}), PreStopKind::kBroken, 0, 0, 0, "one word"}}) {
    const PreStopReading reading = read_pre_stop(row.hook);
    EXPECT_EQ(reading.kind, row.kind) << reading.reason;
    EXPECT_EQ(reading.min_ms, row.min) << reading.reason;
    EXPECT_EQ(reading.nominal_ms, row.nominal) << reading.reason;
    EXPECT_EQ(reading.max_ms, row.max) << reading.reason;
    EXPECT_NE(reading.reason.find(row.reason), std::string::npos) << reading.reason;
  }
}

objects::Handler handler_of(const nlohmann::json& json) {
  objects::Handler handler;
  if (json.contains("exec")) handler.exec = objects::ExecAction{json["exec"]["command"].get<std::vector<std::string>>()};
  if (json.contains("sleep")) handler.sleep = objects::SleepAction{json["sleep"]["seconds"].get<std::int64_t>()};
  if (json.contains("httpGet")) handler.http_get = objects::HttpGetAction{"/", {}, {}, testing::number(80)};
  return handler;
}

// Hooks people wrote, with what they do: a reading may know less than that, but never claims what is not so.
TEST(PreStopTest, ClaimsNothingFalseAboutHooksInUse) {
  std::ifstream file(SA_SOURCE_DIR "/tests/audit/data/prestop_hooks.json");
  const nlohmann::json hooks = nlohmann::json::parse(file);
  int timed = 0;
  for (const nlohmann::json& hook : hooks) {
    const std::string id = hook["id"];
    const std::string type = hook["class"];
    const PreStopReading reading = read_pre_stop(handler_of(hook["handler"]));
    if (reading.kind == PreStopKind::kUnbounded) {
      EXPECT_EQ(hook["delay"], "unbounded") << id;
      continue;
    }
    EXPECT_LE(static_cast<double>(reading.min_ms), hook["min"].get<double>() * 1000) << id << " " << reading.reason;
    if (type == "broken-argv") {
      EXPECT_EQ(reading.kind, PreStopKind::kBroken) << id << " " << reading.reason;
    }
    if (type == "native-sleep" || type == "sleep-argv") {
      EXPECT_EQ(reading.kind, PreStopKind::kExact) << id << " " << reading.reason;
    }
    if (reading.kind != PreStopKind::kExact && reading.kind != PreStopKind::kRange) continue;
    ++timed;
    ASSERT_TRUE(hook["delay"].is_number()) << id << " " << reading.reason;
    EXPECT_EQ(static_cast<double>(*reading.nominal_ms), hook["delay"].get<double>() * 1000) << id;
  }
  EXPECT_EQ(hooks.size(), 119u);
  EXPECT_GE(timed, 35);
}

}  // namespace
}  // namespace shutdown_auditor::audit
