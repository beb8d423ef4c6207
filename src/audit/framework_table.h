#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "audit/application.h"
#include "audit/time_syntax.h"

// The knowledge base as constant tables, written at build time from frameworks.yaml, which says what each field means.
namespace shutdown_auditor::audit {

using Names = std::span<const std::string_view>;

// "flag NAME=VALUE" and so on; an empty value pattern: any.
struct Condition {
  enum class Kind : std::uint8_t { kFlag, kEnv, kAnnotation, kLabel, kNamespaceLabel, kArg, kImage, kNotProcessOne };
  Kind kind;
  std::string_view name;
  std::string_view value;
};
using Conditions = std::span<const Condition>;

// A key inside a longer text: a directive in nginx -g, a field of JSON or YAML.
struct TextKey {
  Condition::Kind kind;  // kFlag, kEnv, kAnnotation
  std::string_view name;
  std::string_view key;
};

struct TimeRule {
  enum class Kind : std::uint8_t { kDelay, kDrain, kCleanup };
  enum class Default : std::uint8_t { kNone, kMilliseconds, kUnbounded, kUnknown };
  Kind kind;
  TimeSyntax syntax;
  Default default_kind;
  std::int64_t default_ms;
  Names flags, env, annotations;
  std::span<const TextKey> texts;
  Names unbounded_values, default_values;  // written values with a meaning of their own
  Names signals;                           // empty: all
  Conditions when, unless;
};

struct BehaviourRule {
  Names signals;
  SignalHandling handling;
  bool certain;
  Conditions when, unless;
  std::string_view reason, remedy;
};

enum class Runtime : std::uint8_t { kNone, kPython, kNode, kJava, kRuby, kPhp, kElixir, kDotnet };

struct Framework {
  std::string_view id;
  Runtime runtime;
  bool generic;  // tells no more than the runtime: nothing is known of its times
  SidecarKind sidecar;
  Names executables, modules, args, images, image_hints, env, containers;
  Conditions injected_by, not_injected_by;
  std::string_view graceful_signal;
  std::string_view image_signal;  // STOPSIGNAL of image_signal_images
  Names image_signal_images;
  Names flags_env, script_flags_env;
  bool flags_env_first;  // they win over variables of their own
  std::string_view config;
  std::span<const BehaviourRule> behaviour;
  std::span<const TimeRule> times;
};

// A program that starts another one.
struct Wrapper {
  enum class Process : std::uint8_t { kExec, kChild, kUnknown };
  std::string_view id;
  Names names, value_options;
  std::string_view subcommand;
  Process process;
  std::uint8_t operands;  // words of its own before the command
  bool init, rewrites, assignments, shell;
};

std::span<const Framework> frameworks();
std::span<const Wrapper> wrappers();
Names entrypoint_scripts();  // those that end in exec "$@"
Names entrypoint_images();   // official images with such an entrypoint or none
Names annotation_keys();     // sorted: all that some rule reads

}  // namespace shutdown_auditor::audit
