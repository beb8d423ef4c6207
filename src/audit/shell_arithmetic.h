#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

namespace shutdown_auditor::audit {

// Variables as an expression sees them: a whole number, or none when it is not known or no number.
using ArithmeticLookup = std::function<std::optional<std::int64_t>(std::string_view name)>;
// Called for NAME = …, NAME += …, NAME++ and the like; no value: it is no longer known.
using ArithmeticAssign = std::function<void(std::string_view name, std::optional<std::int64_t> value)>;

// Evaluates what stands between $(( and )) (IEEE 1003.1, 2.6.4): decimal numbers, names with or without $, ( ), unary
// + - !, * / %, + -, comparisons, && || and, for counters, assignments, ++ and --. Anything else, a name without a
// number, an overflow: absent. Linear; recursion bounded.
std::optional<std::int64_t> evaluate_arithmetic(std::string_view expression, const ArithmeticLookup& lookup,
                                                const ArithmeticAssign& assign);

}  // namespace shutdown_auditor::audit
