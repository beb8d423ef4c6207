#pragma once

#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/file.h"
#include "base/text.h"

namespace shutdown_auditor::manifest {

// One row of data/as_kubernetes.json: a manifest, and what kubectl and a real API server did with it.
struct KubernetesRow {
  std::string what;
  std::string text;
  bool accepted = false;
  std::string path;      // JSON pointer into the object; empty: nothing to compare
  nlohmann::json value;  // what stood there in the server's answer
  std::string here;      // why this project answers the opposite; empty: it answers the same
};

inline std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) {
    text.replace(at, from.size(), to);
  }
  return text;
}

// All rows; each manifest's name and each value NAME is `row-N`. Throws when the file is not as described in its README.
inline std::vector<KubernetesRow> kubernetes_rows() {
  const auto file = base::read_file(std::string(SA_SOURCE_DIR) + "/tests/manifest/data/as_kubernetes.json", 1 << 20);
  if (!file) throw std::runtime_error(file.error().message);
  const nlohmann::json data = nlohmann::json::parse(*file);
  std::vector<KubernetesRow> rows;
  for (const nlohmann::json& from : data.at("rows")) {
    KubernetesRow row;
    row.what = from.at("what");
    row.text = from.value("text", data.at("base").get<std::string>());
    if (from.contains("base64")) row.text = base::base64_decode(from["base64"].get<std::string>()).value();
    if (from.contains("with")) {
      const std::string old = from["with"][0];
      if (row.text.find(old) == std::string::npos) throw std::runtime_error(row.what + ": nothing to replace");
      row.text = replaced(row.text, old, from["with"][1]);
    }
    row.text += from.value("add", "");
    const std::string name = "row-" + std::to_string(rows.size());
    row.text = replaced(row.text, "NAME", name);
    // The same in UTF-16.
    for (const bool big : {false, true}) {
      const auto wide = [big](const std::string& narrow) {
        std::string out;
        for (const char c : narrow) out += big ? std::string{'\0', c} : std::string{c, '\0'};
        return out;
      };
      row.text = replaced(row.text, wide("NAME"), wide(name));
    }
    row.accepted = from.at("answer") == "accepted";
    if (!row.accepted && from.at("answer") != "refused") throw std::runtime_error(row.what + ": no answer");
    if (from.contains("path")) row.path = "/" + from["path"].get<std::string>();
    row.value = from.value("value", nlohmann::json());
    if (row.value == "NAME") row.value = name;
    row.here = from.value("here", "");
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace shutdown_auditor::manifest
