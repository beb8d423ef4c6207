#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "app/live_options.h"

namespace shutdown_auditor::app {

enum class OutputFormat : std::uint8_t { kTable, kWide, kJson, kYaml, kSarif, kJUnit, kGitHub, kMarkdown };
enum class FailOn : std::uint8_t { kFail, kWarn, kNone };
enum class ColorMode : std::uint8_t { kAuto, kAlways, kNever };

// What `shutdown-auditor check` can be told.
struct CheckOptions {
  std::vector<std::string> files;  // paths, or "-" for standard input; empty: a live cluster
  LiveOptions live;
  bool recursive = false;
  OutputFormat output = OutputFormat::kTable;
  std::string policy_file;         // empty: the cluster's, else the built-in policy
  std::string baseline_file;       // findings in it are neither shown nor counted; empty: none
  std::string write_baseline_file; // the findings are written there and then count no more; empty: nowhere
  FailOn fail_on = FailOn::kFail;
  bool complete = false;           // the input is everything there is: a missing PodDisruptionBudget is missing
  bool fail_if_empty = false;
  bool skip_owned = false;         // leave out workloads that another controller made
  std::string name_space;          // for objects that name none; of a cluster: the one to audit
  bool quiet = false;              // only findings and errors: no roll-up, no notes
  ColorMode color = ColorMode::kAuto;
  bool timeline = false;           // instead of findings: what happens second by second when a pod of each workload stops
  std::string fix;                 // instead of findings: their fixes; "all", "patches" or "objects", empty: no
  int kubernetes_minor = 0;        // 0: the newest the audit knows
};

}  // namespace shutdown_auditor::app
