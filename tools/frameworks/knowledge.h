#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

// src/audit/frameworks.yaml as its rules describe it; field names are those of the file.
namespace shutdown_auditor::tools {

struct Condition {
  std::string kind;   // flag, env, annotation, label, namespace-label, arg, image, not-process-1
  std::string name;
  std::string value;  // glob; empty: any
};

struct TextKey {
  std::string kind;  // flag, env, annotation
  std::string name;
  std::string key;
};

struct Time {
  std::string kind;    // delay, drain, cleanup
  std::string syntax;  // empty when nothing can be written
  std::string default_kind;  // none, milliseconds, unbounded, unknown
  std::int64_t default_ms = 0;
  std::vector<std::string> flags, env, annotations, unbounded_values, default_values, signals;
  std::vector<TextKey> texts;
  std::vector<Condition> when, unless;
  std::string source;
};

struct Behaviour {
  std::vector<std::string> signals;
  std::string handling;  // graceful, fast, ignored, reload, unknown
  bool certain = true;
  std::vector<Condition> when, unless;
  std::string reason, remedy;
};

struct Framework {
  std::string id, runtime, sidecar, graceful_signal, image_signal, config, unmatched, source, confidence;
  bool generic = false, flags_env_first = false;
  std::vector<std::string> executables, modules, args, images, image_hints, env, containers, image_signal_images, flags_env,
      script_flags_env;
  std::vector<Condition> injected_by, not_injected_by;
  std::vector<Behaviour> behaviour;
  std::vector<Time> times;
};

struct Wrapper {
  std::string id, process, subcommand, source;  // process: exec, child, unknown
  std::vector<std::string> names, value_options;
  int operands = 0;
  bool init = false, rewrites = false, assignments = false, shell = false;
};

struct Knowledge {
  std::vector<Wrapper> wrappers;
  std::vector<std::string> entrypoint_scripts, entrypoint_images;
  std::vector<Framework> frameworks;
};

// Reads and checks the data file; kInvalid with "name:line: what is wrong" for the first thing that breaks a rule: unknown
// or repeated keys, repeated ids, a time without a source or with a default that does not fit, an unknown signal, syntax,
// runtime or condition, a pattern of nothing but stars, an entry that nothing can match.
base::Result<Knowledge> read_knowledge(const std::string& text, const std::string& name);

}  // namespace shutdown_auditor::tools
