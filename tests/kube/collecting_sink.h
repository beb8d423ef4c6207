#pragma once

#include <string>
#include <vector>

#include "objects/list_decoder.h"

namespace shutdown_auditor::testing_support {

// The values of every "name" in a list's items.
class CollectingSink final : public objects::ItemSink, public objects::EventHandler {
 public:
  objects::EventHandler& begin_item() override { return *this; }
  bool end_item() override {
    ++items;
    return items != refuse_item;
  }
  bool start_object(objects::Mark) override { return true; }
  bool key(std::string_view name, objects::Mark) override {
    key_ = name;
    return true;
  }
  bool end_object() override { return true; }
  bool start_array(objects::Mark) override { return true; }
  bool end_array() override { return true; }
  bool null(objects::Mark) override { return true; }
  bool boolean(bool, std::string_view, objects::Mark) override { return true; }
  bool integer(std::int64_t, std::string_view, objects::Mark) override { return true; }
  bool number(double, std::string_view, objects::Mark) override { return true; }
  bool string(std::string_view value, objects::Mark) override {
    if (key_ == "name") {
      names.emplace_back(value);
    }
    return true;
  }
  base::Error problem() const override { return {base::ErrorKind::kInvalid, "item refused"}; }

  std::vector<std::string> names;
  int items = 0;
  int refuse_item = 0;  // the number of the item to refuse, from 1

 private:
  std::string key_;
};

}  // namespace shutdown_auditor::testing_support
