#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "objects/events.h"

namespace shutdown_auditor::objects {

// What a Kubernetes list says about itself (metav1.ListMeta).
struct ListMeta {
  std::string api_version;
  std::string kind;
  std::string resource_version;
  std::string continue_token;
  std::optional<std::int64_t> remaining_item_count;
};

// Takes the items of a list one by one.
class ItemSink {
 public:
  virtual ~ItemSink() = default;
  // The handler that gets the events of the next item, for example a Decoder. It stays valid until end_item().
  virtual EventHandler& begin_item() = 0;
  // The item is complete. False stops the list with problem().
  virtual bool end_item() = 0;
  virtual base::Error problem() const = 0;
};

// Reads a list document ({"kind": "DeploymentList", "metadata": {…}, "items": […]}, keys in any order) and hands each
// item on as it comes, so that memory holds one item whatever the list's size. `items: null` is an empty list. The sink
// must outlive the decoder. For one thread, one document.
class ListDecoder final : public EventHandler {
 public:
  explicit ListDecoder(ItemSink& sink) : sink_(sink) {}

  // What the list said, after the whole document; kInvalid when it was no list: no `items` (an empty object, a Status),
  // or an item that is no object.
  base::Result<ListMeta> take();

  bool start_object(Mark mark) override;
  bool key(std::string_view name, Mark mark) override;
  bool wants_value() const override { return item_ == nullptr || item_->wants_value(); }
  bool end_object() override;
  bool start_array(Mark mark) override;
  bool end_array() override;
  bool null(Mark mark) override;
  bool boolean(bool value, std::string_view text, Mark mark) override;
  bool integer(std::int64_t value, std::string_view text, Mark mark) override;
  bool number(double value, std::string_view text, Mark mark) override;
  bool string(std::string_view value, Mark mark) override;
  base::Error problem() const override { return problem_; }

 private:
  enum class Member { kOther, kApiVersion, kKind, kMetadata, kItems };
  enum class MetaField { kOther, kResourceVersion, kContinue, kRemaining };
  bool in_item() const { return item_ != nullptr; }
  bool scalar(std::string_view got, std::string_view text, const std::int64_t* integer);
  bool open(bool object, Mark mark);
  bool close();
  bool check(bool item_said);
  bool refuse(std::string message);

  ItemSink& sink_;
  ListMeta meta_;
  EventHandler* item_ = nullptr;
  std::size_t depth_ = 0;       // of the list itself: 1 in the document, 2 in metadata or items
  std::size_t item_depth_ = 0;  // inside the current item
  std::size_t skipping_ = 0;    // inside a member that is not read
  Member member_ = Member::kOther;
  MetaField meta_field_ = MetaField::kOther;
  std::int64_t count_ = 0;
  bool items_seen_ = false;
  bool done_ = false;
  base::Error problem_;
};

}  // namespace shutdown_auditor::objects
