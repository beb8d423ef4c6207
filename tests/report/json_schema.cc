#include "report/json_schema.h"

#include <algorithm>
#include <regex>
#include <set>

namespace shutdown_auditor::report {
namespace {

using nlohmann::json;

bool has_type(const json& value, const std::string& type) {
  return (type == "object" && value.is_object()) || (type == "array" && value.is_array()) ||
         (type == "string" && value.is_string()) || (type == "boolean" && value.is_boolean()) ||
         (type == "null" && value.is_null()) || (type == "integer" && value.is_number_integer()) ||
         (type == "number" && value.is_number());
}

bool has_format(const std::string& text, const std::string& format) {
  if (format == "date-time") {
    static const std::regex kDateTime(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d))");
    return std::regex_match(text, kDateTime);
  }
  // RFC 3986: the characters of a URI; a reference may leave the scheme out, but its first segment then has no colon.
  static const std::regex kCharacters(R"(([A-Za-z0-9._~:/?#\[\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*)");
  static const std::regex kScheme(R"([A-Za-z][A-Za-z0-9+.-]*:.*)");
  if (!std::regex_match(text, kCharacters)) {
    return false;
  }
  const bool scheme = std::regex_match(text, kScheme);
  return format == "uri" ? scheme : format == "uri-reference" && (scheme || text.find(':') >= text.find('/'));
}

class Validator {
 public:
  explicit Validator(const json& root) : root_(root) {}

  void check(const json& schema, const json& value, const std::string& at) {
    for (const auto& [keyword, rule] : schema.items()) {
      check_keyword(keyword, rule, schema, value, at);
    }
  }

  std::vector<std::string> take() { return std::move(violations_); }

 private:
  void add(const std::string& at, const std::string& why) { violations_.push_back((at.empty() ? "/" : at) + ": " + why); }

  std::size_t matches(const json& schemas, const json& value) const {
    return static_cast<std::size_t>(std::count_if(schemas.begin(), schemas.end(), [&](const json& schema) {
      Validator other(root_);
      other.check(schema, value, "");
      return other.violations_.empty();
    }));
  }

  void check_keyword(const std::string& keyword, const json& rule, const json& schema, const json& value,
                     const std::string& at) {
    static const std::set<std::string> kSilent{"$schema", "id", "title", "description", "default", "definitions"};
    if (kSilent.count(keyword) > 0) {
      return;
    }
    if (keyword == "$ref") {
      const std::string target = rule.get<std::string>();
      return check(root_.at(json::json_pointer(target.substr(1))), value, at);
    }
    if (keyword == "type") {
      const json types = rule.is_array() ? rule : json::array({rule});
      if (std::none_of(types.begin(), types.end(), [&](const json& type) { return has_type(value, type); })) {
        add(at, "is not " + rule.dump());
      }
    } else if (keyword == "enum") {
      if (std::find(rule.begin(), rule.end(), value) == rule.end()) add(at, value.dump() + " is not one of " + rule.dump());
    } else if (keyword == "anyOf") {
      if (matches(rule, value) == 0) add(at, "matches none of anyOf");
    } else if (keyword == "oneOf") {
      if (matches(rule, value) != 1) add(at, "does not match one of oneOf");
    } else if (keyword == "minimum") {
      if (value.is_number() && value < rule) add(at, "is below " + rule.dump());
    } else if (keyword == "maximum") {
      if (value.is_number() && value > rule) add(at, "is above " + rule.dump());
    } else if (keyword == "pattern") {
      if (value.is_string() && !std::regex_search(value.get<std::string>(), std::regex(rule.get<std::string>()))) {
        add(at, "does not match " + rule.dump());
      }
    } else if (keyword == "format") {
      if (value.is_string() && !has_format(value, rule)) add(at, value.dump() + " is not a " + rule.dump());
    } else {
      check_container(keyword, rule, schema, value, at);
    }
  }

  void check_container(const std::string& keyword, const json& rule, const json& schema, const json& value,
                       const std::string& at) {
    if (keyword == "items") {
      for (std::size_t i = 0; value.is_array() && i < value.size(); ++i) check(rule, value[i], at + "/" + std::to_string(i));
    } else if (keyword == "minItems") {
      if (value.is_array() && value.size() < rule) add(at, "has fewer items than " + rule.dump());
    } else if (keyword == "uniqueItems") {
      if (rule == true && value.is_array() && std::set<json>(value.begin(), value.end()).size() != value.size()) {
        add(at, "holds an item twice");
      }
    } else if (keyword == "required") {
      for (const json& name : rule) {
        if (value.is_object() && !value.contains(name.get<std::string>())) add(at, "lacks " + name.dump());
      }
    } else if (keyword == "properties") {
      for (const auto& [name, sub] : rule.items()) {
        if (value.is_object() && value.contains(name)) check(sub, value[name], at + "/" + name);
      }
    } else if (keyword == "additionalProperties") {
      for (auto entry = value.begin(); value.is_object() && entry != value.end(); ++entry) {
        if (schema.contains("properties") && schema["properties"].contains(entry.key())) continue;
        if (rule.is_object()) {
          check(rule, entry.value(), at + "/" + entry.key());
        } else if (rule == false) {
          add(at, "has the unknown property " + entry.key());
        }
      }
    } else {
      add(at, "the schema's keyword " + keyword + " is not known here");
    }
  }

  const json& root_;
  std::vector<std::string> violations_;
};

}  // namespace

std::vector<std::string> schema_violations(const json& schema, const json& document) {
  Validator validator(schema);
  validator.check(schema, document, "");
  return validator.take();
}

}  // namespace shutdown_auditor::report
