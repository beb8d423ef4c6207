#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/result.h"

namespace shutdown_auditor::testing_support {

// The selectors FakeApi understands: labels with =, == and !=, keys that exist; fields metadata.name and
// metadata.namespace with = and !=. Anything else is kInvalid.
class Selector {
 public:
  static base::Result<Selector> parse(std::string_view labels, std::string_view fields);
  bool matches(const nlohmann::json& object) const;

 private:
  struct Term {
    bool field;
    std::string key;
    enum class Op { kEqual, kNotEqual, kExists } op;
    std::string value;
  };
  base::Result<void> add(std::string_view text, bool field);
  std::vector<Term> terms_;
};

}  // namespace shutdown_auditor::testing_support
