#include "base/log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace shutdown_auditor::base {
namespace {

using testing::ElementsAre;

TEST(Log, LinesAtOrAboveTheLevelReachTheSink) {
  std::vector<std::string> lines;
  set_log_sink(
      [&](LogLevel, std::string_view logger, std::string_view message, const LogField* fields, std::size_t count) {
        std::string line = std::string(logger) + ": " + std::string(message);
        for (std::size_t i = 0; i < count; ++i) {
          line += " " + std::string(fields[i].key) + "=" + fields[i].value + (fields[i].number ? "#" : "");
        }
        lines.push_back(line);
      },
      LogLevel::kInfo);
  constexpr Logger log("test");
  log.debug("hidden");
  log.info("shown", {{"text", "a"}, {"count", 3}, {"on", true}});
  set_log_level(LogLevel::kError);
  log.warn("hidden too");
  log.error("last");
  set_log_sink({}, LogLevel::kInfo);
  log.error("dropped");
  EXPECT_THAT(lines, ElementsAre("test: shown text=a count=3# on=true#", "test: last"));
}

}  // namespace
}  // namespace shutdown_auditor::base
