#pragma once

#include <string>
#include <vector>

#include "audit/fix.h"

namespace shutdown_auditor::report {

struct PatchOptions {
  bool patches = true;  // of workloads and budgets that exist
  bool objects = true;  // that are new
  bool notes = true;    // what is not fixed, and why
};

// The fixes as YAML documents, each with the reasons as comments: strategic merge patches of workloads and
// PodDisruptionBudgets, for `kubectl patch --patch-file` and kustomize; a Rollout's is a JSON merge patch, because the API
// server merges a custom resource in no other way; new PodDisruptionBudgets whole. In front of them, as comments, the
// Fail and Warn without a fix. Objects without a namespace are printed without one. Names and commands are quoted where
// YAML would read them otherwise.
std::string patch_text(const std::vector<audit::Fixes>& fixes, const PatchOptions& options);

}  // namespace shutdown_auditor::report
