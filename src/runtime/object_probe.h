#pragma once

#include <string>

#include "base/result.h"
#include "objects/events.h"
#include "runtime/object_key.h"

namespace shutdown_auditor::runtime {

// Passes the events of one object on to its decoder and notes who the object is, so that an object the decoder refuses
// can still be named. A refusal does not stop the source: the rest of the object is read over, and failure() tells.
// For one thread.
class ObjectProbe final : public objects::EventHandler {
 public:
  // For the next object; `decoder` may be null.
  void begin(objects::EventHandler* decoder);

  // Namespace and name; empty as far as they were not seen.
  const ObjectKey& key() const { return key_; }
  const std::string& resource_version() const { return resource_version_; }
  // Why the decoder refused the object, or that it has no name.
  base::Result<void> check() const;

  bool start_object(objects::Mark mark) override;
  bool key(std::string_view name, objects::Mark mark) override;
  bool wants_value() const override;
  bool end_object() override;
  bool start_array(objects::Mark mark) override;
  bool end_array() override;
  bool null(objects::Mark mark) override;
  bool boolean(bool value, std::string_view text, objects::Mark mark) override;
  bool integer(std::int64_t value, std::string_view text, objects::Mark mark) override;
  bool number(double value, std::string_view text, objects::Mark mark) override;
  bool string(std::string_view value, objects::Mark mark) override;
  base::Error problem() const override { return problem_; }

 private:
  bool pass(bool accepted);

  objects::EventHandler* decoder_ = nullptr;  // null once it refused
  ObjectKey key_;
  std::string resource_version_;
  std::string* wanted_ = nullptr;  // where the next scalar belongs
  std::size_t depth_ = 0;
  bool metadata_next_ = false;
  bool in_metadata_ = false;
  bool refused_ = false;
  base::Error problem_;
};

}  // namespace shutdown_auditor::runtime
