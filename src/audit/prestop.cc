#include "audit/prestop.h"

#include "audit/command.h"
#include "audit/seconds.h"
#include "base/text.h"

namespace shutdown_auditor::audit {
namespace {

PreStopReading exact(std::int64_t ms, std::string reason) {
  return {PreStopKind::kExact, ms, ms, ms, std::move(reason)};
}
PreStopReading broken(std::string reason) {
  return {PreStopKind::kBroken, 0, 0, 0, std::move(reason)};
}

std::string shown(const std::vector<std::string>& command) {
  std::string text;
  for (const std::string& word : command) {
    if (text.size() > 120) break;
    if (!text.empty()) text += ' ';
    text += base::truncate_utf8(word, 120);
  }
  return base::quoted(text, 100);
}

PreStopReading read_exec(const objects::ExecAction& exec) {
  const CommandReading command = read_command(exec.command);
  PreStopReading reading;
  reading.min_ms = command.min_ms;
  if (command.outcome == CommandReading::Outcome::kUnknown) {
    reading.kind = PreStopKind::kUnknown;
    reading.reason = command.reason;
    return reading;
  }
  reading.nominal_ms = command.nominal_ms;
  reading.max_ms = command.max_ms;
  if (command.outcome == CommandReading::Outcome::kBroken) {
    reading.kind = PreStopKind::kBroken;
    reading.reason = command.reason;
  } else if (command.max_ms == kEndless) {
    reading.kind = PreStopKind::kUnbounded;
    reading.reason = "the command " + shown(exec.command) + " does not end by itself";
  } else {
    reading.kind = command.min_ms == command.max_ms ? PreStopKind::kExact : PreStopKind::kRange;
    reading.reason = "the command " + shown(exec.command);
  }
  if (command.max_ms == kEndless) reading.max_ms.reset();
  if (command.nominal_ms == kEndless) reading.nominal_ms.reset();
  return reading;
}

}  // namespace

PreStopReading read_pre_stop(const std::optional<objects::Handler>& hook) {
  if (!hook) return {};
  const int handlers = int{hook->exec.has_value()} + int{hook->http_get.has_value()} + int{hook->tcp_socket.has_value()} +
                       int{hook->grpc.has_value()} + int{hook->sleep.has_value()};
  if (handlers == 0) return broken("the hook has no handler");
  if (handlers > 1) return broken("the hook has more than one handler, the API server refuses it");
  if (hook->sleep) {
    if (hook->sleep->seconds < 0) {
      return broken("sleep of " + std::to_string(hook->sleep->seconds) + " s: the API server refuses a negative time");
    }
    return exact(to_ms(hook->sleep->seconds), "the sleep handler");
  }
  if (hook->exec) return read_exec(*hook->exec);
  if (hook->http_get) {
    return {PreStopKind::kUnknown, 0, std::nullopt, std::nullopt,
            "the server behind httpGet " + base::quoted(hook->http_get->path, 60) +
                " decides how long the hook takes, and the kubelet sets no time-out"};
  }
  if (hook->tcp_socket) return broken("a tcpSocket hook always fails at once");
  return broken("a grpc handler is for probes only");
}

}  // namespace shutdown_auditor::audit
