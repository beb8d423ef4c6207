#include "kube/log_capture.h"

#include <array>
#include <mutex>

#include <gtest/gtest.h>

#include "base/log.h"

namespace shutdown_auditor::testing_support {
namespace {

std::mutex mutex;
std::string lines;

void append(base::LogLevel level, std::string_view logger, std::string_view message, const base::LogField* fields,
            std::size_t count) {
  constexpr std::array<std::string_view, 4> kNames = {"DEBUG", "INFO", "WARN", "ERROR"};
  const std::lock_guard lock(mutex);
  lines += std::string(kNames.at(static_cast<std::size_t>(level))) + " " + std::string(logger) + ": " +
           std::string(message);
  for (std::size_t i = 0; i < count; ++i) {
    lines += " " + std::string(fields[i].key) + "=" + fields[i].value;
  }
  lines += "\n";
}

// Before any other thread runs, as set_log_sink demands.
class Installer final : public testing::Environment {
 public:
  void SetUp() override { base::set_log_sink(append, base::LogLevel::kDebug); }
};
[[maybe_unused]] testing::Environment* const kInstalled = testing::AddGlobalTestEnvironment(new Installer);

}  // namespace

void LogCapture::clear() {
  const std::lock_guard lock(mutex);
  lines.clear();
}

std::string LogCapture::text() {
  const std::lock_guard lock(mutex);
  return lines;
}

int LogCapture::count(std::string_view part) {
  const std::string all = text();
  int found = 0;
  for (std::size_t at = all.find(part); at != std::string::npos; at = all.find(part, at + part.size())) {
    ++found;
  }
  return found;
}

}  // namespace shutdown_auditor::testing_support
