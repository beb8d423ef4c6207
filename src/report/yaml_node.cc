#include "report/yaml_node.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/text.h"
#include "report/one_line.h"

namespace shutdown_auditor::report {
namespace {

using Json = nlohmann::ordered_json;

// Words that some YAML reader takes for something else than text.
bool is_plain_word(std::string_view text) {
  constexpr std::array<std::string_view, 10> kTaken{"y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan"};
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  constexpr std::string_view kOthers = "0123456789-./_";
  const auto fine = [&](char c) { return letter(c) || kOthers.find(c) != std::string_view::npos; };
  return !text.empty() && letter(text.front()) && std::all_of(text.begin(), text.end(), fine) &&
         std::find(kTaken.begin(), kTaken.end(), base::to_lower(text)) == kTaken.end();
}

// JSON's strings are YAML's, but for characters that YAML's readers refuse or take for a line break.
std::string quoted(const std::string& text) {
  const std::string json = Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
  std::string out;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const auto byte = [&](std::size_t at) { return at < json.size() ? static_cast<unsigned char>(json[at]) : 0U; };
    const unsigned first = byte(i);
    if (first == 0x7F) {
      out += "\\x7F";
    } else if (first == 0xC2 && byte(i + 1) < 0xA0) {
      out += fmt::format("\\x{:02X}", byte(++i));
    } else if (first == 0xE2 && byte(i + 1) == 0x80 && (byte(i + 2) == 0xA8 || byte(i + 2) == 0xA9)) {
      out += byte(i + 2) == 0xA8 ? "\\L" : "\\P";
      i += 2;
    } else if (first == 0xEF && (byte(i + 1) == 0xBB || byte(i + 1) == 0xBF) && byte(i + 2) >= 0xBE) {
      out += fmt::format("\\u{:04X}", 0xF000U | (byte(i + 1) & 0x3FU) << 6U | (byte(i + 2) & 0x3FU));
      i += 2;
    } else {
      out += json[i];
    }
  }
  return out;
}

void write(const std::vector<YamlNode>& fields, std::size_t indent, bool first, std::string& out) {
  const std::string margin(indent, ' ');
  for (const YamlNode& each : fields) {
    if (!std::exchange(first, false)) {
      for (const std::string& comment : each.comments) out += margin + "# " + one_line(comment) + "\n";
      out += margin;
    }
    out += each.key + ":" + (each.value.empty() ? "" : " " + each.value) + "\n";
    write(each.fields, indent + 2, false, out);
    for (const std::vector<YamlNode>& item : each.items) {
      out += margin + "  - ";
      write(item, indent + 4, true, out);
    }
  }
}

}  // namespace

YamlNode& YamlNode::add(std::string name, std::string text) {
  YamlNode& made = fields.emplace_back();
  made.key = std::move(name);
  made.value = std::move(text);
  return made;
}

void YamlNode::set(const Json& json) {
  if (json.is_object() && !json.empty()) {
    for (const auto& [name, child] : json.items()) add(is_plain_word(name) ? name : quoted(name)).set(child);
  } else if (json.is_array()) {
    for (const Json& each : json) {
      if (each.is_object()) {
        YamlNode item;
        item.set(each);
        items.push_back(std::move(item.fields));
      } else {
        value += (value.empty() ? "[" : ", ") + (each.is_string() ? quoted(each.get<std::string>()) : each.dump());
      }
    }
    if (items.empty()) value = value.empty() ? "[]" : value + "]";
  } else {
    value = yaml_scalar(json);
  }
}

std::string yaml_scalar(const Json& value) {
  if (!value.is_string()) return value.dump();
  const auto& text = value.get_ref<const std::string&>();
  return is_plain_word(text) ? text : quoted(text);
}

void write_yaml(const std::vector<YamlNode>& fields, std::string& out) { write(fields, 0, false, out); }

}  // namespace shutdown_auditor::report
