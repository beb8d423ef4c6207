#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

namespace shutdown_auditor::manifest {

struct NullScalar {};
struct StringScalar {};  // the text itself
using Scalar = std::variant<NullScalar, bool, std::int64_t, double, StringScalar>;

// What an unquoted YAML scalar means to Kubernetes (sigs.k8s.io/yaml on its fork of go-yaml v2, resolve.go): ~ and
// empty are null; y, yes, on, true and their opposites are booleans; decimal, 0x, 0o, 0b and 0-octal integers with `_`
// between digits; floats, .inf, .nan; dates and everything else are strings. Integers beyond 64 bits come as double.
Scalar resolve_plain(std::string_view text);

// The same under an explicit tag ("tag:yaml.org,2002:str", "!", "" for none): nothing when the text is not of that
// type. Tags that are not YAML's own leave a string.
std::optional<Scalar> resolve_tagged(std::string_view text, std::string_view tag, bool plain);

}  // namespace shutdown_auditor::manifest
