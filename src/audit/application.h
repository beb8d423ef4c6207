#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "objects/workload.h"

namespace shutdown_auditor::audit {

// What the program in a container does on its stop signal.
enum class SignalHandling : std::uint8_t {
  kGraceful,      // finishes what is under way
  kFast,          // stops and drops what is under way
  kIgnored,       // goes on until the kill
  kReload,        // starts anew instead of stopping (uWSGI)
  kNotDelivered,  // process 1 is a shell or wrapper that does not pass it on
  kUnknown,
};
std::string_view to_string(SignalHandling handling);  // "Graceful" …

// Where a time of an application was read.
enum class TimeSource : std::uint8_t { kNone, kFlag, kEnv, kAnnotation, kFrameworkDefault };

// A time an application spends stopping. Neither ms nor unbounded: not known.
struct ApplicationTime {
  std::optional<std::int64_t> ms;
  bool unbounded = false;  // it waits without a limit
  TimeSource source = TimeSource::kNone;
  std::string where;       // "--graceful-timeout", "env GUNICORN_CMD_ARGS", "default of gunicorn"; empty: not known
};

// How sure the recognition is: a match by image alone proves nothing.
enum class MatchedBy : std::uint8_t { kNone, kExecutable, kModule, kEnvironment, kAnnotation, kImage };

// What an application in a container does for the pod's traffic.
enum class SidecarKind : std::uint8_t {
  kNone,     // not known as a sidecar
  kTraffic,  // the application's own requests or connections pass through it: mesh proxy, database proxy
  kHelper,   // log shipper, exporter, reloader …
};

// One container's program as the manifest and the knowledge base tell it. ConfigMaps, Secrets and files in the image are
// never read.
struct ApplicationReading {
  std::string framework;   // id in the knowledge base; empty: not recognised
  MatchedBy matched_by = MatchedBy::kNone;
  SidecarKind sidecar = SidecarKind::kNone;

  ApplicationTime delay;    // unconditional wait before the drain; 0 ms when the framework has none
  ApplicationTime drain;    // its own deadline for what is under way
  ApplicationTime cleanup;  // after the drain; the sum of the framework's entries
  ApplicationTime hold;     // traffic sidecars: how long it goes on carrying traffic after its stop signal
  // A value that counts may come from a ConfigMap, Secret or file: which, in words; empty: no.
  std::string hidden;
  // Values written in the manifest that the program would refuse, or read otherwise than meant ("45 is 45 ms").
  std::vector<std::string> problems;

  std::string stop_signal = "SIGTERM";  // effective: lifecycle.stopSignal, STOPSIGNAL of a known image, rewritten by an init
  SignalHandling signal_handling = SignalHandling::kUnknown;
  // In words, for every handling but kGraceful and kUnknown: "nginx drops its connections on SIGTERM".
  std::string signal_reason;
  std::string signal_remedy;    // what to set instead; empty: nothing known
  std::string graceful_signal;  // the signal that drains; empty: none
  // kFast and the like come from the server itself, recognised by its program: certain enough for a Fail.
  bool known_server = false;
};

// Reads one container of the workload's pod template (main or init container of it). Pure; linear in the container's
// text; any input is fine.
ApplicationReading read_application(const objects::Workload& workload, const objects::Container& container,
                                    int kubernetes_minor);

}  // namespace shutdown_auditor::audit
