#pragma once

#include <string>
#include <string_view>

namespace shutdown_auditor::testing_support {

// Everything this test program logs, at every level, from its start on. Safe from any thread.
class LogCapture {
 public:
  // Forgets what was logged so far.
  static void clear();
  // All lines: "WARN kube: message key=value …".
  static std::string text();
  // How often `part` occurs in text().
  static int count(std::string_view part);
};

}  // namespace shutdown_auditor::testing_support
