#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "audit/application.h"
#include "audit/injection.h"
#include "base/text.h"

// A pod template as anyone may write it, one field a line: image, then "c word", "a word", "e NAME=value", "h NAME" (from a
// Secret), "n KEY=value" (annotation), "l KEY=value" (label), "s" (shared process namespace), "f" (envFrom).
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace shutdown_auditor;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  objects::Workload workload;
  objects::PodTemplate& pod = workload.pod_template;
  objects::Container container;
  container.name = "app";
  bool first = true;
  for (const std::string_view line : base::split(text, '\n')) {
    if (first) {
      container.image = line;
      first = false;
      continue;
    }
    const std::string rest(line.substr(line.size() < 2 ? line.size() : 2));
    const std::size_t equals = rest.find('=');
    const std::string name = rest.substr(0, equals);
    const std::string value = equals == std::string::npos ? "" : rest.substr(equals + 1);
    switch (line.empty() ? '\0' : line.front()) {
      case 'c': container.command.push_back(rest); break;
      case 'a': container.args.push_back(rest); break;
      case 'e': container.env.push_back({name, value, false}); break;
      case 'h': container.env.push_back({name, std::nullopt, true}); break;
      case 'n': pod.meta.annotations.emplace_back(name, value); break;
      case 'l': pod.meta.labels.emplace_back(name, value); break;
      case 's': pod.spec.share_process_namespace = true; break;
      case 'f': container.env_from = true; break;
      default: container.stop_signal = line; pod.spec.os_name = "linux"; break;
    }
  }
  objects::normalize(pod.meta.annotations);
  objects::normalize(pod.meta.labels);
  pod.spec.containers.push_back(container);
  const audit::ApplicationReading reading = audit::read_application(workload, container, 37);
  for (const audit::ApplicationTime* time : {&reading.delay, &reading.drain, &reading.cleanup, &reading.hold}) {
    if (time->ms && (*time->ms < 0 || time->unbounded)) std::abort();
  }
  if (reading.problems.size() > 64 || reading.signal_reason.empty() != reading.signal_remedy.empty()) std::abort();
  audit::injected_sidecars(workload, &pod.meta.labels);
  return 0;
}
