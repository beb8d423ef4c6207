#pragma once

#include <algorithm>
#include <regex>
#include <set>
#include <string>
#include <vector>

namespace shutdown_auditor::report {

// Why `text` is not well-formed XML 1.0, as far as a document without DOCTYPE, comments and CDATA goes; empty when it is.
inline std::string xml_fault(const std::string& text) {
  static const std::regex kDeclaration(R"(<\?xml [^?]*\?>\s*)");
  static const std::regex kTag(R"(<(/?)([A-Za-z_][\w.-]*)((?:\s+[A-Za-z_][\w.-]*="[^"<]*")*)\s*(/?)>)");
  static const std::regex kAttribute(R"(\s+([A-Za-z_][\w.-]*)="([^"]*)\")");
  static const std::regex kText(R"((?:[^<&]|&(?:amp|lt|gt|quot|apos);)*)");
  for (const char c : text) {
    if (c >= 0 && c < 0x20 && c != '\n' && c != '\t' && c != '\r') return "control character";
  }
  if (text.find("\xEF\xBF\xBE") != std::string::npos || text.find("\xEF\xBF\xBF") != std::string::npos) return "noncharacter";

  std::smatch match;
  auto at = text.cbegin();
  if (std::regex_search(at, text.cend(), match, kDeclaration, std::regex_constants::match_continuous)) {
    at = match[0].second;
  }
  std::vector<std::string> open;
  bool root_seen = false;
  while (at != text.cend()) {
    const auto next = std::find(at, text.cend(), '<');
    const std::string between(at, next);
    if (!std::regex_match(between, kText) || between.find("]]>") != std::string::npos) return "bad text: " + between;
    if (open.empty() && between.find_first_not_of(" \n\t\r") != std::string::npos) return "text outside: " + between;
    at = next;
    if (at == text.cend()) break;
    if (!std::regex_search(at, text.cend(), match, kTag, std::regex_constants::match_continuous)) {
      return "bad tag: " + std::string(at, at + std::min<std::ptrdiff_t>(40, text.cend() - at));
    }
    const bool closes = match[1].length() > 0;
    const bool empty = match[4].length() > 0;
    if (closes && (empty || open.empty() || open.back() != match[2])) return "unexpected end of " + match[2].str();
    if (!closes && open.empty() && root_seen) return "second root";
    root_seen = true;
    const std::string attributes = match[3];
    std::set<std::string> names;
    for (std::sregex_iterator each(attributes.begin(), attributes.end(), kAttribute), none; each != none; ++each) {
      if (!names.insert((*each)[1]).second) return "attribute twice";
      if (!std::regex_match((*each)[2].str(), kText)) return "bad attribute: " + (*each)[2].str();
    }
    if (closes) {
      open.pop_back();
    } else if (!empty) {
      open.push_back(match[2]);
    }
    at = match[0].second;
  }
  return !root_seen ? "no root" : open.empty() ? "" : "not closed: " + open.back();
}

}  // namespace shutdown_auditor::report
