#include "objects/watch_event.h"

#include "objects/json_source.h"

namespace shutdown_auditor::objects {
namespace {

// Follows one JSON object down to its top-level members; all else is forwarded to `visit` or dropped.
class MemberHandler : public EventHandler {
 public:
  MemberHandler(std::string_view name, EventHandler* inner) : name_(name), inner_(inner) {}

  bool seen() const { return seen_; }
  bool is_string() const { return is_string_; }
  const std::string& text() const { return text_; }

  bool start_object(Mark mark) override {
    if (depth_++ == 0) return true;
    return forward([&] { return inner_->start_object(mark); });
  }
  bool start_array(Mark mark) override {
    if (depth_++ == 0) return refuse("expected an object, got a list");
    return forward([&] { return inner_->start_array(mark); });
  }
  bool end_object() override {
    if (--depth_ == 0) return true;
    return forward([&] { return inner_->end_object(); });
  }
  bool end_array() override {
    --depth_;
    return forward([&] { return inner_->end_array(); });
  }
  bool key(std::string_view name, Mark mark) override {
    if (depth_ > 1) return forward([&] { return inner_->key(name, mark); });
    wanted_ = name == name_;
    if (wanted_ && seen_) return refuse("member \"" + std::string(name) + "\" given twice");
    seen_ = seen_ || wanted_;
    return true;
  }
  bool wants_value() const override {
    return wanted_ && (depth_ == 1 || inner_ == nullptr || inner_->wants_value());
  }
  bool null(Mark mark) override {
    return scalar([&] { return inner_->null(mark); });
  }
  bool boolean(bool value, std::string_view text, Mark mark) override {
    return scalar([&] { return inner_->boolean(value, text, mark); });
  }
  bool integer(std::int64_t value, std::string_view text, Mark mark) override {
    return scalar([&] { return inner_->integer(value, text, mark); });
  }
  bool number(double value, std::string_view text, Mark mark) override {
    return scalar([&] { return inner_->number(value, text, mark); });
  }
  bool string(std::string_view value, Mark mark) override {
    if (inner_ == nullptr && depth_ == 1 && wanted_) {
      is_string_ = true;
      text_ = value;
    }
    return scalar([&] { return inner_->string(value, mark); });
  }
  base::Error problem() const override {
    return problem_.message.empty() && inner_ != nullptr ? inner_->problem() : problem_;
  }

 private:
  template <class Call>
  bool forward(Call call) {
    if (!wanted_) return true;
    return inner_ != nullptr ? call() : false;
  }
  // Without an inner handler the search ends at the wanted member, found by the false.
  template <class Call>
  bool scalar(Call call) {
    if (depth_ == 0) return refuse("expected an object");
    return forward(call);
  }
  bool refuse(std::string message) {
    problem_ = {base::ErrorKind::kInvalid, std::move(message)};
    return false;
  }

  std::string_view name_;
  EventHandler* inner_;
  std::size_t depth_ = 0;
  bool wanted_ = false;
  bool seen_ = false;
  bool is_string_ = false;
  std::string text_;
  base::Error problem_;
};

}  // namespace

base::Result<std::string> watch_event_type(std::string_view line) {
  MemberHandler handler("type", nullptr);
  const base::Result<void> parsed = parse_json(line, handler);
  if (handler.is_string()) return handler.text();
  if (handler.seen()) return base::fail(base::ErrorKind::kInvalid, "watch event: type: expected a string");
  if (!parsed) return base::unexpected(parsed.error().with_context("watch event"));
  return base::fail(base::ErrorKind::kInvalid, "watch event: no type");
}

base::Result<void> forward_member(std::string_view line, std::string_view name, EventHandler& handler) {
  MemberHandler members(name, &handler);
  if (base::Result<void> parsed = parse_json(line, members); !parsed) return parsed;
  if (!members.seen()) return base::fail(base::ErrorKind::kInvalid, "no member \"" + std::string(name) + "\"");
  return {};
}

}  // namespace shutdown_auditor::objects
