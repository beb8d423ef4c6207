#include "app/baseline_file.h"

#include <optional>
#include <utility>

#include "audit/check.h"
#include "base/file.h"
#include "base/text.h"
#include "manifest/config_document.h"

namespace shutdown_auditor::app {
namespace {

using objects::Mark;

constexpr std::size_t kMaxBytes = std::size_t{64} << 20U;  // half a million findings

// Takes the document apart as it streams in: it has two levels and knows every field.
class BaselineHandler final : public objects::EventHandler {
 public:
  bool start_object(Mark) override {
    if (++depth_ == 1 || (depth_ == 2 && in_findings_)) {
      entry_ = {};
      return true;
    }
    return refuse("expected " + expected() + ", got an object");
  }
  bool key(std::string_view name, Mark) override {
    key_ = name;
    const bool known = depth_ == 1 ? name == "apiVersion" || name == "kind" || name == "findings" : field(name) != nullptr;
    return known || refuse("not a field of a " + std::string(report::kBaselineKind));
  }
  bool end_object() override {
    if (--depth_ == 0) {
      return complete();
    }
    key_.clear();
    for (const std::string_view name : {"workload", "check", "reason", "result"}) {
      if (field(name)->empty()) {
        return refuse(std::string(name) + " is missing");
      }
    }
    known_.add(entry_);
    ++entries_;
    return true;
  }
  bool start_array(Mark) override {
    if (depth_ == 1 && key_ == "findings" && !in_findings_) {
      in_findings_ = true;
      has_findings_ = true;
      key_.clear();
      return true;
    }
    return refuse("expected " + expected() + ", got a list");
  }
  bool end_array() override {
    in_findings_ = false;
    return true;
  }
  bool null(Mark) override { return refuse("expected " + expected() + ", got nothing"); }
  bool boolean(bool, std::string_view text, Mark mark) override { return string(text, mark); }
  bool integer(std::int64_t, std::string_view text, Mark mark) override { return string(text, mark); }
  bool number(double, std::string_view text, Mark mark) override { return string(text, mark); }
  bool string(std::string_view value, Mark) override {
    if (depth_ == 1 && !in_findings_ && key_ != "findings") {
      (key_ == "kind" ? kind_ : api_version_) = value;
      return true;
    }
    if (depth_ != 2) {
      return refuse("expected " + expected() + ", got " + base::quoted(value));
    }
    if (value.empty()) {
      return refuse("is empty");
    }
    if (key_ == "check" && !audit::check_of(value.substr(0, value.find('/')))) {
      return refuse("there is no check " + base::quoted(value));
    }
    if (key_ == "result" && value != "Fail" && value != "Warn" && value != "Info") {
      return refuse(base::quoted(value) + " is not one of Fail, Warn, Info");
    }
    *field(key_) = value;
    return true;
  }
  base::Error problem() const override { return problem_; }

  bool complete_document() const { return complete_; }
  report::Baseline take() { return std::move(known_); }

 private:
  std::string* field(std::string_view name) {
    return name == "workload" ? &entry_.identity.workload
           : name == "check"  ? &entry_.identity.id
           : name == "reason" ? &entry_.identity.reason
           : name == "result" ? &entry_.result
                              : nullptr;
  }
  std::string expected() const {
    if (depth_ == 0) {
      return "a document";
    }
    return depth_ == 1 && in_findings_ ? "{workload, check, reason, result}" : key_ == "findings" ? "a list" : "a string";
  }
  bool complete() {
    if (api_version_ != report::kApiVersion) {
      return refuse("apiVersion: expected " + std::string(report::kApiVersion) + ", got " + base::quoted(api_version_));
    }
    if (kind_ != report::kBaselineKind) {
      return refuse("kind: expected " + std::string(report::kBaselineKind) + ", got " + base::quoted(kind_));
    }
    if (!has_findings_) {
      return refuse("findings is missing; an empty baseline says `findings: []`");
    }
    complete_ = true;
    return true;
  }
  bool refuse(const std::string& what) {
    std::string where = in_findings_ ? "findings[" + std::to_string(entries_) + "]" : "";
    if (!key_.empty() && depth_ > 0) {
      where += (where.empty() ? "" : ".") + key_;
    }
    problem_ = {base::ErrorKind::kInvalid, where.empty() ? what : where + ": " + what};
    return false;
  }

  std::size_t depth_ = 0;  // open objects
  bool in_findings_ = false;
  bool has_findings_ = false;
  bool complete_ = false;
  std::string key_;
  std::string api_version_;
  std::string kind_;
  report::KnownFinding entry_;
  report::Baseline known_;
  std::size_t entries_ = 0;  // read
  base::Error problem_;
};

}  // namespace

base::Result<report::Baseline> read_baseline_file(const std::string& path) {
  const base::Result<std::string> text = base::read_file(path, kMaxBytes);
  if (!text) {
    base::Error error = text.error();
    if (error.kind == base::ErrorKind::kNotFound) {
      error.message += "; `check --write-baseline` makes it";
    }
    return base::unexpected(error);
  }
  BaselineHandler handler;
  if (const base::Result<void> read = manifest::read_config_document(*text, path, handler, kMaxBytes); !read) {
    return base::unexpected(read.error());
  }
  if (!handler.complete_document()) {
    return base::fail(base::ErrorKind::kInvalid, path + ": empty; `check --write-baseline` writes a baseline");
  }
  return handler.take();
}

}  // namespace shutdown_auditor::app
