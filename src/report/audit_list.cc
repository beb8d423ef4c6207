#include "report/audit_list.h"

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>

#include "report/audit_json.h"
#include "report/character.h"
#include "report/json_text.h"

namespace shutdown_auditor::report {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kListKind = "ShutdownAuditList";
constexpr std::size_t kItemMargin = 4;  // columns before an item

std::string escape_of(std::uint32_t unit, std::size_t digits) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out = digits > 4 ? "\\U" : "\\u";
  for (std::size_t i = digits; i-- > 0;) {
    out += kHex[(unit >> (4 * i)) & 0xFU];
  }
  return out;
}

enum class Language { kJson, kYaml };

// What JSON's strings hold although it is not seen, or not allowed in YAML: DEL, C1, bidirectional overrides …
std::string with_escapes(std::string text, Language language) {
  const auto is_plain = [](char c) { return c == '\n' || (c >= 0x20 && c < 0x7F); };
  if (std::all_of(text.begin(), text.end(), is_plain)) {
    return text;
  }
  std::string out;
  out.reserve(text.size());
  for (std::string_view rest = text; !rest.empty();) {
    const Character character = first_character(rest);
    rest.remove_prefix(character.bytes.size());
    const auto code = static_cast<std::uint32_t>(character.code);
    const bool not_yaml = (code & 0xFFFEU) == 0xFFFEU;  // noncharacters
    if (code == '\n' || !(is_hidden(character.code) || not_yaml)) {
      out += character.bytes;
    } else if (code <= 0xFFFFU) {
      out += escape_of(code, 4);
    } else if (language == Language::kYaml) {
      out += escape_of(code, 8);
    } else {
      out += escape_of(0xD7C0U + (code >> 10U), 4) + escape_of(0xDC00U + (code & 0x3FFU), 4);
    }
  }
  return out;
}

class JsonPrinter final : public Printer {
 public:
  explicit JsonPrinter(std::ostream& out) : out_(out) {}

  void add(const ShutdownAudit& audit) override {
    open();
    out_ << (any_ ? ",\n" : "\n") << std::string(kItemMargin, ' ')
         << with_escapes(json_text(printed_object(audit), kItemMargin), Language::kJson);
    any_ = true;
  }

  void finish() override {
    open();
    out_ << (any_ ? "\n  ]\n}\n" : "]\n}\n");
  }

 private:
  void open() {
    if (!std::exchange(opened_, true)) {
      out_ << "{\n  \"apiVersion\": \"" << kApiVersion << "\",\n  \"kind\": \"" << kListKind << "\",\n  \"items\": [";
    }
  }

  std::ostream& out_;
  bool opened_ = false;
  bool any_ = false;
};

bool is_block(const Json& value) { return value.is_structured() && !value.empty(); }

std::string scalar(const Json& value) { return value.dump(-1, ' ', false, Json::error_handler_t::replace); }

// `first` is where the cursor stands already: behind "- ".
void write_yaml(const Json& value, std::size_t indent, bool first, std::string& out) {
  if (!is_block(value)) {
    out += scalar(value) + "\n";
    return;
  }
  for (const auto& [key, child] : value.items()) {
    if (!std::exchange(first, false)) {
      out.append(indent, ' ');
    }
    if (value.is_array()) {
      out += "- ";
      write_yaml(child, indent + 2, true, out);
      continue;
    }
    // Keys of the resource are plain words; a label's or annotation's key is quoted like any string.
    const bool plain = key.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ") == std::string::npos;
    out += plain ? key : scalar(Json(key));
    out += is_block(child) ? ":\n" : ": ";
    write_yaml(child, indent + 2, false, out);
  }
}

class YamlPrinter final : public Printer {
 public:
  explicit YamlPrinter(std::ostream& out) : out_(out) {}

  void add(const ShutdownAudit& audit) override {
    if (!std::exchange(any_, true)) {
      out_ << head() << "items:\n";
    }
    std::string text = "  - ";
    write_yaml(printed_object(audit), kItemMargin, true, text);
    out_ << with_escapes(std::move(text), Language::kYaml);
  }

  void finish() override {
    if (!any_) {
      out_ << head() << "items: []\n";
    }
  }

 private:
  static std::string head() {
    return "apiVersion: \"" + std::string(kApiVersion) + "\"\nkind: \"" + std::string(kListKind) + "\"\n";
  }

  std::ostream& out_;
  bool any_ = false;
};

}  // namespace

std::unique_ptr<Printer> json_printer(std::ostream& out) { return std::make_unique<JsonPrinter>(out); }

std::unique_ptr<Printer> yaml_printer(std::ostream& out) { return std::make_unique<YamlPrinter>(out); }

}  // namespace shutdown_auditor::report
