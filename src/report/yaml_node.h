#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace shutdown_auditor::report {

// A field of a YAML document with comments: a value of one line, fields or list items below it.
struct YamlNode {
  std::string key;
  std::vector<std::string> comments;  // any text; each becomes one line above the key
  std::string value;                  // as it is to be printed, see yaml_scalar()
  std::vector<YamlNode> fields;
  std::vector<std::vector<YamlNode>> items;

  // A new field below this one; the reference lives until the next.
  YamlNode& add(std::string name, std::string text = {});
  // Whatever the JSON holds; an array of plain values stays on one line.
  void set(const nlohmann::ordered_json& json);
};

// The value as every YAML reader takes it for the same text: quoted unless it is a plain word.
std::string yaml_scalar(const nlohmann::ordered_json& value);

// Appends the fields of one document.
void write_yaml(const std::vector<YamlNode>& fields, std::string& out);

}  // namespace shutdown_auditor::report
