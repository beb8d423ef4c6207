#include "report/sarif.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <ostream>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/text.h"
#include "report/baseline.h"
#include "report/finding_text.h"
#include "report/json_text.h"
#include "report/one_line.h"

namespace shutdown_auditor::report {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kSchema =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
constexpr std::size_t kFingerprintDigits = 16;
constexpr std::size_t kRunMargin = 6;     // columns before the members of the run
constexpr std::size_t kResultMargin = 8;  // and before a result

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
         c == '~' || c == '/';
}

// RFC 3986: relative paths stay relative, because code scanning resolves them in the repository.
std::string uri_of(std::string_view path) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out = path.starts_with('/') ? "file://" : "";
  for (const char c : path) {
    if (is_unreserved(c)) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += kHex[byte >> 4U];
      out += kHex[byte & 0xFU];
    }
  }
  return out;
}

// Braces and "[text](target)" mean something in a SARIF message (2.1.0, §3.11.5 and §3.11.6).
std::string message_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '(' && out.ends_with(']')) {
      out += ' ';
    }
    out += c;
    if (c == '{' || c == '}') {
      out += c;
    }
  }
  return out;
}

// "GraceBudget" of "grace-budget".
std::string rule_name(std::string_view id) {
  std::string out;
  for (const std::string_view word : base::split(id, '-')) {
    for (std::size_t i = 0; i < word.size(); ++i) {
      const bool capital = i == 0 && word[i] >= 'a' && word[i] <= 'z';
      out += capital ? static_cast<char>(word[i] - 'a' + 'A') : word[i];
    }
  }
  return out;
}

std::string sentence(std::string_view title) {
  std::string out(title);
  if (!out.empty() && out[0] >= 'a' && out[0] <= 'z') {
    out[0] = static_cast<char>(out[0] - 'a' + 'A');
  }
  return out + ".";
}

// The worst result that the page's first line names.
std::string_view level_of_page(std::string_view page) {
  for (const std::string_view line : base::split(page, '\n')) {
    if (line.empty() || line.starts_with('#')) {
      continue;
    }
    const auto names = [&line](std::string_view result) {
      return line.find(std::string(result) + ":") != std::string_view::npos || line.starts_with(std::string(result) + " ");
    };
    return names("Error") || names("Fail") ? "error" : names("Warn") ? "warning" : names("Info") ? "note" : "warning";
  }
  return "warning";
}

// Pages link each other by file name.
std::string with_absolute_links(std::string_view page, const std::string& base) {
  std::string out;
  while (!base.empty()) {
    const std::size_t link = page.find("](");
    const std::size_t end = link == std::string_view::npos ? link : page.find(')', link);
    if (end == std::string_view::npos) {
      break;
    }
    const std::string_view target = page.substr(link + 2, end - link - 2);
    out += page.substr(0, link + 2);
    if (target.ends_with(".md") && target.find('/') == std::string_view::npos) {
      out += help_uri(base, target.substr(0, target.size() - 3));
    } else {
      out += target;
    }
    page.remove_prefix(end);
  }
  return out + std::string(page);
}

// "spec.containers[].lifecycle": without the numbers that change when a container is put in front.
std::string without_indices(std::string_view path) {
  std::string out;
  for (const char c : path) {
    if (!out.ends_with('[') || c < '0' || c > '9') {
      out += c;
    }
  }
  return out;
}

class SarifPrinter final : public Printer {
 public:
  SarifPrinter(std::ostream& out, SarifOptions options) : out_(out), options_(std::move(options)) {}

  void add(const ShutdownAudit& audit) override {
    open();
    for (const ReportedFinding& finding : audit.status.findings) {
      successful_ = successful_ && finding.result != "Error";
      out_ << (std::exchange(any_, true) ? ",\n" : "\n") << std::string(kResultMargin, ' ')
           << json_text(make_result(audit, finding), kResultMargin);
    }
  }

  void finish() override {
    open();
    const Json invocations = Json::array({{{"executionSuccessful", successful_}}});
    out_ << (any_ ? "\n" + std::string(kRunMargin, ' ') : "") << "],\n"
         << std::string(kRunMargin, ' ') << "\"invocations\": " << json_text(invocations, kRunMargin)
         << "\n    }\n  ]\n}\n";
  }

 private:
  struct Rule {
    std::size_t index = 0;
    std::string_view level;
  };

  // Everything up to the first result.
  void open() {
    if (std::exchange(opened_, true)) {
      return;
    }
    Json rules = Json::array();
    for (const audit::Check check : audit::all_checks()) {
      rules.push_back(make_rule(rules.size(), audit::id_of(check), audit::title_of(check)));
    }
    const Json tool = {
        {"driver",
         {{"name", "shutdown-auditor"}, {"version", options_.tool_version}, {"rules", std::move(rules)}}}};
    const std::string margin(kRunMargin, ' ');
    out_ << "{\n  \"$schema\": \"" << kSchema << "\",\n  \"version\": \"2.1.0\",\n  \"runs\": [\n    {\n"
         << margin << "\"tool\": " << json_text(tool, kRunMargin) << ",\n"
         << margin << "\"columnKind\": \"unicodeCodePoints\",\n"
         << margin << "\"results\": [";
    options_ = {};  // pages of text
  }

