#include "audit/prestop.h"

#include <cmath>
#include <fstream>
#include <set>

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
           {exec({"sleep", "infinity"}), PreStopKind::kUnbounded, 0, {}, {}, "does not end"},
           {shell("[ -f /x ] && sleep inf"), PreStopKind::kUnbounded, 0, {}, {}, "does not end"},
           {shell("sleep 5; nginx -s quit"), PreStopKind::kExact, 5000, 5000, 5000, "sh -c sleep 5; …"},
           {shell("sleep 5; drain-all"), PreStopKind::kUnknown, 5000, {}, {}, "drain-all"},
           {shell("sleep 5; curl localhost/drain"), PreStopKind::kUnknown, 5000, 5000, {}, "no time limit"},
           {shell("sleep 5 &"), PreStopKind::kRange, 0, {}, 5000, "sleep 5 …"},
           {http_get("/drain"), PreStopKind::kUnknown, 0, {}, {}, "/drain"},
           {tcp, PreStopKind::kBroken, 0, 0, 0, "tcpSocket"},
           {grpc, PreStopKind::kBroken, 0, 0, 0, "grpc"},
           {both, PreStopKind::kBroken, 0, 0, 0, "more than one"},
           {objects::Handler{}, PreStopKind::kBroken, 0, 0, 0, "no handler"},
           {exec({}), PreStopKind::kBroken, 0, 0, 0, "empty"},
           {exec({"sleep 10"}), PreStopKind::kBroken, 0, 0, 0, "one word"}}) {
    objects::Container container;
    container.pre_stop = row.hook;
    const PreStopReading reading = read_pre_stop(container);
    EXPECT_EQ(reading.kind, row.kind) << reading.reason;
    EXPECT_EQ(reading.min_ms, row.min) << reading.reason;
    EXPECT_EQ(reading.nominal_ms, row.nominal) << reading.reason;
    EXPECT_EQ(reading.max_ms, row.max) << reading.reason;
    EXPECT_NE(reading.reason.find(row.reason), std::string::npos) << reading.reason;
  }
}

// An image that is named for having neither a shell nor sleep.
TEST(PreStopTest, DoubtsToolsInImagesWithoutAny) {
  struct Row {
    std::string image;
    std::vector<std::string> command;
    PreStopKind kind;
    std::int64_t min;
    bool doubted;
  };
  for (const Row& row : std::vector<Row>{
           {"distroless/base", {"sleep", "5"}, PreStopKind::kRange, 0, true},
           {"distroless/base", {"sh", "-c", "drain"}, PreStopKind::kUnknown, 0, true},
           {"distroless/base", {"/app", "drain"}, PreStopKind::kUnknown, 0, false},
           {"distroless/base:debug", {"sleep", "5"}, PreStopKind::kExact, 5000, false},
           {"registry.local/app:1", {"sleep", "5"}, PreStopKind::kExact, 5000, false}}) {
    objects::Container container;
    container.image = row.image;
    container.pre_stop = objects::Handler{};
    container.pre_stop->exec = objects::ExecAction{row.command};
    const PreStopReading reading = read_pre_stop(container);
    EXPECT_EQ(reading.kind, row.kind) << row.image;
    EXPECT_EQ(reading.min_ms, row.min) << row.image;
    EXPECT_EQ(!reading.problems.empty(), row.doubted) << row.image;
  }
}

objects::Container container_of(const nlohmann::json& row) {
  objects::Container container;
  const nlohmann::json& json = row["handler"];
  objects::Handler handler;
  if (json.contains("exec")) handler.exec = objects::ExecAction{json["exec"]["command"].get<std::vector<std::string>>()};
  if (json.contains("sleep")) handler.sleep = objects::SleepAction{json["sleep"]["seconds"].get<std::int64_t>()};
  if (json.contains("httpGet")) {
    handler.http_get = objects::HttpGetAction{json["httpGet"]["path"].get<std::string>(), {}, {}, testing::number(80)};
  }
  if (json.contains("tcpSocket")) handler.tcp_socket = objects::TcpSocketAction{{}, testing::number(80)};
  container.pre_stop = handler;
  container.image = row.value("image", "");
  if (row.contains("env")) {
    for (const auto& [name, value] : row["env"].items()) container.env.push_back({name, value.get<std::string>(), false});
  }
  return container;
}

nlohmann::json data(const char* name) {
  std::ifstream file(std::string(SA_SOURCE_DIR "/tests/audit/data/") + name);
  return nlohmann::json::parse(file);
}

std::int64_t milliseconds(const nlohmann::json& seconds) { return std::llround(seconds.get<double>() * 1000); }

// Hooks people wrote, with what they do: shortest, usual and longest time and what kind of knowledge that is.
TEST(PreStopTest, AgreesWithHooksInUse) {
  const nlohmann::json hooks = data("prestop_hooks.json");
  for (const nlohmann::json& hook : hooks) {
    const std::string id = hook["id"];
    const PreStopReading reading = read_pre_stop(container_of(hook));
    const nlohmann::json& delay = hook["delay"];
    const nlohmann::json& max = hook["max"];

    PreStopKind kind = PreStopKind::kRange;
    if (hook["class"] == "broken-argv") {
      kind = PreStopKind::kBroken;
    } else if (max.is_null()) {
      kind = delay == "unbounded" ? PreStopKind::kUnbounded : PreStopKind::kUnknown;
    } else if (max == hook["min"]) {
      kind = PreStopKind::kExact;
    }
    const auto time = [](const nlohmann::json& value) {
      return value.is_number() ? std::optional(milliseconds(value)) : std::nullopt;
    };
    EXPECT_EQ(to_string(reading.kind), to_string(kind)) << id << " " << reading.reason;
    EXPECT_EQ(reading.min_ms, time(hook["min"])) << id << " " << reading.reason;
    EXPECT_EQ(reading.max_ms, time(max)) << id << " " << reading.reason;
    EXPECT_EQ(reading.nominal_ms, time(delay)) << id << " " << reading.reason;
  }
  EXPECT_EQ(hooks.size(), 119u);
}

// How long hooks really took: the container ended `finished` seconds after the kill began, `drain` of them its own.
TEST(PreStopTest, IsNotContradictedByWhatWasObserved) {
  const nlohmann::json rows = data("prestop_observed.json");
  // What no manifest tells: an image without sleep; a main program that ends by itself before its hook does.
  const std::set<std::string> hidden{"ps-distroless-exec-sleep", "ps-exec7-app-exits-early", "ps-native7-app-exits-early"};
  for (const nlohmann::json& row : rows) {
    const std::string id = row["id"];
    if (hidden.contains(id)) continue;
    const PreStopReading reading = read_pre_stop(container_of(row));
    const double took = (row["finished"].get<double>() - row["drain"].get<double>()) * 1000;
    EXPECT_LE(static_cast<double>(reading.min_ms), took + 100) << id << " " << reading.reason;
    // Starting the command takes some tenths of a second.
    EXPECT_GE(static_cast<double>(reading.max_ms.value_or(kEndless)) + 400, took) << id << " " << reading.reason;
    EXPECT_TRUE(row["failed"] || reading.kind != PreStopKind::kBroken) << id << " " << reading.reason;
  }
  EXPECT_EQ(rows.size(), 34u);
}

}  // namespace
}  // namespace shutdown_auditor::audit
