#include "audit/prestop.h"

#include "audit/command.h"
#include "audit/excerpt.h"
#include "audit/seconds.h"
#include "base/text.h"

namespace shutdown_auditor::audit {
namespace {

PreStopReading exact(std::int64_t ms, std::string reason) {
  PreStopReading reading;
  reading.kind = PreStopKind::kExact;
  reading.min_ms = ms;
  reading.nominal_ms = reading.max_ms = ms;
  reading.reason = std::move(reason);
  return reading;
}
PreStopReading broken(std::string reason) {
  PreStopReading reading = exact(0, std::move(reason));
  reading.kind = PreStopKind::kBroken;
  reading.problems.push_back(reading.reason);
  return reading;
}

std::string shown(const std::vector<std::string>& command) {
  std::string text;
  text.reserve(64);
  for (const std::string& word : command) {
    if (text.size() > 120) break;
    if (!text.empty()) text += ' ';
    if (word.size() <= 120) {
      text += word;
    } else {
      text += base::truncate_utf8(word, 120);
    }
  }
  return excerpt(text, 100);
}

// Images that are named for holding nothing but the program: neither a shell nor sleep.
bool has_no_tools(std::string_view image) {
  const std::string lower = base::to_lower(image);
  if (lower.find("debug") != std::string::npos || lower.find("busybox") != std::string::npos) return false;
  return lower.find("distroless") != std::string::npos || lower.find("chainguard/static") != std::string::npos ||
         lower == "scratch";
}

PreStopReading read_exec(const objects::Container& container, const objects::ExecAction& exec) {
  CommandReading command = read_command(exec.command, &container);
  PreStopReading reading;
  reading.min_ms = command.min_ms;
  reading.nominal_ms = command.nominal_ms;
  if (command.max_ms != kEndless) reading.max_ms = command.max_ms;
  reading.reason = command.reason.empty() ? "the command " + shown(exec.command) : std::move(command.reason);
  reading.starts_drain = command.starts_drain;
  reading.waits_for_drain = command.waits_for_drain;
  reading.signals = std::move(command.signals);
  reading.problems = std::move(command.problems);
  reading.never_ends = command.never_ends;
  switch (command.outcome) {
    case CommandReading::Outcome::kTimed:
      reading.kind = command.min_ms == command.max_ms ? PreStopKind::kExact : PreStopKind::kRange;
      break;
    case CommandReading::Outcome::kEndless:
      reading.kind = PreStopKind::kUnbounded;
      reading.reason += ": " + shown(exec.command);
      break;
    case CommandReading::Outcome::kUnknown: reading.kind = PreStopKind::kUnknown; break;
    case CommandReading::Outcome::kBroken: reading.kind = PreStopKind::kBroken; break;
  }
  // A program of the image's own by its path is likely there.
  const bool own = reading.kind == PreStopKind::kUnknown && exec.command.front().starts_with("/");
  if (has_no_tools(container.image) && !own && reading.kind != PreStopKind::kBroken) {
    // The hook then fails at once.
    reading.min_ms = 0;
    reading.never_ends = false;
    if (reading.kind == PreStopKind::kExact && reading.max_ms != 0) reading.kind = PreStopKind::kRange;
    reading.problems.push_back("the image " + base::quoted(container.image, 80) + " most likely has no " +
                               excerpt(exec.command.front(), 40) + ", and the hook fails at once");
  }
  return reading;
}

}  // namespace

PreStopReading read_pre_stop(const objects::Container& container) {
  const std::optional<objects::Handler>& hook = container.pre_stop;
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
  if (hook->exec) return read_exec(container, *hook->exec);
  if (hook->http_get) {
    PreStopReading reading;
    reading.kind = PreStopKind::kUnknown;
    const std::string path = hook->http_get->path.empty() ? "/" : hook->http_get->path;  // the API server's default
    reading.reason = "the server behind httpGet " + path_excerpt(path) +
                     " decides how long the hook takes, and the kubelet sets no time-out";
    return reading;
  }
  if (hook->tcp_socket) return broken("a tcpSocket hook always fails at once");
  return broken("a grpc handler is for probes only");
}

}  // namespace shutdown_auditor::audit