  Json make_rule(std::size_t index, std::string_view id, std::string_view title) {
    const auto page = std::find_if(options_.pages.begin(), options_.pages.end(),
                                   [&](const RulePage& candidate) { return candidate.check == id; });
    const bool has_page = page != options_.pages.end();
    const std::string uri = help_uri(options_.help_uri_base, id);
    const Rule known{index, has_page ? level_of_page(page->markdown) : "warning"};

    Json rule = {{"id", id}, {"name", rule_name(id)}, {"shortDescription", {{"text", sentence(title)}}}};
    rule["help"] = {{"text", sentence(title) + (uri.empty() ? "" : " See " + uri)}};
    if (has_page) {
      rule["help"]["markdown"] = with_absolute_links(page->markdown, options_.help_uri_base);
    }
    if (!uri.empty()) {
      rule["helpUri"] = uri;
    }
    rule["defaultConfiguration"] = {{"level", known.level}};
    rule["properties"] = {{"tags", Json::array({"kubernetes", "reliability"})}};
    rules_.emplace(id, known);
    return rule;
  }

  std::string_view level_of(const ReportedFinding& finding) const {
    if (finding.result == "Skip") {
      const auto rule = rules_.find(finding.check);
      return rule == rules_.end() ? "warning" : rule->second.level;
    }
    return finding.result == "Error" || finding.result == "Fail" ? "error" : finding.result == "Warn" ? "warning" : "note";
  }

  Json make_result(const ShutdownAudit& audit, const ReportedFinding& finding) {
    Json result = {{"ruleId", finding.check}};
    if (const auto rule = rules_.find(finding.check); rule != rules_.end()) {
      result["ruleIndex"] = rule->second.index;
    }
    result["level"] = level_of(finding);
    const std::string container = one_line(finding.container);
    const FindingIdentity identity = identity_of(audit, finding);
    const std::string text = identity.workload + (container.empty() ? "" : ", container " + container);
    result["message"] = {{"text", message_text(text + ": " + advice_text(finding))}};  // the suppression tells the exemption

    const Place& place = finding.place;
    Json location = Json::object();
    if (!place.file.empty()) {
      location["physicalLocation"]["artifactLocation"]["uri"] = uri_of(path_of(place));
      if (place.line > 0) {
        location["physicalLocation"]["region"]["startLine"] = place.line;
        if (place.column > 0) {
          location["physicalLocation"]["region"]["startColumn"] = place.column;
        }
      }
    }
    const std::string full = identity.workload + (container.empty() ? "" : "/" + container);
    location["logicalLocations"] = Json::array({{{"fullyQualifiedName", full}, {"kind", "resource"}}});
    result["locations"] = Json::array({std::move(location)});
    add_fingerprints(result, identity, finding);
    if (!finding.baseline_state.empty()) {
      result["baselineState"] = finding.baseline_state;
    }

    if (finding.result == "Skip") {
      const bool in_source = finding.exemption && finding.exemption->source == "Annotation";
      Json suppression = {{"kind", in_source ? "inSource" : "external"}, {"status", "accepted"}};
      if (finding.exemption) {
        suppression["justification"] = one_line(finding.exemption->reason);
      }
      result["suppressions"] = Json::array({std::move(suppression)});
    }
    return result;
  }

  void add_fingerprints(Json& result, const FindingIdentity& identity, const ReportedFinding& finding) {
    const std::string field = without_indices(finding.field_path);
    const std::string_view related = finding.related_ref ? std::string_view(finding.related_ref->name) : std::string_view();
    const std::array<std::string_view, 6> parts{path_of(finding.place), identity.workload, identity.id,
                                                identity.reason,        field,             related};
    std::string key;
    for (const std::string_view part : parts) {
      key.append(std::to_string(part.size())).append(":").append(part);
    }
    const std::string hash = base::sha256_hex(key).substr(0, kFingerprintDigits);
    std::uint64_t number = 0;  // the same in eight bytes
    std::from_chars(hash.data(), hash.data() + hash.size(), number, 16);
    const std::string value = hash + ":" + std::to_string(++seen_[number]);
    // GitHub compares this key alone and would otherwise hash the line's text, which is the same in many workloads.
    result["partialFingerprints"] = {{"shutdownAuditFinding/v1", value}, {"primaryLocationLineHash", value}};
  }

  std::ostream& out_;
  SarifOptions options_;                                // empty once they are written
  std::map<std::string, Rule, std::less<>> rules_;      // by check
  std::unordered_map<std::uint64_t, unsigned> seen_;    // how often each fingerprint
  bool opened_ = false;
  bool any_ = false;
  bool successful_ = true;
};

}  // namespace

std::unique_ptr<Printer> sarif_printer(std::ostream& out, SarifOptions options) {
  return std::make_unique<SarifPrinter>(out, std::move(options));
}

}  // namespace shutdown_auditor::report
