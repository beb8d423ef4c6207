#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "objects/events.h"

namespace shutdown_auditor::objects {

// Writes events down as text, optionally with their marks, and can be told to stop at one.
class RecordingHandler final : public EventHandler {
 public:
  explicit RecordingHandler(bool marks = false) : marks_(marks) {}

  const std::vector<std::string>& events() const { return events_; }
  void stop_at(std::string event) { stop_at_ = std::move(event); }
  // Keys whose values are not wanted; a source may give them all the same.
  void leave_out(std::string key) { left_out_.push_back("key " + std::move(key)); }
  bool wants_value() const override {
    return std::find(left_out_.begin(), left_out_.end(), events_.back()) == left_out_.end();
  }

  bool start_object(Mark mark) override { return add("{", mark); }
  bool key(std::string_view name, Mark mark) override { return add(fmt::format("key {}", name), mark); }
  bool end_object() override { return add("}"); }
  bool start_array(Mark mark) override { return add("[", mark); }
  bool end_array() override { return add("]"); }
  bool null(Mark mark) override { return add("null", mark); }
  bool boolean(bool value, std::string_view text, Mark mark) override {
    return add(with_text(fmt::format("bool {}", value), value ? "true" : "false", text), mark);
  }
  bool integer(std::int64_t value, std::string_view text, Mark mark) override {
    return add(with_text(fmt::format("int {}", value), std::to_string(value), text), mark);
  }
  bool number(double, std::string_view text, Mark mark) override { return add(fmt::format("num {}", text), mark); }
  bool string(std::string_view value, Mark mark) override { return add(fmt::format("str {}", value), mark); }
  base::Error problem() const override { return {base::ErrorKind::kInvalid, "stopped at " + stop_at_}; }

 private:
  static std::string with_text(std::string event, std::string_view canonical, std::string_view text) {
    return text == canonical ? event : fmt::format("{} ({})", event, text);
  }
  bool add(std::string event, Mark mark = {}) {
    if (marks_ && mark.line != 0) event += fmt::format(" @{}:{}", mark.line, mark.column);
    events_.push_back(event);
    return stop_at_.empty() || event != stop_at_;
  }

  bool marks_;
  std::vector<std::string> events_;
  std::string stop_at_;
  std::vector<std::string> left_out_;
};

// Counts events and forgets them.
class CountingHandler final : public EventHandler {
 public:
  std::size_t count() const { return count_; }
  bool start_object(Mark) override { return add(); }
  bool key(std::string_view, Mark) override { return add(); }
  bool end_object() override { return add(); }
  bool start_array(Mark) override { return add(); }
  bool end_array() override { return add(); }
  bool null(Mark) override { return add(); }
  bool boolean(bool, std::string_view, Mark) override { return add(); }
  bool integer(std::int64_t, std::string_view, Mark) override { return add(); }
  bool number(double, std::string_view, Mark) override { return add(); }
  bool string(std::string_view, Mark) override { return add(); }
  base::Error problem() const override { return {}; }

 private:
  bool add() {
    ++count_;
    return true;
  }
  std::size_t count_ = 0;
};

}  // namespace shutdown_auditor::objects
