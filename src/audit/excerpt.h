#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace shutdown_auditor::audit {

// How much of a command, a script or a value messages may show. Audits are read by people who may not read the workload,
// and arguments hold tokens and passwords: a program and its time are shown, what else stands behind it is "…".

// In double quotes: the program a command line begins with (of a shell with -c also the script's), the operands of
// sleep, kill and nginx -s, and $NAME; everything else is "…". "curl …", "sh -c sleep 5 …", "${TOKEN…}", "requests.post…".
std::string excerpt(std::string_view text, std::size_t max_bytes = 60);

// The one operand of a program that takes a time or a number, in double quotes: as written when it begins like a number
// and is short ("10 seconds"), else its excerpt.
std::string operand_excerpt(std::string_view text);

// A value of env, or of what was made with one: in double quotes when it is a number with at most a unit ("15", "1.5m"),
// else "(not a number, and not shown)". Also for the default of an expansion.
std::string env_excerpt(std::string_view text);

// A path of a URL in double quotes, without the query.
std::string path_excerpt(std::string_view path, std::size_t max_bytes = 60);

}  // namespace shutdown_auditor::audit
