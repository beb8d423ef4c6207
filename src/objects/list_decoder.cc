#include "objects/list_decoder.h"

#include <fmt/format.h>

#include <utility>

#include "base/text.h"

namespace shutdown_auditor::objects {

base::Result<ListMeta> ListDecoder::take() {
  if (!problem_.message.empty()) return base::unexpected(problem_);
  if (!done_) return base::fail(base::ErrorKind::kInvalid, "the list ends before it is complete");
  if (!items_seen_) {
    return base::fail(base::ErrorKind::kInvalid,
                      fmt::format("expected a list, got {} without items",
                                  meta_.kind.empty() ? "an object" : base::quoted(meta_.kind)));
  }
  return std::move(meta_);
}

bool ListDecoder::refuse(std::string message) {
  problem_ = {base::ErrorKind::kInvalid, std::move(message)};
  return false;
}

// Takes over the item handler's reason when it said false.
bool ListDecoder::check(bool item_said) {
  if (!item_said) problem_ = item_->problem().with_context(fmt::format("items[{}]", count_));
  return item_said;
}

bool ListDecoder::open(bool object, Mark mark) {
  if (in_item()) {
    ++item_depth_;
    return check(object ? item_->start_object(mark) : item_->start_array(mark));
  }
  if (skipping_ > 0) {
    if (++skipping_ > kMaxDepth) return refuse(fmt::format("nested deeper than {}", kMaxDepth));
    return true;
  }
  if (depth_ == 0) {
    if (!object || done_) return refuse("expected one list object");
    depth_ = 1;
    return true;
  }
  if (depth_ == 1) {
    switch (member_) {
      case Member::kMetadata:
        if (!object) return refuse("metadata: expected an object, got a list");
        depth_ = 2;
        meta_field_ = MetaField::kOther;
        return true;
      case Member::kItems:
        if (object) return refuse("items: expected a list, got an object");
        if (items_seen_) return refuse("items: given twice");
        items_seen_ = true;
        depth_ = 2;
        return true;
      case Member::kApiVersion: return refuse("apiVersion: expected a string");
      case Member::kKind: return refuse("kind: expected a string");
      case Member::kOther: break;
    }
    skipping_ = 1;
    return true;
  }
  if (member_ == Member::kItems) {
    if (!object) return refuse(fmt::format("items[{}]: expected an object, got a list", count_));
    item_ = &sink_.begin_item();
    item_depth_ = 1;
    return check(item_->start_object(mark));
  }
  if (meta_field_ != MetaField::kOther) return refuse("metadata: expected a plain value");
  skipping_ = 1;
  return true;
}

bool ListDecoder::close() {
  if (skipping_ > 0) {
    --skipping_;
    return true;
  }
  --depth_;
  done_ = depth_ == 0;
  if (depth_ == 1) member_ = Member::kOther;
  return true;
}

bool ListDecoder::start_object(Mark mark) { return open(true, mark); }
bool ListDecoder::start_array(Mark mark) { return open(false, mark); }

bool ListDecoder::end_object() {
  if (!in_item()) return close();
  if (!check(item_->end_object())) return false;
  if (--item_depth_ > 0) return true;
  item_ = nullptr;
  if (!sink_.end_item()) {
    problem_ = sink_.problem().with_context(fmt::format("items[{}]", count_));
    return false;
  }
  ++count_;
  return true;
}

bool ListDecoder::end_array() {
  if (!in_item()) return close();
  --item_depth_;
  return check(item_->end_array());
}

bool ListDecoder::key(std::string_view name, Mark mark) {
  if (in_item()) return check(item_->key(name, mark));
  if (skipping_ > 0) return true;
  if (depth_ == 1) {
    member_ = name == "apiVersion" ? Member::kApiVersion
              : name == "kind"     ? Member::kKind
              : name == "metadata" ? Member::kMetadata
              : name == "items"    ? Member::kItems
                                   : Member::kOther;
  } else {
    meta_field_ = name == "resourceVersion"      ? MetaField::kResourceVersion
                  : name == "continue"           ? MetaField::kContinue
                  : name == "remainingItemCount" ? MetaField::kRemaining
                                                 : MetaField::kOther;
  }
  return true;
}

// One scalar outside the items; `integer` is set when it is one, `text` when it is a string.
bool ListDecoder::scalar(std::string_view got, std::string_view text, const std::int64_t* integer) {
  if (skipping_ > 0) return true;
  const auto store = [&](std::string& field, std::string_view name) {
    if (text.data() == nullptr) return refuse(fmt::format("{}: expected a string, got {}", name, got));
    field.assign(text);
    return true;
  };
  if (depth_ == 0) return refuse(fmt::format("expected a list object, got {}", got));
  if (depth_ == 1) {
    switch (member_) {
      case Member::kApiVersion: return store(meta_.api_version, "apiVersion");
      case Member::kKind: return store(meta_.kind, "kind");
      case Member::kMetadata: return refuse(fmt::format("metadata: expected an object, got {}", got));
      case Member::kItems: return refuse(fmt::format("items: expected a list, got {}", got));
      case Member::kOther: return true;
    }
  }
  if (member_ == Member::kItems) return refuse(fmt::format("items[{}]: expected an object, got {}", count_, got));
  switch (meta_field_) {
    case MetaField::kResourceVersion: return store(meta_.resource_version, "metadata.resourceVersion");
    case MetaField::kContinue: return store(meta_.continue_token, "metadata.continue");
    case MetaField::kRemaining:
      if (integer == nullptr) return refuse(fmt::format("metadata.remainingItemCount: expected an integer, got {}", got));
      meta_.remaining_item_count = *integer;
      return true;
    case MetaField::kOther: break;
  }
  return true;
}

bool ListDecoder::null(Mark mark) {
  if (in_item()) return check(item_->null(mark));
  if (skipping_ > 0 || depth_ == 0) return scalar("null", {}, nullptr);
  if (depth_ == 1 && member_ == Member::kItems) items_seen_ = true;
  if (depth_ == 2 && member_ == Member::kItems) return scalar("null", {}, nullptr);
  return true;
}

bool ListDecoder::boolean(bool value, std::string_view text, Mark mark) {
  if (in_item()) return check(item_->boolean(value, text, mark));
  return scalar(text, {}, nullptr);
}

bool ListDecoder::integer(std::int64_t value, std::string_view text, Mark mark) {
  if (in_item()) return check(item_->integer(value, text, mark));
  return scalar(text, {}, &value);
}

bool ListDecoder::number(double value, std::string_view text, Mark mark) {
  if (in_item()) return check(item_->number(value, text, mark));
  return scalar(base::truncate_utf8(text, 40), {}, nullptr);
}

bool ListDecoder::string(std::string_view value, Mark mark) {
  if (in_item()) return check(item_->string(value, mark));
  return scalar(base::quoted(value), value.data() == nullptr ? std::string_view("") : value, nullptr);
}

}  // namespace shutdown_auditor::objects
