#pragma once

#include <string>
#include <utility>
#include <vector>

#include "audit/application.h"
#include "audit/builder.h"

namespace shutdown_auditor::audit::testing {

using Words = std::vector<std::string>;
using Variables = std::vector<std::pair<std::string, std::string>>;

// A container in one line of a table.
struct Application {
  Words command = {};
  Words args = {};
  Variables env = {};
  std::string image = "registry.local/app:1";
  Variables annotations = {};
  std::string name = "app";
  bool shared_process_namespace = false;
  Words hidden_env = {};      // valueFrom
  bool env_from = false;
  std::string stop_signal = {};
  std::string os_name = {};
  int kubernetes_minor = 34;
};

inline objects::Container container_of(const Application& row) {
  objects::Container made;
  made.name = row.name;
  made.image = row.image;
  made.command = row.command;
  made.args = row.args;
  made.env_from = row.env_from;
  made.stop_signal = row.stop_signal;
  for (const auto& [name, value] : row.env) made.env.push_back({name, value, false});
  for (const auto& name : row.hidden_env) made.env.push_back({name, std::nullopt, true});
  return made;
}

inline ApplicationReading read(const Application& row) {
  objects::Workload workload;
  workload.kind = {"apps", "Deployment"};
  workload.pod_template.spec.share_process_namespace = row.shared_process_namespace;
  workload.pod_template.spec.os_name = row.os_name;
  for (const auto& [key, value] : row.annotations) workload.pod_template.meta.annotations.emplace_back(key, value);
  objects::normalize(workload.pod_template.meta.annotations);
  workload.pod_template.spec.containers.push_back(container_of(row));
  return read_application(workload, workload.pod_template.spec.containers.front(), row.kubernetes_minor);
}

inline std::string in_words(const Application& row) {
  std::string text = row.image + ":";
  for (const auto& word : row.command) text += " " + word;
  for (const auto& word : row.args) text += " +" + word;
  for (const auto& [name, value] : row.env) text += " " + name + "=" + value;
  return text;
}

// "30000", "unbounded" or "-" when it is not known.
inline std::string in_words(const ApplicationTime& time) {
  return time.unbounded ? "unbounded" : time.ms ? std::to_string(*time.ms) : "-";
}

}  // namespace shutdown_auditor::audit::testing

namespace shutdown_auditor::audit {
inline void PrintTo(SignalHandling handling, std::ostream* out) { *out << to_string(handling); }
inline void PrintTo(MatchedBy by, std::ostream* out) { *out << static_cast<int>(by); }
inline void PrintTo(TimeSource source, std::ostream* out) { *out << static_cast<int>(source); }
inline void PrintTo(SidecarKind kind, std::ostream* out) { *out << static_cast<int>(kind); }
}  // namespace shutdown_auditor::audit
