#include "audit/collector.h"

#include <algorithm>

#include "base/text.h"

namespace shutdown_auditor::audit {
namespace {

constexpr std::size_t kMaxTextBytes = 512;

// One line, whatever a name or a command held.
std::string one_line(std::string text) {
  std::replace_if(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
  return base::truncate_utf8(text, kMaxTextBytes);
}

}  // namespace

Finding& Collector::report(Check check, CheckResult result, std::string_view reason, std::string message,
                           std::string remediation, std::string field_path, std::string container) {
  applies(check);
  Finding& finding = findings_.emplace_back();
  finding.check = check;
  finding.result = result;
  finding.reason = reason;
  finding.message = one_line(std::move(message));
  finding.remediation = one_line(std::move(remediation));
  finding.field_path = std::move(field_path);
  finding.container = std::move(container);
  return finding;
}

bool Collector::reported(Check check, std::string_view container) const {
  return std::any_of(findings_.begin(), findings_.end(), [&](const Finding& finding) {
    return finding.check == check && finding.container == container;
  });
}

std::string counted(std::int64_t number, std::string_view noun) {
  return std::to_string(number) + " " + std::string(noun) + (number == 1 ? "" : "s");
}

}  // namespace shutdown_auditor::audit
